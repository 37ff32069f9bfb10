"""Sandbox task of the screening: every cell of a table."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from opendata.review import identifiers
from opendata.review.identifiers import Rule, Tally, summary
from opendata.tabular.layout import layout
from opendata.tabular.stream import frames

_WIDE = "[０-９]"


def scan(path: str, name: str, options: dict[str, Any], today: str) -> list[dict[str, Any]]:
    """Findings per column: [{place, rule, confident, count, sample: [{row, masked}]}]; rows count from 1 below the header.

    Raises TaskError for a file that is no table or cannot be read.
    """
    found = layout(Path(path), name, options)
    tallies: list[dict[Rule, Tally]] = [{} for _ in found.columns]
    day = date.fromisoformat(today)
    row = 0
    for frame in frames(Path(path), found):
        for column, counts in zip(frame.get_columns(), tallies, strict=True):
            _scan_column(column, row, day, counts)
        row += frame.height
    return [asdict(f) for place, t in zip(found.columns, tallies, strict=True) for f in summary(place, t)]


def _scan_column(column: pl.Series, before: int, today: date, tallies: dict[Rule, Tally]) -> None:
    """Narrows the column to cells with a long number first: nearly all columns have none."""
    mask = column.str.contains(identifiers.RUN.pattern) | column.str.contains(_WIDE)
    places = mask.arg_true()
    if places.len() == 0:
        return
    pairs = (
        (before + place + 1, run)
        for place, text in zip(places.to_list(), column.gather(places).to_list(), strict=True)
        for run in identifiers.runs(text)
    )
    identifiers.scan(pairs, today, tallies)
