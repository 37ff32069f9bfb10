"""What all checks of one column share: the raw cell, and errors that carry a reason a clerk's sentence can be made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs
import polars as pl
from frictionless import Check, Error
from frictionless.errors import CellError, RowError

from opendata.validation.checks.making import quick

Profile = dict[str, Any]
SPACE = r"\s\x1c-\x1f"
"""What Python strips, inside of a class of Polars' expressions."""
TYPE_PROFILE: Profile = {"properties": {"type": {"type": "string", "pattern": "^[a-z0-9_]+$"}}}
"""Our names hold digits and underscores (`gbt2260`, `resident_id`); frictionless' own do not."""
_REASON_PROFILE: Profile = {"properties": {"reason": {"type": "string"}, "params": {"type": "object"}}}


@attrs.define(kw_only=True, repr=False)
class WrongCell(CellError):
    """`reason` is a word of the check's list, `params` what its sentence needs."""

    template = 'The cell "{cell}" in row at position "{rowNumber}" and field "{fieldName}" at position "{fieldNumber}" does not conform: {note}'

    reason: str = ""
    params: Mapping[str, Any] = attrs.field(factory=dict)

    metadata_profile_patch: ClassVar[Profile] = _REASON_PROFILE


@attrs.define(kw_only=True, repr=False)
class WrongRow(RowError):
    template = 'The row at position "{rowNumber}" is not data: {note}'

    reason: str = ""
    params: Mapping[str, Any] = attrs.field(factory=dict)

    metadata_profile_patch: ClassVar[Profile] = _REASON_PROFILE


# A check has an attribute `type`, so its body needs other names for these.
CellKind = type[WrongCell]
RowKind = type[WrongRow]


class NationalCheck(Check):
    """A check that makes one kind of error, and goes by that error's name."""

    Error: ClassVar[type[Error]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "Error" in vars(cls):
            cls.type, cls.Errors = cls.Error.type, [cls.Error]


@attrs.define(kw_only=True, repr=False)
class CellCheck(NationalCheck):
    """A check of one column's cells as they stand in the file. Blank cells and declared missing values are passed over;
    a table without the column is the header's error, not ours."""

    metadata_profile_patch: ClassVar[Profile] = {
        "required": ["field"],
        "properties": {**TYPE_PROFILE["properties"], "field": {"type": "string"}},
    }
    Error: ClassVar[CellKind]

    field: str
    _place: int | None = attrs.field(default=None, init=False)
    _missing: frozenset[str] = attrs.field(default=frozenset(), init=False)

    def validate_start(self) -> Iterable[Any]:
        schema = self.resource.schema
        self._place = schema.field_names.index(self.field) if self.field in schema.field_names else None
        self._missing = frozenset(schema.missing_values)
        yield from ()

    def validate_row(self, row: Any) -> Iterable[Any]:
        cell = cell_at(row, self._place)
        if cell is None or cell in self._missing or not cell.strip():
            return
        found = self.judge(cell)
        if found is not None:
            reason, note, params = found
            yield wrong_cell(self.Error, row, self.field, cell, (self._place or 0) + 1, note, reason, params)

    def judge(self, cell: str) -> tuple[str, str, dict[str, Any]] | None:
        """(reason, note, params) of a cell that is wrong."""
        raise NotImplementedError

    @property
    def place(self) -> int | None:
        """Of the column, from 0; known after `validate_start`."""
        return self._place

    def meet(self, cells: pl.Series) -> None:
        """Is told the cells of the next rows before anybody asks what can be proved of them."""

    def proof(self, text: pl.Expr) -> pl.Expr | None:
        """True for cells in which nothing is wrong, for certain; None where each different one is asked about by `sound`."""
        right = self.proves(text)
        return None if right is None else text.is_in([*self._missing, ""]) | right

    def proves(self, text: pl.Expr) -> pl.Expr | None:
        """`proof` of cells that are not missing."""
        return None

    def sound(self, cell: str) -> bool:
        return cell in self._missing or not cell.strip() or self.judge(cell) is None


def is_filled(text: pl.Expr) -> pl.Expr:
    return text.str.contains(f"[^{SPACE}]")


def cell_at(row: Any, place: int | None) -> str | None:
    """The text of a cell as the file has it; None for a row that is too short or a column that is not there."""
    if place is None or place >= len(row.cells) or row.cells[place] is None:
        return None
    return str(row.cells[place])


def wrong_cell(
    kind: type[WrongCell],
    row: Any,
    name: str,
    cell: str,
    number: int,
    note: str,
    reason: str,
    params: Mapping[str, Any] | None = None,
) -> WrongCell:
    return quick(kind)(
        note=note,
        cells=texts(row),
        row_number=row.row_number,
        cell=cell,
        field_name=name,
        field_number=number,
        reason=reason,
        params=dict(params or {}),
    )


def texts(row: Any) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row.cells]
