"""What may be called in the sandbox: a stranger's list is read, and handed back with its wrong cells marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import Layout, layout, raw_rows
from opendata.tabular.workbooks import marking
from opendata.tabular.workbooks.marking import Mark

MOST_ROWS = 50_000


def read(path: str, name: str) -> dict[str, Any]:
    """`{header, rows, sheet, other_sheets}`; `rows` as [row number as the office program counts, texts], without blank
    ones and without U+0000, which no database keeps. Errors: those of `tabular.layout`, and TaskError `list_too_long`(limit)."""
    source = Path(path)
    found = layout(source, name)
    rows = [
        [number, [cell.replace("\0", "").strip() for cell in row]]
        for number, row in islice(_numbered(source, found), found.header_end, None)
        if any(cell.strip() for cell in row)
    ]
    return {
        "header": list(found.columns),
        "rows": rows,
        "sheet": found.sheet,
        "other_sheets": [sheet for sheet in found.sheets if sheet != found.sheet][:20],
    }


def mark(
    path: str, name: str, wrong: Sequence[tuple[int, int, str]], blank: Sequence[int], output: str
) -> dict[str, Any]:
    """Writes `<output>/marked.xlsx`: the same workbook (of a file that is none, a new one with its rows) with each of
    `wrong` (row, column from 1, what is wrong) coloured and commented, and the rows of `blank` emptied."""
    source = Path(path)
    marks = [Mark(*one) for one in wrong]
    marked = marking.mark(source, layout(source, name), marks, Path(output, "marked.xlsx"), blank=blank)
    return {"cells": marked.cells}


def _numbered(source: Path, found: Layout) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(raw_rows(source, found), start=1):
        if number > MOST_ROWS + found.header_end:
            raise TaskError("list_too_long", limit=MOST_ROWS)
        yield number, row
