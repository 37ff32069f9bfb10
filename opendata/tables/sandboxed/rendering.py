"""Rows of the engine as CKAN's answers have them: objects, lists, CSV, TSV."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import pyarrow as pa


def values(column: pa.ChunkedArray, kind: str, *, csv_text: bool = False) -> list[Any]:
    """JSON values of a column of this type. `csv_text`: as PostgreSQL's COPY writes them."""
    if kind in ("json", "jsonb") or kind.startswith("_"):
        texts = column.to_pylist()
        if csv_text:
            return ["null" if text is None else text for text in texts]
        return [None if text is None else json.loads(text) for text in texts]
    if kind in ("timestamp", "timestamptz"):
        naive = column.cast(pa.timestamp("us")).to_pylist()
        return [None if value is None else _moment(value, kind, csv_text) for value in naive]
    if kind == "bool" and csv_text:
        return [None if value is None else "t" if value else "f" for value in column.to_pylist()]
    found: list[Any] = column.to_pylist()
    if kind == "date":
        return [value.isoformat() if isinstance(value, date) else value for value in found]
    if kind in ("numeric", "float4", "float8"):
        return [int(value) if value is not None and value.is_integer() and abs(value) < 1e15 else value
                for value in found]  # fmt: skip
    return found


def records(names: Sequence[str], columns: Sequence[list[Any]], shape: str) -> bytes:
    """The JSON of `records`, in one of the four forms."""
    rows = zip(*columns, strict=True)
    if shape == "objects":
        return orjson.dumps([dict(zip(names, row, strict=True)) for row in rows])
    if shape == "lists":
        return orjson.dumps([list(row) for row in rows])
    return orjson.dumps(separated(rows, "," if shape == "csv" else "\t"))


def separated(rows: Iterable[Sequence[Any]], delimiter: str) -> str:
    """As COPY writes CSV: quotes only where they are needed, an empty text as `""`, no value as nothing."""
    special = re.compile(f'[{delimiter}"\r\n]')
    lines = [delimiter.join([_written(value, special) for value in row]) for row in rows]
    return "".join(line + "\n" for line in lines)


def _written(value: Any, special: re.Pattern[str]) -> str:
    if value is None:
        return ""
    text = str(value)
    if not text or special.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _moment(value: datetime, kind: str, csv_text: bool) -> str:
    if kind == "timestamptz":
        text = value.isoformat(sep=" " if csv_text else "T")
        return text + ("+00" if csv_text else "+00:00")
    return value.isoformat(timespec="milliseconds")
