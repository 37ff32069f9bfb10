"""Files of a version as paths on this machine: the files themselves in a folder, copies of them for an S3 store.

Data files never change and their names are random, so a copy is never stale.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from opendata.core.errors import Limited
from opendata.ports.table_store.location import Location, store_errors
from opendata.ports.table_store.rowfiles import DataFile

_CHUNK = 1 << 20


class FileCache:
    """Copies of data files, at most `limit` bytes of them; those unused for longest go first, those in use never."""

    def __init__(self, location: Location, folder: Path, limit: int) -> None:
        self._location = location
        self._folder = folder.resolve()
        self._limit = limit
        self._held: Counter[Path] = Counter()
        self._lock = Lock()
        self._copying: dict[Path, Lock] = {}
        if location.local is None:
            self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> Path:
        """The folder under which all the paths lie."""
        return self._location.local or self._folder

    @contextmanager
    def hold(self, table: str, files: Sequence[DataFile]) -> Iterator[list[Path]]:
        """The files' paths, safe from eviction by this process while held.

        `FileNotFoundError` when a file is gone from the store; `Limited` when all of them exceed the cache.
        """
        paths = [self.root / table / file.name for file in files]
        if self._location.local:
            yield paths
            return
        if sum(file.size for file in files) > self._limit:
            raise Limited("query_too_heavy")
        with self._lock:
            self._held.update(paths)
        try:
            for path, file in zip(paths, files, strict=True):
                self._fetch(table, file, path)
            yield paths
        finally:
            with self._lock:
                self._held.subtract(paths)
                self._held += Counter()  # forgets those at zero

    def forget(self, table: str) -> None:
        """Removes the copies of a table's files (its rows may have been withdrawn)."""
        if self._location.local is None:
            shutil.rmtree(self._folder / table, ignore_errors=True)

    def _fetch(self, table: str, file: DataFile, path: Path) -> None:
        with self._lock:
            lock = self._copying.setdefault(path, Lock())
        with lock:
            try:
                _mark_used(path)
            except FileNotFoundError:
                self._copy(table, file, path)
        with self._lock:
            self._copying.pop(path, None)

    def _copy(self, table: str, file: DataFile, path: Path) -> None:
        self._make_room(file.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as target, store_errors():
                with self._location.files.open_input_stream(self._location.path(table, file.name)) as source:
                    while chunk := source.read(_CHUNK):
                        target.write(chunk)
                if target.tell() != file.size:
                    raise OSError("the store sent another number of bytes")
            _mark_used(Path(name))
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _make_room(self, size: int) -> None:
        with self._lock:
            held = set(self._held)
        copies = []
        for path in self._folder.glob("*/*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # another process was quicker
                continue
            copies.append((status.st_mtime_ns, status.st_size, path))
        total = sum(bytes_ for _, bytes_, _ in copies) + size
        for _, bytes_, path in sorted(copies):
            if total <= self._limit:
                return
            if path not in held:
                path.unlink(missing_ok=True)
                total -= bytes_


def _mark_used(path: Path) -> None:
    """Sets the time of last use, by which the eviction goes. The kernel's own stamps move in steps of some milliseconds:
    two uses within a step would look alike."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))
