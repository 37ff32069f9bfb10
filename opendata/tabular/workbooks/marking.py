"""A stranger's file handed back with its wrong cells coloured and commented. Only inside the sandbox.

A workbook (XLSX) is kept as it is, as far as openpyxl can: it drops macros, drawings and links to other files, and what
formulas last came to. Of all other files, and of a workbook beyond the limits, the rows of the table are written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from opendata.tabular import sheets
from opendata.tabular.layout import Layout, content, raw_rows
from opendata.tabular.stream import Tally, every_row
from opendata.tabular.workbooks.writing import write_text

MOST_ROWS = 50_000
"""Rows of a copy."""
MOST_CELLS = 500_000
"""Cells of a copy, and of a workbook that is kept: they take about half a kilobyte of memory each."""
MOST_BYTES = 10 << 20
"""Of a workbook that is kept."""
NOTES = "校验结果 opendata"
"""The sheet with the notes, behind all others; a name that no clerk's own sheet has."""
_COLOUR = "FFFFC7CF"
"""Near the office programs' own red for bad cells, but ours alone, so that a file marked twice can be cleaned first."""
_WRONG = PatternFill("solid", start_color=_COLOUR)
_AUTHOR = "opendata"
_COMMENT = 2000
_LAST_COLUMN = 16_384
_WIDTHS = (18, 44, 60, 8, 40)
"""Of the columns of the notes, in characters."""


@dataclass(frozen=True)
class Mark:
    """One thing that is wrong."""

    row: int
    """From 1, as the office program counts."""
    column: int
    """From 1, of the table."""
    text: str
    width: int = 1
    """Cells to colour, to the right; the first has the comment."""


@dataclass(frozen=True)
class Marked:
    cells: int
    """Commented."""
    rows: int | None
    """Rows of the copy, header and all; None for a workbook that was kept."""
    whole: bool
    """Whether all rows are in it."""


Notes = Callable[[Marked], Sequence[Sequence[str]]]
"""Rows for the sheet of notes, told when it is known what was marked. The first row is the sheet's title."""


def mark(
    source: Path,
    found: Layout,
    marks: Iterable[Mark],
    out: Path,
    *,
    blank: Collection[int] = (),
    notes: Notes | None = None,
) -> Marked:
    """Writes the workbook to `out`, with the rows of `blank` emptied. Errors: those of the readers."""
    told, file = list(marks), content(source, found)
    book = _own(file, found)
    if book is not None:
        marked = _mark_own(book, found, told, _first_column(file, found), blank)
    else:
        book = Workbook(write_only=True)
        marked = _copy(book, source, found, told, blank)
    if notes is not None:
        _write_notes(book, notes(marked))
    book.save(out)
    return marked


def _own(source: Path, found: Layout) -> Workbook | None:
    """The workbook itself, if it can be kept."""
    if found.format != "xlsx" or source.stat().st_size > MOST_BYTES or _cells(source, found) > MOST_CELLS:
        return None
    try:
        with source.open("rb") as file:  # a name without an ending would be refused
            book = load_workbook(file, keep_links=False, rich_text=True)
        kept = isinstance(book[found.sheet or ""], Worksheet)
    except MemoryError:
        raise
    except Exception:  # an odd workbook that the other reader could read: its rows are handed back
        return None
    return book if kept else None


def _cells(source: Path, found: Layout) -> int:
    book = sheets.open_workbook(source, found.format)
    every = [book.sheet(name) for name in sheets.sheet_names(book)]
    return sum(sheet.total_height * sheet.total_width for sheet in every)


def _first_column(source: Path, found: Layout) -> int:
    """Columns left of the table: readers count from the first one that is used."""
    start = sheets.open_workbook(source, found.format).sheet(found.sheet or "").start
    return int(start[1]) if start else 0


