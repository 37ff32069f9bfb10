"""What we ask of a file store.

A store holds objects under their SHA-256 (`sha256/ab/cd/abcd…`). Writing is two-phased: bytes go to a temporary place
while they are hashed, `commit()` makes them durable (fsync or HEAD-checked) and gives them their name; an equal object
that is already there wins. So an object is never half there, and a database row is written only after its object.

Errors: `ObjectMissing` for an unknown hash, `HashMismatch` when the bytes are not those promised, `core.errors.NoSpace`
when the store is full, `core.errors.Unavailable("storage_unavailable")` when it does not answer,
`core.errors.TooLarge("file_too_large", limit=…)` past a writer's limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 20
"""Bytes a read yields at a time."""


class ObjectMissing(Exception):
    """No object of that hash in this store."""


class HashMismatch(Exception):
    """The bytes have another hash than promised."""


@dataclass(frozen=True)
class StoredObject:
    sha256: str
    """64 lower-case hex digits."""
    size: int
    """Bytes."""
    stored_at: datetime


class ObjectWriter(Protocol):
    """Takes the bytes of one object as they arrive. A writer that is not committed leaves nothing behind."""

    size: int
    """Bytes written so far."""

    def write(self, chunk: bytes) -> None: ...

    def commit(self, expected_sha256: str | None = None) -> StoredObject:
        """Makes the object durable and names it. `HashMismatch` if another hash was expected (nothing is kept)."""
        ...

    def abort(self) -> None:
        """Drops what was written; harmless after `commit`."""
        ...


class Storage(Protocol):
    def writer(self, *, limit: int | None = None) -> ObjectWriter:
        """A new writer; `limit` in bytes. Thread-safe: each writer belongs to one upload."""
        ...

    def stat(self, sha256: str) -> StoredObject: ...

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes `start` (incl.) to `end` (excl.; None = to the end) in chunks of at most `CHUNK`.

        `ObjectMissing` is raised by the call itself, before the first chunk is asked for.
        """
        ...

    def local_copy(self, sha256: str) -> AbstractContextManager[Path]:
        """A file with the object's bytes, for readers that need a path; not to be written to, gone afterwards."""
        ...

    def local_path(self, sha256: str) -> Path | None:
        """Where the object lies on this machine's disk, if it does (for X-Accel-Redirect)."""
        ...

    def presigned_url(self, sha256: str, *, filename: str, media_type: str, seconds: int) -> str | None:
        """A short-lived address from which anyone can GET the object, if the store can make one. `seconds` <= 60."""
        ...

    def delete(self, sha256: str) -> None:
        """Removes the object; harmless if it is not there."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """Every object in the store (for fixity checks and mark-and-sweep)."""
        ...

    def sweep_temporary(self, older_than: timedelta) -> int:
        """Removes what writers that died left behind, if nobody wrote to it for so long; counts it."""
        ...

    def check(self) -> None:
        """Raises `Unavailable` or `NoSpace` if the store cannot take a write now."""
        ...
