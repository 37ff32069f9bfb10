"""Looks a whole file over for what can be cleaned with certainty. Only inside the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from opendata.tabular.layout import Layout
from opendata.tabular.shape.naming import map_columns
from opendata.tabular.stream import Tally, every_row
from opendata.validation.cleaning import steps
from opendata.validation.cleaning.columns import EXAMPLES, Change, Column
from opendata.validation.cleaning.recipe import ROWS, Kind, Step

UTF8 = ("utf-8",)
Schema = Mapping[str, Any]


def propose(path: Path, found: Layout, schema: Schema | None) -> list[Change]:
    """The steps that would change something, in their order, each with its first examples."""
    fields = _fields(found, schema)
    columns = [Column(name, fields.get(name)) for name in found.columns]
    rows = {kind: Change(Step(step=kind)) for kind in ROWS}
    labels = labels_of(found, schema)
    number = found.header_end
    for frame in every_row(path, found, Tally()):
        aside = set_aside(frame, ROWS, labels)
        _note_rows(frame, aside, number, rows)
        kept = frame.with_row_index("row", offset=number + 1).filter(~pl.Series(aside).is_not_null())
        for place, column in enumerate(columns):
            _feed(column, kept, f"c{place}")
        number += frame.height
    cells = [change for column in columns for change in column.changes]
    return [*_file_steps(found), *(change for change in rows.values() if change.count), *cells]


def labels_of(found: Layout, schema: Schema | None) -> steps.Labels:
    """What each column may be called in a header that comes again."""
    fields = _fields(found, schema)
    return [{name.strip(), str(fields.get(name, {}).get("title", ""))} - {""} for name in found.columns]


def set_aside(frame: pl.DataFrame, kinds: Sequence[Kind], labels: steps.Labels) -> list[str | None]:
    """For each row the step that sets it aside, or None."""
    found: list[str | None] = []
    for row in frame.iter_rows():
        cells = [cell.strip() for cell in row]
        found.append(next((kind.value for kind in kinds if steps.row(kind, cells, labels)), None))
    return found


def _fields(found: Layout, schema: Schema | None) -> dict[str, Schema]:
    """The field of each column, by whatever the header calls it."""
    if schema is None:
        return {}
    named = {str(field["name"]): field for field in schema.get("fields") or []}
    return {one.column: named[one.field] for one in map_columns(schema, found.columns)}


def _note_rows(
    frame: pl.DataFrame, aside: Sequence[str | None], before: int, rows: Mapping[Kind, Change]
) -> None:
    for place, kind in enumerate(aside):
        if kind is None:
            continue
        change = rows[Kind(kind)]
        change.count += 1
        if len(change.examples) < EXAMPLES:
            told = " | ".join(cell for cell in frame.row(place) if cell)[:200]
            change.examples.append({"row": before + place + 1, "before": told, "after": None})


def _feed(column: Column, frame: pl.DataFrame, name: str) -> None:
    """Each distinct cell once: most columns repeat themselves."""
    distinct = frame.group_by(name, maintain_order=True).agg(pl.len().alias("count"), pl.col("row").first())
    for text, count, row in distinct.iter_rows():
        if text:
            column.feed(text, count, row)


def _file_steps(found: Layout) -> Iterator[Change]:
    if found.encoding and found.encoding not in UTF8:
        yield Change(Step(step=Kind.UTF8), 1, [{"row": None, "before": found.encoding, "after": "utf-8"}])
    if found.format != "csv" or found.delimiter != ",":
        before = found.format if found.format != "csv" else f"csv {found.delimiter!r}"
        yield Change(Step(step=Kind.CSV), 1, [{"row": None, "before": before, "after": "csv ','"}])
    if found.header_row > 1:
        header = "、".join(found.columns)[:200]
        yield Change(
            Step(step=Kind.ABOVE), found.header_row - 1, [{"row": 1, "before": None, "after": header}]
        )
