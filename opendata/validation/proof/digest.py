"""Size and hashes of a file, found on another core while its rows are looked at."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

_BLOCK = 1 << 20


class Digest:
    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._hashes = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        self._failure: OSError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def finish(self) -> tuple[int, str, str]:
        """(bytes, md5, sha256)"""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        md5, sha256 = self._hashes
        return self.size, md5.hexdigest(), sha256.hexdigest()

    def abandon(self) -> None:
        self._ended.set()
        self._thread.join()

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                while not self._ended.is_set() and (block := file.read(_BLOCK)):
                    self.size += len(block)
                    for found in self._hashes:
                        found.update(block)
        except OSError as failure:
            self._failure = failure
