"""Which rows of a table name its columns: one row, or two with merged cells, below titles, units and blank lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

TITLE_ROWS = 20
"""How far down a header is looked for."""
_NARROW = 3
"""In a table of two columns a row with one cell filled may as well be one of it: more rows have to speak against that."""
_VALUE = re.compile(r"[-+]?[\d.,%/: -]*\d[\d.,%/: -]*")
_YEAR = re.compile(r"(19|20)\d\d年?")
_REMARK = re.compile(r"[^:：]{1,20}[:：]\s*\S.*", re.DOTALL)
Row = Sequence[str]


@dataclass(frozen=True)
class Header:
    first: int
    """The number, from 1, of the row in which it begins."""
    labels: tuple[str, ...]
    """One a column, as they are: blank and repeated ones too. Of two levels both, with a blank between."""
    rows: int = 1
    """1, or 2 for a header of two levels."""


def find(rows: Sequence[Row]) -> Header:
    """The header among the first rows of a table. Above it may stand rows with few cells filled (a title, a unit, who made
    it), if the rows below are filled as the header is."""
    first = _first(rows)
    if first > 1 and _filled(rows[first - 2]) > 1 and (two := _two_levels(rows, first - 1)) is not None:
        return two
    return at(rows, first)


def at(rows: Sequence[Row], first: int, levels: int = 0) -> Header:
    """The header that begins in the row of this number; with `levels` 1 or 2 as told, else as it looks."""
    if levels == 2 and first < len(rows):
        return Header(first, _joined(rows[first - 1], rows[first]), rows=2)
    two = _two_levels(rows, first) if levels == 0 else None
    return two or Header(first, tuple(rows[first - 1]))


def _first(rows: Sequence[Row]) -> int:
    filled = [_filled(row) for row in rows]
    widths = Counter(count for count in filled if count > 1)
    usual = max(widths, key=lambda width: (widths[width], width), default=0)
    if not usual or (usual == 2 and widths[2] < _NARROW):
        return 1
    for number, (row, count) in enumerate(zip(rows, filled, strict=True), start=1):
        if number > TITLE_ROWS:
            break
        if count > 1 and (count * 2 > usual or _is_short(row, count)) and not _is_remark(row):
            return 1 if all(_is_value(cell.strip()) for cell in row if cell.strip()) else number
    return 1


def _filled(row: Row) -> int:
    return sum(1 for cell in row if cell.strip())


def _is_short(row: Row, filled: int) -> bool:
    """A row that is full but shorter than the rest is a header that lacks names, not a title."""
    return len(row) == filled


def _is_remark(row: Row) -> bool:
    """制表单位：统计局, 日期：2026-01-01."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return all(_REMARK.fullmatch(cell) for cell in cells)


def _two_levels(rows: Sequence[Row], first: int) -> Header | None:
    """The rows `first` and the next as one header, if the upper one has cells merged over those of the lower."""
    if first + 1 >= len(rows):
        return None
    width = max(len(rows[first - 1]), len(rows[first]))
    upper, lower = _even(rows[first - 1], width), _even(rows[first], width)
    while width and not upper[width - 1] and not lower[width - 1]:
        width -= 1
    spans = _spans(upper[:width], lower)
    inside = {place for span in spans for place in span}
    under = [lower[place] for place in sorted(inside)]
    alone = [place for place in range(width) if place not in inside]
    if not spans or any(_is_value(cell) for cell in under) or any(lower[p] for p in alone if upper[p]):
        return None
    if any(not upper[place] and not lower[place] for place in alone):
        return None
    merged_down = [place for place in alone if not lower[place]]
    below = _even(rows[first + 1], width)
    if merged_down:
        sound = any(below[place] for place in merged_down)
    else:
        sound = len(set(under)) < len(under) or all(_YEAR.fullmatch(c) for c in under)
    return Header(first, _joined(upper[:width], lower[:width]), rows=2) if sound else None


def _spans(upper: Row, lower: Row) -> list[range]:
    """Places over which a cell of the upper row is merged: it and the blanks after it, each with a name below."""
    spans = []
    place = 0
    while place < len(upper):
        end = place + 1
        while upper[place] and end < len(upper) and not upper[end] and lower[end]:
            end += 1
        if end - place > 1 and lower[place]:
            spans.append(range(place, end))
        place = end
    return spans


def _is_value(cell: str) -> bool:
    return bool(_VALUE.fullmatch(cell)) and not _YEAR.fullmatch(cell)


def _even(row: Row, width: int) -> list[str]:
    return [cell.strip() for cell in row] + [""] * (width - len(row))


def _joined(upper: Row, lower: Row) -> tuple[str, ...]:
    labels = []
    width = max(len(upper), len(lower))
    above = ""
    for high, low in zip(_even(upper, width), _even(lower, width), strict=True):
        above = high or (above if low else "")
        labels.append(" ".join(dict.fromkeys(part for part in (above, low) if part)))
    return tuple(labels)
