from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.ports.sandbox.inline import InlineSandbox
from opendata.validation.patterns import provable, refused
from opendata.validation.schemas import check_schema

READY = Path(__file__).parents[2].parent / "shared" / "standards" / "table_schemas"


def text(**rest: Any) -> dict[str, Any]:
    return {"name": "a", "type": "string", **rest}


@pytest.mark.parametrize(
    ("descriptor", "path", "code"),
    [
        ([], "", "schema_wrong"),
        ({}, "fields", "schema_no_fields"),
        ({"fields": []}, "fields", "schema_no_fields"),
        ({"fields": [text()] * 2001}, "fields", "schema_too_many_fields"),
        ({"fields": [1]}, "fields.0", "field_wrong"),
        ({"fields": [text(), {"type": "string"}]}, "fields.1.name", "field_name_missing"),
        ({"fields": [text(name=" ")]}, "fields.0.name", "field_name_missing"),
        ({"fields": [text(name="x" * 501)]}, "fields.0.name", "field_name_too_long"),
        ({"fields": [text(), text()]}, "fields.1.name", "field_name_repeated"),
        ({"fields": [text(type="colour")]}, "fields.0", "field_wrong"),
        ({"fields": [text(type="integer", constraints={"minLength": 1})]}, "fields.0", "field_wrong"),
        ({"fields": [text(format=5)]}, "fields.0", "field_wrong"),
        (
            {"fields": [text(constraints={"pattern": "(?=a)b"})]},
            "fields.0.constraints.pattern",
            "pattern_refused",
        ),
        ({"fields": [text()], "primaryKey": ["z"]}, "", "schema_wrong"),
        ({"fields": [text()], "missingValues": "x"}, "", "schema_wrong"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(descriptor: Any, path: str, code: str) -> None:
    assert {finding[:2] for finding in check_schema(descriptor)} == {(path, code)}


def test_the_construct_that_is_refused_is_named() -> None:
    assert "(?=" in str(refused("(?=a)b"))
    assert "\\1" in str(refused(r"(a)\1"))
    assert refused("(((a{100}){100}){100})") is not None
    assert refused("x" * 1001) is not None
    assert refused("[") is not None
    assert refused("^(a+)+$") is None
    assert refused("[一-龥]{2,}|苏F[A-Z0-9]{5}") is None


def test_ready_schemas_may_be_used() -> None:
    if not READY.exists():
        pytest.skip("the ready schemas of ../shared/standards are not at hand")
    wrong = {path.name: check_schema(json.loads(path.read_text())) for path in READY.glob("*.json")}
    assert len(wrong) > 40
    assert {name: found for name, found in wrong.items() if found} == {}


def test_in_the_sandbox() -> None:
    found = InlineSandbox().run("opendata.validation.tasks:check_schema", args={"descriptor": {"fields": []}})
    assert found == [{"path": "fields", "code": "schema_no_fields", "params": {}}]


@pytest.mark.parametrize(
    "pattern",
    [
        r"\w+",
        r"[^a]",
        r"(?i)a",
        r"a++",
        r"a{,3}",
        r"[a&&b]",
        r"[a--b]",
        r"\bx",
        r"(?P<n>a)",
        r"[[:alpha:]]",
        "a{1000}{1000}",
        "(?#x)",
    ],
)
def test_patterns_that_may_mean_two_things_are_not_proved_by(pattern: str) -> None:
    assert provable(pattern) is None


@given(
    st.sampled_from(
        [
            r"[0-9]{6}",
            r"a|b",
            r"^a|1$",
            r"\d{2}\.\d",
            r"(苏|沪)[A-Z]\d?",
            r"1[3-9]\d{9}|",
            r".x",
            r"[\d-]+",
            r"a$|^b",
            "x{2}y*",
        ]
    ),
    st.text("a1b.x苏A\n٣xy-3", max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_a_proof_never_says_more_than_frictionless(pattern: str, cell: str) -> None:
    proof = provable(pattern)
    assert proof is not None
    if pl.Series([cell]).str.contains(proof).item():
        assert re.match(f"^{pattern}$", cell)
