"""Quarters of a year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from opendata.core.errors import BadQuery, FieldError

_FORM = re.compile(r"(20\d\d)Q([1-4])", re.ASCII)


@dataclass(frozen=True, order=True)
class Quarter:
    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def first(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """31 March, 30 June and so on."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> Quarter:
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    @property
    def previous(self) -> Quarter:
        return Quarter.of(self.first - timedelta(days=1))

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`BadQuery("bad_quarter")` for what is not written as 2026Q2."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise BadQuery(fields=[FieldError("quarter", "bad_quarter", {"value": text[:20]})])
        return cls(int(found[1]), int(found[2]))
