"""Names that begin with, or hold, what somebody has typed so far. Of any length: CKAN finds nothing from eleven characters on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.models import Group
from opendata.compat.ckan.search import MOST_VALUES
from opendata.compat.ckan.wire import MISSING, Call, text_of, whole, wrong
from opendata.ports.search_index.port import AnyOf, Pattern, Prefix, Request, Sort
from opendata.search import service as search

_NEWEST = (Sort("modified"),)


def package_autocomplete(call: Call) -> list[dict[str, str]]:
    """Public datasets whose name or title holds a text. `q`, `limit` (10)."""
    text = _text(call).lower()
    part = "".join(f"\\{c}" if c in "\\*?" else c for c in text)
    holds = AnyOf(
        (Pattern("dataset_name", f"*{part}*"), Pattern("title_sort", f"*{part}*"), Prefix("title", text))
    )
    wanted = Request(filter=holds, sort=_NEWEST, limit=whole(call.args, "limit", 10, most=100))
    hits = search.find(call.work, call.parts.index, wanted).hits
    return [_match(orjson.loads(hit.payload), text) for hit in hits]


def _match(package: dict[str, Any], text: str) -> dict[str, str]:
    named = {"name": package["name"], "title": package["title"]}
    if text in package["name"]:
        return {**named, "match_field": "name", "match_displayed": package["name"]}
    return {**named, "match_field": "title", "match_displayed": f"{package['title']} ({package['name']})"}


def format_autocomplete(call: Call) -> list[str]:
    """Formats of public resources that hold a text, the most used first. `q`, `limit` (5)."""
    text = _text(call).lower()
    wanted = Request(sort=_NEWEST, limit=0, facets={"formats": MOST_VALUES})
    used: Counter[str] = Counter()
    for name, count in search.find(call.work, call.parts.index, wanted).facets["formats"]:
        if text in name.lower():
            used[name.lower()] += count
    return [name for name, _ in used.most_common(whole(call.args, "limit", 5, most=100))]


def organization_autocomplete(call: Call) -> list[dict[str, str]]:
    """Organizations whose name or title holds a text. `q`, `limit` (20)."""
    return _matching(call, list(agency_queries.every(call.work)))


def group_autocomplete(call: Call) -> list[dict[str, str]]:
    """Groups whose name or title holds a text. `q`, `limit` (20)."""
    return _matching(call, list(queries.groups(call.work)))


def _matching(call: Call, every: list[Agency] | list[Group]) -> list[dict[str, str]]:
    text = _text(call).lower()
    found = [thing for thing in every if text in thing.name.lower() or text in thing.title.lower()]
    limit = whole(call.args, "limit", 20, most=1000)
    return [{"id": thing.id, "name": thing.name, "title": thing.title} for thing in found[:limit]]


def _text(call: Call) -> str:
    if call.args.get("q") is None:
        raise wrong({"q": [MISSING]})
    return text_of(call.args, "q")
