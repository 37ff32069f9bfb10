"""Text cells to the types of a Table Schema, and to Parquet.

A cell that does not convert becomes null and is counted: the validator has named it before, the table shows what is sound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from opendata.tabular.shape import naming

ROW_GROUP = 16_384
_TRUE, _FALSE = ["true", "True", "TRUE", "1"], ["false", "False", "FALSE", "0"]
_TYPES = {"year": "integer"}
_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.time64("us"),
}


@dataclass
class Written:
    rows: int = 0
    nulled: dict[str, int] = field(default_factory=dict)
    """Cells that were filled but did not convert, by column; columns without any are not in it."""


def table_fields(
    columns: Sequence[str], schema: Mapping[str, Any], own: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The field of each column of the file, by whatever name of it the header uses. Names are those of the table's columns."""
    return naming.fields_of(naming.called(columns, schema, own), schema)


def column_type(described: Mapping[str, Any]) -> str:
    """string integer number boolean date datetime time; all other Table Schema types are kept as their text."""
    kind = str(described.get("type", "string"))
    kind = _TYPES.get(kind, kind)
    return kind if kind in _ARROW else "string"


def write_parquet(
    frames: Iterable[pl.DataFrame], fields: Sequence[Mapping[str, Any]], missing: Sequence[str], out: Path
) -> Written:
    """Writes frames of text as typed columns, in row groups of exactly 16,384 rows but the last. It is read once and thrown
    away: whatever would make it smaller or find rows in it costs more than it saves."""
    names = [str(item["name"]) for item in fields]
    arrow = pa.schema(
        [pa.field(name, _ARROW[column_type(item)]) for name, item in zip(names, fields, strict=True)]
    )
    casts = [
        _cast(_present(f"c{place}", missing), item).alias(f"c{place}") for place, item in enumerate(fields)
    ]
    written = Written(nulled=dict.fromkeys(names, 0))
    packed: Any = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    with pq.ParquetWriter(out, arrow, store_schema=False, **packed) as writer:
        rest: pl.DataFrame | None = None
        for frame in frames:
            typed = frame.select(casts)
            _count_nulled(frame, typed, missing, names, written)
            rest = typed if rest is None or not rest.height else pl.concat([rest, typed])
            whole = rest.height // ROW_GROUP * ROW_GROUP
            if whole:
                _write(writer, rest.slice(0, whole), arrow)
                rest = rest.slice(whole)
        if rest is not None and rest.height:
            _write(writer, rest, arrow)
    written.nulled = {name: count for name, count in written.nulled.items() if count}
    return written


def _write(writer: pq.ParquetWriter, frame: pl.DataFrame, arrow: pa.Schema) -> None:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).rename_columns(arrow.names)
    writer.write_table(table.cast(arrow), row_group_size=ROW_GROUP)


def _present(column: str, missing: Sequence[str]) -> pl.Expr:
    """The column with missing values as null."""
    text = pl.col(column)
    if not missing:
        return text
    absent = text == missing[0] if len(missing) == 1 else text.is_in(list(missing))
    return pl.when(~absent).then(text)


def _count_nulled(
    frame: pl.DataFrame, typed: pl.DataFrame, missing: Sequence[str], names: Sequence[str], written: Written
) -> None:
    written.rows += frame.height
    for place, name in enumerate(names):
        nulls = typed.to_series(place).null_count()
        if nulls:
            text = frame.to_series(place)
            written.nulled[name] += nulls - int(text.is_in(list(missing)).sum() if missing else 0)


def _cast(text: pl.Expr, described: Mapping[str, Any]) -> pl.Expr:
    kind = column_type(described)
    form = str(described.get("format") or "default")
    if kind in ("integer", "number"):
        return _number(text, described, kind)
    if kind == "boolean":
        yes, no = described.get("trueValues", _TRUE), described.get("falseValues", _FALSE)
        return pl.when(text.is_in(list(yes))).then(True).when(text.is_in(list(no))).then(False)
    if kind == "date":
        day = "%Y-%m-%d" if form in ("default", "any") else form
        return text.str.to_date(day, strict=False, cache=False)  # which costs more than it saves
    if kind == "time":
        return text.str.to_time("%H:%M:%S" if form in ("default", "any") else form, strict=False)
    if kind == "datetime":
        return _datetime(text, form)
    return text


def _number(text: pl.Expr, described: Mapping[str, Any], kind: str) -> pl.Expr:
    text = text.str.strip_chars()
    if described.get("groupChar"):
        text = text.str.replace_all(str(described["groupChar"]), "", literal=True)
    if str(described.get("decimalChar") or ".") != ".":
        text = text.str.replace_all(str(described["decimalChar"]), ".", literal=True)
    if described.get("bareNumber") is False:
        text = text.str.replace_all(r"^[^0-9.+-]+|[^0-9]+$", "")
    if kind == "integer":
        return text.cast(pl.Int64, strict=False)
    value = text.cast(pl.Float64, strict=False)
    # NaN and infinity are numbers of Table Schema but not of JSON, in which the rows are served.
    return pl.when(value.is_finite()).then(value)


def _datetime(text: pl.Expr, form: str) -> pl.Expr:
    """Wall-clock time as written; a time with an offset is turned to UTC."""
    if form not in ("default", "any"):
        return text.str.to_datetime(form, strict=False, time_unit="us", time_zone=None).dt.replace_time_zone(
            None
        )
    iso = pl.concat_str([text.str.slice(0, 10), pl.lit("T"), text.str.slice(11)])
    plain = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    zoned = iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us", time_zone="UTC")
    return pl.coalesce(plain, zoned.dt.replace_time_zone(None))
