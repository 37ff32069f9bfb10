"""What stands below a table: footnotes, which are no rows of it, and a total, which a person should set aside."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROWS = 20
"""How many rows from the end may belong to a footer."""
LOOKED_AT = ROWS + 1
"""With the row above them."""
_NOTE = re.compile(
    r"(注|备注|附注|说明|资料来源|数据来源|来源|统计口径|填报人|填表人|填报单位|制表人?|审核人?|负责人|联系电话|"
    r"notes?|sources?|remarks?|footnotes?)\s*\d{0,2}\s*[:：.、]",
    re.IGNORECASE,
)
_MARK = re.compile(r"[*※①②③④⑤⑥⑦⑧⑨]|[（(]\d[)）]|\d[、.．)]\s*\D")
_TOTAL = re.compile(
    r"(合\s*计|总\s*计|小\s*计|总\s*和|共\s*计|.{1,6}合计|.{1,6}总计|(grand )?totals?|sum|subtotal)[:：]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Footer:
    last: int
    """The number, from 1, of the last row of the table."""
    notes: int = 0
    """How many rows below it are footnotes or blank."""
    total: int | None = None
    """The number of the row that holds a total, if the table ends in one."""


def find(rows: Iterable[tuple[int, Sequence[str]]], width: int) -> Footer | None:
    """Of all rows of a table with so many columns, header included, each with its number; None if it just ends."""
    end = deque(rows, maxlen=LOOKED_AT)
    known = dict(end)
    note = None
    for number, row in reversed(end):
        kind = _kind(row, width)
        if kind == "row":
            break
        if kind == "note":
            note = number
    bottom = end[-1][0] if end else 0
    last = note - 1 if note else bottom
    while last in known and not any(cell.strip() for cell in known[last]):
        last -= 1
    total = last if _is_total(known.get(last, ())) else None
    if note is None and total is None:
        return None
    return Footer(last if note else bottom, bottom - last if note else 0, total)


def looks_ended(text: str) -> bool:
    """Whether the last lines of a delimited file hold what `find` may find; a cheap look before an expensive one."""
    lines = [line.strip('",;|\t \r') for line in text.split("\n")[-ROWS:]]
    return any(_NOTE.match(line) or _TOTAL.match(line) for line in lines)


def _kind(row: Sequence[str], width: int) -> str:
    """blank, note, mark (a numbered remark: it belongs to a note above it), or row."""
    cells = [cell.strip() for cell in row if cell.strip()]
    if not cells:
        return "blank"
    if len(cells) <= max(1, width // 2) and width > 1 and _NOTE.match(cells[0]):
        return "note"
    if len(cells) == 1 and width > 2 and _MARK.match(cells[0]):
        return "mark"
    return "row"


def _is_total(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(cells) > 1 and bool(_TOTAL.fullmatch(cells[0]))
