"""A workbook written again as values: no comments, hidden caches, pivots or older versions of what stands in its cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from opendata.tabular import sheets
from opendata.tabular.workbooks.writing import write_text

Hides = Callable[[int, list[str]], bool]
"""Whether a row goes: its number from 1, and its cells as text."""


def write(path: Path, kind: str, hides: Callable[[str], Hides | None], out: Path) -> None:
    """XLSX, XLS or ODS to XLSX. `hides` tells of each sheet what goes of it; None: nothing. All sheets stay, with their names,
    and hidden ones hidden."""
    source = sheets.open_workbook(path, kind)
    unseen = sheets.hidden_names(source)
    target = Workbook(write_only=True)
    for name in sheets.sheet_names(source):
        sheet = target.create_sheet(title=name)
        if name in unseen:
            sheet.sheet_state = "hidden"
        asked = hides(name)
        for number, values in enumerate(sheets.values(source, name), start=1):
            if asked is None or not asked(number, [sheets.cell_text(value) for value in values]):
                sheet.append([_cell(sheet, value) for value in values])
    target.save(out)


def _cell(sheet: Any, value: Any) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet)
        write_text(cell, value)
        return cell
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value
