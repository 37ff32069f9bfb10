"""Statistics of each column, fed beside the inference: what needs all cells over all of them, the rest over a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from opendata.tabular.infer import Column, Values
from opendata.tabular.profiling import semantics
from opendata.tabular.profiling.sketches import Distinct, Sample

TOP = 10
BINS = 20
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
VALUE = 200
"""Characters of a value that are kept."""
_NUMBERS = ("integer", "number")
_TIMES = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%dT%H:%M:%S"}


class _Facts:
    """Of one column over all rows."""

    def __init__(self) -> None:
        self.distinct = Distinct()
        self.least: Any = None
        self.most: Any = None
        self.sum = 0.0

    def learn(self, least: Any, most: Any, total: Any) -> None:
        self.least = least if self.least is None or (least is not None and least < self.least) else self.least
        self.most = most if self.most is None or (most is not None and most > self.most) else self.most
        self.sum += total or 0.0


class Statistics:
    """Feed it the frames that `Inference` is fed, each after it: what still may be a number is added up."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._facts = [_Facts() for _ in columns]
        self._sample = Sample(len(columns))

    def feed(self, frame: pl.DataFrame, known: Values) -> None:
        """`known`: what `Inference.feed` has answered."""
        self._sample.feed(frame)
        for place, (column, facts) in enumerate(zip(self._columns, self._facts, strict=True)):
            cells, kind = frame[f"c{place}"], next(iter(column.candidates), "")
            facts.distinct.feed(cells)
            if kind in _NUMBERS:
                values = known.get(place, cells).cast(pl.Float64, strict=False)
                facts.learn(values.min(), values.max(), values.sum())
            elif kind in _TIMES:
                least = cells.min()
                filled = cells if least else cells.filter(cells != "")
                facts.learn(least or filled.min(), filled.max(), None)

    def result(self) -> list[dict[str, Any]]:
        """One a column, in the order of the file (docs/reading.md says what each part is)."""
        frame = self._sample.frame()
        found = []
        for place, (column, facts) in enumerate(zip(self._columns, self._facts, strict=True)):
            cells = frame[f"c{place}"] if frame is not None else pl.Series(dtype=pl.String)
            found.append(self._one(column, facts, cells.filter(cells != "")))
        return found

    def _one(self, column: Column, facts: _Facts, cells: pl.Series) -> dict[str, Any]:
        distinct = facts.distinct.count(column.filled)
        estimated = self._sample.is_estimate
        made: dict[str, Any] = {
            "semantic_type": semantics.of(column.name, column.type, cells, distinct),
            "distinct": {"value": distinct, "is_estimate": facts.distinct.is_estimate},
            "top": {"values": self._top(cells, distinct, column.filled), "is_estimate": estimated},
        }
        if column.type in _NUMBERS and column.filled and math.isfinite(facts.sum):
            values = cells.cast(pl.Float64, strict=False).drop_nulls()
            made |= {"min": facts.least, "max": facts.most, "mean": _told(facts.sum / column.filled)}
            made["quantiles"] = {"values": _quantiles(values), "is_estimate": estimated}
            bins = self._histogram(values, facts.least, facts.most)
            made["histogram"] = {**bins, "is_estimate": estimated}
        elif column.type in _TIMES and column.filled:
            made |= {"min": facts.least, "max": facts.most}
            made["quantiles"] = {"values": _quantiles(cells), "is_estimate": estimated}
        return made

    def _top(self, cells: pl.Series, distinct: int, filled: int) -> list[dict[str, Any]]:
        """The commonest values with their counts; none where each value is its own."""
        if not cells.len() or distinct >= filled:
            return []
        counted = cells.alias("value").value_counts(name="count")
        if self._sample.is_estimate:  # what was drawn once says nothing
            counted = counted.filter(pl.col("count") > 1)
        commonest = counted.filter(pl.col("count") >= pl.col("count").top_k(TOP).min())
        ordered = commonest.sort(["count", "value"], descending=[True, False])
        weight = self._sample.weight
        return [
            {"value": str(value)[:VALUE], "count": min(filled, round(count * weight))}
            for value, count in ordered.head(TOP).rows()
        ]

    def _histogram(self, values: pl.Series, least: float, most: float) -> dict[str, Any]:
        """Counts in bins of equal width between the least and the most: `edges` has one more than `counts`."""
        width = (most - least) / BINS
        if not math.isfinite(width) or width <= 0:
            return {"edges": [least, most], "counts": [round(values.len() * self._sample.weight)]}
        places = ((values - least) / width).floor().clip(0, BINS - 1).cast(pl.Int64)
        counted = dict(places.alias("bin").value_counts(name="count").rows())
        counts = [round(counted.get(place, 0) * self._sample.weight) for place in range(BINS)]
        return {"edges": [least + width * place for place in range(BINS)] + [most], "counts": counts}


def _told(mean: float) -> float:
    """Without the last digits, which depend on where the blocks ended that were added up."""
    return float(f"{mean:.12g}")


def _quantiles(values: pl.Series) -> list[list[Any]]:
    """[share, value] pairs: the value below which that share lies."""
    ordered = values.sort()
    last = ordered.len() - 1
    return [[share, ordered[round(share * last)]] for share in QUANTILES] if last >= 0 else []
