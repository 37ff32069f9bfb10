"""The task that writes all rows down as a CSV file, as loading reads them again: the header, then rows by `_id`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from opendata.tables.sandboxed import rendering
from opendata.tables.sandboxed.relation import State, reading

PAGE = 50_000


def to_csv(state: Mapping[str, Any], output: str) -> dict[str, Any]:
    """Writes `rows.csv`; answers {rows}."""
    table = State(state)
    last, rows = 0, 0
    with (Path(output) / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(rendering.separated([[field["id"] for field in table.fields]], ","))
        while True:
            with reading(table) as session:
                sql = f"SELECT * FROM ({table.relation()}) AS live WHERE _id > ? ORDER BY _id LIMIT ?"
                page = session.table(sql, [last, PAGE])
            if not page.num_rows:
                return {"rows": rows}
            columns = [written(page.column(field["field"]), field["type"]) for field in table.fields]
            file.write(rendering.separated(zip(*columns, strict=True), ","))
            last = page.column("_id")[page.num_rows - 1].as_py()
            rows += page.num_rows


def written(column: pa.ChunkedArray, kind: str) -> list[Any]:
    """Cells as they stand in the file."""
    if kind in ("json", "jsonb") or kind.startswith("_"):
        return list(column.to_pylist())
    if kind == "bool":
        return [None if value is None else str(value).lower() for value in column.to_pylist()]
    if kind in ("timestamp", "timestamptz"):
        zone = "Z" if kind == "timestamptz" else ""
        naive = column.cast(pa.timestamp("us")).to_pylist()
        return [None if value is None else value.isoformat() + zone for value in naive]
    return rendering.values(column, kind)
