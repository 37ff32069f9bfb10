"""Worksheets of XLSX by columns, out of their XML, where that surely says what openpyxl reads for frictionless.

Cells in a strict form alone are understood here: what they are for frictionless is known without asking. The XML of doubtful
rows goes through openpyxl's own parser, so that frictionless gets the very cells that it would have read. In front of
anything else the reading ends (`NotPlain`), and frictionless goes on by itself from there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl
from frictionless import fields
from frictionless.formats import ExcelControl
from frictionless.resources import TableResource
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import WINDOWS_EPOCH
from openpyxl.worksheet._reader import WorkSheetParser

from opendata.tabular.plain.text import NotPlain
from opendata.validation.proof.columns import BOUNDS, Column
from opendata.validation.proof.spreadsheets import opening, xml

_NUMBER = r"^-?[0-9]{1,17}(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?$"
_NUMERIC = (fields.IntegerField, fields.NumberField)
_FIRST_DAY, _LAST_DAY = 60, 2_958_465
"""1900-03-01, from where on day numbers are what they seem, to 9999-12-31."""
_OF_NUMBERS = frozenset({"required", "unique", *BOUNDS})


def is_sheet(resource: TableResource, columns: Sequence[Column]) -> bool:
    """Whether an open table is a worksheet as it lies in one local file, and its cells may be judged by their text."""
    dialect, control = resource.dialect, ExcelControl.from_dialect(resource.dialect)
    return (
        resource.format == "xlsx"
        and resource.scheme == "file"
        and not (resource.compression or resource.multipart or resource.remote or resource.memory)
        and not (dialect.comment_char or dialect.comment_rows or dialect.skip_blank_rows)
        and not (control.fill_merged_cells or control.preserve_formatting or control.stringified)
        and all(column.missing == [""] for column in columns)
        and all(
            column.field.constraints.keys() <= _OF_NUMBERS
            for column in columns
            if isinstance(column.field, fields.NumberField)
        )
    )


class Sheet:
    """The rows of an open table from `first` on, in batches. Errors: `NotPlain`."""

    def __init__(self, resource: TableResource, columns: Sequence[Column], first: int) -> None:
        self.columns = columns
        self.sheet = opening.sheet_of(resource)
        self._first = first
        self._book: Any = self.sheet.parent if self.sheet is not None else None
        self._head = b""
        if self._book is None or self._book.epoch != WINDOWS_EPOCH:
            raise NotPlain
        self._strings = self.sheet._shared_strings
        if self.sheet.max_column not in (None, len(columns)):
            raise NotPlain

    def __iter__(self) -> Iterator[Batch]:
        """All rows down to the sheet's last one; then the XML around them is looked at."""
        number, most = 1, self.sheet.max_row
        with self._book._archive.open(self.sheet._worksheet_path) as file:
            self._head = xml.head(file)
            is_sound = self.sheet._worksheet_path in self._book.sound_sheets
            reading = xml.rows(file, is_sound=is_sound)
            while True:
                try:
                    text = next(reading)
                except StopIteration as ended:
                    tail = ended.value
                    break
                batch = self._batch(text, number)
                number += batch.num_rows
                if most is not None and number > most + 1:
                    raise NotPlain  # openpyxl passes over the rest
                start = max(0, self._first - (number - batch.num_rows))
                if start < batch.num_rows:
                    yield batch.behind(start)
        if most is not None and number <= most:
            raise NotPlain
        list(self._parsed(self._head + tail))

    def _batch(self, text: str, number: int) -> Batch:
        first, cells = xml.cells(text)
        letters = pl.Series([get_column_letter(place + 1) for place in range(len(self.columns))])
        places = pl.Series(range(len(self.columns)), dtype=pl.Int32)
        cells = cells.with_columns(
            place=pl.col("letters").replace_strict(letters, places, default=None),
            line=pl.col("end").is_not_null().cum_sum().shift(1, fill_value=0),
        )
        if first != number or not _are_in_order(cells, number):
            raise NotPlain
        return Batch(self, text, cells, int(cells["line"][-1]) + 1)

    def values(self, rows: Sequence[str]) -> list[list[Any]]:
        """What openpyxl makes of the XML of rows."""
        document = (self._head.decode() + "".join(rows) + "</sheetData></worksheet>").encode()
        width = self.sheet.max_column
        return [list(self.sheet._get_row(row, 1, width, True)) for _, row in self._parsed(document)]

    def _parsed(self, document: bytes) -> Iterator[Any]:
        book = self._book
        parser = WorkSheetParser(
            io.BytesIO(document),
            self._strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        try:
            yield from parser.parse()
        except Exception:
            raise NotPlain from None  # frictionless will meet the same

    def column(self, place: int, cells: pl.DataFrame, *, is_read: bool) -> pl.DataFrame:
        """Of the cells of one column: `shown` (the text whose reading gives what openpyxl's value gives; empty if missing) and
        `odd` (no such text is known). Unless it `is_read`, the text may be as it is written in XML."""
        own = self.columns[place].field
        kind = pl.col("kind").fill_null("n")
        value = pl.col("value").fill_null("")
        known = {
            "n": (value == "")
            | (value.str.contains(_NUMBER) & ~self._dated(cells) & isinstance(own, _NUMERIC)),
            "str": pl.lit(True),
            "e": pl.lit(True),
            "inlineStr": pl.col("value").is_null(),
        }
        plain = pl.any_horizontal([(kind == name) & good for name, good in known.items()])
        found = cells.select(
            kind=kind,
            shown=pl.when(kind == "inlineStr").then(pl.col("text").fill_null("")).otherwise(value),
            odd=~plain | (pl.col("text").is_not_null() & (kind != "inlineStr")),
        )
        if isinstance(own, fields.DateField):
            found = self._with_days(cells, found)
        if (found["kind"] == "s").any():
            found = self._with_shared(found)
        if is_read:
            found = found.with_columns(xml.unescaped(found["shown"]).alias("shown"))
        if isinstance(own, fields.BooleanField):
            found = _with_truths(own, found)
        return found.select(pl.col("shown").fill_null(""), odd=pl.col("odd") | pl.col("shown").is_null())

    def _with_shared(self, found: pl.DataFrame) -> pl.DataFrame:
        """Texts by their numbers."""
        if not isinstance(self._strings, xml.Strings):
            return found.with_columns(odd=pl.col("odd") | (pl.col("kind") == "s"))
        shared = pl.col("kind") == "s"
        numbers = found.select(pl.when(shared).then("shown").cast(pl.UInt32, strict=False)).to_series()
        texts = self._strings.texts(numbers)
        return found.with_columns(texts.alias("told")).with_columns(
            shown=pl.when(shared).then("told").otherwise("shown"),
            odd=pl.when(shared).then(pl.col("told").is_null()).otherwise("odd"),
        )

    def _dated(self, cells: pl.DataFrame) -> pl.Series:
        styles = cells["style"].fill_null("0").cast(pl.Int64)
        return styles.is_in(sorted(self._book._date_formats))

    def _with_days(self, cells: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
        """Numbers of days in cells that are shown as dates."""
        lengths = cells["style"].fill_null("0").cast(pl.Int64).is_in(sorted(self._book._timedelta_formats))
        days = found["shown"].cast(pl.Int64, strict=False)
        days = days.set((days < _FIRST_DAY) | (days > _LAST_DAY), None)
        is_day = (found["kind"] == "n") & self._dated(cells) & ~lengths & days.is_not_null()
        dates = (days - 25_569).cast(pl.Int32, strict=False).cast(pl.Date).dt.to_string("%Y-%m-%d")
        return found.with_columns(is_day.fill_null(False).alias("day"), dates.alias("date")).with_columns(
            shown=pl.when("day").then("date").otherwise("shown"), odd=pl.col("odd") & ~pl.col("day")
        )


@dataclass
class Batch:
    """Some rows of a sheet."""

    sheet: Sheet
    text: str
    cells: pl.DataFrame
    num_rows: int
    start: int = 0
    used: set[int] = field(default_factory=set)
    """Columns whose texts are asked for."""

    def behind(self, rows: int) -> Batch:
        """Without so many of its first rows."""
        return Batch(self.sheet, self.text, self.cells, self.num_rows - rows, self.start + rows)

    def part(self, names: Sequence[str]) -> pl.DataFrame:
        self.used |= {int(name.removeprefix("c")) for name in names}
        return pl.DataFrame([self._column(int(name.removeprefix("c")))[0] for name in names])

    @cached_property
    def odd(self) -> pl.Series:
        """True for rows in which a cell, or their number, is not understood."""
        odd = pl.Series([False]).new_from_index(0, self.num_rows)
        for place in range(len(self.sheet.columns)):
            odd |= self._column(place)[1]
        if self.sheet.sheet.max_column is None:  # then a row ends with its last cell
            odd |= self._column(len(self.sheet.columns) - 1)[2]
        return odd

    def rows(self, wanted: pl.Series) -> list[list[Any]]:
        """The cells of the rows that are true there, as frictionless gets them."""
        lines = [line + "</row>" for line in self.text.split("</row>")[self.start :]]
        chosen = [lines[place] for place in wanted.arg_true().to_list()]
        return self.sheet.values(chosen) if chosen else []

    def _column(self, place: int) -> tuple[pl.Series, pl.Series, pl.Series]:
        key = place, place in self.used
        known = self._columns.get(key)
        if known is None:
            known = self._columns[key] = self._made(*key)
        return known

    @cached_property
    def _columns(self) -> dict[tuple[int, bool], tuple[pl.Series, pl.Series, pl.Series]]:
        return {}

    def _made(self, place: int, is_read: bool) -> tuple[pl.Series, pl.Series, pl.Series]:
        """(texts, whether each is odd, whether there is no cell)"""
        cells = self.cells.filter(pl.col("place") == place)
        found = self.sheet.column(place, cells, is_read=is_read).with_columns(
            cells["line"].cast(pl.Int64) - self.start
        )
        if cells.height != self.num_rows + self.start:
            rows = pl.DataFrame({"line": pl.int_range(self.num_rows, eager=True)})
            found = rows.join(found, on="line", how="left", maintain_order="left")
        else:
            found = found.slice(self.start)
        return (
            found["shown"].fill_null("").alias(f"c{place}"),
            found["odd"].fill_null(False),
            found["odd"].is_null(),
        )


def _are_in_order(cells: pl.DataFrame, number: int) -> bool:
    """Whether all cells are in known columns, in their order, in rows whose numbers have no gap."""
    told = cells.select(
        known=pl.col("place").is_not_null().all(),
        row=(pl.col("row").cast(pl.Int64) == pl.col("line") + number).all(),
        next=(
            pl.col("next").is_in(["", None])
            | (pl.col("next").cast(pl.Int64, strict=False) == pl.col("line") + number + 1)
        ).all(),
        order=((pl.col("place").diff() > 0) | (pl.col("line").diff() > 0)).slice(1).all(),
    )
    return all(told.row(0))


def _with_truths(own: Any, found: pl.DataFrame) -> pl.DataFrame:
    yes, no = [*own.true_values, None][0], [*own.false_values, None][0]
    bare = pl.col("kind") == "b"
    told = (
        pl.when(bare & (pl.col("shown") == "1"))
        .then(pl.lit(yes))
        .when(bare & (pl.col("shown") == "0"))
        .then(pl.lit(no))
    )
    return found.with_columns(told=told).with_columns(
        shown=pl.coalesce("told", "shown"), odd=pl.col("odd") & pl.col("told").is_null()
    )
