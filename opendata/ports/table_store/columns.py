"""How the columns of a source file are stored, and how their values become JSON.

A header may be any text, and engines disagree about names: DuckDB ignores case, Parquet readers split at dots, Delta's
other readers refuse `,;{}()=`. So each column has a *field*, a safe name that is unique without regard to case and is
used in files and queries, and the *name* the reader sees; the name is kept in the Delta schema's field metadata.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from opendata.core.errors import Invalid
from opendata.ports.table_store.port import Column, ColumnType

ID = "_id"
_NAME, _TYPE, _LOCAL = "opendata.name", "opendata.type", "opendata.local"
_INSTANT = pa.timestamp("us", tz="UTC")
_STORED = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    # A naive time is stored as if it were UTC: Delta's own type for it asks for a newer protocol of every reader.
    ColumnType.DATETIME: _INSTANT,
    # Delta has no time of day; ISO text sorts as the times do.
    ColumnType.TIME: pa.string(),
}


@dataclass(frozen=True)
class StoredColumn:
    name: str
    """As the reader sees it: the header, unique in the table and never `_id`."""
    field: str
    """In files and queries."""
    type: ColumnType
    local: bool = False
    """A DATETIME without a zone."""

    @property
    def public(self) -> Column:
        return Column(self.name, self.type)


ID_COLUMN = StoredColumn(ID, ID, ColumnType.INTEGER)


def plan_columns(schema: pa.Schema) -> tuple[StoredColumn, ...]:
    """The stored columns of a source file. A header `_id` becomes `_id_`, a repeated one gets `_2`, `_3`, ...

    `Invalid("column_type_unsupported", column=)` for nested and binary types.
    """
    names = _unique([name if name != ID else f"{ID}_" for name in schema.names], {ID}, str)
    fields = _unique([_safe(name) for name in names], {ID}, str.casefold)
    return tuple(
        StoredColumn(
            name, field, _type_of(source), pa.types.is_timestamp(source.type) and source.type.tz is None
        )
        for name, field, source in zip(names, fields, schema, strict=True)
    )


def stored_schema(columns: Sequence[StoredColumn]) -> pa.Schema:
    """The Arrow schema of the files, `_id` first, with the readers' names in the fields' metadata."""
    fields = [pa.field(ID, pa.int64(), nullable=False)]
    for column in columns:
        metadata = {_NAME: column.name, _TYPE: column.type.value} | ({_LOCAL: "true"} if column.local else {})
        fields.append(pa.field(column.field, _STORED[column.type], metadata=metadata))
    return pa.schema(fields)


def read_columns(fields: Sequence[dict[str, Any]]) -> tuple[StoredColumn, ...]:
    """The stored columns from the fields of a Delta schema (as its JSON has them)."""
    return tuple(
        StoredColumn(
            name=field["metadata"][_NAME],
            field=field["name"],
            type=ColumnType(field["metadata"][_TYPE]),
            local=field["metadata"].get(_LOCAL) == "true",
        )
        for field in fields
        if field["name"] != ID
    )


def described(column: StoredColumn) -> dict[str, Any]:
    """A column as plain values, for who must not import this module."""
    return {
        "name": column.name,
        "field": column.field,
        "type": column.type.value,
        "local": column.local,
    }


def undescribed(column: Mapping[str, Any]) -> StoredColumn:
    """`described`, the other way."""
    return StoredColumn(column["name"], column["field"], ColumnType(column["type"]), bool(column["local"]))


def to_stored(array: pa.Array, column: StoredColumn) -> pa.Array:
    """The array in its stored type; NaN and infinities, which JSON cannot hold, become null."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if column.type is ColumnType.TIME:
        return _short_time(array.cast(pa.time64("us"), safe=False).cast(pa.string()))
    if column.type is ColumnType.DATETIME:
        if column.local:
            return array.cast(pa.timestamp("us"), safe=False).cast(_INSTANT)
        return array.cast(_INSTANT, safe=False)
    stored = array.cast(_STORED[column.type])
    if column.type is ColumnType.NUMBER:
        return pc.if_else(pc.is_finite(stored), stored, pa.scalar(None, pa.float64()))
    return stored


def to_json(array: pa.ChunkedArray, column: StoredColumn) -> list[Any]:
    """JSON values of a stored array: dates and times as ISO text, instants with `Z`, an empty cell as None."""
    if column.type is ColumnType.DATE:
        return [None if value is None else value.isoformat() for value in array.to_pylist()]
    if column.type is ColumnType.DATETIME:
        zone = "" if column.local else "Z"
        naive = array.cast(pa.timestamp("us")).to_pylist()
        return [None if value is None else value.isoformat() + zone for value in naive]
    return list(array.to_pylist())


def _short_time(text: pa.Array) -> pa.Array:
    """Without the zeros at the end of the fraction: `08:30:00`, `08:30:00.25`."""
    return pc.replace_substring_regex(pc.replace_substring_regex(text, r"(\.\d*?)0+$", r"\1"), r"\.$", "")


def _type_of(source: pa.Field) -> ColumnType:
    kind = source.type.value_type if pa.types.is_dictionary(source.type) else source.type
    for test, column_type in _TESTS:
        if test(kind):
            return column_type
    raise Invalid("column_type_unsupported", column=source.name)


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_null(kind)
    )


_TESTS = (
    (_is_text, ColumnType.STRING),
    (pa.types.is_boolean, ColumnType.BOOLEAN),
    # Beyond int64: as a number, like decimals. Exact digits are in the published file.
    (pa.types.is_uint64, ColumnType.NUMBER),
    (pa.types.is_integer, ColumnType.INTEGER),
    (pa.types.is_floating, ColumnType.NUMBER),
    (pa.types.is_decimal, ColumnType.NUMBER),
    (pa.types.is_date, ColumnType.DATE),
    (pa.types.is_timestamp, ColumnType.DATETIME),
    (pa.types.is_time, ColumnType.TIME),
)


def _safe(name: str) -> str:
    return re.sub(r"\W", "_", name)[:60] or "_"


def _unique(names: Sequence[str], taken: set[str], key: Any) -> list[str]:
    """The names in order, those whose key is taken already with the first free `_2`, `_3`, ... behind them."""
    seen = {key(name) for name in taken}
    result = []
    for name in names:
        candidate, number = name, 2
        while key(candidate) in seen:
            candidate, number = f"{name}_{number}", number + 1
        seen.add(key(candidate))
        result.append(candidate)
    return result
