"""The checks of a checklist for many rows at once: in which rows they surely find nothing. They see the other rows themselves.

Each of our checks offers what it can prove (`proof`), or is asked about each different cell once (`sound`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import polars as pl
from frictionless import Check
from frictionless.checks.row.row_constraint import row_constraint

from opendata.validation.checks.cells import CellCheck
from opendata.validation.checks.places import Coordinate
from opendata.validation.checks.plugin import CHECKS
from opendata.validation.checks.rows import RowCheck
from opendata.validation.proof.columns import ByValue, ByValues, Column
from opendata.validation.proof.formula import Unproved, holds, names

_OURS = frozenset(CHECKS.values())


def is_known(check: Check) -> bool:
    """Whether what the check says of a row depends on that row alone, or on what it is told by `meet`."""
    return type(check) in _OURS or type(check) is row_constraint


class Checked:
    """Errors: `Unproved` where only the check itself can say which rows are right."""

    def __init__(self, found: Sequence[Check], columns: Sequence[Column]) -> None:
        self._columns = [column.text for column in columns]
        self._by_name = {column.field.name: column for column in columns}
        self._cells = [
            (check, columns[check.place], ByValue(check.sound))
            for check in found
            if isinstance(check, CellCheck) and check.place is not None and check.place < len(columns)
        ]
        self._constant: list[pl.Expr] = []
        """What is asked in each batch."""
        self._formulas: list[ByValues] = []
        for check in found:
            if not isinstance(check, CellCheck):
                self._add(check)
        roots = {name for proof in self._constant for name in proof.meta.root_names()}
        cells = {column.name for _, column, _ in self._cells}
        self.names = roots | cells | {column.name for known in self._formulas for column in known.columns}

    def clean(self, frame: pl.DataFrame) -> pl.Series:
        """True for rows in which no check finds anything."""
        proofs, known = list(self._constant), [formula.clean(frame) for formula in self._formulas]
        for check, column, by_value in self._cells:
            check.meet(frame[column.name])
            proof = check.proof(column.text)
            if proof is None:
                known.append(by_value.clean(frame[column.name]))
            else:
                proofs.append(proof)
        clean = pl.Series([True]).new_from_index(0, frame.height)
        if proofs:
            told = frame.lazy().select(clean=pl.all_horizontal(proofs).fill_null(False)).collect()
            clean &= told["clean"]
        for cells in known:
            clean &= cells
        return clean.fill_null(False)

    def _add(self, check: Check) -> None:
        if isinstance(check, RowCheck | Coordinate):
            proof = check.proof(self._columns)
            if proof is None:
                raise Unproved
            self._constant.append(proof)
        if isinstance(check, row_constraint):
            try:
                self._constant.append(holds(check.formula, self._by_name))
            except Unproved:
                self._formulas.append(self._asked(check))

    def _asked(self, check: row_constraint) -> ByValues:
        """The check sees the different values once each."""
        wanted = names(check.formula, self._by_name)

        def conforms(values: tuple[Hashable | None, ...]) -> bool:
            row: Any = dict(zip(wanted, values, strict=True))
            return not list(check.validate_row(row))

        return ByValues([self._by_name[name] for name in wanted], conforms)
