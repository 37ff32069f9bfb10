"""Records to rows of text: JSON arrays, NDJSON, GeoJSON features, Parquet."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.containers import documents, kml
from opendata.tabular.containers.documents import Found
from opendata.tabular.dialect import COLUMNS
from opendata.tabular.sheets import cell_text

JSON_BYTES = 128 << 20
"""A JSON document is held in memory whole, at about five times its size; NDJSON and Parquet are streamed."""

COORDINATES = ("lon", "lat")
"""Columns that the points of a GeoJSON become."""
Record = Mapping[str, Any]


def record_rows(path: Path, kind: str, encoding: str, table: str | None = None) -> Iterator[list[str]]:
    """The header, then one row a record; a key that a record lacks is an empty cell. `table`: of a JSON document that holds
    several, the key of one.

    Errors: TaskError `json_broken`(line), `json_nested`, `json_key_repeated`(key, line), `json_no_records`, `json_too_large`, `too_many_columns`."""
    if kind == "kml":
        keys = _keys(map(_feature, kml.features(path)))
        records: Iterable[Record] = map(_feature, kml.features(path))
    elif kind == "ndjson":
        keys = _keys(_lines(path, encoding))
        records = _lines(path, encoding)
    else:
        records = listed_in(document_text(path, encoding), table)[1].records
        keys = _keys(records)
    yield keys
    for record in records:
        yield cells(record, keys)


def parquet_frames(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    """Text cells by column; nested values as JSON. Errors: TaskError `parquet_broken`."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=rows):
                columns = [as_text(column) for column in batch.columns]
                yield pl.DataFrame({f"c{place}": column for place, column in enumerate(columns)})
    except (pa.ArrowException, OSError, ValueError):
        raise TaskError("parquet_broken") from None


def parquet_columns(path: Path) -> list[str]:
    try:
        return [str(name) for name in pq.read_schema(path).names]
    except (pa.ArrowException, OSError, ValueError):
        raise TaskError("parquet_broken") from None


def as_text(column: pa.Array) -> pl.Series:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        series = pl.Series(values=pl.from_arrow(column), dtype=pl.String)
    elif pa.types.is_integer(column.type):
        series = pl.Series(values=pl.from_arrow(column)).cast(pl.String)
    else:
        series = pl.Series(values=[_text(value) for value in column.to_pylist()], dtype=pl.String)
    return series.fill_null("")


def _lines(path: Path, encoding: str) -> Iterator[Record]:
    with path.open(encoding=encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            record = parse(line, number)
            if not isinstance(record, dict):
                raise TaskError("json_broken", line=number)
            yield record


def tables(path: Path, encoding: str) -> list[str]:
    """The keys of the tables that a JSON document holds side by side; none if it is one table."""
    with path.open(encoding=encoding) as file:
        if not file.read(1 << 10).lstrip("\ufeff \t\r\n").startswith("{"):
            return []
    return list(documents.several(parse(document_text(path, encoding), None)))


def document_text(path: Path, encoding: str) -> str:
    if path.stat().st_size > JSON_BYTES:
        raise TaskError("json_too_large", limit=JSON_BYTES)
    return path.read_text(encoding=encoding)


def listed_in(text: str, table: str | None = None) -> tuple[Any, Found]:
    """A document, and the records in it, or in the one of its tables that is named."""
    document = parse(text, None)
    if isinstance(document, dict) and isinstance(document.get("features"), list):
        features = document["features"]
        return document, Found(_features(features), features)
    found = documents.locate(document) if table is None else documents.several(document).get(table)
    if found is None:
        raise TaskError("json_no_records")
    return document, found


def cells(record: Record, keys: Iterable[str]) -> list[str]:
    return [_text(record.get(key)) for key in keys]


class _Repeated(Exception):
    """An object that holds a key twice: which of the two values is meant, nobody knows."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key
        self.start: int | None = None
        """Where the object begins, as a place in the text."""


class _Locating(json.JSONDecoder):
    """Python's own decoder, slow, and told where each object begins: for a text that is known to repeat a key."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once)
        self.parse_object = self._object
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # not in the stubs

    def _object(self, s_and_end: tuple[str, int], *how: Any) -> Any:
        try:
            return json.decoder.JSONObject(s_and_end, *how)  # type: ignore[attr-defined]  # not in the stubs
        except _Repeated as error:
            error.start = s_and_end[1] if error.start is None else error.start
            raise


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Repeated(next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1))
    return made


def _line_of(text: str) -> int:
    """The line at which the first object begins that repeats a key; 1 if it lies too deep to be found."""
    try:
        _Locating().decode(text)
    except _Repeated as error:
        return text.count("\n", 0, error.start) + 1
    except (RecursionError, ValueError):
        pass
    return 1


def parse(text: str, line: int | None) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except _Repeated as error:
        raise TaskError("json_key_repeated", key=error.key[:100], line=line or _line_of(text)) from None
    except json.JSONDecodeError as error:
        raise TaskError("json_broken", line=line or error.lineno) from None
    except RecursionError:
        raise TaskError("json_nested") from None
    except ValueError:  # a number too long to be one
        raise TaskError("json_broken", line=line or 1) from None


def _features(features: list[Any]) -> list[Record]:
    if not all(isinstance(feature, dict) for feature in features):
        raise TaskError("json_no_records")
    return [_feature(feature) for feature in features]


def _feature(feature: Record) -> Record:
    properties = feature.get("properties")
    record = dict(properties) if isinstance(properties, dict) else {}
    if "id" in feature:
        record.setdefault("id", feature["id"])
    geometry = feature.get("geometry")
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        point = geometry.get("coordinates")
        if isinstance(point, list) and len(point) >= 2:
            for name, value in zip(COORDINATES, point, strict=False):
                record.setdefault(name, value)
    record.setdefault("geometry", geometry)
    return record


def _keys(records: Iterable[Record]) -> list[str]:
    """All keys in order of first appearance; what a GeoJSON adds stays at the end of its first record."""
    keys: dict[str, None] = {}
    for record in records:
        keys.update(dict.fromkeys(islice(record, COLUMNS + 1)))
        if len(keys) > COLUMNS:
            raise TaskError("too_many_columns", limit=COLUMNS)
    return list(keys)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=cell_text)
    if isinstance(value, bytes):
        return value.hex()
    return cell_text(value)
