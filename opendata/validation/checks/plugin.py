"""How a Table Schema names checks, and frictionless' way to ours: `Check.from_descriptor({"type": "uscc", "field": "code"})`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from frictionless import Check, Checklist, FrictionlessException, Plugin, system

from opendata.validation.checks import damage, identifiers, lists, places, rows

CHECKS: Mapping[str, type[Check]] = {
    kind.type: kind
    for kind in (
        identifiers.Uscc, identifiers.ResidentId, identifiers.OrgCode, identifiers.Phone, identifiers.Plate,
        lists.Division, lists.Industry, places.Coordinate,
        damage.LeadingZero, damage.Scientific, damage.FullWidth, damage.Unit, damage.MixedDate, damage.Placeholder,
        rows.TotalRow, rows.TitleRow, rows.RepeatedHeader,
    )
}  # fmt: skip
FRICTIONLESS = frozenset(
    [
        "row-constraint",
        "duplicate-row",
        "forbidden-value",
        "sequential-value",
        "truncated-value",
        "ascii-value",
    ]
)
"""Of frictionless' own checks, those that a schema may name here: they need one row at a time, or a set of hashes."""
COLUMNS = ("field", "fieldName", "longitude", "latitude")
"""Properties of checks that name a column."""
MOST = 500
Named = tuple[str, dict[str, Any]]


class NationalChecks(Plugin):
    """What makes frictionless know our checks and their errors by name."""

    def select_check_class(self, type: str | None = None) -> type[Check] | None:
        return CHECKS.get(type or "")

    def select_error_class(self, type: str | None = None) -> Any:
        return next((e for kind in CHECKS.values() for e in kind.Errors if e.type == type), None)


system.register("opendata", NationalChecks())


def named(schema: Mapping[str, Any]) -> Iterator[Named]:
    """Where a schema names checks and what each is, as (path, descriptor): those of the fields in their order, then its own.

    Errors: ValueError(path) for an entry that is neither a name nor an object."""
    for place, field in enumerate(schema.get("fields") or []):
        if isinstance(field, Mapping):
            yield from _entries(field.get("checks"), f"fields.{place}.checks", field.get("name"))
    yield from _entries(schema.get("checks"), "checks")


def _entries(found: Any, path: str, column: Any = None) -> Iterator[Named]:
    if found is None:
        return
    if not isinstance(found, list):
        raise ValueError(path)
    for place, entry in enumerate(found):
        described = {"type": entry} if isinstance(entry, str) else entry
        if not isinstance(described, Mapping) or not isinstance(described.get("type"), str):
            raise ValueError(f"{path}.{place}")
        key = "field" if described["type"] in CHECKS else "fieldName"
        yield f"{path}.{place}", {**({key: column} if column is not None else {}), **described}


def checklist(schema: Mapping[str, Any]) -> Checklist | None:
    """The checks that a schema names, for `Resource.validate`; None if it names none. `FrictionlessException` for a check
    that is not one: `wrong` says it beforehand."""
    try:
        found = [descriptor for _, descriptor in named(schema)]
    except ValueError:
        return None
    allowed = [descriptor for descriptor in found if descriptor["type"] in CHECKS.keys() | FRICTIONLESS]
    return (
        Checklist(checks=[Check.from_descriptor(descriptor) for descriptor in allowed]) if allowed else None
    )


def wrong(schema: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """What is wrong with the checks a schema names: (path, code, params). Codes: `check_unknown`(name, known),
    `check_wrong`(note), `too_many_checks`(limit)."""
    try:
        entries = list(named(schema))
    except ValueError as error:
        return [(str(error), "check_wrong", {"note": "neither a name nor an object with a type"})]
    if len(entries) > MOST:
        return [("checks", "too_many_checks", {"limit": MOST})]
    names = {f.get("name") for f in schema.get("fields") or [] if isinstance(f, Mapping)}
    return [finding for path, descriptor in entries for finding in _wrong(path, descriptor, names)]


def _wrong(
    path: str, descriptor: dict[str, Any], names: set[Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    known = sorted(CHECKS.keys() | FRICTIONLESS)
    if descriptor["type"] not in known:
        yield path, "check_unknown", {"name": descriptor["type"][:60], "known": ", ".join(known)}
        return
    try:
        Check.from_descriptor(descriptor)
    except FrictionlessException as error:
        for item in error.reasons or [error.error]:
            yield path, "check_wrong", {"note": str(item.note)[:300]}
    except Exception as error:  # frictionless meets some wrong descriptors with errors of Python
        yield path, "check_wrong", {"note": type(error).__name__}
    else:
        for name in {descriptor.get(key) for key in COLUMNS} - names - {None}:
            yield path, "check_wrong", {"note": f"the schema has no field {str(name)[:60]}"}
