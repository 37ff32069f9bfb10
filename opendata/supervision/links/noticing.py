"""Whether the file behind a link is still the one of the last look, by what its server tells of it. The bytes themselves say
too little: of a large file only the first would be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime

from opendata.core.clock import day_of

PAGES = ("text/html", "application/xhtml+xml")
"""A page is no file: it changes with every banner, and its date says nothing about data."""
LONGEST_ETAG, LONGEST_DATE = 200, 60


@dataclass(frozen=True)
class Facts:
    """As the server told them; empty and None for what it did not tell."""

    etag: str = ""
    last_modified: str = ""
    length: int | None = None

    def __bool__(self) -> bool:
        return self != NOTHING

    def conditions(self) -> dict[str, str]:
        """Headers that ask for the file only if it is another one."""
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in told.items() if value}

    def differs(self, before: Facts) -> bool:
        """A date and a length that stayed outweigh an ETag that did not: behind one name there may be several servers,
        each with ETags of its own."""
        dated = bool(self.last_modified and before.last_modified)
        sized = self.length is not None and before.length is not None
        if (dated and self.last_modified != before.last_modified) or (sized and self.length != before.length):
            return True
        tagged = bool(self.etag and before.etag) and not (dated and sized)
        return tagged and _strong(self.etag) != _strong(before.etag)

    def day(self, today: date) -> date | None:
        """Of the server's own date of the file; None if it tells none that can be true."""
        try:
            told = day_of(parsedate_to_datetime(self.last_modified))
        except (ValueError, OverflowError):
            return None
        return told if told <= today else None


NOTHING = Facts()


def facts(headers: Mapping[str, str]) -> Facts:
    """Of an answer's headers, their names in lower case."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() in PAGES:
        return NOTHING
    length = headers.get("content-length", "").strip()
    return Facts(
        _kept(headers.get("etag", ""), LONGEST_ETAG),
        _kept(headers.get("last-modified", ""), LONGEST_DATE),
        int(length) if length.isdecimal() and length.isascii() and len(length) < 18 else None,
    )


def _kept(value: str, longest: int) -> str:
    """Nothing of what is too long: half of it cannot be sent back."""
    value = value.strip()
    return value if len(value) <= longest and value.isprintable() and value.isascii() else ""


def _strong(etag: str) -> str:
    return etag.removeprefix("W/")
