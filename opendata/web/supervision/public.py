"""What everybody may know of how open data fares: its use."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.core.errors import BadQuery
from opendata.supervision.usage import queries as usage
from opendata.supervision.usage.api import span_of
from opendata.supervision.usage.queries import Uses
from opendata.web.forms import Problem, problems
from opendata.web.http import PageWork
from opendata.web.render import Pager, page
from opendata.web.texts import text

router = APIRouter()
DATASETS_A_PAGE = 50


@router.get("/usage")
def use(
    request: Request,
    language: str,
    work: PageWork,
    since: str = "",
    until: str = "",
    agency: str = "",
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Not kept for everybody: counts change without a line in the audit trail."""
    days, wrong = {}, []
    for name, given in (("since", since), ("until", until)):
        try:
            days[name] = date.fromisoformat(given) if given else None
        except ValueError:
            days[name] = None
            wrong.append(Problem(name, text("audit.no_date", language)))
    try:
        which = span_of(work, days["since"], days["until"], agency or None)
    except BadQuery as error:
        wrong += problems(error, language)
        which = span_of(work, None, None, agency or None)
    sums = usage.by_agency(work, which)
    found = usage.by_dataset(work, which, offset=(page_ - 1) * DATASETS_A_PAGE, limit=DATASETS_A_PAGE)
    bodies = agencies.by_ids(work.session, sums)
    ranked = sorted(sums.items(), key=lambda entry: bodies[entry[0]].title)
    return page(
        request,
        "supervision/usage.html",
        language,
        which=which,
        body=bodies.get(which.agency_id or ""),
        total=sum(sums.values(), Uses()),
        by_body=[(bodies[agency_id], uses) for agency_id, uses in ranked],
        datasets=found.items,
        bodies=bodies,
        pager=Pager(page_, DATASETS_A_PAGE, found.total),
        wrong=wrong,
    )
