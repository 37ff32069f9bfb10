"""What bodies promise and what must not be opened: the yearly opening plan and the negative list, for everybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.core.clock import day_of
from opendata.inventory.models import Domain
from opendata.inventory.negative import queries as negative
from opendata.inventory.plan import queries as plans
from opendata.inventory.plan.api import switched_on
from opendata.inventory.plan.models import PlanStatus
from opendata.web.http import PageWork
from opendata.web.render import Pager, page
from opendata.work.unit import Work

router = APIRouter()
ITEMS_A_PAGE = 50
ENTRIES_A_PAGE = 50
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@router.get("/plan", dependencies=[Depends(switched_on)])
def plan(
    request: Request,
    language: str,
    work: PageWork,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    agency: str = "",
    domain: str = "",
    status: str = "",
    overdue: bool = False,
    page_: PageNumber = 1,
) -> Response:
    """Not kept for everybody: what is late changes at midnight, with no line in the audit trail."""
    body = agencies.find(work, agency) if agency else None
    chosen = plans.Wanted(
        year or day_of(work.now).year,
        [body.id] if body else None,
        domain if domain in list(Domain) else None,
        PlanStatus(status) if status in list(PlanStatus) else None,
        overdue,
    )
    found = plans.page(work, chosen, offset=(page_ - 1) * ITEMS_A_PAGE, limit=ITEMS_A_PAGE)
    late = plans.page(work, plans.Wanted(chosen.year, chosen.agency_ids, overdue=True), limit=1).total
    return page(
        request,
        "plan.html",
        language,
        chosen=chosen,
        body=body,
        late=late,
        items=found.items,
        bodies=agencies.by_ids(work.session, {item.line.agency_id for item in found.items}),
        pager=Pager(page_, ITEMS_A_PAGE, found.total),
        years=sorted({chosen.year, *plans.years(work)}, reverse=True),
        statuses=[status.value for status in PlanStatus],
        domains=[domain.value for domain in Domain],
        **_board(work, chosen.year),
    )


@router.get("/negative-list")
def negative_list(request: Request, language: str, work: PageWork, page_: PageNumber = 1) -> Response:
    """What must not be opened, and on which basis. The words by which it is found are not shown."""
    found = negative.page(work, offset=(page_ - 1) * ENTRIES_A_PAGE, limit=ENTRIES_A_PAGE)
    today = day_of(work.now)
    return page(
        request,
        "negative_list.html",
        language,
        entries=[(entry, negative.is_due(entry, today)) for entry in found.items],
        bodies=agencies.by_ids(work.session, {e.agency_id for e in found.items if e.agency_id}),
        pager=Pager(page_, ENTRIES_A_PAGE, found.total),
    )


def _board(work: Work, year: int) -> dict[str, Any]:
    """How far each body and each domain is; bodies that plan something, or hold something, by title."""
    found = plans.progress(work, year)
    bodies = agencies.by_ids(work.session, found.agencies)
    ranked = sorted(bodies.values(), key=lambda body: body.title)
    return {
        "total": found.total,
        "by_body": [(body, found.agencies[body.id]) for body in ranked],
        "by_domain": [(domain.value, found.domains[domain]) for domain in Domain if domain in found.domains],
    }
