"""When a cell of a field is surely clean: it lies in a canonical part of what frictionless accepts.

Nothing here calls a cell wrong. What no expression can say is asked of frictionless' own reader, once for each different
text. A false doubt costs time, never correctness.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from frictionless import Field, fields

from opendata.tabular.infer import DATE, are_days
from opendata.validation.patterns import provable

NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
NUMBER_LENGTH = 16
"""Characters of a number with at most 15 digits: up to there decimals and floats compare alike."""
_DAYS = ("default", "%Y-%m-%d")
_TIMES = {"default": "[T ]", "%Y-%m-%d %H:%M:%S": " ", "%Y-%m-%dT%H:%M:%S": "T"}
"""Formats of times that are read here, and what stands between the day and the hour."""
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_MOST_DIGITS = 1000
_LONGEST_NUMBER = 20
"""Characters in which no exponent is too large for Python's decimals."""
_REMEMBERED = 200_000


class _Unknown(Exception):
    """No expression says it."""


class ByValue:
    """Asks frictionless' reader about each different text, or tuple of texts, and remembers the answers."""

    def __init__(self, ask: Callable[[Any], bool]) -> None:
        self._ask = ask
        self._known: dict[Any, bool] = {}

    def clean(self, cells: pl.Series) -> pl.Series:
        """True for the cells whose text is good."""
        return cells.is_in(
            pl.Series(
                [text for text in cells.unique().to_list() if self.is_good(text)], dtype=pl.String
            ).implode()
        )

    def is_good(self, value: Any) -> bool:
        good = self._known.get(value)
        if good is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            try:
                good = self._ask(value)
            except Exception:
                good = False  # frictionless will meet the same when it sees the row
            self._known[value] = good
        return good


class ByValues:
    """The same for rows by their texts in some columns."""

    def __init__(self, columns: Sequence[Column], ask: Callable[[tuple[Hashable | None, ...]], bool]) -> None:
        self.columns = columns
        self._names = [column.name for column in columns]
        self._ask = ask
        self._by_value = ByValue(self._found)

    def clean(self, frame: pl.DataFrame) -> pl.Series:
        different = frame.select(self._names).unique()
        good = pl.Series("good", map(self._by_value.is_good, different.rows()), dtype=pl.Boolean)
        known = different.with_columns(good)
        return frame.select(self._names).join(known, on=self._names, how="left", maintain_order="left")[
            "good"
        ]

    def _found(self, texts: tuple[str, ...]) -> bool:
        return self._ask(tuple(column.value(text) for column, text in zip(self.columns, texts, strict=True)))


class Column:
    """One expected column of a table. `expression` and `by_value`: whichever is not None says which cells are clean; with
    neither, every text is."""

    def __init__(self, place: int, field: Field) -> None:
        self.place = place
        self.name = f"c{place}"
        self.field = field
        self.text = pl.col(self.name)
        missing = field.missing_values
        if not field.has_defined("missing_values") and field.schema:
            missing = field.schema.missing_values
        self.missing = [value for value in missing if isinstance(value, str)]
        self.absent = (
            self.text == self.missing[0] if len(self.missing) == 1 else self.text.is_in(self.missing)
        )
        self.read = field.create_cell_reader()
        self._is_day = (
            type(field) is fields.DateField
            and field.format in _DAYS
            and field.constraints.keys() <= {"required", "unique"}
            and not any(_is_long(value) for value in self.missing)
        )
        self.by_value: ByValue | None = None
        self.expression: pl.Expr | None = None
        try:
            self.expression = self._expression()
        except (_Unknown, ArithmeticError, TypeError, ValueError):
            self.by_value = ByValue(lambda text: not self.read(text)[1])

    def is_calm(self, cells: pl.Series) -> bool:
        """Whether all cells are surely clean, where that is cheaper to say than which ones are: of days without gaps."""
        return self._is_day and are_days(cells)

    def value(self, text: str) -> Hashable | None:
        """What frictionless makes of a text: None if it is missing or wrong."""
        value: Hashable | None = self.read(text)[0]
        return value

    def _expression(self) -> pl.Expr | None:
        limits = {
            name: self.field.constraints[name]
            for name in self.field.supported_constraints
            if self.field.constraints.get(name) is not None
        }
        required = bool(limits.pop("required", False))
        parts = [part for part in (_typed(self.text, self.field), *self._bounds(limits)) if part is not None]
        if not parts:
            return ~self.absent if required else None
        sound = pl.all_horizontal(parts) if len(parts) > 1 else parts[0]
        return sound & ~self.absent if required else sound | self.absent

    def _bounds(self, limits: dict[str, Any]) -> list[pl.Expr]:
        read = self.field.create_value_reader()
        kind = type(self.field)
        bounds = []
        for name, limit in limits.items():
            if name in BOUNDS:
                bounds.append(_compared(name, _comparable(self.text, kind), _limit(kind, read(limit))))
            elif kind is fields.StringField:
                bounds.append(_textual(self.text, name, limit))
            else:
                raise _Unknown
        return bounds


