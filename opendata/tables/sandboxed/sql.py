"""The tasks behind `datastore_search_sql`: which tables a statement names, and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from opendata.tables.sandboxed import statements
from opendata.tables.sandboxed.relation import State, alone, quoted

MOST_ROWS = 32_000
_CASTS = {"int2": "SMALLINT", "int4": "INTEGER", "float4": "REAL", "timestamp": "TIMESTAMP"}
_KINDS = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_int16, "int2"),
    (pa.types.is_int32, "int4"),
    (pa.types.is_integer, "int8"),
    (pa.types.is_float32, "float4"),
    (pa.types.is_floating, "float8"),
    (pa.types.is_decimal, "numeric"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_timestamp, "timestamp"),
)


def tables(sql: str) -> list[str]:
    """Names of the tables that a statement reads. `Refusal("bad_sql")`, `Refusal("forbidden_sql")`."""
    return statements.read(sql).tables


def run(sql: str, states: Mapping[str, Any], output: str) -> dict[str, Any]:
    """The rows, as JSON in `records.json`; answers {fields, truncated}. The engine reads the files of these tables alone."""
    statement = statements.read(sql)
    tables = {name: State(described) for name, described in states.items()}
    relations = {name: _relation(tables[name]) for name in statement.tables}
    text = statements.written(statement, relations, MOST_ROWS + 1)
    with alone(*tables.values()) as session:
        found = session.table(text, [])
    shown = found.slice(0, MOST_ROWS)
    known = {f["id"]: f["type"] for state in tables.values() for f in state.fields}
    fields = [{"id": name, "type": _kind(name, column.type, known)} for name, column in _columns(shown)]
    columns = [_values(column) for _, column in _columns(shown)]
    names = [field["id"] for field in fields]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    (Path(output) / "records.json").write_bytes(orjson.dumps(rows))
    return {"fields": fields, "truncated": found.num_rows > MOST_ROWS}


def _relation(state: State) -> str:
    """The table under the names and types that its readers know."""
    columns = ["CAST(_id AS INTEGER) AS _id"]
    for field in state.fields:
        source, name = quoted(field["field"]), quoted(field["id"])
        cast = _CASTS.get(field["type"])
        columns.append(f"CAST({source} AS {cast}) AS {name}" if cast else f"{source} AS {name}")
    return f"SELECT {', '.join(columns)} FROM ({state.relation()})"


def _columns(table: pa.Table) -> list[tuple[str, pa.ChunkedArray]]:
    return list(zip(table.column_names, table.columns, strict=True))


def _kind(name: str, kind: pa.DataType, known: Mapping[str, str]) -> str:
    if known.get(name) in ("numeric", "json", "jsonb", "timestamptz", "time", "varchar", "uuid"):
        return known[name]
    return next((found for test, found in _KINDS if test(kind)), "text")


def _values(column: pa.ChunkedArray) -> list[Any]:
    return [_value(value) for value in column.to_pylist()]


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
