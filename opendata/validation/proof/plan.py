"""Which rows of one open table are clean: all that frictionless would look at in a row, said for many rows at once."""

from __future__ import annotations

from typing import Any

import polars as pl
from frictionless import fields
from frictionless.resources import TableResource

from opendata.validation.proof.columns import Column
from opendata.validation.proof.keys import Key, Reference, references

_HASHABLE = {
    fields.StringField, fields.AnyField, fields.IntegerField, fields.NumberField, fields.BooleanField, fields.DateField,
    fields.DatetimeField, fields.TimeField, fields.YearField, fields.YearmonthField,
}  # fmt: skip


class Plan:
    """Frames have text columns `c0`, `c1`, ...: one for each field that the header lets frictionless expect."""

    def __init__(self, columns: list[Column], keys: list[Key], links: list[Reference]) -> None:
        self.width = len(columns)
        self.names = [f"c{column.place}" for column in columns]
        self.keys = keys
        self._columns = columns
        self._links = links
        self._checks = [column.expression for column in columns if column.expression is not None]
        self._asked = [column for column in columns if column.by_value is not None]

    def clean(self, frame: pl.DataFrame) -> pl.Series:
        """True for rows that are clean but for their keys (`learn`, `repeated`)."""
        clean = ~self._blank(frame)
        if self._checks:
            clean &= (
                frame.lazy().select(clean=pl.all_horizontal(self._checks).fill_null(False)).collect()["clean"]
            )
        for column in self._asked:
            cells = frame.to_series(column.place)
            missing = frame.select(absent=column.absent & ~pl.lit(bool(column.field.required)))["absent"]
            if column.by_value is not None and not missing.all():
                clean &= column.by_value.clean(cells)
        for link in self._links:
            clean &= link.known(frame)
        return clean.fill_null(False)

    def learn(self, frame: pl.DataFrame) -> pl.Series:
        """Takes note of the rows' keys; false for those that lack one."""
        found = pl.Series([True]).new_from_index(0, frame.height)
        for key in self.keys:
            found &= key.learn(frame)
        return found

    def has_repeated(self) -> bool:
        """Whether a key that was learned came twice."""
        found = [key.settle() for key in self.keys]  # all of them: each has its own to find
        return any(found)

    def repeated(self, frame: pl.DataFrame) -> pl.Series:
        found = pl.Series([False]).new_from_index(0, frame.height)
        for key in self.keys:
            found |= key.repeated(frame)
        return found

    def _blank(self, frame: pl.DataFrame) -> pl.Series:
        """Rows without any value: looked for among those without the first one only."""
        blank = frame.select(absent=self._columns[0].absent)["absent"]
        if blank.any():
            return frame.select(absent=pl.all_horizontal([column.absent for column in self._columns]))[
                "absent"
            ]
        return blank


def plan(resource: TableResource) -> Plan | None:
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
    return Plan(columns, keys, references(resource, by_name))
