"""How frictionless opens a workbook of XLSX while we validate: as openpyxl does it, without its reading of whole sheets for
their size and of all shared texts beforehand.

frictionless asks us for the parser by its own way of plugins; it gets another one than its own only inside `ours`.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from frictionless import FrictionlessException, Parser, Plugin, Resource, errors, system
from frictionless.formats import ExcelControl
from frictionless.formats.excel.parsers.xlsx import XlsxParser, extract_row_values
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS

from opendata.tabular.plain.text import NotPlain
from opendata.validation.proof.digest import Digest
from opendata.validation.proof.spreadsheets import xml
from opendata.validation.proof.spreadsheets.xml import Strings

_opened: ContextVar[dict[int, Any] | None] = ContextVar("opened", default=None)
"""The sheets that were opened, by the resource."""


@contextmanager
def ours() -> Iterator[None]:
    """Workbooks that are opened meanwhile are read by us."""
    token = _opened.set({})
    try:
        yield
    finally:
        _opened.reset(token)


def sheet_of(resource: Resource) -> Any:
    """The worksheet of an open table, None if it was not opened by us."""
    return (_opened.get() or {}).get(id(resource))


class _Workbooks(Plugin):
    def create_parser(self, resource: Resource) -> Parser | None:
        return _Parser(resource) if resource.format == "xlsx" and _opened.get() is not None else None


class _Parser(XlsxParser):
    def read_cell_stream_create(self) -> Iterator[list[Any]]:
        control = ExcelControl.from_dialect(self.resource.dialect)
        if control.fill_merged_cells:
            own: Any = super()
            yield from own.read_cell_stream_create()
            return
        sheet = self._sheet(control.sheet)
        opened = _opened.get()
        if opened is not None:
            opened[id(self.resource)] = sheet
        for cells in sheet.iter_rows():
            yield extract_row_values(
                cells,
                control.preserve_formatting,
                control.adjust_floating_point_error,
                stringified=control.stringified,
            )
        if self.resource.normpath and not self.resource.remote:
            stats = self.resource.stats
            stats.bytes, stats.md5, stats.sha256 = Digest.of(Path(self.resource.normpath)).finish()

    def _sheet(self, asked: Any) -> Any:
        """Errors: those of frictionless' own parser."""
        try:
            warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
            reader = _Reader(self.loader.byte_stream, read_only=True, data_only=True)
            reader.read()
        except Exception as wrong:
            note = f'invalid excel file "{self.resource.path}"'
            raise FrictionlessException(errors.FormatError(note=note)) from wrong
        try:
            return reader.wb[asked] if isinstance(asked, str) else reader.wb.worksheets[asked - 1]
        except (KeyError, IndexError):
            note = f'Excel document "{self.resource.place}" does not have a sheet "{asked}"'
            raise FrictionlessException(errors.FormatError(note=note)) from None


class _Reader(ExcelReader):  # type: ignore[misc]  # it has no types
    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        try:
            self.shared_strings = Strings(self.archive, part.PartName[1:]) if part is not None else []
        except NotPlain:
            super().read_strings()

    def read_worksheets(self) -> None:
        self.wb._archive = heads = _Heads(self.archive)
        try:
            super().read_worksheets()
        finally:
            self.wb._archive = self.archive
            self.wb.sound_sheets = heads.sound


class _Heads:
    """A workbook's file in which a sheet ends before its first row: for who looks for its size alone, which stands above them.
    A sheet that does not say its size would be read to its end, and its errors be found: here, unless it surely has none."""

    def __init__(self, archive: Any) -> None:
        self.sound: set[str] = set()
        """Sheets of which all was looked at."""
        self._archive = archive

    def open(self, name: str) -> Any:
        try:
            with self._archive.open(name) as file:
                head = xml.head(file)
                if b"<dimension" not in head and xml.is_sound(head, file):
                    self.sound.add(name)
                    return io.BytesIO(head + b"</sheetData></worksheet>")
        except NotPlain:
            pass
        return self._archive.open(name)


system.register("opendata-workbooks", _Workbooks())
