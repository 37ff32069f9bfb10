"""Reading of what callers wrote: right fields and wrong ones side by side, and no regular expression for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from opendata.core.errors import BadQuery, Conflict, FieldError, Gathered, Invalid, invalid
from opendata.edge import messages
from opendata.edge.reading import PATTERNS, read

ROOT = Path(__file__).resolve().parents[2]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=3)
    count: int = 0
    url: str = Field("", pattern="^https?://")


def test_wrong_fields_do_not_take_the_right_ones_along() -> None:
    sent = read(Shape, {"name": "abc", "count": "x", "url": "ftp://x", "more": 1}, "things.0")
    assert sent.right == {"name": "abc"}
    assert sent.so_far() == Shape(name="abc")
    assert {f.path: f.code for f in sent.errors} == {
        "things.0.count": "int_parsing", "things.0.url": "not_web_address", "things.0.more": "extra_forbidden",
    }  # fmt: skip
    wrong = sent.gather()
    with wrong:
        raise invalid("name", "name_taken")
    with pytest.raises(Invalid) as caught:
        sent.whole(wrong)
    assert [f.path for f in caught.value.fields][-1] == "name"
    assert read(Shape, {"count": "3"}).whole(Gathered()) == Shape(count=3)


def test_only_wrong_fields_are_gathered() -> None:
    wrong = Gathered([FieldError("a", "missing")], kind=BadQuery)
    with pytest.raises(Conflict), wrong:
        raise Conflict("name_taken")
    with pytest.raises(Invalid, match="json_not_utf8"), wrong:
        raise Invalid("json_not_utf8")
    with pytest.raises(BadQuery):
        wrong.raise_if_any()


def test_every_pattern_of_the_api_has_a_sentence() -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert set(_patterns(document)) - PATTERNS.keys() == set()
    assert all(code in messages.catalogue("en") for code in PATTERNS.values())


def _patterns(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for below in node.values():
            yield from _patterns(below)
    elif isinstance(node, list):
        for below in node:
            yield from _patterns(below)
