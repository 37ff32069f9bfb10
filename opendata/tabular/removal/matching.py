"""Which rows of a table the orders hide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from opendata.tabular.removal import keys
from opendata.tabular.shape import naming

Order = Mapping[str, Any]
"""{id, columns, digests} of an order that names keys; {id, columns, digests: None} of one whose column holds a last day."""


@dataclass
class Found:
    """What was found in one file so far, all its tables together."""

    counts: Counter[str] = field(default_factory=Counter)
    """Rows by order; a row that several orders hide counts for the first."""
    fits: set[str] = field(default_factory=set)
    """Orders whose columns the file has."""
    undated: Counter[str] = field(default_factory=Counter)
    """Rows whose day cannot be read: they stay."""
    next_on: date | None = None
    """The first day on which another row expires."""

    def note_day(self, day: date) -> None:
        self.next_on = day if self.next_on is None else min(self.next_on, day)


class Matcher:
    """Looks at the rows of one table. `named`: the number of a column by every name that it has (`naming.plain`)."""

    def __init__(
        self,
        named: Mapping[str, int],
        orders: Sequence[Order],
        key: bytes,
        today: date,
        found: Found,
    ) -> None:
        self._key, self._today, self._found = key, today, found
        self._orders = [(order, places) for order in orders if (places := _places(order, named)) is not None]
        self.hidden = 0
        """Rows of this table that go."""
        self._digests = {order["id"]: frozenset(order["digests"] or ()) for order, _ in self._orders}
        found.fits |= {order["id"] for order, _ in self._orders}

    @property
    def columns(self) -> Sequence[int]:
        """Numbers of the columns that are looked at, from 0."""
        return sorted({place for _, places in self._orders for place in places})

    def hides(self, cells: Sequence[str] | Mapping[int, str]) -> bool:
        """Whether an order hides the row, which is counted then."""
        for order, places in self._orders:
            values = [_cell(cells, place) for place in places]
            if not any(values):
                continue
            hidden = (
                self._expired(order, values[0]) if order["digests"] is None else self._named(order, values)
            )
            if hidden:
                self._found.counts[order["id"]] += 1
                self.hidden += 1
                return True
        return False

    def _named(self, order: Order, values: Sequence[str]) -> bool:
        return keys.digest(self._key, order["columns"], values) in self._digests[order["id"]]

    def _expired(self, order: Order, value: str) -> bool:
        day = keys.day_in(value)
        if day is None:
            self._found.undated[order["id"]] += 1
            return False
        if day < self._today:
            return True
        self._found.note_day(day)
        return False


def _cell(cells: Sequence[str] | Mapping[int, str], place: int) -> str:
    if isinstance(cells, Mapping):
        return cells[place]
    return cells[place] if place < len(cells) else ""


def _places(order: Order, named: Mapping[str, int]) -> list[int] | None:
    places = [named.get(naming.plain(column)) for column in order["columns"]]
    return [place for place in places if place is not None] if None not in places else None
