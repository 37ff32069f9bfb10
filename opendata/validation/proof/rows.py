"""What frictionless says of one row, without what the proof knows already: only cells that may be wrong are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from frictionless import Check, Error, errors

from opendata.validation.checks.making import quick
from opendata.validation.proof.plan import Plan


class Given(Protocol):
    plan: Plan | None
    doubted: tuple[int, ...] | None


class Baseline:
    """Stands for frictionless' check of that name."""

    def __init__(self, own: Check, given: Given) -> None:
        self.validate_start = own.validate_start
        self.validate_end = own.validate_end
        self._given = given

    def validate_row(self, row: Any) -> Iterable[Error]:
        """Of a row with keys, frictionless has begun to read the cells already."""
        known, doubted = self._given.plan, self._given.doubted
        if known is None or doubted is None or known.is_linked:
            found: Iterable[Error] = row.errors
            return found
        return _errors(row.cells, row.row_number, known, doubted)


def _errors(cells: list[Any], number: int, known: Plan, doubted: Sequence[int]) -> Iterator[Error]:
    for place in doubted:
        column, cell = known.columns[place], cells[place]
        notes = column.read(cell)[1]
        for name, note in (notes or {}).items():
            make = _type_error if name == "type" else _constraint_error
            yield make(
                note=note,
                cells=["" if shown is None else str(shown) for shown in cells],
                row_number=number,
                cell=str(cell),
                field_name=column.field.name,
                field_number=place + 1,
            )


_type_error = quick(errors.TypeError)
_constraint_error = quick(errors.ConstraintError)
