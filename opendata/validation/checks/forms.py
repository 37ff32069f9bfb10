"""How offices write numbers, dates and nothing at all: shapes of cells and rows, shared by checks and cleaning."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date

SCIENTIFIC = re.compile(r"[-+]?[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{1,3}")
UNIT = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?\s*([^\s0-9.,:：/\-+Ee].*)")
"""A number, then something that is none of its signs."""
MISSING_MARKS = frozenset(
    ["-", "--", "---", "—", "——", "－", "–", "/", "\\", "无", "暂无", "空", "不详", "未知", "N/A", "NA", "n/a", "NULL", "null", "None", "nan", "#N/A", "＃N/A", "*", "…"]
)  # fmt: skip
"""What people write into a cell that has no value."""
_DATES = {
    "iso": re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"),
    "dash": re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"),
    "slash": re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"),
    "dot": re.compile(r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})"),
    "compact": re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})"),
    "chinese": re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日"),
}
TOTAL = re.compile(
    r"(?:合\s*计|总\s*计|小\s*计|共\s*计|累\s*计|总\s*和|合计数|全市合计|total|sum|subtotal|grand total)[:：]?",
    re.I,
)
"""The first cell of a row that adds up others."""
NOTE = re.compile(
    r"(?:注|备注|说明|附注|填表人|填报人|制表人|制表单位|审核人|单位|数据来源|来源|填报日期|截至).{0,2}[:：].*"
)
"""A cell that is a note on the table."""
_AMBIGUOUS = re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{2}|[0-9]{4})")
_SERIAL = re.compile(r"[2-7][0-9]{4}")
"""Days since 1899-12-30, as spreadsheets count: 1954 to 2118."""
_EPOCH = date(1899, 12, 30).toordinal()


def folded(text: str) -> str:
    """With the full-width forms of ASCII (U+FF01–FF5E) and the ideographic space as ASCII; all else stays. NFKC would
    also turn Ⅲ into III and ㎡ into m2."""
    if text.isascii():
        return text
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else " " if c == "\u3000" else c for c in text)


def date_form(text: str) -> tuple[str, date | None]:
    """How a date is written, and the day it means. Forms: iso, dash, slash, dot, compact, chinese, serial; `ambiguous` (day
    or month first?) and `other` mean no day; a form with None is a day that does not exist."""
    text = folded(text.strip())
    for form, pattern in _DATES.items():
        if match := pattern.fullmatch(text):
            return form, _day(*match.groups())
    if _AMBIGUOUS.fullmatch(text):
        return "ambiguous", None
    if _SERIAL.fullmatch(text):
        return "serial", date.fromordinal(_EPOCH + int(text))
    return "other", None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def is_header(cells: Sequence[str], labels: Sequence[Collection[str]]) -> bool:
    """Whether a row is the header again: half of its cells or more, at least two, are what their column is called, and
    none is something else."""
    pairs = [(cell, known) for cell, known in zip(cells, labels, strict=False) if cell]
    return len(pairs) >= 2 and all(cell in known for cell, known in pairs) and 2 * len(pairs) >= len(cells)
