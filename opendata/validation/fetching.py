"""A file that is tried by its address: fetched by the guarded client, then as if it had been sent."""

from __future__ import annotations

import mimetypes
import threading
from pathlib import Path, PurePath

from opendata.catalog.files import MEDIA_TYPES
from opendata.core.errors import FieldError, Invalid, Unavailable, invalid
from opendata.core.names import clean_file_name
from opendata.edge.uploads import ReceivedForm
from opendata.ports.fetcher.port import Fetched, Fetcher, FetchFailed, FetchLimits
from opendata.validation import trial

SECONDS = 30.0
AT_ONCE = 4
"""Each holds one of the server's threads until its server has answered."""
_places = threading.BoundedSemaphore(AT_ONCE)


def take(fetcher: Fetcher, form: ReceivedForm, path: Path) -> str:
    """The name of the tried file, its bytes in `path`: the file of the form (which is there already), or the one at its
    `url`. `Invalid`: `missing`, `file_or_url`, and those of `fetch`."""
    file, url = form.files.get("file"), str(form.fields.get("url") or "").strip()
    if url and file is not None and file.stored.size:
        raise invalid("url", "file_or_url")
    if url:
        return fetch(fetcher, url, path)
    if file is None:
        raise invalid("file", "missing")
    return clean_file_name(file.filename)


def fetch(fetcher: Fetcher, url: str, path: Path) -> str:
    """The file's bytes in `path`, and its name. Blocks. `Invalid` naming the field `url`, with the fetcher's codes;
    `Unavailable("trial_busy")`."""
    if not _places.acquire(timeout=trial.WAIT_SECONDS):
        raise Unavailable("trial_busy", retry_after=30)
    try:
        with path.open("wb") as file:
            found = fetcher.fetch(url, file.write, FetchLimits(size=trial.MOST_BYTES, seconds=SECONDS))
    except FetchFailed as failure:
        raise Invalid(fields=[FieldError("url", failure.code, failure.params)]) from None
    finally:
        _places.release()
    return _name(found)


def _name(found: Fetched) -> str:
    """With an ending: the one that its media type has, if it is called by none."""
    name = clean_file_name(found.name or "file")
    if PurePath(name).suffix:
        return name
    endings = {kind.partition(";")[0]: f".{ending}" for ending, kind in MEDIA_TYPES.items()}
    return name + (endings.get(found.media_type) or mimetypes.guess_extension(found.media_type) or "")
