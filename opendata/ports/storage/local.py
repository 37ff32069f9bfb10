"""A file store in a folder: `sha256/ab/cd/<hash>` beside `tmp/`, on one file system.

An object is written to `tmp/`, fsynced, linked under its name and the folder fsynced: after a power cut it is whole or
not there. A name that is taken is not replaced (equal bytes share the file), its time is renewed instead, so that a
collector of old unreferenced objects leaves alone what somebody has just stored again.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opendata.core.errors import NoSpace, Unavailable
from opendata.core.ids import new_id
from opendata.ports.storage.content import OBJECTS, TEMPORARY, Intake, check_range, hash_in, key_of
from opendata.ports.storage.port import CHUNK, ObjectMissing, StoredObject

FILE_MODE = 0o640
"""The web server may read what it sends by X-Accel-Redirect through its group; nobody else may."""
FOLDER_MODE = 0o750

# EFBIG: the process may not write a file of that size, which to the uploader is a full store all the same.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Answers of file systems without hard links (SMB, exFAT, some FUSE).
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing(Path(error.filename or "").name) from error
    except OSError as error:
        raise (NoSpace() if error.errno in _FULL else Unavailable("storage_unavailable")) from error


class LocalWriter:
    """Takes one object into `tmp/`. Any failure drops what was written; so does letting go of the writer."""

    def __init__(self, store: LocalStorage, limit: int | None) -> None:
        self._intake = Intake(limit)
        self.size = 0
        self._store = store
        self._fd = -1
        self._path = store.root / TEMPORARY / new_id()
        with _writing():
            _make_folder(self._path.parent)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        with self._all_or_nothing():
            os.fchmod(self._fd, FILE_MODE)

    def write(self, chunk: bytes) -> None:
        with self._all_or_nothing():
            self.size = self._intake.take(chunk)
            rest = memoryview(chunk)
            while rest:  # a nearly full disk takes less than it was given
                rest = rest[os.write(self._fd, rest) :]

    def commit(self, expected_sha256: str | None = None) -> StoredObject:
        with self._all_or_nothing():
            sha256 = self._intake.name(expected_sha256)
            self.sync()
            self._store.adopt(self._path, sha256, self.size)
            stored = self._store.stat(sha256)
        self.abort()
        return stored

    def sync(self) -> None:
        """What was written is on the disk, not in its cache."""
        with _writing():
            os.fsync(self._fd)

    def abort(self) -> None:
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        with suppress(OSError):  # what cannot be removed now, the sweep removes later
            os.close(fd)
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def __del__(self) -> None:
        self.abort()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        if self._fd < 0:
            raise ValueError("this writer is finished")
        try:
            with _writing():
                yield
        except BaseException:
            self.abort()
            raise


@contextmanager
def _writing() -> Iterator[None]:
    """Like reading, but a path that has gone under a writer's hands is trouble with the store, no missing object."""
    try:
        with _translated():
            yield
    except ObjectMissing as error:
        raise Unavailable("storage_unavailable") from error


class LocalStorage:
    """One store under the folder `root`, which is made when first written to."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def writer(self, *, limit: int | None = None) -> LocalWriter:
        return LocalWriter(self, limit)

    def adopt(self, written: Path, sha256: str, size: int) -> None:
        """Gives a written and synced file its name, durably. For the store's own writers."""
        path = self._path(sha256)
        _make_folder(path.parent)
        try:
            os.link(written, path)
        except FileExistsError:
            if path.stat().st_size == size:
                os.utime(path)
            else:  # no commit leaves such a thing: the disk did. Whole bytes mend it.
                os.replace(written, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.replace(written, path)
        _sync_folder(path.parent)

    def stat(self, sha256: str) -> StoredObject:
        with _translated():
            return _stored(sha256, self._path(sha256).stat())

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        check_range(start, end)
        chunks = _chunks(self._path(sha256), start, end)
        next(chunks)  # opens the file: a missing object shows now, and an opened one survives its deletion
        return chunks

    @contextmanager
    def local_copy(self, sha256: str) -> Iterator[Path]:
        """The object itself: it is on this disk already."""
        self.stat(sha256)
        yield self._path(sha256)

    def local_path(self, sha256: str) -> Path | None:
        self.stat(sha256)
        return self._path(sha256)

    def presigned_url(self, sha256: str, *, filename: str, media_type: str, seconds: int) -> str | None:
        return None

    def delete(self, sha256: str) -> None:
        with suppress(ObjectMissing), _translated():
            path = self._path(sha256)
            path.unlink()
            _sync_folder(path.parent)

    def objects(self) -> Iterator[StoredObject]:
        """Every object in the order of the hashes, read from the folders as it goes."""
        with _translated():
            for outer in _listed(self.root / OBJECTS):
                for inner in _listed(outer):
                    for path in _listed(inner):
                        yield from self._object_at(path)

    def check(self) -> None:
        """Writes, syncs and drops a small file."""
        writer = self.writer()
        try:
            writer.write(bytes(4096))
            writer.sync()
        finally:
            writer.abort()

    def sweep_temporary(self, older_than: timedelta) -> int:
        """Removes what writers that died left in `tmp/`; counts it. Age is the time since the last write."""
        oldest = time.time() - older_than.total_seconds()
        swept = 0
        with _translated():
            for path in _listed(self.root / TEMPORARY):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()
                        swept += 1
        return swept

    def _object_at(self, path: Path) -> list[StoredObject]:
        sha256 = hash_in(path.relative_to(self.root).as_posix())
        try:
            return [_stored(sha256, path.stat())] if sha256 else []
        except FileNotFoundError:  # deleted since it was listed
            return []

    def _path(self, sha256: str) -> Path:
        return self.root / key_of(sha256)


def _chunks(path: Path, start: int, end: int | None) -> Iterator[bytes]:
    with _translated(), path.open("rb", buffering=0) as file:
        yield b""  # taken by `read`
        file.seek(start)
        left = end - start if end is not None else None
        while left is None or left > 0:
            chunk = file.read(CHUNK if left is None else min(CHUNK, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk


def _stored(sha256: str, status: os.stat_result) -> StoredObject:
    return StoredObject(sha256, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _make_folder(folder: Path) -> None:
    """Makes a folder and its parents; each new name is synced into the folder above it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):  # another writer was faster
        folder.mkdir(mode=FOLDER_MODE)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
