"""What the storage suites share: an object put, what is there, where it lies."""

from __future__ import annotations

import hashlib

from opendata.ports.storage.port import Storage

MIB = 1 << 20


def put(storage: Storage, data: bytes) -> str:
    writer = storage.writer()
    writer.write(data)
    return writer.commit().sha256


def assert_whole(storage: Storage) -> list[str]:
    """Every object that is listed has the bytes of its name."""
    names = [o.sha256 for o in storage.objects()]
    for name in names:
        assert hashlib.sha256(b"".join(storage.read(name))).hexdigest() == name
    return names


def key(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"
