"""Proves rows clean: every cell lies in a canonical subset of what frictionless accepts.

It never calls a row wrong: whatever it does not know or cannot prove is left to frictionless. A false doubt costs time,
never correctness (design decisions, "Validation"; equality with frictionless is tested).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl

from opendata.tabular.infer import DATE
from opendata.tabular.layout import Layout
from opendata.tabular.stream import Tally, every_row
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


MOST_DOUBTFUL = 50_000


class _Unknown(Exception):
    """Something that only frictionless can judge."""


@dataclass
class Proof:
    rows: int = 0
    """Data rows, blank ones included."""
    doubtful: list[tuple[int, list[str]]] = field(default_factory=list)
    """Row number (from 1, header included) and cells of each row that only frictionless can judge."""


def prove(path: Path, found: Layout, schema: Mapping[str, Any]) -> Proof | None:
    """Which rows are not proved clean against the schema; None if frictionless has to see the whole file: for a schema
    beyond what is known here, uneven rows, doubt about a row of a table with keys, or too many doubtful rows.

    Errors: those of reading the rows (`TaskError`)."""
    try:
        checks, keys = _plan(found, schema)
    except (_Unknown, InvalidOperation, ValueError, TypeError, AttributeError):
        return None
    proof, tally = Proof(), Tally()
    hashes: dict[tuple[str, ...], list[pl.Series]] = {key: [] for key in keys}
    sound = pl.all_horizontal(checks).fill_null(False) & pl.any_horizontal(pl.all() != "")
    for frame in every_row(path, found, tally):
        doubtful = frame.with_row_index("place").filter(frame.select(~sound).to_series())
        proof.doubtful += [
            (found.header_row + 1 + proof.rows + row[0], list(row[1:])) for row in doubtful.rows()
        ]
        if tally.short or tally.long or tally.empty or len(proof.doubtful) > (0 if keys else MOST_DOUBTFUL):
            return None
        for key, parts in hashes.items():
            parts.append(frame.select(pl.struct(key).hash()).to_series())
        proof.rows += frame.height
    if any(parts and pl.concat(parts).n_unique() != proof.rows for parts in hashes.values()):
        return None
    return proof


def _plan(found: Layout, schema: Mapping[str, Any]) -> tuple[list[pl.Expr], list[tuple[str, ...]]]:
    """One expression a column that is true for proved cells, and the columns whose values must be unique together."""
    fields = schema["fields"]
    if (
        any(not key.startswith("x-") for key in schema.keys() - _SCHEMA_KEYS)
        or schema.get("fieldsMatch", "exact") != "exact"
    ):
        raise _Unknown
    names = [item["name"] for item in fields]
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
    unique = [item["name"] for item in fields if item.get("constraints", {}).get("unique")]
    keys = [
        tuple(f"c{names.index(name)}" for name in key)
        for key in ([primary] if primary else []) + [[u] for u in unique]
    ]
    keyed = {column for key in keys for column in key}
    checks = [_check(f"c{place}", item, missing, keyed) for place, item in enumerate(fields)]
    return checks, keys


def _check(column: str, described: Mapping[str, Any], missing: list[str], keyed: set[str]) -> pl.Expr:
    constraints = described.get("constraints", {})
    kind = described.get("type", "any")
    if (
        any(not key.startswith("x-") for key in described.keys() - _FIELD_KEYS)
        or constraints.keys() - _CONSTRAINTS
    ):
        raise _Unknown
    if described.get("format", "default") != "default" or (column in keyed and kind == "number"):
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
