"""A small upload held in memory: a form's file that is looked at once and kept nowhere."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from opendata.core.errors import TooLarge
from opendata.ports.storage.port import HashMismatch, StoredObject


class Gathered:
    """An `ObjectWriter` for one file of at most `limit` bytes. Its bytes are `data`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self.size = 0

    @property
    def data(self) -> bytes:
        return bytes(self._data)

    def open(self) -> Gathered:
        """For `uploads.receive`, which opens its writer when the file begins."""
        return self

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge("file_too_large", limit=self._limit)
        self._data += chunk

    def commit(self, expected_sha256: str | None = None) -> StoredObject:
        found = hashlib.sha256(self._data).hexdigest()
        if expected_sha256 not in (None, found):
            raise HashMismatch(found)
        return StoredObject(found, self.size, datetime.now(UTC))

    def abort(self) -> None:
        """Nothing is kept anywhere."""
