"""Each ready schema on sample rows: what is right passes, what is broken is found, and every rule is broken at least once."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from opendata.catalog.codes import codes
from opendata.validation.judging import validate_file
from opendata.validation.library.dictionary import alone
from opendata.validation.schemas import check_schema

SAMPLES = Path(__file__).parent / "samples"
SCHEMAS = codes().table_schemas
_CONSTRAINT = re.compile(r'constraint "(\w+)"')
_FORMULA = re.compile(r'"(.*)"', re.DOTALL)
KEYED = {"primary-key", "unique-error"}
Finding = tuple[str, str, str]
"""(field, type of the error, the constraint, reason or formula)"""


def found(name: str, rows: list[dict[str, str]], folder: Path) -> dict[int, set[Finding]]:
    """What is found in each row, by its place in `rows`."""
    schema = alone(SCHEMAS[name])
    fields = [field["name"] for field in schema["fields"]]
    path = folder / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(rows)
    # Every row is one of the table, also a note that is the last.
    options = {"header_row": 1, "delimiter": ",", "last_row": len(rows) + 1}
    report = validate_file(path, path.name, options, schema, limit_errors=100_000)
    places: dict[int, set[Finding]] = {}
    for error in report["tasks"][0]["errors"]:
        finding = (error.get("fieldName", ""), error["type"], detail(error))
        places.setdefault(error["rowNumber"] - 2, set()).add(finding)
    return places


def detail(error: dict[str, Any]) -> str:
    pattern = {"constraint-error": _CONSTRAINT, "row-constraint": _FORMULA}.get(error["type"])
    if pattern is None:
        return str(error.get("reason", ""))
    match = pattern.search(error["note"])
    assert match
    return match[1]


def sample(name: str) -> tuple[list[dict[str, str]], list[tuple[dict[str, str], set[Finding]]]]:
    read = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    broken = []
    for one in read["broken"]:
        changes = {
            field: value if isinstance(value, str) else value["repeat"] * value["times"]
            for field, value in one["set"].items()
        }
        broken.append((read["valid"][0] | changes, {tuple(finding) for finding in one["finds"]}))
    return read["valid"], broken


def rules(schema: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every rule of a schema, as a finding that breaks it; an empty detail stands for any."""
    wanted = set()
    for field in schema["fields"]:
        name = field["name"]
        if field["type"] != "string" or field.get("format"):
            wanted.add((name, "type-error", ""))
        for constraint in field.get("constraints", {}):
            kind = "unique-error" if constraint == "unique" else "constraint-error"
            wanted.add((name, kind, constraint if kind == "constraint-error" else ""))
        for check in field.get("checks", []):
            wanted.add((name, check if isinstance(check, str) else check["type"], ""))
    for check in schema["checks"]:
        described = {"type": check} if isinstance(check, str) else check
        wanted.add(("", described["type"], described.get("formula", "")))
    return wanted | {("", "primary-key", "")}


def broken_rules(findings: set[Finding]) -> set[tuple[str, str, str]]:
    exact = {f for f in findings if f[1] in ("constraint-error", "row-constraint")}
    return (
        exact | {(name, kind, "") for name, kind, _ in findings} | {("", kind, "") for _, kind, _ in findings}
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_rows_that_are_right_pass(name: str, tmp_path: Path) -> None:
    valid, _ = sample(name)
    assert len(valid) >= 5
    assert found(name, valid, tmp_path) == {}


@pytest.mark.parametrize("name", SCHEMAS)
def test_rows_that_are_broken_are_found_for_their_reason(name: str, tmp_path: Path) -> None:
    valid, broken = sample(name)
    assert len(broken) >= 10
    keyed = [one for one in broken if any(kind in KEYED for _, kind, _ in one[1])]
    wrong = []
    # Those that are broken for their keys in small tables of their own, where only the first row can have the same.
    for part in ([one for one in broken if one not in keyed], keyed[::2], keyed[1::2]):
        places = found(name, [valid[0], *(row for row, _ in part)], tmp_path)
        wrong += [
            (row, expected, places.get(place))
            for place, (row, expected) in enumerate(part, start=1)
            if not expected & places.get(place, set())
        ]
    assert wrong == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_rule_is_broken_once(name: str) -> None:
    _, broken = sample(name)
    findings = {finding for _, expected in broken for finding in expected}
    assert rules(dict(SCHEMAS[name])) - broken_rules(findings) == set()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_tells_all_that_a_clerk_needs(name: str) -> None:
    schema = SCHEMAS[name]
    assert check_schema(dict(schema)) == []
    about = (
        "title",
        "x-title-en",
        "description",
        "x-description-en",
        "x-version",
        "x-legal-basis",
        "x-domain",
    )
    assert [key for key in about if not schema.get(key)] == []
    assert schema["x-basis-verified"] is False, (
        "nobody has read the official texts yet (catalog_schemas/README.md)"
    )
    for field in schema["fields"]:
        told = [
            key for key in ("title", "x-title-en", "description", "x-description-en") if not field.get(key)
        ]
        assert told == [], field["name"]
        assert ("x-privacy" in field) == ("x-privacy-basis" in field) == ("x-privacy-en" in field), field[
            "name"
        ]


def test_foreign_keys_point_at_schemas_that_are_here() -> None:
    for schema in SCHEMAS.values():
        for key in schema.get("foreignKeys", []):
            target = SCHEMAS[key["reference"]["resource"]]
            assert key["reference"]["fields"] in [field["name"] for field in target["fields"]]
