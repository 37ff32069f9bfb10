"""What may be called in the sandbox: a stranger's list is read, and handed back with its wrong cells marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from opendata.inventory.transfer.writing import write_text
from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import Layout, content, layout, raw_rows

MOST_ROWS = 50_000
_WRONG = PatternFill("solid", start_color="FFFFC7CE")
_AUTHOR = "opendata"


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
    found = layout(source, name)
    book, sheet = _book(source, found)
    for number in blank:
        for cell in sheet[number]:
            if not isinstance(cell, MergedCell):
                cell.value, cell.comment = None, None
    told: dict[tuple[int, int], list[str]] = {}
    for row, column, sentence in wrong:
        told.setdefault(_anchor(sheet, row, column), []).append(sentence)
    for (row, column), sentences in told.items():
        cell = sheet.cell(row, column)
        cell.fill = _WRONG
        text = ILLEGAL_CHARACTERS_RE.sub("", "\n".join(dict.fromkeys(sentences)))[:2000]
        cell.comment = Comment(text, _AUTHOR, height=120, width=320)
    book.save(Path(output, "marked.xlsx"))
    return {"cells": len(told)}


def _numbered(source: Path, found: Layout) -> Iterator[tuple[int, list[str]]]:
    for number, row in enumerate(raw_rows(source, found), start=1):
        if number > MOST_ROWS + found.header_end:
            raise TaskError("list_too_long", limit=MOST_ROWS)
        yield number, row


def _book(source: Path, found: Layout) -> tuple[Workbook, Worksheet]:
    if found.format == "xlsx":
        try:
            book = load_workbook(content(source, found), keep_links=False)
            sheet = book[found.sheet or ""]
        except (InvalidFileException, KeyError, ValueError, TypeError, AttributeError):
            pass  # an odd workbook that the other reader could read: hand its rows back
        else:
            if isinstance(sheet, Worksheet):
                book.active = book.index(sheet)
                return book, sheet
    return _copy(source, found)


def _copy(source: Path, found: Layout) -> tuple[Workbook, Worksheet]:
    book = Workbook()
    sheet = book.worksheets[0]
    for number, row in _numbered(source, found):
        for place, text in enumerate(row, start=1):
            if text:
                write_text(sheet.cell(number, place), text)
    return book, sheet


def _anchor(sheet: Worksheet, row: int, column: int) -> tuple[int, int]:
    """The cell to mark: of merged ones the first."""
    for merged in sheet.merged_cells.ranges:
        if merged.min_row <= row <= merged.max_row and merged.min_col <= column <= merged.max_col:
            return merged.min_row, merged.min_col
    return row, column
