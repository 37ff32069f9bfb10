"""The type of each column from *all* its cells, and the Table Schema that says so.

Candidates are dropped as soon as one cell speaks against them, so text columns cost nothing after the first frame. Codes
stay text (design decisions, "Others"): 01 is not 1, and nobody adds up district codes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from opendata.tabular.layout import Layout
from opendata.tabular.records import COORDINATES

INTEGER = r"^[+-]?[0-9]{1,18}$"
NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_PLAIN = {
    "integer": r"^[+-]?(0|[1-9][0-9]{0,17})$",
    "number": r"^[+-]?(0|[1-9][0-9]{0,17})(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?$",
}
"""One look in place of four: without a leading zero, and short enough."""
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
DATETIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?$"
)
_ALL = ("boolean", "integer", "number", "date", "datetime")
"""In the order in which they are preferred."""

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

    @classmethod
    def of(cls, found: Layout) -> Inference:
        return cls(
            found.columns, coordinates=COORDINATES if found.format in ("geojson", "kml", "gpkg") else ()
        )

    def feed(self, frame: pl.DataFrame) -> None:
        every = range(len(self.columns))
        again = self._ask(frame, {place: self._facts(place) for place in every})
        if again:
            for place in again:
                self.columns[place].is_plain = False
            self._ask(frame, {place: self._facts(place) for place in again})

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

    def _facts(self, place: int) -> dict[str, pl.Expr]:
        text = pl.col(f"c{place}")
        filled = text != ""
        facts = {"filled": filled.sum(), "longest": text.str.len_chars().max()}
        column = self.columns[place]
        if "integer" in column.candidates:
            digits = pl.when(filled).then(text.str.len_bytes())
            facts |= {"least": digits.min(), "most": digits.max()}
        plain = _PLAIN.get(next(iter(column.candidates), ""))
        if plain is not None and column.filled and column.is_plain:
            return {**facts, "plain": (text.str.contains(plain) | ~filled).all()}
        facts |= {kind: (_fits(text, kind) | ~filled).all() for kind in column.candidates}
        if "integer" in column.candidates or "number" in column.candidates:
            facts["zero"] = text.str.contains("^[+-]?0[0-9]").any()
            facts["huge"] = text.str.contains("^[+-]?[0-9]{19,}$").any()
        return facts

    def _learn(self, column: Column, facts: dict[str, Any]) -> None:
        column.filled += facts["filled"]
        column.longest = max(column.longest, facts["longest"] or 0)
        column.candidates = [kind for kind in column.candidates if facts.get(kind, True)]
        if facts.get("zero") or facts.get("huge"):
            # A leading zero means a code; 19 digits and more fit neither an integer nor a float without loss.
            column.candidates = [kind for kind in column.candidates if kind not in ("integer", "number")]
        if facts.get("least") is not None:
            known = column.shortest_digits
            column.shortest_digits = facts["least"] if known is None else min(known, facts["least"])
            column.longest_digits = max(column.longest_digits, facts["most"])


def _fits(text: pl.Expr, kind: str) -> pl.Expr:
    if kind == "boolean":
        return text.is_in(["true", "True", "TRUE", "false", "False", "FALSE"])
    if kind == "integer":
        return text.str.contains(INTEGER)
    if kind == "number":
        return text.str.contains(NUMBER)
    real = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()
    if kind == "date":
        return text.str.contains(DATE) & real
    return (
        text.str.contains(DATETIME)
        & real
        & (text.str.slice(11, 8).str.to_time("%H:%M:%S", strict=False).is_not_null())
    )
