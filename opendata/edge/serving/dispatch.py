"""Which router a request is for, found fast.

The framework tries router after router, and each of their routes with what surrounds it: a millisecond for the last of some ninety
routers, more than many an answer takes. So each router first asks one pattern, made of all its paths, whether any of them can be
meant. It refuses nothing that a route of it would take: the pattern is that of its routes, without the names of their parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match, Route, compile_path
from starlette.types import Scope

_NAMES = re.compile(r"\?P<\w+>")


class PromptRouter(APIRouter):
    """Knows at once what none of its routes is for."""

    paths: re.Pattern[str]
    """All of them, with what they are included under."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not self.paths.match(get_route_path(scope)):
            return Match.NONE, {}
        return super().matches(scope)


def refuse_early(routes: Iterable[BaseRoute]) -> None:
    """Turns the routers that are included among these routes, and in those, into `PromptRouter`s. Each may be included once."""
    for route in routes:
        _paths(route, "")


def _paths(route: Any, prefix: str) -> list[str]:
    """The patterns of a route, or of all that are included in it."""
    if isinstance(route, Route):
        return [_NAMES.sub("?:", compile_path(prefix + route.path)[0].pattern)]
    router, prefix = route.original_router, prefix + route.include_context.prefix
    found = [path for inner in router.routes for path in _paths(inner, prefix)]
    paths = re.compile("|".join(found))
    if type(router) is not APIRouter and router.paths != paths:
        raise TypeError(f"a router is included twice: {prefix or '/'}")
    router.__class__ = PromptRouter
    router.paths = paths
    return found
