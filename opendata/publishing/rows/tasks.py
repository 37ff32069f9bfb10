"""Sandbox task: the screening of rows that are about to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from opendata.review.detect import judging, meaning
from opendata.review.detect.cells import Column
from opendata.review.detect.rules import Found, Rule
from opendata.review.tasks import Hints, count
from opendata.tables.sandboxed.exporting import written
from opendata.tables.sandboxed.relation import State, beside

BESIDE = 1000
"""Rows of the table that a smaller batch is judged beside: a lone number passes its checksum by chance."""


def scan(
    state: Mapping[str, Any], part: str, today: str, hints: Hints, labels: Mapping[str, str]
) -> list[dict[str, Any]]:
    """`Found`s of the rows in `part`, as they will be; `labels`: what is told of columns, by the fields' ids."""
    table = State(state)
    rows = pq.read_table(part)
    batch = _columns(table, date.fromisoformat(today), hints, labels)
    count(batch, [_texts(table, rows)])
    found = judging.judge(batch)
    if found and rows.num_rows < BESIDE and not table.empty:
        both = _columns(table, date.fromisoformat(today), hints, labels)
        count(both, [_texts(table, rows), _texts(table, beside(table, rows, BESIDE))])
        found = [_of(batch, finding) for finding in judging.judge(both) if _hit(batch, finding)]
    return [asdict(finding) for finding in found]


def _columns(table: State, today: date, hints: Hints, labels: Mapping[str, str]) -> list[Column]:
    """A label says what a column is about, as the title of a ready schema's field does."""
    made = []
    for field in table.fields:
        name, label = field["id"], labels.get(field["id"], "")
        hint = meaning.hint(hints.get(name) or hints.get(label))
        made.append(Column(name, today, replace(hint, title=hint.title or label)))
    return made


def _texts(table: State, rows: pa.Table) -> pl.DataFrame:
    cells = [_text(rows.column(field["field"]), field["type"]) for field in table.fields]
    return pl.DataFrame([cell.alias(f"c{number}") for number, cell in enumerate(cells)])


def _text(column: pa.ChunkedArray, kind: str) -> pl.Series:
    """Cells as they are written down; numbers and days without a detour by Python."""
    if pa.types.is_floating(column.type):
        number = pl.col("n")
        whole = (number == number.round()) & (number.abs() < 1e15)
        texts = (
            pl.when(whole)
            .then(number.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(number.cast(pl.String))
        )
        return pl.DataFrame({"n": column}).select(texts.fill_null("")).to_series()
    if pa.types.is_string(column.type) or pa.types.is_integer(column.type) or pa.types.is_date(column.type):
        return pl.Series(column).cast(pl.String).fill_null("")
    values = written(column, kind)
    return pl.Series(["" if value is None else str(value) for value in values], dtype=pl.String)


def _hit(batch: list[Column], finding: Found) -> bool:
    tally = batch[finding.column or 0].tallies.get(Rule(finding.rule))
    return tally is not None and tally.hits > 0


def _of(batch: list[Column], finding: Found) -> Found:
    """The finding with what the batch alone has of it."""
    tally = batch[finding.column or 0].tallies[Rule(finding.rule)]
    return replace(finding, count=tally.hits, sample=judging.shown(Rule(finding.rule), tally))
