"""PostgreSQL's types, as CKAN's clients name them, and how we keep them. No engine is imported here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from opendata.ports.table_store.port import ColumnType

_NAMES = {
    "text": ("text", ColumnType.STRING),
    "varchar": ("varchar", ColumnType.STRING),
    "character varying": ("varchar", ColumnType.STRING),
    "uuid": ("uuid", ColumnType.STRING),
    "int": ("int4", ColumnType.INTEGER),
    "int2": ("int2", ColumnType.INTEGER),
    "int4": ("int4", ColumnType.INTEGER),
    "int8": ("int8", ColumnType.INTEGER),
    "integer": ("int4", ColumnType.INTEGER),
    "smallint": ("int2", ColumnType.INTEGER),
    "bigint": ("int8", ColumnType.INTEGER),
    "numeric": ("numeric", ColumnType.NUMBER),
    "decimal": ("numeric", ColumnType.NUMBER),
    "float": ("float8", ColumnType.NUMBER),
    "float4": ("float4", ColumnType.NUMBER),
    "float8": ("float8", ColumnType.NUMBER),
    "real": ("float4", ColumnType.NUMBER),
    "double precision": ("float8", ColumnType.NUMBER),
    "bool": ("bool", ColumnType.BOOLEAN),
    "boolean": ("bool", ColumnType.BOOLEAN),
    "date": ("date", ColumnType.DATE),
    "time": ("time", ColumnType.TIME),
    "time without time zone": ("time", ColumnType.TIME),
    "timestamp": ("timestamp", ColumnType.DATETIME),
    "timestamp without time zone": ("timestamp", ColumnType.DATETIME),
    "timestamptz": ("timestamptz", ColumnType.DATETIME),
    "timestamp with time zone": ("timestamptz", ColumnType.DATETIME),
    "json": ("json", ColumnType.STRING),
    "jsonb": ("jsonb", ColumnType.STRING),
    "nested": ("json", ColumnType.STRING),
}
_NATIVE = {
    "varchar": "character varying",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "json": "nested",
}
_STORED = {
    ColumnType.STRING: "text",
    ColumnType.INTEGER: "int8",
    ColumnType.NUMBER: "numeric",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "timestamp",
    ColumnType.TIME: "time",
}
_DATES = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
)
"""The forms of a text that make CKAN guess a point in time."""


def read_type(text: Any) -> str | None:
    """A client's name of a type as the database names it (`int` is `int4`, `text[]` is `_text`); None if it is none of ours."""
    name = re.sub(r"\s+", " ", str(text).strip().lower())
    inner = name[1:] if name.startswith("_") else name.removesuffix("[]").rstrip()
    known = _NAMES.get(inner)
    if known is None:
        return None
    return f"_{known[0]}" if inner != name else known[0]


def kept_as(kind: str) -> ColumnType:
    """How a column of this type is stored. Lists, like JSON, are kept as the text of their JSON."""
    return ColumnType.STRING if kind.startswith("_") else _NAMES[kind][1]


def native(kind: str) -> str:
    """The long name that `datastore_info` gives."""
    if kind.startswith("_"):
        return f"{native(kind[1:])}[]"
    return _NATIVE.get(kind, kind)


def type_of(column_type: str) -> str:
    """The type of a column that was loaded from a file."""
    return _STORED[ColumnType(column_type)]


def guess(value: Any) -> str:
    """The type of a new column by its first value, as CKAN guesses."""
    if isinstance(value, dict | list):
        return "json"
    if isinstance(value, int):
        return "int4"
    if isinstance(value, float):
        return "float8"
    if isinstance(value, str):
        return _guess_text(value)
    return "text"


def _guess_text(value: str) -> str:
    for kind, read in (("int4", int), ("numeric", float)):
        try:
            read(value)
        except ValueError:
            continue
        return kind
    for form in _DATES:
        try:
            datetime.strptime(value, form)
        except ValueError:
            continue
        return "timestamp"
    return "text"


def stored_columns(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Fields of the datastore as columns of the table store."""
    return [
        {
            "name": field["id"],
            "field": field["field"],
            "type": kept_as(field["type"]).value,
            "local": field["type"] == "timestamp",
        }
        for field in fields
    ]
