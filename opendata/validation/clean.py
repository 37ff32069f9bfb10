"""Proves rows clean: every cell lies in a canonical subset of what frictionless accepts.

It never calls a row wrong: whatever it does not know or cannot prove is left to frictionless. A false doubt costs time,
never correctness (design decisions, "Validation"; equality with frictionless is tested).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl

from opendata.tabular.infer import DATE
from opendata.tabular.layout import Layout
from opendata.tabular.stream import Tally, frames
from opendata.validation.patterns import provable

_SCHEMA_KEYS = {
    "fields",
    "missingValues",
    "primaryKey",
    "name",
    "title",
    "description",
    "$schema",
    "fieldsMatch",
}
_FIELD_KEYS = {
    "name",
    "type",
    "title",
    "description",
    "format",
    "constraints",
    "rdfType",
    "example",
    "examples",
}
_CONSTRAINTS = {"required", "unique", "minLength", "maxLength", "minimum", "maximum", "enum", "pattern"}
_INTEGER = r"^(0|-?[1-9][0-9]{0,17})$"
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
_NUMBER_LENGTH = 16
"""Characters of a number with at most 15 digits: up to there decimals and floats compare alike."""
_DATETIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_BOOLEAN = ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0"]


class _Unknown(Exception):
    """Something that only frictionless can judge."""


def proved_rows(path: Path, found: Layout, schema: Mapping[str, Any]) -> int | None:
    """The number of data rows if all of them are proved clean against the schema, else None.

    Stops at the first frame in doubt. Errors: those of reading the rows (`TaskError`)."""
    try:
        checks, keys = _plan(found, schema)
    except (_Unknown, InvalidOperation, ValueError, TypeError, AttributeError):
        return None
    tally = Tally()
    hashes: dict[tuple[str, ...], list[pl.Series]] = {key: [] for key in keys}
    for frame in frames(path, found, tally):
        if (
            tally.blank
            or tally.short
            or tally.long
            or not frame.select(pl.all_horizontal(checks).all()).item()
        ):
            return None
        for key, parts in hashes.items():
            parts.append(
                frame.select(pl.struct(key).hash()).to_series() if len(key) > 1 else frame[key[0]].hash()
            )
    if tally.blank or tally.short or tally.long:
        return None
    if any(parts and pl.concat(parts).n_unique() != tally.rows for parts in hashes.values()):
        return None
    return tally.rows


def _plan(found: Layout, schema: Mapping[str, Any]) -> tuple[list[pl.Expr], list[tuple[str, ...]]]:
    """One expression a column that is true for proved cells, and the columns whose values must be unique together."""
    fields = schema["fields"]
    if (
        any(not key.startswith("x-") for key in schema.keys() - _SCHEMA_KEYS)
        or schema.get("fieldsMatch", "exact") != "exact"
    ):
        raise _Unknown
    names = [field["name"] for field in fields]
    if (
        tuple(names) != found.columns
        or len(set(names)) != len(names)
        or not all(name.strip() for name in names)
    ):
        raise _Unknown
    missing = schema.get("missingValues", [""])
    if not all(isinstance(value, str) for value in missing):
        raise _Unknown
    primary = schema.get("primaryKey", [])
    primary = [primary] if isinstance(primary, str) else list(primary)
    unique = [field["name"] for field in fields if field.get("constraints", {}).get("unique")]
    keys = [
        tuple(f"c{names.index(name)}" for name in key)
        for key in ([primary] if primary else []) + [[u] for u in unique]
    ]
    keyed = {column for key in keys for column in key}
    checks = [_check(f"c{place}", field, missing, keyed) for place, field in enumerate(fields)]
    return checks, keys


def _check(column: str, field: Mapping[str, Any], missing: list[str], keyed: set[str]) -> pl.Expr:
    constraints = field.get("constraints", {})
    kind = field.get("type", "any")
    if (
        any(not key.startswith("x-") for key in field.keys() - _FIELD_KEYS)
        or constraints.keys() - _CONSTRAINTS
    ):
        raise _Unknown
    if field.get("format", "default") != "default" or (column in keyed and kind == "number"):
        raise _Unknown  # 1.0 and 1.00 are one key to frictionless
    text = pl.col(column)
    absent = text.is_in(missing)
    sound = _typed(text, kind) & _bounded(text, kind, constraints)
    if constraints.get("required") or column in keyed:
        return sound & ~absent
    return sound | absent


def _typed(text: pl.Expr, kind: str) -> pl.Expr:
    if kind in ("string", "any"):
        return pl.lit(True)
    if kind == "integer":
        return text.str.contains(_INTEGER)
    if kind == "number":
        return text.str.contains(_NUMBER) & (text.str.len_bytes() <= _NUMBER_LENGTH)
    if kind == "boolean":
        return text.is_in(_BOOLEAN)
    real = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).dt.year() >= 1
    if kind == "date":
        return text.str.contains(DATE) & real.fill_null(False)
    if kind == "datetime":
        return text.str.contains(_DATETIME) & real.fill_null(False)
    raise _Unknown


def _bounded(text: pl.Expr, kind: str, constraints: Mapping[str, Any]) -> pl.Expr:
    sound = pl.lit(True)
    for name, value in constraints.items():
        if name == "pattern" and kind == "string":
            sound = sound & text.str.contains(_provable(value))
        elif name == "enum" and kind == "string":
            sound = sound & text.is_in([v for v in value if isinstance(v, str)])
        elif name == "minLength" and kind == "string":
            sound = sound & (text.str.len_chars() >= int(value))
        elif name == "maxLength" and kind == "string":
            sound = sound & (text.str.len_chars() <= int(value))
        elif name in ("minimum", "maximum"):
            bound, cell = _bound(kind, value), _comparable(text, kind)
            sound = sound & (cell >= bound if name == "minimum" else cell <= bound).fill_null(False)
        elif name not in ("required", "unique"):
            raise _Unknown
    return sound


def _provable(pattern: Any) -> str:
    found = provable(pattern) if isinstance(pattern, str) else None
    if found is None:
        raise _Unknown
    return found


def _comparable(text: pl.Expr, kind: str) -> pl.Expr:
    if kind == "date":
        return text.str.to_date("%Y-%m-%d", strict=False)
    return text.cast(pl.Int64 if kind == "integer" else pl.Float64, strict=False)


def _bound(kind: str, value: Any) -> pl.Expr:
    if isinstance(value, bool) or kind not in ("integer", "number", "date"):
        raise _Unknown
    if kind == "date":
        return pl.lit(date.fromisoformat(str(value)))
    number = Decimal(str(value))
    whole = kind == "integer"
    if not number.is_finite() or (whole and (number != int(number) or abs(number) >= 2**63)):
        raise _Unknown
    if not whole and len(number.as_tuple().digits) > 15:
        raise _Unknown
    return pl.lit(int(number) if whole else float(number))
