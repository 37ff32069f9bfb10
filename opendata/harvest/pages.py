"""Pages of a source that said how they can be asked for again: kept on disk, so that what has not changed is not sent twice."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import orjson

from opendata.harvest.record import Page

_TOLD = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
LARGEST = 512 << 20
"""Of all pages that are kept of a source; whatever comes after is asked for whole each time."""


class KnownPages:
    """In a folder that belongs to one source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[str] = set()
        self._size = 0

    def conditions(self, url: str, accept: str) -> dict[str, str]:
        """Headers that name what is kept; empty if nothing is."""
        page = self.page(url, accept)
        if page is None:
            return {}
        return {asked: page.headers[told] for told, asked in _TOLD.items() if told in page.headers}

    def page(self, url: str, accept: str) -> Page | None:
        head, body = self._paths(url, accept)
        try:
            told = orjson.loads(head.read_bytes())
            return Page(told["url"], told["media_type"], body.read_bytes(), told["headers"])
        except (OSError, ValueError, KeyError):  # not kept, or half written when the machine went down
            return None

    def keep(self, url: str, accept: str, page: Page) -> None:
        """The page stays, if its server can tell later whether it is still the same."""
        if not set(_TOLD) & set(page.headers) or self._size + len(page.body) > LARGEST:
            return
        self._size += len(page.body)
        head, body = self._paths(url, accept)
        self._folder.mkdir(parents=True, exist_ok=True)
        head.unlink(missing_ok=True)
        body.write_bytes(page.body)
        told = {"url": page.url, "media_type": page.media_type, "headers": dict(page.headers)}
        half = head.with_suffix(".new")
        half.write_bytes(orjson.dumps(told))
        os.replace(half, head)

    def forget_unused(self) -> None:
        """After a run that went through: what it did not ask for is not kept on."""
        for path in self._folder.iterdir() if self._folder.exists() else ():
            if path.stem not in self._used:
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _paths(self, url: str, accept: str) -> tuple[Path, Path]:
        name = hashlib.sha256(f"{accept}\n{url}".encode()).hexdigest()
        self._used.add(name)
        return self._folder / f"{name}.json", self._folder / f"{name}.body"
