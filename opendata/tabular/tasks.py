"""What may be called in the sandbox. All arguments and results are JSON values; paths are texts.

Errors of all of them: the `TaskError`s of `layout`, and those that reading the rows meets later (`cell_too_large`,
`sheet_broken`, `json_broken`, `parquet_broken`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from opendata.tabular.layout import layout
from opendata.tabular.profiling.whole import Profiling
from opendata.tabular.stream import Tally, frames
from opendata.tabular.typed import column_type, table_fields, write_parquet

Options = Mapping[str, Any] | None


def profile(path: str, name: str, options: Options = None) -> dict[str, Any]:
    """The whole file, looked at once: `{layout, schema, rows, columns, statistics, sample, blank_rows, ragged_rows}`.

    `schema` is the inferred Table Schema; `columns` is a list of `{name, type, filled, missing, longest}` in the order of
    the file, `statistics` one of what `profiling.columns` finds in each; `sample` the first 20 rows as lists of text; `rows` counts data rows without blank ones."""
    source = Path(path)
    found = layout(source, name, options)
    looked, tally = Profiling(found), Tally()
    for frame in frames(source, found, tally):
        looked.feed(frame)
    return looked.result(tally)


def preview(path: str, name: str, options: Options = None, limit: int = 100) -> dict[str, Any]:
    """The first rows without reading the rest: `{layout, rows}`, rows as lists of text in the order of `layout.columns`."""
    source = Path(path)
    found = layout(source, name, options)
    rows = (list(row) for frame in frames(source, found) for row in frame.rows())
    return {"layout": found.descriptor(), "rows": list(islice(rows, max(0, min(limit, 1000))))}


def to_parquet(
    path: str, name: str, options: Options, schema: Mapping[str, Any], output: str
) -> dict[str, Any]:
    """Writes `<output>/table.parquet`, typed by a Table Schema; without fields in it all columns are text.

    Answers `{rows, columns: [{name, type}], nulled: {column: cells}, blank_rows, ragged_rows}`. Rows are those of
    `profile`, in the order of the file."""
    source = Path(path)
    found = layout(source, name, options)
    fields = table_fields(found.columns, schema, found.own)
    missing = [str(value) for value in schema.get("missingValues", [""])]
    tally = Tally()
    written = write_parquet(
        _at_least_one(frames(source, found, tally), len(fields)),
        fields,
        missing,
        Path(output, "table.parquet"),
    )
    return {
        "rows": written.rows,
        "columns": [{"name": str(item["name"]), "type": column_type(item)} for item in fields],
        "nulled": written.nulled,
        "blank_rows": tally.blank,
        "ragged_rows": {"short": tally.short, "long": tally.long},
    }


def _at_least_one(source: Iterator[pl.DataFrame], width: int) -> Iterator[pl.DataFrame]:
    """A table without rows is still a table: its columns and types are written."""
    yield pl.DataFrame(schema={f"c{place}": pl.String for place in range(width)})
    yield from source
