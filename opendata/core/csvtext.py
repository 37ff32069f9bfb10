"""CSV that a spreadsheet opens without harm: UTF-8 with a mark, and no text that it would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

MARK = "\ufeff"
"""Tells a spreadsheet that the bytes are UTF-8; at the start of a file only."""
_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def escaped(cell: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it; None is an empty cell."""
    if cell is None:
        return ""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_STARTS) else cell


def lines(rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV lines (RFC 4180), each cell escaped."""
    out = io.StringIO()
    csv.writer(out).writerows([escaped(cell) for cell in row] for row in rows)
    return out.getvalue()
