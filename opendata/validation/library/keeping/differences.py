"""What differs between two versions of a table schema, property by property, and what of it breaks files. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
NARROWING = frozenset(("required", "unique"))
"""Constraints that shut out what was let in where they begin to hold."""
LOWER = frozenset(("minimum", "minLength"))
UPPER = frozenset(("maximum", "maxLength"))
WORDS = frozenset(
    (
        "title",
        "description",
        "example",
        "x-version",
        "x-aliases",
        "x-unit",
        "x-title-en",
        "x-description-en",
        "$schema",
    )
)
"""Properties that change no verdict; so do all others that begin with `x-`."""
ORDER = "order"


@dataclass(frozen=True)
class Difference:
    kind: str
    """added, removed, changed."""
    path: str
    before: Any
    after: Any
    breaking: bool


def between(old: Schema, new: Schema) -> list[Difference]:
    """In the order of the new one, removed fields at their end."""
    before, after = _fields(old), _fields(new)
    found = list(_properties(old, new, "", skip=("fields", "x-version")))
    for name, field in after.items():
        path = f"fields.{name}"
        if name not in before:
            found.append(Difference("added", path, None, field, _required(field)))
        else:
            found += _properties(before[name], field, path, skip=("constraints", "name"))
            found += _properties(
                before[name].get("constraints", {}), field.get("constraints", {}), f"{path}.constraints"
            )
    # A column that the schema does not know is no error: it is judged by nothing any more.
    found += [
        Difference("removed", f"fields.{name}", before[name], None, True)
        for name in before
        if name not in after
    ]
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        found.append(Difference("changed", ORDER, common, [name for name in after if name in before], False))
    return found


def _fields(schema: Schema) -> dict[str, Schema]:
    return {str(field["name"]): field for field in schema.get("fields", [])}


def _required(field: Schema) -> bool:
    return bool(field.get("constraints", {}).get("required"))


def _properties(old: Schema, new: Schema, path: str, skip: tuple[str, ...] = ()) -> Iterator[Difference]:
    for name in [*new, *(name for name in old if name not in new)]:
        before, after = old.get(name), new.get(name)
        if name in skip or before == after:
            continue
        kind = "added" if name not in old else "removed" if name not in new else "changed"
        yield Difference(
            kind, f"{path}.{name}" if path else name, before, after, _breaks(name, before, after)
        )


def _breaks(name: str, before: Any, after: Any) -> bool:
    if name in WORDS or name.startswith("x-"):
        return False
    if name in NARROWING:
        return bool(after)
    if after is None:
        return name in ("missingValues", "trueValues", "falseValues", "format")
    if name == "enum":
        return before is None or not set(map(repr, before)) <= set(map(repr, after))
    if name == "missingValues":
        return not set(before or [""]) <= set(after)
    if name in LOWER | UPPER and before is not None and type(before) is type(after):
        return bool(after > before if name in LOWER else after < before)
    return True
