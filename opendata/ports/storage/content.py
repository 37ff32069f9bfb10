"""What every file store shares: how content names its object, and how it is counted and hashed while it arrives."""

from __future__ import annotations

import hashlib
import re

from opendata.core.errors import TooLarge
from opendata.ports.storage.port import HashMismatch, ObjectMissing

OBJECTS = "sha256/"
"""Where the named objects lie in a store."""
TEMPORARY = "tmp/"
"""Where bytes wait for their name."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def key_of(sha256: str) -> str:
    """`sha256/ab/cd/abcd…`. What is no hash names no object: `ObjectMissing`, so no path can be smuggled in."""
    if not _SHA256.fullmatch(sha256):
        raise ObjectMissing(sha256)
    return f"{OBJECTS}{sha256[:2]}/{sha256[2:4]}/{sha256}"


def hash_in(key: str) -> str | None:
    """The hash a key stands for; None for a stranger's file that lies in the store."""
    name = key.rpartition("/")[2]
    return name if _SHA256.fullmatch(name) and key == key_of(name) else None


def check_range(start: int, end: int | None) -> None:
    """`ValueError` for an offset below zero; anything else is a range, if perhaps an empty one."""
    if start < 0 or (end is not None and end < 0):
        raise ValueError(f"a range starts at 0 or later, not {start}-{end}")


class Intake:
    """Counts and hashes the bytes of one object, and stops at a limit."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0

    def take(self, chunk: bytes) -> int:
        """The bytes taken so far. `TooLarge("file_too_large", limit=…)` before the first byte past the limit is taken."""
        if self._limit is not None and self.size + len(chunk) > self._limit:
            raise TooLarge("file_too_large", limit=self._limit)
        self._hash.update(chunk)
        self.size += len(chunk)
        return self.size

    def name(self, expected_sha256: str | None) -> str:
        """The hash of what was taken; `HashMismatch` if another one was promised."""
        sha256 = self._hash.hexdigest()
        if expected_sha256 is not None and expected_sha256 != sha256:
            raise HashMismatch(f"promised {expected_sha256}, received {sha256}")
        return sha256
