"""From page to page of a remote, and whether what came is the whole of a catalogue."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urljoin, urlsplit

from opendata.harvest.record import Asking, Page, SourceBroken

_NEXT = re.compile(r'<([^<>]{1,5000})>\s*;[^,<]*\brel="?next"?', re.IGNORECASE)
_HTML = re.compile(
    rb"\s*(?:<!--.{0,1000}?-->\s*)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])",
    re.IGNORECASE | re.DOTALL,
)


class Walk:
    """Keeps account of the pages of a run. `SourceBroken` where they lead in a circle, end too early or hold nothing."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._asked: set[str] = set()
        self._known: set[str] = set()
        self._seen = 0
        self._least: int | None = None

    def page(self, url: str, identifiers: Collection[str], total: int | None) -> None:
        """Told of each page: whose records it holds (empty for those without an identifier), how many there are in all."""
        self._asked.add(url)
        named = {one for one in identifiers if one}
        if named and len(self._asked) > 1 and named <= self._known:
            raise SourceBroken("harvest_pages_repeat", address=url[:200])
        self._known |= named
        self._seen += len(identifiers)
        if total is not None:  # records may go while we read: the least that was told must have come
            self._least = total if self._least is None else min(self._least, total)
        self._asking.progress(self._seen, total)

    def follow(self, base: str, told: str | None) -> str | None:
        """The address of the next page, if there is one."""
        if not told:
            return None
        url = urljoin(base, told.strip())
        if urlsplit(url).scheme not in ("http", "https"):
            raise SourceBroken(
                "harvest_not_a_catalogue", address=base[:200], reason="next page has no web address"
            )
        if url in self._asked:
            raise SourceBroken("harvest_pages_repeat", address=url[:200])
        return url

    def end(self) -> None:
        if self._seen < (self._least or 0):
            raise SourceBroken("harvest_cut", seen=self._seen, total=self._least)
        if not self._seen:
            raise SourceBroken("harvest_empty", address=self._asking.url[:200])


def linked(page: Page) -> str | None:
    """The next page by a Link header (RFC 8288)."""
    found = _NEXT.search(page.headers.get("link", ""))
    return found[1] if found else None


def refuse_html(page: Page) -> None:
    """An error page, a sign-in page: whatever the server calls it."""
    if not page.body.strip():
        raise SourceBroken("harvest_empty", address=page.url[:200])
    if page.media_type in ("text/html", "application/xhtml+xml") or _HTML.match(page.body[:2000]):
        raise foreign(page, "a page for people (HTML)")


def foreign(page: Page, reason: str) -> SourceBroken:
    return SourceBroken("harvest_not_a_catalogue", address=page.url[:200], reason=reason)
