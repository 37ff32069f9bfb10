"""Workbooks (XLSX, XLS, ODS): which sheets there are and their cells as text.

Known limit of the reader: a cell holding an error (#N/A, #DIV/0!) reads as empty.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import archive

SMALL = 40
"""A sheet with fewer rows may be a cover."""
FAR_MORE = 3
LOOKED_INTO = 10
"""Sheets: each costs the reading of its cells."""


class Workbook:
    """An open workbook. The sheet that was read last stays: its cells are asked for by whoever lays it out, and then by
    whoever reads it, and finding them in its file costs more than all the rest."""

    def __init__(self, path: Path) -> None:
        with _reading():
            self._book = CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        self._last: tuple[str, CalamineSheet] | None = None

    @property
    def sheets_metadata(self) -> list[SheetMetadata]:
        return self._book.sheets_metadata

    def sheet(self, name: str) -> CalamineSheet:
        if self._last is None or self._last[0] != name:
            self._last = None
            with _reading():
                self._last = name, self._book.get_sheet_by_name(name)
        return self._last[1]


class _Open(threading.local):
    """The workbook of a thread that was opened last, until its rows have been read to their end."""

    known: tuple[tuple[Any, ...], Workbook] | None = None


_open = _Open()


def open_workbook(path: Path, kind: str) -> Workbook:
    """Errors: TaskError `archive_refused`, `archive_broken`, `sheet_broken`, `sheet_encrypted`."""
    about = path.stat()
    key = (str(path), kind, about.st_ino, about.st_mtime_ns, about.st_size)
    if _open.known is None or _open.known[0] != key:
        close_workbook()
        if kind != "xls":
            archive.guard(path)
        _open.known = key, Workbook(path)
    return _open.known[1]


def close_workbook() -> None:
    """Gives its memory back."""
    _open.known = None


def sheet_names(workbook: Workbook) -> list[str]:
    """Sheets that hold cells, hidden ones too (named as such by the workbook, chosen by the publisher alone)."""
    return [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]


def hidden_names(workbook: Workbook) -> list[str]:
    """Those of the sheets that the office program does not show."""
    return [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible != SheetVisibleEnum.Visible
    ]


def likelier(
    workbook: Workbook, read: str | None, top: Sequence[Sequence[str]], hidden: Collection[str] = ()
) -> str | None:
    """A sheet that looks more like the data than the one that was read, whose first rows are `top`: a cover, a note. None
    if that one has rows enough, or if no other sheet that people see has far more cells side by side."""
    if len([row for row in top if any(row)]) >= SMALL:
        return None
    best, most = None, _side_by_side(top) * FAR_MORE
    shown = [name for name in sheet_names(workbook) if name != read and name not in hidden]
    for name in shown[:LOOKED_INTO]:
        found = _side_by_side(list(islice(sheet_rows(workbook, name), SMALL)))
        if found > most:
            best, most = name, found
    return best


def _side_by_side(rows: Sequence[Sequence[str]]) -> int:
    """Filled cells of the rows that have more than one; a header alone is no data."""
    filled = [sum(map(bool, row)) for row in rows]
    wide = [count for count in filled if count > 1]
    return sum(wide) if len(wide) > 1 else 0


def choose(sheets: list[str], wanted: str | int | None, hidden: Collection[str] = ()) -> str:
    """A sheet by its name or by its number from 1; the first that is shown if none is asked for. Errors: TaskError `sheet_missing`."""
    if not sheets:
        raise TaskError("sheet_missing", sheet=None, sheets=[])
    if wanted is None:
        return next((name for name in sheets if name not in hidden), sheets[0])
    if isinstance(wanted, str) and wanted in sheets:
        return wanted
    number = int(wanted) if str(wanted).isdecimal() else 0
    if 1 <= number <= len(sheets):
        return sheets[number - 1]
    raise TaskError("sheet_missing", sheet=wanted, sheets=sheets[:100])


def sheet_rows(workbook: Workbook, name: str) -> Iterator[list[str]]:
    """Rows from the sheet's first line on, numbered as the office program shows them; blank rows at the end are left out."""
    return map(_texts, _without_end(values(workbook, name)))


def last_rows(workbook: Workbook, name: str, count: int) -> list[tuple[int, list[str]]]:
    """The last of the same rows, each with its number."""
    last = deque(enumerate(_without_end(values(workbook, name)), start=1), maxlen=count)
    return [(number, _texts(row)) for number, row in last]


def _texts(row: list[Any]) -> list[str]:
    return [cell if type(cell) is str else cell_text(cell) for cell in row]


def _without_end(rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """Without blank rows at the end."""
    blank: list[list[Any]] = []
    for row in rows:
        if row.count("") + row.count(None) == len(row):
            blank.append(row)
            continue
        yield from blank
        blank.clear()
        yield row


def values(workbook: Workbook, name: str) -> Iterator[list[Any]]:
    """Rows from the sheet's first line on, as the workbook types their cells."""
    with _reading():
        yield from workbook.sheet(name).iter_rows()


def cell_text(value: Any) -> str:
    """One cell as text: 320613.0 is `320613`, dates and times are ISO, booleans `true` and `false`, None is empty."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    return str(value)


def _duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except CalamineError as error:
        encrypted = isinstance(error, PasswordError) or "password" in str(error).lower()
        raise TaskError("sheet_encrypted" if encrypted else "sheet_broken") from None
    except BaseException as error:
        # The reader's own fault on odd bytes; not an Exception, and its class cannot be imported.
        if type(error).__name__ == "PanicException":
            raise TaskError("sheet_broken") from None
        raise
