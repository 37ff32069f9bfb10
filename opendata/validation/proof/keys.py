"""Keys of a table: which rows bear a value that another row bears too, and which values a reference does not know.

frictionless compares the values, not the texts. Each value becomes a token such that equal values have equal tokens; unequal
values may share one: then their rows are doubted, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from frictionless import fields
from frictionless.resources import TableResource

from opendata.validation.proof.columns import ByValues, Column

_WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"


class Key:
    """Columns whose values together are borne by one row only. `unique` is frictionless' constraint of one column, in which
    missing values do not count; a primary key that is missing altogether is an error."""

    def __init__(self, columns: Sequence[Column], *, unique: bool) -> None:
        self.columns = columns
        self.unique = unique
        self._learned: list[pl.Series] = []
        self._repeated = pl.Series(dtype=pl.UInt64)

    def learn(self, frame: pl.DataFrame) -> pl.Series:
        """False for rows that lack a value they need."""
        hashes = self._hashes(frame)
        self._learned.append(hashes.drop_nulls())
        return hashes.is_not_null() | pl.Series([self.unique])

    def settle(self) -> bool:
        """Whether any value that was learned came twice."""
        ordered = pl.concat(self._learned).sort() if self._learned else pl.Series(dtype=pl.UInt64)
        self._learned.clear()
        self._repeated = ordered.filter(ordered == ordered.shift(1)).unique()
        return self._repeated.len() > 0

    def repeated(self, frame: pl.DataFrame) -> pl.Series:
        """True for rows whose value came twice, after `settle`."""
        return self._hashes(frame).is_in(self._repeated.implode()).fill_null(False)

    def _hashes(self, frame: pl.DataFrame) -> pl.Series:
        """Null for a key without any value."""
        tokens = pl.DataFrame([_tokens(column, frame[column.name]) for column in self.columns])
        given = tokens.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        hashes = tokens.select(pl.struct(pl.all()).hash()).to_series()
        return pl.DataFrame({"h": hashes, "g": given}).select(pl.when("g").then("h")).to_series()


class Reference(ByValues):
    """A foreign key: clean are the rows whose values the other table has, or that have none."""

    def __init__(self, columns: Sequence[Column], there: set[tuple[Any, ...]]) -> None:
        super().__init__(columns, lambda values: set(values) == {None} or values in there)


def references(resource: TableResource, columns: dict[str, Column]) -> list[Reference]:
    found = []
    for key in resource.schema.foreign_keys:
        names, there = tuple(key["fields"]), resource.lookup.get(key["reference"]["resource"])
        if there and set(names) <= columns.keys():
            found.append(
                Reference(
                    [columns[name] for name in names], there.get(tuple(key["reference"]["fields"]), set())
                )
            )
    return found


def _tokens(column: Column, cells: pl.Series) -> pl.Series:
    kind = type(column.field)
    if column.by_value is None and kind in (fields.StringField, fields.AnyField):
        return pl.DataFrame([cells]).select(pl.when(~column.absent).then(column.text)).to_series()
    if kind is fields.IntegerField:
        plain = cells.str.contains(_WHOLE)
        if plain.all():
            return cells.cast(pl.Int64)
    different = cells.unique()
    tokens = pl.Series([_token(column, text) for text in different.to_list()], dtype=pl.Int64)
    return cells.replace_strict(different, tokens, return_dtype=pl.Int64)


def _token(column: Column, text: str) -> int | None:
    value = column.value(text)
    if value is None:
        return None
    if type(value) is int and abs(value) < 2**63:
        return value
    return hash(value)
