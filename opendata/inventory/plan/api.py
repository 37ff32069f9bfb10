"""The opening plan by REST: create, change, list, progress, CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from opendata.agencies import queries as agencies
from opendata.core import csvtext
from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.edge.conventions import (
    Limit,
    Offset,
    check_if_match,
    documented,
    json_answer,
    known_query,
)
from opendata.edge.http import ApiWork, AppSettings, SignedInWork
from opendata.inventory import queries as inventory
from opendata.inventory.models import Domain
from opendata.inventory.plan import queries, service, sheet
from opendata.inventory.plan.models import PlanStatus
from opendata.inventory.plan.queries import Planned, Wanted
from opendata.inventory.plan.schemas import PlanIn, PlanOut, PlanPage, PlanPatch, ProgressOut
from opendata.work.unit import Work


async def switched_on(settings: AppSettings) -> None:
    """`NotFound("plan_off")` where the module is switched off."""
    if not settings.plan:
        raise NotFound("plan_off")


router = APIRouter(tags=["plans"], dependencies=[Depends(known_query), Depends(switched_on)])
Year = Annotated[int | None, Query(ge=2000, le=2100, description="This year, if left out")]


def wanted(
    work: ApiWork,
    year: Year = None,
    agency: Annotated[str | None, Query(description="Name or id of the body")] = None,
    domain: Annotated[Domain | None, Query(description="Priority domain")] = None,
    status: PlanStatus | None = None,
    overdue: Annotated[bool, Query(description="Only what is late")] = False,
) -> Wanted:
    """Which items; days are Beijing's."""
    bodies = [agencies.find(work, agency).id] if agency is not None else None
    return Wanted(year or day_of(work.now).year, bodies, domain, status, overdue)


Which = Annotated[Wanted, Depends(wanted, scope="function")]


@router.post("/plans", status_code=201, responses=documented(PlanOut, 201))
def create_plan_item(work: SignedInWork, body: PlanIn) -> Response:
    """Plans to open an inventory line, by an editor of its body."""
    line = inventory.find(work, [body.line])[0]
    agency = agencies.by_ids(work.session, [line.agency_id])[line.agency_id]
    item = service.create(work, line, agency, body.model_dump(exclude={"line"}))
    headers = {"Location": f"/api/v1/plans/{item.id}"}
    return json_answer(shapes(work, [queries.find(work, item.id)])[0], status=201, headers=headers)


@router.get("/plans", responses=documented(PlanPage))
def list_plan(work: ApiWork, which: Which, offset: Offset = 0, limit: Limit = 100) -> Response:
    """The plan of a year, by the day its items are due."""
    found = queries.page(work, which, offset=offset, limit=limit)
    return json_answer(PlanPage(year=which.year, total=found.total, results=shapes(work, found.items)))


@router.get("/plans/progress", responses=documented(ProgressOut))
def plan_progress(work: ApiWork, year: Year = None) -> Response:
    """Planned, opened and inventory, of each body and each priority domain."""
    of = year or day_of(work.now).year
    found = queries.progress(work, of)
    bodies = agencies.by_ids(work.session, found.agencies)
    named = {bodies[agency_id].name: counts for agency_id, counts in found.agencies.items()}
    return json_answer(ProgressOut.of(of, found.total, named, found.domains))


@router.get("/plans.csv", responses={200: {"content": {"text/csv": {}}}})
def export_plan(work: ApiWork, which: Which) -> Response:
    """The plan of a year as CSV, by the template `opening_plan`."""
    items = list(queries.every(work, which))
    bodies = agencies.by_ids(work.session, {planned.line.agency_id for planned in items})
    text = csvtext.MARK + csvtext.lines(sheet.rows(items, bodies))
    headers = {"Content-Disposition": f'attachment; filename="opening-plan-{which.year}.csv"'}
    return Response(text, headers=headers, media_type="text/csv; charset=utf-8")


@router.get("/plans/{item}", responses=documented(PlanOut))
def get_plan_item(work: ApiWork, item: str) -> Response:
    """One item."""
    found = queries.find(work, item)
    return json_answer(shapes(work, [found])[0], etag=str(found.item.edition))


@router.patch("/plans/{item}", responses=documented(PlanOut))
def change_plan_item(
    work: SignedInWork, item: str, body: PlanPatch, if_match: Annotated[str | None, Header()] = None
) -> Response:
    """Changes the named fields. A delay or a cancellation needs its reason."""
    found = queries.find(work, item)
    check_if_match(if_match, str(found.item.edition))
    agency = agencies.by_ids(work.session, [found.line.agency_id])[found.line.agency_id]
    service.change(work, found.item, agency, body.model_dump(exclude_unset=True))
    return json_answer(shapes(work, [queries.find(work, item)])[0], etag=str(found.item.edition))


def shapes(work: Work, items: Sequence[Planned]) -> list[PlanOut]:
    bodies = agencies.by_ids(work.session, {planned.line.agency_id for planned in items})
    return [PlanOut(agency=bodies[p.line.agency_id].name, **queries.facts(p)) for p in items]
