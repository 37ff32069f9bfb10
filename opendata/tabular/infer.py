"""The type of each column from *all* its cells, and the Table Schema that says so.

Candidates are dropped as soon as one cell speaks against them, so text columns cost nothing after the first frame. Codes
stay text (design decisions, "Others"): 01 is not 1, and nobody adds up district codes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from opendata.tabular.layout import Layout
from opendata.tabular.records import COORDINATES

INTEGER = r"^[+-]?[0-9]{1,18}$"
_EXPONENT = "([eE][+-]?0*[0-9]{1,3})?"
NUMBER = rf"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+){_EXPONENT}$"
_PLAIN = {
    "integer": r"^[+-]?(0|[1-9][0-9]{0,17})$",
    "number": rf"^[+-]?(0|[1-9][0-9]{{0,17}})(\.[0-9]*)?{_EXPONENT}$",
}
"""One look in place of four: without a leading zero, and short enough."""
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
DATETIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?$"
)
_LONGEST = 18
"""Characters of a number that is surely plain."""
Values = dict[int, pl.Series]
"""By the places of columns in which all cells are numbers, their values."""
_FIRST_DAY = (date.min - date(1970, 1, 1)).days
_ALL = ("boolean", "integer", "number", "date", "datetime")
"""In the order in which they are preferred."""
_FIRST = 500
"""Rows that are looked at first: few kinds are left of most columns then."""

_CODE_HEADER = re.compile(
    r"代码|编码|编号|号码|证号|电话|手机|邮编|^code$|[a-z0-9]Code$|(^|[_\-\s])code($|[_\-\s\d])|_id$|^(zip|postcode|phone|tel|mobile)$",
)
_LOWER = re.compile(r"(^|[_\-\s])(code|phone|tel|mobile|zip)($|[_\-\s\d])|_id$")


@dataclass
class Column:
    """What is known of one column so far."""

    name: str
    candidates: list[str] = field(default_factory=lambda: list(_ALL))
    filled: int = 0
    longest: int = 0
    shortest_digits: int | None = None
    longest_digits: int = 0
    is_plain: bool = True
    """All its numbers so far were of the `_PLAIN` form."""

    @property
    def type(self) -> str:
        if not self.filled or not self.candidates:
            return "string"
        kind = self.candidates[0]
        return "string" if kind == "integer" and self._is_code() else kind

    def _is_code(self) -> bool:
        return code_like(self.name) or self.shortest_digits == self.longest_digits >= 4


def code_like(header: str) -> bool:
    """Whether a header says that its column holds codes or numbers that name things."""
    return bool(_CODE_HEADER.search(header.strip()) or _LOWER.search(header.strip().lower()))


class Inference:
    """Feed it all frames of a table (columns `c0`, `c1`, ... of text), then read `columns` and `schema()`."""

    def __init__(self, names: Sequence[str], *, coordinates: Container[str] = ()) -> None:
        self.columns = [Column(name) for name in names]
        for column in self.columns:
            if column.name in coordinates:  # a whole number is one by chance
                column.candidates.remove("integer")
        self._is_narrowed = False

    @classmethod
    def of(cls, found: Layout) -> Inference:
        return cls(
            found.columns,
            coordinates=COORDINATES if found.format in ("geojson", "kml", "gpkg", "shp") else (),
        )

    def feed(self, frame: pl.DataFrame) -> Values:
        """Answers the numbers of the frame that were read on the way."""
        if self._is_narrowed or frame.height <= _FIRST:
            self._is_narrowed = True
            return self._feed(frame)
        # All candidates cost a hundred times what those cost that are left after a few rows.
        self._is_narrowed = True
        self._feed(frame.head(_FIRST))
        self._feed(frame.slice(_FIRST))
        return {}

    def _feed(self, frame: pl.DataFrame) -> Values:
        every = range(len(self.columns))
        sizes = [_sizes(frame[f"c{place}"]) for place in every]
        values = {
            place: numbers
            for place in every
            if (numbers := self._numbers(frame[f"c{place}"], self.columns[place], sizes[place])) is not None
        }
        wanted = {place: self._facts(frame, place, sizes[place], is_known=place in values) for place in every}
        if again := self._ask(frame, wanted):
            for place in again:
                self.columns[place].is_plain = False
            self._ask(frame, {place: self._facts(frame, place, sizes[place]) for place in again})
        return values

    def _numbers(self, cells: pl.Series, column: Column, sizes: tuple[int, int]) -> pl.Series | None:
        kind = next(iter(column.candidates), "")
        if kind not in _PLAIN or not (column.filled and column.is_plain):
            return None
        return plain_numbers(cells if sizes[0] else cells.filter(cells != ""), kind, sizes[1])

    def _ask(self, frame: pl.DataFrame, wanted: dict[int, dict[str, pl.Expr]]) -> list[int]:
        """Learns the facts of each column; places of those whose numbers turned out not to be plain, and nothing of them."""
        asked = [
            fact.alias(f"{place}:{name}") for place, facts in wanted.items() for name, fact in facts.items()
        ]
        answers = iter(frame.lazy().select(asked).collect().row(0))
        again = []
        for place, facts in wanted.items():
            known = {name: next(answers) for name in facts}
            if known.pop("plain", True):
                self._learn(self.columns[place], known)
            else:
                again.append(place)
        return again

    def schema(self) -> dict[str, Any]:
        """A Table Schema descriptor. A blank or repeated header gets the name `field<place>`, as frictionless does; the
        header's own text stays as the title."""
        seen: set[str] = set()
        fields = []
        for place, column in enumerate(self.columns, start=1):
            name = column.name if column.name.strip() and column.name not in seen else f"field{place}"
            seen.add(name)
            described = {"name": name, "type": column.type}
            fields.append(described if name == column.name else {**described, "title": column.name})
        return {"fields": fields, "missingValues": [""]}

    def _facts(
        self, frame: pl.DataFrame, place: int, sizes: tuple[int, int], *, is_known: bool = False
    ) -> dict[str, pl.Expr]:
        """`is_known`: that all cells are of the kind that comes first."""
        text = pl.col(f"c{place}")
        column, (least, most) = self.columns[place], sizes
        is_full, filled = least > 0, text != ""
        facts = {"filled": pl.len() if is_full else filled.sum()}
        if most > column.longest:  # no text has more characters than bytes
            facts["longest"] = text.str.len_chars().max()
        if "integer" in column.candidates:
            facts["most"] = pl.lit(most or None)
            facts["least"] = pl.lit(least) if is_full else text.filter(filled).str.len_bytes().min()
        kind = next(iter(column.candidates), "")
        if is_known or (kind == "date" and column.filled and are_days(frame[f"c{place}"])):
            return facts

        def always(fits: pl.Expr) -> pl.Expr:
            return fits.all() if is_full else (fits | ~filled).all()

        if kind in _PLAIN and column.filled and column.is_plain:
            return {**facts, "plain": always(text.str.contains(_PLAIN[kind]))}
        facts |= {kind: always(_fits(text, kind)) for kind in column.candidates}
        if "integer" in column.candidates or "number" in column.candidates:
            facts["zero"] = text.str.contains("^[+-]?0[0-9]").any()
            facts["huge"] = text.str.contains("^[+-]?[0-9]{19,}$").any()
        return facts

    def _learn(self, column: Column, facts: dict[str, Any]) -> None:
        column.filled += facts["filled"]
        column.longest = max(column.longest, facts.get("longest") or 0)
        column.candidates = [kind for kind in column.candidates if facts.get(kind, True)]
        if facts.get("zero") or facts.get("huge"):
            # A leading zero means a code; 19 digits and more fit neither an integer nor a float without loss.
            column.candidates = [kind for kind in column.candidates if kind not in ("integer", "number")]
        if facts.get("least") is not None:
            known = column.shortest_digits
            column.shortest_digits = facts["least"] if known is None else min(known, facts["least"])
            column.longest_digits = max(column.longest_digits, facts["most"])


