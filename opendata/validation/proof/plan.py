"""Which rows of one open table are clean: all that frictionless would look at in a row, said for many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from frictionless import Check, fields
from frictionless.resources import TableResource

from opendata.validation.proof.checked import Checked
from opendata.validation.proof.columns import Column
from opendata.validation.proof.formula import Unproved
from opendata.validation.proof.keys import Key, Reference, references

Part = Callable[[list[str]], pl.DataFrame]
"""Some columns of the rows that are looked at: text, named `c0`, `c1`, ... as the header lets frictionless expect them."""
_HASHABLE = {
    fields.StringField, fields.AnyField, fields.IntegerField, fields.NumberField, fields.BooleanField, fields.DateField,
    fields.DatetimeField, fields.TimeField, fields.YearField, fields.YearmonthField,
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What is proved of some rows."""

    clean: pl.Series
    """True for rows that are clean but for their keys (`learn`, `repeated`)."""
    blank: pl.Series
    cells: pl.DataFrame
    """True for cells that are clean; without the columns in which every text is."""

    def doubts(self, rows: pl.Series) -> list[tuple[int, ...] | None]:
        """Of each row that is true in `rows`, the places of its cells that are not proved clean; None for a row without any
        value, which is judged as a whole."""
        places = [int(name.removeprefix("c")) for name in self.cells.columns]
        known = self.cells.filter(rows).rows() if places else [()] * int(rows.sum())
        return [
            None if blank else tuple(place for place, good in zip(places, cells, strict=True) if not good)
            for cells, blank in zip(known, self.blank.filter(rows), strict=True)
        ]


class Plan:
    def __init__(
        self,
        columns: list[Column],
        keys: list[Key] | None = None,
        links: list[Reference] | None = None,
        checks: Checked | None = None,
    ) -> None:
        self.columns = columns
        self.names = [column.name for column in columns]
        self.is_checked = checks is not None
        self.is_linked = bool(keys or links)
        """Whether frictionless compares its rows with others."""
        self.keys = keys or []
        self._links = links or []
        self._checks = checks
        self._told = {c.name: c.expression.fill_null(False) for c in columns if c.expression is not None}
        self._asked = [column for column in columns if column.by_value is not None]
        self.used = self._used()
        """The names of the columns that are always looked at."""

    def look(self, part: Part) -> Look:
        frame = part(self.used)
        blank = self._blank(frame, part)
        cells = self._cells(frame)
        clean = ~blank
        if cells.width:
            clean &= cells.select(clean=pl.all_horizontal(pl.all()))["clean"]
        for link in self._links:
            clean &= link.clean(frame)
        if self._checks is not None:
            clean &= self._checks.clean(frame)
        return Look(clean.fill_null(False), blank, cells)

    def _cells(self, frame: pl.DataFrame) -> pl.DataFrame:
        told = {
            column.name: self._told[column.name]
            for column in self.columns
            if column.name in self._told and not column.is_calm(frame[column.name])
        }
        found = frame.lazy().select(**told).collect().get_columns() if told else []
        known = {cells.name: cells for cells in (*found, *(_asked(column, frame) for column in self._asked))}
        return pl.DataFrame([known[name] for name in self.names if name in known])

    def learn(self, part: Part) -> pl.Series:
        """Takes note of the rows' keys; false for those that lack one."""
        frame = part(self.used)
        found = pl.Series([True]).new_from_index(0, frame.height)
        for key in self.keys:
            found &= key.learn(frame)
        return found

    def has_repeated(self) -> bool:
        """Whether a key that was learned came twice."""
        found = [key.settle() for key in self.keys]  # all of them: each has its own to find
        return any(found)

    def repeated(self, part: Part) -> pl.Series:
        frame = part(self.used)
        found = pl.Series([False]).new_from_index(0, frame.height)
        for key in self.keys:
            found |= key.repeated(frame)
        return found

    def _used(self) -> list[str]:
        keyed = [column.name for key in self.keys for column in key.columns]
        keyed += [column.name for link in self._links for column in link.columns]
        asked = [column.name for column in self._asked]
        checked = self._checks.names if self._checks else []
        used = {self.names[0], *self._told, *asked, *keyed, *checked}
        return [name for name in self.names if name in used]

    def _blank(self, frame: pl.DataFrame, part: Part) -> pl.Series:
        """Rows without any value: looked for among those without the first one only."""
        blank = frame.select(absent=self.columns[0].absent)["absent"]
        if not blank.any():
            return blank
        absent = pl.all_horizontal([column.absent for column in self.columns])
        return part(self.names).select(absent=absent)["absent"]


def _asked(column: Column, frame: pl.DataFrame) -> pl.Series:
    cells = frame[column.name]
    missing = frame.select(absent=column.absent & ~pl.lit(bool(column.field.required)))["absent"]
    if column.by_value is None or missing.all():
        return missing.alias(column.name)
    return column.by_value.clean(cells).fill_null(False).alias(column.name)


def plan(resource: TableResource, checks: Sequence[Check]) -> Plan | None:
    """None where only frictionless knows what a row has to be."""
    expected = resource.header.get_expected_fields()
    names = [field.name for field in expected]
    if not expected or len(set(names)) != len(names):
        return None
    columns = [Column(place, field) for place, field in enumerate(expected)]
    by_name = dict(zip(names, columns, strict=True))
    keys = [Key([column], unique=True) for column in columns if column.field.constraints.get("unique")]
    primary: list[Any] = resource.schema.primary_key
    if primary and set(primary) <= by_name.keys():
        if not resource.dialect.header_case:
            return None
        keys.append(Key([by_name[name] for name in primary], unique=False))
    if any(type(column.field) not in _HASHABLE for key in keys for column in key.columns):
        return None
    try:
        return Plan(
            columns, keys, references(resource, by_name), Checked(checks, columns) if checks else None
        )
    except Unproved:
        return None
