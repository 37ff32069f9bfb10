"""A schema as it speaks of one file: its columns in their order, and the rules that they can answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from opendata.tabular.shape import naming
from opendata.validation.library.dictionary import alone, keys

Schema = Mapping[str, Any]


def fit(
    schema: Schema, columns: Sequence[str], own: Collection[str] = ()
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """(the schema, what the columns are called) for a file with this header. A ready schema leaves out what the file lacks and
    does not need; one of the publisher's own is met by all of its fields, in any order, or speaks for itself."""
    names = naming.called(columns, schema, own)
    fields = [item.get("name") if isinstance(item, Mapping) else None for item in schema.get("fields") or []]
    if set(names) & set(fields) if "x-version" in schema else sorted(names) == sorted(map(str, fields)):
        return fitted(schema, names), names
    return alone(schema), tuple(columns)


def fitted(schema: Schema, names: Sequence[str]) -> dict[str, Any]:
    """The schema for a file that has these fields in this order: fields it lacks are gone unless they are required, and with
    them the rules that speak of them."""
    known = {field["name"]: field for field in schema["fields"]}
    present = naming.fields_of(names, schema)
    had = {field["name"] for field in present}
    lacking = [field for name, field in known.items() if name not in had and _must(field, keys(schema))]
    fields = [known.get(field["name"], {**field, "type": "any"}) for field in present] + lacking
    absent = known.keys() - had - {field["name"] for field in lacking}
    checks = [check for check in schema.get("checks", []) if not _speaks_of(check, absent)]
    return {**alone(schema), "fields": fields, "checks": checks}


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
