"""A folder on this machine, or one that is mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from opendata.core.errors import Unavailable
from opendata.ports.storage.drop import Entry
from opendata.ports.storage.port import CHUNK, ObjectMissing


class LocalDrop:
    """Symbolic links are not followed: they could lead out of the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def entries(self, folder: str) -> Iterator[Entry]:
        start = self._inside(folder)
        if start is None or not start.is_dir():
            return
        yield from self._below(start)

    def read(self, path: str) -> Iterator[bytes]:
        place = self._inside(path)
        if place is None:
            raise ObjectMissing(path)
        try:
            with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except (FileNotFoundError, IsADirectoryError):
            raise ObjectMissing(path) from None
        except OSError as error:
            raise Unavailable("storage_unavailable") from error

    def local_path(self, path: str) -> Path | None:
        place = self._inside(path)
        return place if place is not None and place.is_file() else None

    def _below(self, folder: Path) -> Iterator[Entry]:
        try:
            found = sorted(os.scandir(folder), key=lambda one: one.name)
            for one in found:
                if one.is_dir(follow_symlinks=False):
                    yield from self._below(Path(one.path))
                elif one.is_file(follow_symlinks=False):
                    status = one.stat(follow_symlinks=False)
                    path = Path(one.path).relative_to(self._root).as_posix()
                    at = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield Entry(path, status.st_size, at, f"{status.st_size}-{status.st_mtime_ns}")
        except OSError as error:
            raise Unavailable("storage_unavailable") from error

    def _inside(self, path: str) -> Path | None:
        place = (self._root / path.strip("/")).resolve()
        return place if place == self._root or self._root in place.parents else None
