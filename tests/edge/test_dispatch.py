"""A router that refuses early refuses what the framework would have refused after trying all of its routes, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts

from opendata.edge.serving.dispatch import PromptRouter, refuse_early
from opendata.main import routes

WORDS = ("zh", "a-b", "表", "2024", "a.ttl", "a%2Fb", "")
ENDS = ("", "/", "/more", "\n", ".json", "x")
METHODS = ("GET", "HEAD", "POST", "DELETE")


def addresses() -> Iterator[str]:
    """Of every route, with words in the place of its parameters; and beside them."""
    ends = cycle(ENDS)
    for route in iter_route_contexts(routes()):
        for word, end in zip(WORDS, ends, strict=False):
            yield re.sub(r"\{[^}]*\}", word, route.path) + end
    yield from ("", "/", "//", "/en", "/api", "/api/v1", "/api/3/action", "/zh/zh/datasets", "/no/such/page")


def answers(path: str, method: str) -> list[Any]:
    scope = {"type": "http", "path": path, "method": method, "headers": [], "root_path": ""}
    return [route.matches(dict(scope))[0] for route in routes()]


def test_what_is_refused_early_is_of_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [(path, METHODS[n % len(METHODS)]) for n, path in enumerate(sorted(set(addresses())))]
    early = [answers(*one) for one in asked]
    monkeypatch.setattr(PromptRouter, "matches", APIRouter.matches)
    assert len(asked) > 1000
    assert [one for one, found in zip(asked, early, strict=True) if answers(*one) != found] == []


def test_a_router_is_included_once() -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.add_api_route("/one", lambda: None)
    outer.include_router(inner, prefix="/here")
    refuse_early(outer.routes)
    refuse_early(outer.routes)
    outer.include_router(inner, prefix="/there")
    with pytest.raises(TypeError, match="/there"):
        refuse_early(outer.routes)