def _mark_own(
    book: Workbook, found: Layout, marks: Sequence[Mark], left: int, blank: Collection[int]
) -> Marked:
    sheet = book[found.sheet or ""]
    book.active = book.index(sheet)
    _forget(sheet)
    for number in blank:
        for cell in sheet[number]:
            if not isinstance(cell, MergedCell):
                cell.value, cell.comment = None, None
    told: dict[tuple[int, int], list[str]] = {}
    for one in marks:
        for column in range(one.column + left, one.column + left + one.width):
            told.setdefault(_anchor(sheet, one.row, min(column, _LAST_COLUMN)), [])
        told[_anchor(sheet, one.row, min(one.column + left, _LAST_COLUMN))].append(one.text)
    for (row, column), texts in told.items():
        _colour(sheet.cell(row, column), texts)
    return Marked(sum(map(bool, told.values())), None, whole=True)


def _forget(sheet: Worksheet) -> None:
    """Takes off what an earlier check marked: clerks mend the file that we gave them, and check it again."""
    if NOTES in sheet.parent.sheetnames and sheet.title != NOTES:
        del sheet.parent[NOTES]
    for row in sheet.iter_rows():
        for cell in row:
            if cell.comment is not None and cell.comment.author == _AUTHOR:
                cell.comment = None
            if cell.has_style and cell.fill.start_color.rgb == _COLOUR:
                cell.fill = PatternFill()


def _anchor(sheet: Worksheet, row: int, column: int) -> tuple[int, int]:
    """The cell to mark: of merged ones the first."""
    if isinstance(sheet.cell(row, column), MergedCell):
        for merged in sheet.merged_cells.ranges:
            if merged.min_row <= row <= merged.max_row and merged.min_col <= column <= merged.max_col:
                return merged.min_row, merged.min_col
    return row, column


def _colour(cell: Any, texts: Iterable[str]) -> None:
    cell.fill = _WRONG
    if told := ILLEGAL_CHARACTERS_RE.sub("", "\n".join(dict.fromkeys(texts)))[:_COMMENT]:
        cell.comment = Comment(told, _AUTHOR, height=120, width=320)


def _copy(
    book: Workbook, source: Path, found: Layout, marks: Sequence[Mark], blank: Collection[int]
) -> Marked:
    sheet = book.create_sheet("数据")
    by_row: dict[int, list[Mark]] = {}
    for one in marks:
        by_row.setdefault(one.row, []).append(one)
    number = cells = commented = 0
    for number, row in enumerate(_rows(source, found), start=1):
        if number > MOST_ROWS or cells > MOST_CELLS:
            return Marked(commented, number - 1, whole=False)
        made = _row(sheet, [] if number in blank else row[:_LAST_COLUMN], by_row.get(number, ()))
        commented += sum(cell is not None and cell.comment is not None for cell in made)
        cells += len(made)
        sheet.append(made)
    return Marked(commented, number, whole=True)


def _rows(source: Path, found: Layout) -> Iterator[Sequence[str]]:
    if found.format != "parquet":
        yield from raw_rows(source, found)
        return
    yield found.columns
    for frame in every_row(source, found, Tally()):
        yield from frame.rows()


def _row(sheet: Any, texts: Sequence[str], marks: Iterable[Mark]) -> list[Any]:
    told: dict[int, list[str]] = {}
    for one in marks:
        for column in range(one.column, min(one.column + one.width, _LAST_COLUMN + 1)):
            told.setdefault(column, [])
        told.setdefault(min(one.column, _LAST_COLUMN), []).append(one.text)
    made: list[Any] = []
    for column in range(1, max([len(texts), *told]) + 1):
        text = texts[column - 1] if column <= len(texts) else ""
        if not text and column not in told:
            made.append(None)
            continue
        cell = WriteOnlyCell(sheet)
        if text:
            write_text(cell, text)
        if column in told:
            _colour(cell, told[column])
        made.append(cell)
    return made


def _write_notes(book: Workbook, rows: Sequence[Sequence[str]]) -> None:
    sheet = book.create_sheet(NOTES)
    for letter, width in zip("ABCDE", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    for number, row in enumerate(rows):
        made = []
        for text in row:
            cell = WriteOnlyCell(sheet)
            write_text(cell, text)
            cell.font = Font(bold=number == 0)
            cell.alignment = Alignment(wrap_text=len(row) > 1, vertical="top")
            made.append(cell)
        sheet.append(made)
