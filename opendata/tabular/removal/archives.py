"""A ZIP written again, member by member: what no row leaves is copied as it is."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.containers import zipped

Rewrite = Callable[[str], Path | None]
"""A member without the rows that go; None: it stays."""


def write(path: Path, rewrite: Rewrite, out: Path) -> None:
    """In the order of the members, with their names, times and notes. Errors: TaskError `archive_broken`, also where two
    members share a name: nobody could say which of them a reader takes."""
    try:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
            target.comment = source.comment
            names = [zipped.name_of(one) for one in source.infolist()]
            if len(set(names)) < len(names):
                raise TaskError("archive_broken")
            for one, name in zip(source.infolist(), names, strict=True):
                made = None if one.is_dir() else rewrite(name)
                with (
                    source.open(one) if made is None else made.open("rb") as body,
                    target.open(_told(one, name), "w", force_zip64=one.file_size >= 1 << 31) as copy,
                ):
                    shutil.copyfileobj(body, copy, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError):
        raise TaskError("archive_broken") from None


def _told(one: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    """Names are written in UTF-8, whatever they were in."""
    told = zipfile.ZipInfo(name, one.date_time)
    stored = one.compress_type == zipfile.ZIP_STORED
    told.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    told.external_attr, told.create_system, told.comment = one.external_attr, one.create_system, one.comment
    return told