def plain_numbers(cells: pl.Series, kind: str, longest: int) -> pl.Series | None:
    """The values of filled cells that all are surely of the `_PLAIN` form, of at most `longest` bytes: cheaper to say than
    which ones are. None if they may not be."""
    if longest > _LONGEST or not cells.len():
        return None
    least, most = str(cells.min()), str(cells.max())
    if least < "1" or most >= ":":  # not all begin with 1 to 9: signs, zeros, words
        return None
    read = cells.cast(pl.Int64 if kind == "integer" else pl.Float64, strict=False)
    if read.null_count():
        return None
    values = read.cast(pl.Float64)
    # An exponent that is too long gives infinity or nothing.
    return values if values.is_between(0, math.inf, closed="none").all() else None


def _sizes(cells: pl.Series) -> tuple[int, int]:
    """Bytes of the shortest and the longest cell: they often spare a look at the cells."""
    lengths: Any = cells.str.len_bytes()
    return lengths.min() or 0, lengths.max() or 0


def are_days(cells: pl.Series) -> bool:
    """Whether all cells are days as `DATE` says, without gaps: cheaper to say than which ones are."""
    try:
        days = pc.cast(pc.cast(cells.to_arrow(), pa.string()), pa.date32())
    except pa.ArrowInvalid:  # it reads YYYY-MM-DD alone
        return False
    first = pc.min(pc.cast(days, pa.int32())).as_py()
    return not days.null_count and (first is None or bool(first >= _FIRST_DAY))


def _fits(text: pl.Expr, kind: str) -> pl.Expr:
    if kind == "boolean":
        return text.is_in(["true", "True", "TRUE", "false", "False", "FALSE"])
    if kind == "integer":
        return text.str.contains(INTEGER)
    if kind == "number":
        return text.str.contains(NUMBER)
    # Without the cache, which costs more than it saves.
    real = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False, cache=False).is_not_null()
    if kind == "date":
        return text.str.contains(DATE) & real
    return (
        text.str.contains(DATETIME)
        & real
        & (text.str.slice(11, 8).str.to_time("%H:%M:%S", strict=False).is_not_null())
    )
