"""Texts into the cells of a workbook: for the server, which writes lists, and for the sandbox, which marks files."""

from __future__ import annotations

from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

_CELL = 32_767
"""Characters of a cell, by the format."""


def write_text(cell: Any, text: str) -> None:
    """The text as it is: `=1+1` stays a text, and characters that the format cannot hold are left out."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)[:_CELL]
    cell.data_type = "s"
