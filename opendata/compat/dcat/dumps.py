"""The files of the whole catalogue over HTTP: with ranges and conditions, as every file here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from opendata.access import download
from opendata.access.download import Sending, Source
from opendata.catalog.files import Stores
from opendata.catalog.views import FileView
from opendata.core.errors import NotFound
from opendata.edge.conventions import json_answer, known_query
from opendata.edge.http import AppSettings, part
from opendata.feeds.answering import reading_work
from opendata.feeds.dumps import queries
from opendata.feeds.dumps.models import DumpPart
from opendata.feeds.terms import Site
from opendata.ports.storage.port import Storage

router = APIRouter(tags=["feeds"], dependencies=[Depends(known_query)])
FileStores = Annotated[Stores, Depends(part("stores"))]
FORMATS = {name: format for format, (name, _) in queries.NAMES.items()}


@dataclass(frozen=True)
class Joined:
    """Objects one after the other, as one."""

    store: Storage
    parts: Sequence[tuple[str, int]]
    """SHA-256 and size."""

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of all parts together; `sha256` is of no use here."""
        spans, begins = [], 0
        for name, size in self.parts:
            first, last = max(start - begins, 0), size if end is None else min(end - begins, size)
            if first < last:
                spans.append((name, first, last))
            begins += size
        first_part = self.store.read(*spans[0]) if spans else iter(())  # a missing one is told by the call
        return self._rest(first_part, spans[1:])

    def local_path(self, sha256: str) -> Path | None:
        return None

    def presigned_url(self, sha256: str, *, filename: str, media_type: str, seconds: int) -> str | None:
        return None

    def _rest(self, first: Iterator[bytes], spans: Sequence[tuple[str, int, int]]) -> Iterator[bytes]:
        yield from first
        for span in spans:
            yield from self.store.read(*span)


@router.get("/dumps", response_class=Response)
def files(request: Request, settings: AppSettings) -> Response:
    """The files of the whole catalogue: address, media type, bytes, datasets, when they were made. They are made anew every day;
    what is withdrawn leaves them at once."""
    with reading_work(request) as work:
        parts = [part for part in queries.parts(work) if part.format in queries.NAMES]
    listed = [
        _described(Site.of(settings), format, list(group))
        for format, group in groupby(parts, key=lambda part: part.format)
    ]
    return json_answer({"files": listed}, public=True)


@router.head("/dumps/{name}", include_in_schema=False)
@router.get("/dumps/{name}", response_class=Response)
def file(request: Request, settings: AppSettings, stores: FileStores, name: str) -> Response:
    """`catalog.nt.gz`, `catalog.ndjson.gz`, `catalog.csv` or `catalog.parquet`. 503 with Retry-After while a withdrawal is
    taken out of it."""
    if name not in FORMATS:
        raise NotFound("no_such_address")
    with reading_work(request) as work:
        parts = queries.servable(work, FORMATS[name])
    sending = Sending(_as_file(name, parts), _source(stores.public, parts), public=True)
    answer = download.respond(request, sending, settings)
    answer.headers["Last-Modified"] = format_datetime(_made(parts).astimezone(UTC), usegmt=True)
    return answer


def _source(store: Storage, parts: Sequence[DumpPart]) -> Source:
    return store if len(parts) == 1 else Joined(store, [(part.sha256, part.size) for part in parts])


def _as_file(name: str, parts: Sequence[DumpPart]) -> FileView:
    """Of one part its own hash; of several the hash of their hashes: enough for an ETag."""
    joined = "".join(part.sha256 for part in parts)
    sha256 = joined if len(parts) == 1 else hashlib.sha256(joined.encode()).hexdigest()
    kind = queries.NAMES[FORMATS[name]][1]
    return FileView(name, sha256, sum(part.size for part in parts), name, kind, _made(parts))


def _described(site: Site, format: str, parts: Sequence[DumpPart]) -> dict[str, Any]:
    name, kind = queries.NAMES[format]
    return {
        "format": format,
        "url": f"{site.url}/dumps/{name}",
        "media_type": kind,
        "bytes": sum(part.size for part in parts),
        "datasets": sum(part.datasets for part in parts),
        "made_at": _made(parts),
    }


def _made(parts: Sequence[DumpPart]) -> Any:
    return max(part.made_at for part in parts)
