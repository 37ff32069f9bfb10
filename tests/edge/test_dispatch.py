"""How a request finds what answers it: which router it is for, and which thread."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any, get_type_hints

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from opendata.edge.serving.dispatch import PromptRouter, refuse_early
from opendata.main import routes
from opendata.work.unit import Work

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
    """And nothing else is refused than the framework would refuse after trying all routes."""
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


def needed(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from needed(one)


def test_only_what_may_wait_for_the_database_goes_to_a_thread() -> None:
    """A dependency that is no coroutine does, however little it does; the way there and back takes longer than most."""
    found = {
        call
        for route in iter_route_contexts(routes())
        if hasattr(route, "dependant")
        for call in needed(route.dependant)
    }
    waiting = {call for call in found if not inspect.iscoroutinefunction(call)}
    assert len(found) > len(waiting) > 1
    reads = {call for call in waiting if Work in get_type_hints(call).values()}
    assert [call for call in waiting - reads if not inspect.isgeneratorfunction(call)] == []
