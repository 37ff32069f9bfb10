"""The public search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from opendata.access.schemas import agency_ref
from opendata.core.errors import BadQuery, FieldError, Gathered
from opendata.edge.conventions import Language, Offset, documented, json_answer, known_query
from opendata.edge.http import ApiWork, part
from opendata.edge.messages import LANGUAGES
from opendata.ports.search_index.port import SearchIndex
from opendata.search import finding
from opendata.search.asking import Chosen
from opendata.search.finding import Found, Result, Wanted
from opendata.search.query import FIELDS
from opendata.search.schemas import SearchOut

router = APIRouter(tags=["public"], dependencies=[Depends(known_query)])

Index = Annotated[SearchIndex, Depends(part("index"))]
QUERY = (
    'Words (all of them), "phrases", -word, field:value. Fields: '
    + ", ".join(name for name in FIELDS if name.isascii())
    + ". After any other word a colon is punctuation."
)


@router.get("/search", responses=documented(SearchOut))
def get_search(
    work: ApiWork,
    index: Index,
    language: Language,
    chosen: Chosen,
    q: Annotated[str, Query(description=QUERY)] = "",
    city_field: Annotated[
        list[str] | None, Query(max_length=50, description="NAME:VALUE of a facet of the city's own fields")
    ] = None,
    sort: Annotated[str, Query(description="relevance, newest, oldest or title")] = "",
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=0, le=100)] = 20,
    lang: Annotated[str | None, Query(description="zh or en, for labels and highlights")] = None,
) -> Response:
    """Public datasets that hold the words, with counts by facet. A facet given twice accepts either value."""
    wrong = Gathered(kind=BadQuery)
    if lang is not None and lang not in LANGUAGES:
        wrong.add([FieldError("lang", "unknown_value", {"value": lang[:20], "known": "zh, en"})])
    wanted = Wanted(
        text=q,
        chosen=chosen | _of_city(city_field or ()),
        sort=sort,
        offset=offset,
        limit=limit,
    )
    with wrong:
        found = finding.search(work, index, wanted, lang or language)
    wrong.raise_if_any()
    return json_answer(_body(found), public=True, headers={"Vary": "Accept-Language"})


def _of_city(pairs: Sequence[str]) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for name, _, value in (pair.partition(":") for pair in pairs):
        chosen.setdefault(finding.CITY + name, []).append(value)
    return chosen


def _body(found: Found) -> dict[str, Any]:
    return {
        "total": found.total,
        "results": [_result(result) for result in found.results],
        "facets": {
            facet: [{"value": c.value, "label": c.label, "count": c.count} for c in counts]
            for facet, counts in found.facets.items()
        },
    }


def _result(result: Result) -> dict[str, Any]:
    view, meta = result.view, result.view.meta
    return {
        "id": view.id,
        "name": view.dataset.name,
        "title": meta.title,
        "title_en": meta.title_en,
        "description": meta.description,
        "agency": agency_ref(view.agency),
        "formats": sorted({r.meta.format.upper() for r in view.resources if r.meta.format}),
        "licence": meta.licence,
        "openness": meta.openness.value,
        "update_cycle": meta.update_cycle.value,
        "themes": meta.themes,
        "resources": len(view.resources),
        "modified_at": view.release.published_at,
        "highlights": {
            "title": [{"text": text, "hit": hit} for text, hit in result.title],
            "description": [{"text": text, "hit": hit} for text, hit in result.description],
        },
    }
