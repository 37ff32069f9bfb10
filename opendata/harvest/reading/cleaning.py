"""A remote's texts as we keep them: no markup, no address that runs in a reader's browser, dates that are some."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from urllib.parse import quote, unquote, urljoin, urlsplit

from opendata.core.checks import is_email, is_web_address
from opendata.core.clock import BEIJING
from opendata.core.names import NAME
from opendata.inventory.transfer.cells import parse
from opendata.inventory.transfer.template import Column

LONGEST_TEXT = 100_000
_MARKUP = re.compile(
    r"</?[a-zA-Z][^<>]*>|<!--|<!\[CDATA\[|&(?:[a-zA-Z]{2,8}|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});"
)
_UNSHOWN = frozenset({"script", "style", "template", "iframe", "object", "noscript", "svg", "head"})
_BLOCKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table"})
_YEARS = (1000, 2200)
_MILLISECONDS = re.compile(r"1[0-9]{12}")
_DAY_COLUMN = Column("day", "日期", "day", "date")
_LONGEST_ADDRESS = 5000
_TELLS_NOTHING = re.compile(r"[0-9_-]+|[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Numbers, hashes, UUIDs: short names by their form, but a title makes a better one."""


class _Shown(HTMLParser):
    """What a reader would see of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSHOWN
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSHOWN and self._hidden > 0
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def plain(text: str) -> str:
    """The text without markup; what only looks like some (`a < b`) stays. At most 100,000 characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")[: 10 * LONGEST_TEXT]
    if _MARKUP.search(text):
        shown = _Shown()
        shown.feed(text)
        shown.close()
        text = re.sub(r"[ \t]*\n[ \t]*(\n[ \t]*)+", "\n\n", "".join(shown.parts)).strip()
    return text[:LONGEST_TEXT]


def line(text: str, longest: int = 300) -> str:
    """The same on one line."""
    return " ".join(plain(text).split())[:longest]


def address(text: str, base: str = "") -> str:
    """A web address, resolved and with its blanks and Chinese written as an address has them; empty for what is none, or
    carries a password."""
    text = text.strip()
    if not text or len(text) > _LONGEST_ADDRESS:
        return ""
    try:
        text = quote(urljoin(base, text) if base else text, safe="/?:@!$&'()*+,;=%~#[]")
    except ValueError:
        return ""
    host = text.partition("://")[2].partition("/")[0]
    return text if is_web_address(text) and "@" not in host else ""


def short_name(*said: str) -> str:
    """The first that is a short name, as people here give them, and tells something; empty without one."""
    return next((text for text in said if NAME.fullmatch(text) and not _TELLS_NOTHING.fullmatch(text)), "")


def name_at(address: str, *sites: str) -> str:
    """The last part of an address's path; empty where more than the path tells one dataset from another, and of an address
    that is on none of the hosts of `sites`, if some are given: a body's home page names no dataset."""
    try:
        parts = urlsplit(address)
        elsewhere = bool(sites) and parts.netloc not in {urlsplit(site).netloc for site in sites}
    except ValueError:
        return ""
    return "" if parts.query or parts.fragment or elsewhere else parts.path.rstrip("/").rpartition("/")[2]


def email(text: str) -> str:
    text = unquote(text.strip().removeprefix("mailto:")).partition("?")[0]
    return text if is_email(text) else ""


def phone(text: str) -> str:
    """Without `tel:`; an extension as it is spoken."""
    return text.strip().removeprefix("tel:").replace(";ext=", " 转 ")[:50]


def moment(text: str) -> datetime | None:
    """A time, in Beijing's time zone if it names none; of a day its beginning. None for what is none: 10/08/2026 could be two."""
    text = text.strip()
    try:
        if _MILLISECONDS.fullmatch(text):
            found = datetime.fromtimestamp(int(text) / 1000, UTC)
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        if (on := _chinese_day(text)) is None:
            return None
        found = datetime(on.year, on.month, on.day)
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        return None
    return found if found.tzinfo else found.replace(tzinfo=BEIJING)


def day(text: str) -> str:
    """ISO 8601; empty for what is no day."""
    on = moment(text)
    return on.astimezone(BEIJING).date().isoformat() if on else ""


def period(start: str, end: str) -> dict[str, str]:
    """`temporal_start` and `temporal_end`; years and months are whole ones. Nothing if it ends before it begins."""
    first, last = _edge(start, first=True), _edge(end, first=False)
    if first and last and first > last:
        return {}
    return {name: on for name, on in (("temporal_start", first), ("temporal_end", last)) if on}


def box(text: str) -> list[float] | None:
    """The sides of a shape in well-known text or GeoJSON: west, south, east, north."""
    pairs = re.findall(
        r"(-?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)[\s,]+(-?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)",
        text[:LONGEST_TEXT],
    )
    if len(pairs) < 2 or not re.match(r"\s*(<[^>]*>\s*)?(\{|POLYGON|MULTIPOLYGON|BOX)", text, re.IGNORECASE):
        return None
    across, up = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    sides = [min(across), min(up), max(across), max(up)]
    return sides if sides[0] >= -180 and sides[2] <= 180 and sides[1] >= -90 and sides[3] <= 90 else None


def _chinese_day(text: str) -> date | None:
    """As clerks write it: 2026年11月3日, 2026/11/3, 2026.11.03 10:20."""
    found = parse(_DAY_COLUMN, re.split(r"[\s　]", text, maxsplit=1)[0])
    return found if isinstance(found, date) else None


def _edge(text: str, *, first: bool) -> str:
    text = text.strip()
    if re.fullmatch(r"[0-9]{4}", text):
        return f"{text}-01-01" if first else f"{text}-12-31"
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text):
        year, month = int(text[:4]), int(text[5:])
        if not 1 <= month <= 12:
            return ""
        after = date(year + month // 12, month % 12 + 1, 1)
        return f"{text}-01" if first else date.fromordinal(after.toordinal() - 1).isoformat()
    return day(text)
