"""Rows that are no data: totals, titles and notes, a header that comes again (china.md 6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import attrs

from opendata.validation.checks.cells import TYPE_PROFILE, NationalCheck, Profile, RowKind, WrongRow, texts

_TOTAL = re.compile(
    r"(?:合\s*计|总\s*计|小\s*计|共\s*计|累\s*计|总\s*和|合计数|全市合计|total|sum|subtotal|grand total)[:：]?",
    re.I,
)
_NOTE = re.compile(
    r"(?:注|备注|说明|附注|填表人|填报人|制表人|制表单位|审核人|单位|数据来源|来源|填报日期|截至).{0,2}[:：].*"
)


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
            yield self.Error(note=note, cells=cells, row_number=row.row_number, reason=reason)

    def judge(self, cells: list[str]) -> tuple[str, str] | None:
        """(reason, note) of a row that is no data."""
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
        return ("total", "totals are counted by who reads the table") if _TOTAL.fullmatch(first) else None


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
        if filled and _NOTE.fullmatch(filled[0]):
            return "note", "notes belong into the description"
        if len(filled) == 1 and len(cells) > 2:
            return "title", "titles stand above the header"
        return None


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
        pairs = [(cell, known) for cell, known in zip(cells, self._labels, strict=False) if cell]
        if len(pairs) < 2 or any(cell not in known for cell, known in pairs) or 2 * len(pairs) < len(cells):
            return None
        return "header", "a table has one header"
