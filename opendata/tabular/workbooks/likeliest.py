"""The layout of a file about which nobody can be asked: of a workbook, the sheet that looks like the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import Layout, layout


def likeliest(path: Path, name: str, options: Mapping[str, Any] | None = None) -> Layout:
    """As `layout`; a cover sheet, which has one column or nothing, is passed over where another sheet rather looks like the data
    and nobody has chosen one. The note `other_sheets` tells which was read. Errors: those of `layout`."""
    try:
        found = layout(path, name, options)
    except TaskError as error:
        likely = error.params.get("likely")
        if error.code != "sheet_empty" or not likely or "sheet" in (options or {}):
            raise
        return _of_sheet(path, name, options, str(likely))
    note = next((one for one in found.notes if one["code"] == "other_sheets"), {})
    likely = note.get("likely")
    is_cover = likely and len(found.columns) < 2
    return _of_sheet(path, name, options, str(likely)) if is_cover else found


def _of_sheet(path: Path, name: str, options: Mapping[str, Any] | None, sheet: str) -> Layout:
    found = layout(path, name, {**(options or {}), "sheet": sheet})
    note = {"code": "other_sheets", "read": sheet, "sheets": len(found.sheets), "likely": None}
    return replace(found, notes=(*found.notes, note))
