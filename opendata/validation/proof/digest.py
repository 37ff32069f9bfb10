"""Size and hashes of a file, found on other cores while its rows are looked at: of the bytes that are read for both."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

_BLOCK = 1 << 20
_AHEAD = 4
"""Blocks that may wait for the slower hash: more would be memory alone."""
_SMALL = 1 << 16
"""Bytes of a block that are hashed sooner than a thread starts for them."""


class Digest:
    """Give it all bytes of a file by `feed`; then `finish`, or `abandon` at any time."""

    def __init__(self) -> None:
        self.size = 0
        self._hashes = _Hash(hashlib.md5(usedforsecurity=False)), _Hash(hashlib.sha256())

    @classmethod
    def of(cls, path: Path) -> Digest:
        digest = cls()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.feed(block)
        return digest

    def feed(self, block: bytes) -> None:
        self.size += len(block)
        for found in self._hashes:
            found.feed(block)

    def finish(self) -> tuple[int, str, str]:
        """(bytes, md5, sha256)"""
        md5, sha256 = (found.finish() for found in self._hashes)
        return self.size, md5, sha256

    def abandon(self) -> None:
        for found in self._hashes:
            found.end()


class Watched:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        self._file = file
        self._digest = digest

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        self._digest.feed(block)
        return block


class _Hash:
    def __init__(self, found: Any) -> None:
        self._found = found
        self._is_ended = False
        """What comes now is not waited for: nobody takes it any more."""
        self._blocks: SimpleQueue[bytes | None] = SimpleQueue()
        self._places = threading.Semaphore(_AHEAD)
        self._thread: threading.Thread | None = None

    def feed(self, block: bytes) -> None:
        if not block or self._is_ended:
            return
        if self._thread is None and len(block) <= _SMALL:
            self._found.update(block)
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._places.acquire()
        self._blocks.put(block)

    def finish(self) -> str:
        self.end()
        return str(self._found.hexdigest())

    def end(self) -> None:
        self._is_ended = True
        if self._thread is not None:
            self._blocks.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._found.update(block)
            self._places.release()