def _typed(text: pl.Expr, field: Any) -> pl.Expr | None:
    kind = type(field)
    if kind is fields.BooleanField:
        return text.is_in([*field.true_values, *field.false_values])
    if kind is fields.DateField and field.format in _DAYS:
        return text.str.contains(DATE) & (_day(text) >= date.min).fill_null(False)
    if kind is fields.DatetimeField and field.format in _TIMES:
        shape = DATE.replace("$", _TIMES[field.format]) + _TIME
        return text.str.contains(shape) & (_day(text.str.slice(0, 10)) >= date.min).fill_null(False)
    if field.format != "default" or not getattr(field, "bare_number", True):
        raise _Unknown
    if kind in (fields.StringField, fields.AnyField):
        return None
    if kind is fields.IntegerField:
        # What Polars reads, Python reads as the same, but for zeros without end: it refuses 4,300 digits.
        return text.cast(pl.Int64, strict=False).is_not_null() & (text.str.len_bytes() <= _MOST_DIGITS)
    if kind is fields.NumberField and field.decimal_char == "." and field.group_char == "":
        if field.constraints.keys() & BOUNDS:
            return text.str.contains(NUMBER) & (text.str.len_bytes() <= NUMBER_LENGTH)
        return text.cast(pl.Float64, strict=False).is_not_null() & (text.str.len_bytes() <= _LONGEST_NUMBER)
    raise _Unknown


def _is_long(text: str) -> bool:
    return len(text) >= len("YYYY-MM-DD")


def _day(text: pl.Expr) -> pl.Expr:
    # Without the cache, which costs thrice what it saves.
    return text.str.to_date("%Y-%m-%d", strict=False, cache=False)


def _textual(text: pl.Expr, name: str, limit: Any) -> pl.Expr:
    if name == "enum":
        return text.is_in([value for value in limit if isinstance(value, str)])
    if name == "minLength":
        return text.str.len_chars() >= int(limit)
    if name == "maxLength":
        return text.str.len_chars() <= int(limit)
    pattern = provable(limit) if name == "pattern" and isinstance(limit, str) else None
    if pattern is None:
        raise _Unknown
    return text.str.contains(pattern)


def _comparable(text: pl.Expr, kind: type[Field]) -> pl.Expr:
    if kind is fields.DateField:
        return _day(text)
    return text.cast(pl.Int64 if kind is fields.IntegerField else pl.Float64, strict=False)


def _limit(kind: type[Field], value: Any) -> pl.Expr:
    """A bound as frictionless reads it, if comparing by Polars gives what comparing by Python gives."""
    if kind is fields.DateField and type(value) is date:
        return pl.lit(value)
    if kind is fields.IntegerField and type(value) is int and abs(value) < 2**63:
        return pl.lit(value)
    if kind is fields.NumberField and type(value) in (int, float, Decimal):
        number = Decimal(str(value))
        if number.is_finite() and len(number.as_tuple().digits) <= 15 and abs(number.adjusted()) < 300:
            return pl.lit(float(number))
    raise _Unknown


def _compared(name: str, cell: pl.Expr, limit: pl.Expr) -> pl.Expr:
    if name == "minimum":
        found = cell >= limit
    elif name == "maximum":
        found = cell <= limit
    else:
        found = cell > limit if name == "exclusiveMinimum" else cell < limit
    return found.fill_null(False)
