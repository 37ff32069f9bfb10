"""Whether a Table Schema may be used here. Heavy (frictionless): call it in the sandbox, `tasks.check_schema`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from frictionless import Field, FrictionlessException, Schema

from opendata.validation.checks import plugin
from opendata.validation.patterns import refused

FIELDS = 2000
NAME_LENGTH = 500
LEADING_AWAY = frozenset(("path", "$ref", "basepath"))
"""Keys by which a descriptor could name a file or an address; no property of a Table Schema is called so."""
DEEPEST = 12
Finding = tuple[str, str, dict[str, Any]]


def check_schema(descriptor: Any) -> list[Finding]:
    """Everything wrong with a descriptor, as (path, code, params); [] if it may be used.

    Codes: `schema_wrong`(note), `schema_no_fields`, `schema_too_many_fields`(limit), `field_wrong`(note),
    `field_name_missing`, `field_name_too_long`(limit), `field_name_repeated`(name), `pattern_refused`(reason), and those of
    `checks.plugin.wrong`; `schema_leads_away`(key), `schema_too_deep`(limit)."""
    if not isinstance(descriptor, Mapping):
        return [("", "schema_wrong", {"note": "not an object"})]
    if away := list(_leading_away(descriptor)):
        return away
    fields = descriptor.get("fields")
    if not isinstance(fields, list) or not fields:
        return [("fields", "schema_no_fields", {})]
    if len(fields) > FIELDS:
        return [("fields", "schema_too_many_fields", {"limit": FIELDS})]
    findings = [finding for place, field in enumerate(fields) for finding in _field(f"fields.{place}", field)]
    findings += [*_repeated(fields), *plugin.wrong(descriptor)]
    # The whole is looked at only when its fields are sound: its errors would repeat theirs.
    return findings or [("", "schema_wrong", {"note": note}) for note in _notes(Schema, dict(descriptor))]


def _leading_away(value: Any, path: str = "", depth: int = 0) -> Iterator[Finding]:
    """Keys anywhere that lead out of the schema, and nesting without end."""
    if depth > DEEPEST:
        yield path[:200], "schema_too_deep", {"limit": DEEPEST}
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            place = f"{path}.{key}".removeprefix(".")
            if key in LEADING_AWAY:
                yield place[:200], "schema_leads_away", {"key": key}
            else:
                yield from _leading_away(inner, place, depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leading_away(inner, f"{path}.{number}", depth + 1)


def _field(path: str, field: Any) -> list[Finding]:
    if not isinstance(field, Mapping):
        return [(path, "field_wrong", {"note": "not an object"})]
    name = field.get("name")
    if not isinstance(name, str) or not name.strip():
        return [(f"{path}.name", "field_name_missing", {})]
    if len(name) > NAME_LENGTH:
        return [(f"{path}.name", "field_name_too_long", {"limit": NAME_LENGTH})]
    findings: list[Finding] = [(path, "field_wrong", {"note": note}) for note in _notes(Field, dict(field))]
    constraints = field.get("constraints")
    pattern = constraints.get("pattern") if isinstance(constraints, Mapping) else None
    if isinstance(pattern, str) and (reason := refused(pattern)) is not None:
        findings.append((f"{path}.constraints.pattern", "pattern_refused", {"reason": reason}))
    return findings


def _repeated(fields: list[Any]) -> list[Finding]:
    names = [field.get("name") for field in fields if isinstance(field, Mapping)]
    repeated = {name for name, count in Counter(n for n in names if isinstance(n, str)).items() if count > 1}
    return [
        (f"fields.{place}.name", "field_name_repeated", {"name": name})
        for place, name in enumerate(names)
        if name in repeated and name in names[:place]
    ]


def _notes(kind: Any, descriptor: dict[str, Any]) -> list[str]:
    try:
        kind.from_descriptor(descriptor)
    except FrictionlessException as error:
        return list(dict.fromkeys(str(item.note) for item in (error.reasons or [error.error])))
    except Exception as error:  # frictionless meets some wrong descriptors with errors of Python
        return [type(error).__name__]
    return []
