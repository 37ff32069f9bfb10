"""The public search as people and programs ask for it: words, facets, an order, a page. Every face calls `search`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies import queries as agencies
from opendata.catalog import queries
from opendata.catalog.codes import codes
from opendata.catalog.views import DatasetView
from opendata.core.errors import BadQuery, FieldError, Gathered
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.ports.search_index.port import All, Everything, Exact, Query, Request, SearchIndex, Sort
from opendata.search import service
from opendata.search.analysis import query_tokens
from opendata.search.highlight import Segment, highlight
from opendata.search.query import cases, parse
from opendata.work.unit import Work

FACETS: Mapping[str, str] = {
    "agency": "agency",
    "theme": "themes",
    "domain": "domain",
    "disclosure": "disclosures",
    "format": "formats",
    "licence": "licence",
    "openness": "openness",
    "update_cycle": "update_cycle",
    "region": "region",
}
"""What may be chosen, and the index's field for it."""

CITY = "city_field."
"""Stands before the name of a city's own field among the facets."""
FACET_VALUES = 50
CITY_VALUES = 1000
"""Of all fields of the city together."""
SORTS: Mapping[str, Sort] = {
    "relevance": Sort("score"),
    "newest": Sort("modified"),
    "oldest": Sort("modified", descending=False),
    "title": Sort("title_sort", descending=False),
}
DEEPEST = 10_000
"""How far one may page: beyond it, a better question helps more."""


@dataclass(frozen=True)
class Wanted:
    """`chosen` maps facets to the values that are accepted (any of them)."""

    text: str = ""
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = ""
    """One of SORTS; empty: by relevance if there are words, else newest first."""
    offset: int = 0
    limit: int = 20


@dataclass(frozen=True)
class Result:
    view: DatasetView
    title: Sequence[Segment]
    description: Sequence[Segment]


@dataclass(frozen=True)
class FacetCount:
    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Found:
    total: int
    results: Sequence[Result]
    facets: Mapping[str, Sequence[FacetCount]]
    city: Sequence[CityField] = ()
    """The city's own fields among the facets."""


def search(work: Work, index: SearchIndex, wanted: Wanted, language: str) -> Found:
    """Public datasets only: what the index gives is read again from the database through the public filter.

    Errors: `BadQuery` for too much text, an unknown order, or a page too deep; `Unavailable("search_unavailable")`.
    """
    city = [field for field in profile.city_fields(work) if field.facet and not field.retired]
    request = _request(wanted, city)
    answer = service.find(work, index, request)
    views = queries.published(work, [hit.id for hit in answer.hits], visible=PUBLIC_FILTER)
    tokens = query_tokens(wanted.text)
    return Found(
        total=answer.total,
        results=[_result(view, tokens, language) for view in views],
        facets=_facets(work, answer.facets, language) | _city_facets(city, answer.facets, language),
        city=city,
    )


def _request(wanted: Wanted, city: Sequence[CityField]) -> Request:
    wrong = Gathered(kind=BadQuery)
    facets = {*FACETS, *(CITY + field.name for field in city)}
    for facet in wanted.chosen.keys() - facets:
        names = ", ".join(field.name for field in city) or "–"
        wrong.add([FieldError("city_field", "unknown_value", {"value": facet[:60], "known": names})])
    if wanted.sort and wanted.sort not in SORTS:
        known = ", ".join(SORTS)
        wrong.add([FieldError("sort", "unknown_value", {"value": wanted.sort[:40], "known": known})])
    if wanted.offset + wanted.limit > DEEPEST:
        wrong.add([FieldError("offset", "page_too_deep", {"limit": DEEPEST})])
    wrong.raise_if_any()
    query = parse(wanted.text)
    chosen = [_narrowed(facet, values) for facet, values in wanted.chosen.items() if values]
    default = "newest" if isinstance(query, Everything) else "relevance"
    return Request(
        query=query,
        filter=All(tuple(chosen)) if chosen else Everything(),
        sort=(SORTS[wanted.sort or default],),
        offset=wanted.offset,
        limit=wanted.limit,
        facets=dict.fromkeys(FACETS.values(), FACET_VALUES) | ({"city_fields": CITY_VALUES} if city else {}),
    )


def _narrowed(facet: str, values: Sequence[str]) -> Query:
    """Any of the values of the facet."""
    if facet in FACETS:
        return Exact(FACETS[facet], tuple(v for value in values for v in cases(value)))
    name = facet.removeprefix(CITY)
    return Exact("city_fields", tuple(f"{name}={value}" for value in values))


def _result(view: DatasetView, tokens: Sequence[str], language: str) -> Result:
    meta = view.meta
    titles, texts = (meta.title, meta.title_en), (meta.description, meta.description_en)
    if language == "en":
        titles, texts = titles[::-1], texts[::-1]
    return Result(view, _best(titles, tokens, 300), _best(texts, tokens, 200))


def _best(texts: Sequence[str], tokens: Sequence[str], width: int) -> Sequence[Segment]:
    """The text in the reader's language, which comes first; the other one if only that holds a hit, or is there at all."""
    marked = [highlight(text, tokens, width) for text in texts if text]
    return next((found for found in marked if any(hit for _, hit in found)), marked[0] if marked else [])


def _facets(
    work: Work, counted: Mapping[str, Sequence[tuple[str, int]]], language: str
) -> dict[str, list[FacetCount]]:
    bodies = {
        a.name: (a.title_en if language == "en" and a.title_en else a.title) for a in agencies.every(work)
    }
    return {
        facet: [
            FacetCount(
                value, bodies.get(value, value) if facet == "agency" else label(facet, value, language), count
            )
            for value, count in counted.get(name, ())
        ]
        for facet, name in FACETS.items()
    }


def _city_facets(
    city: Sequence[CityField], counted: Mapping[str, Sequence[tuple[str, int]]], language: str
) -> dict[str, list[FacetCount]]:
    pairs = [(*pair.partition("=")[::2], count) for pair, count in counted.get("city_fields", ())]
    return {
        CITY + field.name: [
            FacetCount(value, field.shown(value, language), count)
            for name, value, count in pairs
            if name == field.name
        ]
        for field in city
    }


def label(facet: str, value: str, language: str) -> str:
    """What a person reads for a code of a facet."""
    lists = codes()
    if facet == "theme" and value in lists.themes:
        theme = lists.themes[value]
        return theme.title_en if language == "en" else theme.title
    if facet == "licence" and value in lists.licences:
        licence = lists.licences[value]
        return licence.title_en if language == "en" else licence.title
    if facet == "region":
        return lists.regions.get(value, value)
    return lists.label(facet, value, language)
