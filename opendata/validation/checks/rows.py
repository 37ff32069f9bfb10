"""Rows that are no data: totals, titles and notes, a header that comes again (china.md 6.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs
import polars as pl

from opendata.validation.checks.cells import (
    SPACE,
    TYPE_PROFILE,
    NationalCheck,
    Profile,
    RowKind,
    WrongRow,
    is_filled,
    texts,
)
from opendata.validation.checks.forms import NOTE, TOTAL, is_header
from opendata.validation.checks.making import quick

_LOOKED_AT = 3


@attrs.define(kw_only=True, repr=False)
class RowCheck(NationalCheck):
    """A check of whole rows by their cells as they stand in the file."""

    metadata_profile_patch: ClassVar[Profile] = TYPE_PROFILE
    Error: ClassVar[RowKind]

    def validate_row(self, row: Any) -> Iterable[Any]:
        cells = texts(row)
        found = self.judge([cell.strip() for cell in cells])
        if found is not None:
            reason, note = found
            yield quick(self.Error)(
                note=note, cells=cells, row_number=row.row_number, reason=reason, params={}
            )

    def judge(self, cells: list[str]) -> tuple[str, str] | None:
        """(reason, note) of a row that is no data."""
        raise NotImplementedError

    def proof(self, columns: Sequence[pl.Expr]) -> pl.Expr:
        """True for rows that are data for certain, by the texts of all their cells."""
        raise NotImplementedError


class TotalRowError(WrongRow):
    type = "total_row"
    title = "Total Row"
    description = "A row that adds up others"


@attrs.define(kw_only=True, repr=False)
class TotalRow(RowCheck):
    """The first filled cell says 合计, 总计, 小计, total. Reason: `total`."""

    Error = TotalRowError

    def judge(self, cells: list[str]) -> tuple[str, str] | None:
        first = next((cell for cell in cells if cell), "")
        return ("total", "totals are counted by who reads the table") if TOTAL.fullmatch(first) else None

    def proof(self, columns: Sequence[pl.Expr]) -> pl.Expr:
        return is_filled(columns[0]) & ~columns[0].str.contains("(?i)计|和|total|sum")


class TitleRowError(WrongRow):
    type = "title_row"
    title = "Title or Note Row"
    description = "A title, or a note, between the rows"


@attrs.define(kw_only=True, repr=False)
class TitleRow(RowCheck):
    """Only one cell of three or more is filled, or the row begins with 注：, 填表人：, 数据来源：. Reasons: `note`, `title`."""

    Error = TitleRowError

    def judge(self, cells: list[str]) -> tuple[str, str] | None:
        filled = [cell for cell in cells if cell]
        if filled and NOTE.fullmatch(filled[0]):
            return "note", "notes belong into the description"
        if len(filled) == 1 and len(cells) > 2:
            return "title", "titles stand above the header"
        return None

    def proof(self, columns: Sequence[pl.Expr]) -> pl.Expr:
        """The first and one of the next few are filled."""
        first, *others = columns
        row = is_filled(first) & ~first.str.contains(rf"(?s)^[{SPACE}]*[注备说附填制审单数来截].*[:：]")
        return row & pl.any_horizontal(map(is_filled, others[:_LOOKED_AT])) if len(others) > 1 else row


class RepeatedHeaderError(WrongRow):
    type = "repeated_header"
    title = "Repeated Header"
    description = "The header comes again between the rows"


@attrs.define(kw_only=True, repr=False)
class RepeatedHeader(RowCheck):
    """Half of the cells or more, at least two, are their column's own title, and none is something else. Reason: `header`."""

    Error = RepeatedHeaderError
    _labels: list[tuple[str, ...]] = attrs.field(factory=list, init=False)

    def validate_start(self) -> Iterable[Any]:
        fields = self.resource.schema.fields
        labels = getattr(self.resource, "labels", None) or [field.name for field in fields]
        titles = [field.title or "" for field in fields]
        titles += [""] * (len(labels) - len(titles))
        self._labels = [(label.strip(), title) for label, title in zip(labels, titles, strict=False)]
        yield from ()

    def judge(self, cells: list[str]) -> tuple[str, str] | None:
        if not is_header(cells, self._labels):
            return None
        return "header", "a table has one header"

    def proof(self, columns: Sequence[pl.Expr]) -> pl.Expr:
        """The first cell is something else than its column's title."""
        row = is_filled(columns[0])
        for title in filter(None, self._labels[0] if self._labels else ()):
            row &= ~columns[0].str.contains(title, literal=True)
        return row
