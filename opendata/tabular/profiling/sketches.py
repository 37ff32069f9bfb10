"""Bounded stand-ins for what would need all values at once. Both are exact until they are full, and say when they are not."""

from __future__ import annotations

from functools import cache

import polars as pl

DISTINCT = 1024
"""Hashes kept: the number of distinct values is then right within about 3 %."""
SAMPLE_CELLS = 400_000
_MOST = 1 << 64
_DRAWN = "drawn"
_LOOSE = 16
"""Frames that may be held on to for a while: letting go of each at once would cost more than the drawing."""
_SEED = 7


@cache
def _blank() -> int:
    """An empty cell is no value. Not at the import, which would begin Polars' threads where nobody needs them."""
    return int(pl.Series([""]).hash(_SEED)[0])


class Distinct:
    """How many distinct values there are, from the smallest of their hashes (k minimum values)."""

    def __init__(self) -> None:
        self._kept = pl.Series(dtype=pl.UInt64)
        self._most: int | None = None

    def feed(self, cells: pl.Series) -> None:
        hashes = cells.hash(_SEED)
        if self._most is not None:
            hashes = hashes.filter(hashes < self._most)
        fresh = hashes.filter(~hashes.is_in(self._kept.implode()))  # cheaper than what is distinct among all
        if not fresh.len():
            return
        kept = pl.concat([self._kept, fresh.unique()])
        kept = kept.filter(kept != _blank()).sort()
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
        self._loose = 0
        """How many of those frames, the last ones, still hold on to the frames they were drawn from."""
        self._height = 0
        self._rows = 0
        self._share = 0
        """One row of 2 ** share is kept."""

    def feed(self, frame: pl.DataFrame) -> None:
        numbers = pl.int_range(self._rows, self._rows + frame.height, dtype=pl.UInt64, eager=True)
        self._rows += frame.height
        self._keep(frame, numbers.hash(11))
        while self._height > self._limit:
            self._share += 1
            kept, self._kept, self._height = self._kept, [], 0
            for old in kept:
                self._keep(old.drop(_DRAWN), old[_DRAWN])
        if self._loose >= _LOOSE:
            self._kept, self._loose = [_compact(pl.concat(self._kept))], 0

    def _keep(self, part: pl.DataFrame, drawn: pl.Series) -> None:
        if self._share:
            chosen = drawn < _MOST >> self._share
            part, drawn = part.filter(chosen), drawn.filter(chosen)
        self._kept.append(part.with_columns(drawn.alias(_DRAWN)))
        self._loose += 1
        self._height += part.height

    @property
    def is_estimate(self) -> bool:
        return self._share > 0

    @property
    def weight(self) -> float:
        """Rows for which one of the sample stands."""
        return self._rows / max(1, self._height)

    def frame(self) -> pl.DataFrame | None:
        return pl.concat(self._kept).drop(_DRAWN) if self._kept else None


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The same texts in memory of their own. Polars draws rows by pointing into the texts of the frame before: a sample of a
    large file would keep all of it."""
    return pl.DataFrame(pl.from_arrow(frame.to_arrow(compat_level=pl.CompatLevel.oldest())))
