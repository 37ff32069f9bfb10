"""What may be called in the sandbox: a file tried against a schema whose names its header need not use."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from opendata.tabular.layout import Layout, layout
from opendata.tabular.stream import frames, write_csv
from opendata.validation.judging import validate_file
from opendata.validation.library import matching
from opendata.validation.library.dictionary import alone, keys

SAMPLE = 50
Schema = Mapping[str, Any]


def check(
    path: str,
    name: str,
    options: Mapping[str, Any] | None = None,
    schema: Schema | None = None,
    limit_errors: int = 1000,
) -> dict[str, Any]:
    """`{report, matches, mapped}` of a file: frictionless' report against `schema`, else against the inferred one; without
    a schema the ready ones that fit; with one, which column is which field.

    A header that speaks Chinese, English, national codes or aliases of the schema, in any order, is no error. Errors: those
    of `layout`."""
    source = Path(path)
    found = layout(source, name, options)
    if schema is None:
        matches = matching.propose(found.columns, _sample(source, found))
        report = validate_file(source, name, options, None, limit_errors)
        return {"report": report, "matches": [asdict(match) for match in matches], "mapped": []}
    mapped = matching.map_columns(schema, found.columns)
    fields = [field["name"] for field in schema["fields"]]
    if not mapped or [one.field for one in mapped if one.column == one.field] == fields == list(
        found.columns
    ):
        report = validate_file(source, name, options, alone(schema), limit_errors)
    else:
        report = _renamed(source, name, found, schema, mapped, limit_errors)
    return {"report": report, "matches": [], "mapped": [asdict(one) for one in mapped]}


def fitted(schema: Schema, header: list[str]) -> dict[str, Any]:
    """The schema for a file that has these fields in this order: fields it lacks are gone unless they are required, and with
    them the rules that speak of them."""
    known = {field["name"]: field for field in schema["fields"]}
    lacking = [name for name, field in known.items() if name not in header and _must(field, keys(schema))]
    fields = [known.get(name, {"name": name, "type": "any"}) for name in [*header, *lacking]]
    absent = known.keys() - set(header) - set(lacking)
    checks = [check for check in schema.get("checks", []) if not _speaks_of(check, absent)]
    return {**alone(schema), "fields": fields, "checks": checks}


def _renamed(
    source: Path, name: str, found: Layout, schema: Schema, mapped: list[matching.Mapped], limit: int
) -> dict[str, Any]:
    """The report on a copy whose columns bear the fields' names. Row numbers are those of the file."""
    field_of = {one.column: one.field for one in mapped}
    header = [field_of.get(column, column) for column in found.columns]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "table.csv")
        write_csv(source, replace(found, columns=tuple(header)), copy, keep_lines=True)
        way = {"header_row": found.header_row, "encoding": "utf-8", "delimiter": ","}
        report = validate_file(copy, copy.name, way, fitted(schema, header), limit)
    for task in report["tasks"]:
        task["place"] = name
    return report


def _sample(source: Path, found: Layout) -> list[list[str]]:
    return [list(row) for frame in islice(frames(source, found), 1) for row in frame.head(SAMPLE).rows()]


def _must(field: Schema, key: list[str]) -> bool:
    return bool(field.get("constraints", {}).get("required")) or field["name"] in key


def _speaks_of(check: Any, absent: set[str]) -> bool:
    if isinstance(check, str):
        return False
    said = " ".join(
        str(value) for key, value in check.items() if key not in ("title", "description", "datum")
    )
    words = "".join(sign if sign.isalnum() or sign == "_" else " " for sign in said).split()
    return not absent.isdisjoint(words)
