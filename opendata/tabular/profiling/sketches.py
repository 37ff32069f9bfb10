"""Bounded stand-ins for what would need all values at once. Both are exact until they are full, and say when they are not."""

from __future__ import annotations

import polars as pl

DISTINCT = 1024
"""Hashes kept: the number of distinct values is then right within about 3 %."""
SAMPLE_CELLS = 400_000
_MOST = 1 << 64
_SEED = 7
_BLANK = pl.Series([""]).hash(_SEED)[0]
"""An empty cell is no value."""


class Distinct:
    """How many distinct values there are, from the smallest of their hashes (k minimum values)."""

    def __init__(self) -> None:
        self._kept = pl.Series(dtype=pl.UInt64)
        self._most: int | None = None

    def hashes(self, column: str) -> pl.Expr:
        """What of a frame `learn` needs, as one list: few, once the sketch is full."""
        hashed = pl.col(column).hash(_SEED)
        small = hashed if self._most is None else hashed.filter(hashed < self._most)
        return small.unique().implode()

    def learn(self, hashes: pl.Series) -> None:
        if self._most is not None and not hashes.len():
            return
        kept = pl.concat([self._kept, hashes.filter(hashes != _BLANK)]).unique().sort()
        if kept.len() > DISTINCT:
            kept = kept.head(DISTINCT)
            self._most = int(kept[-1])
        self._kept = kept

    @property
    def is_estimate(self) -> bool:
        return self._most is not None

    def count(self, most: int) -> int:
        """At most `most`: no more values are distinct than there are."""
        if self._most is None:
            return self._kept.len()
        return min(most, round((DISTINCT - 1) * _MOST / (self._most + 1)))


class Sample:
    """Rows chosen by the hash of their number, the same ones for every column: all, until there are too many, then every
    second, and so on."""

    def __init__(self, width: int) -> None:
        self._limit = max(1000, SAMPLE_CELLS // max(1, width))
        self._kept: list[pl.DataFrame] = []
        self._height = 0
        self._rows = 0
        self._share = 0
        """One row of 2 ** share is kept."""

    def feed(self, frame: pl.DataFrame) -> None:
        numbers = pl.int_range(self._rows, self._rows + frame.height, dtype=pl.UInt64, eager=True)
        self._rows += frame.height
        part = frame.with_columns(numbers.hash(11).alias("drawn"))
        self._keep(part)
        while self._height > self._limit:
            self._share += 1
            kept, self._kept, self._height = self._kept, [], 0
            for old in kept:
                self._keep(old)

    def _keep(self, part: pl.DataFrame) -> None:
        drawn = part.filter(pl.col("drawn") < _MOST >> self._share) if self._share else part
        self._kept.append(drawn)
        self._height += drawn.height

    @property
    def is_estimate(self) -> bool:
        return self._share > 0

    @property
    def weight(self) -> float:
        """Rows for which one of the sample stands."""
        return self._rows / max(1, self._height)

    def frame(self) -> pl.DataFrame | None:
        return pl.concat(self._kept).drop("drawn") if self._kept else None
