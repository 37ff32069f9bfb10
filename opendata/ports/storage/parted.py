"""How an object of unknown length and name goes to a store that takes whole requests only.

The name of an object is known only after its last byte. Up to one part (8 MiB) is held back and put under its name at
once. Larger objects are put part by part into `tmp/<id>/` as objects of their own, composed under the name on the
server, and the parts removed. Measured with 1 GB on a MinIO of the same machine (2 cores): 17.7 s, of which the last
6.5 s after the last byte; a multipart upload to `tmp/` and a copy takes the same but needs the client's private calls,
and what a dead process leaves of it cannot be listed on MinIO; a local spool takes 17.9 s, 13.6 s of it after the last
byte, and a disk. 5,400 MB: memory grew by 20 MB, the composing took as long as the sending.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from opendata.core.errors import DomainError, TooLarge
from opendata.core.ids import new_id
from opendata.ports.storage.content import TEMPORARY, Intake, key_of
from opendata.ports.storage.port import CHUNK, StoredObject

PART = 8 << 20
"""Bytes from which on a part is sent. A writer holds twice that; S3 wants parts of at least 5 MiB."""
MAX_PARTS = 10_000
"""S3's limit, so the largest object has 78 GiB."""


class Parts(Protocol):
    """What a store does for its writers. Errors: those of the port."""

    def put(self, key: str, data: bytes, sha256: str | None = None) -> None:
        """One object in one request, with its hash on it if it is a named one."""
        ...

    def compose(self, sha256: str, parts: list[str]) -> None:
        """Joins parts under the name of their content, on the server."""
        ...

    def verified(self, sha256: str, size: int) -> StoredObject:
        """The object just stored. One of another size, or without its hash, is removed: `Unavailable`."""
        ...

    def remove(self, keys: list[str]) -> None: ...


class PartedWriter:
    """Takes one object. Any failure removes the parts sent so far."""

    def __init__(self, store: Parts, limit: int | None) -> None:
        self._intake = Intake(limit)
        self.size = 0
        self._store = store
        self._folder = f"{TEMPORARY}{new_id()}/"
        self._buffer = bytearray()
        self._parts: list[str] = []
        self._open = True

    def write(self, chunk: bytes) -> None:
        with self._all_or_nothing():
            self.size = self._intake.take(chunk)
            for at in range(0, len(chunk), CHUNK):
                if len(self._buffer) >= PART:
                    self._send_part()
                self._buffer += chunk[at : at + CHUNK]

    def commit(self, expected_sha256: str | None = None) -> StoredObject:
        with self._all_or_nothing():
            sha256 = self._intake.name(expected_sha256)
            if self._parts:
                self._send_part()
                self._store.compose(sha256, self._parts)
            else:
                self._store.put(key_of(sha256), bytes(self._buffer), sha256)
            stored = self._store.verified(sha256, self.size)
        self.abort()
        return stored

    def abort(self) -> None:
        if not self._open:
            return
        self._open = False
        self._buffer = bytearray()
        with suppress(DomainError):  # what cannot be removed now, the sweep removes later
            self._store.remove(self._parts)

    def _send_part(self) -> None:
        if len(self._parts) >= MAX_PARTS:
            raise TooLarge("file_too_large", limit=MAX_PARTS * PART)
        data = bytes(self._buffer)
        self._buffer.clear()
        key = f"{self._folder}{len(self._parts):05}"
        self._parts.append(key)  # before it is sent: a part whose answer was lost is removed too
        self._store.put(key, data)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        if not self._open:
            raise ValueError("this writer is finished")
        try:
            yield
        except BaseException:
            self.abort()
            raise
