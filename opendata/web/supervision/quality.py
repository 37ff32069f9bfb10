"""Metadata quality for everybody: of the site, of a body, of a dataset, with what to do about each failing indicator."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies import queries as agencies
from opendata.catalog import queries as catalogue
from opendata.supervision.mqa import queries
from opendata.supervision.mqa.rubric import BEST, DIMENSIONS, INDICATORS, RATINGS, rating, unpacked
from opendata.web.http import PageWork
from opendata.web.render import Pager, page

router = APIRouter()
DATASETS_A_PAGE = 50
WORDS: dict[str, Any] = {"best": BEST, "dimensions": DIMENSIONS, "ratings": RATINGS, "rating": rating}


@router.get("/quality")
def site(
    request: Request,
    language: str,
    work: PageWork,
    agency: str = "",
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Not kept for everybody: what is measured writes no line into the audit trail."""
    body = agencies.find(work, agency) if agency else None
    sums = queries.by_agency(work)
    chosen = {i: one for i, one in sums.items() if body is None or i == body.id}
    offset = (page_ - 1) * DATASETS_A_PAGE
    rows, total = queries.datasets(work, body.id if body else None, offset=offset, limit=DATASETS_A_PAGE)
    bodies = agencies.by_ids(work.session, {*sums, *(row.agency_id for row in rows)})
    failing = queries.failing(work, body.id if body else None)
    return page(
        request,
        "supervision/quality.html",
        language,
        body=body,
        total=queries.together(chosen),
        failing=[(one, failing[one.code]) for one in INDICATORS if failing[one.code]],
        sums=sorted(sums.items(), key=lambda entry: entry[1].points),
        bodies=bodies,
        rows=[(row, unpacked(row.failing)) for row in rows],
        pager=Pager(page_, DATASETS_A_PAGE, total),
        **WORDS,
    )


@router.get("/dataset/{name:short}/quality")
def dataset(request: Request, language: str, name: str, work: PageWork) -> Response:
    found = catalogue.dataset(work, name, visible=PUBLIC_FILTER)
    (view,) = catalogue.published(work, [found.id], visible=PUBLIC_FILTER)
    score = queries.score(work, found.id)
    failed = unpacked(score.failing) if score else []
    return page(
        request,
        "supervision/dataset_quality.html",
        language,
        view=view,
        score=score,
        indicators=[(one, one not in failed) for one in INDICATORS],
        **WORDS,
    )
