"""The opening plan of the bodies for which one works: what is in it, what can be put in, and how it fares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from opendata.agencies import policy
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, Forbidden, Invalid, NotFound, invalid
from opendata.edge.conventions import check_if_match
from opendata.inventory import queries as inventory
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.plan import queries, service
from opendata.inventory.plan.api import switched_on
from opendata.inventory.plan.models import LineOpening, OpenMethod, PlanItem, PlanStatus
from opendata.web.forms import Form, Problem, no_day, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/plan", dependencies=[Depends(switched_on)])
ITEMS_A_PAGE = 50
MOST_LINES = 500
"""Offered by the form; any other is typed by its code."""
TEXTS = ("lead_unit", "responsible_unit", "open_method", "reason", "status")


@router.get("")
def mine(
    request: Request,
    language: str,
    work: MemberWork,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    return _list(request, language, work, year or day_of(work.now).year, page_)


@router.post("")
def add(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    """Puts a line into the plan."""
    try:
        fields: dict[str, Any] = {name: form.text(name) for name in TEXTS[:3]}
        fields |= {"year": _year(form), "planned_on": _date(form, "planned_on", needed=True)}
        if not form.text("line"):
            raise invalid("line", "missing")
        line = inventory.find(work, [form.text("line").split(" ")[0]])[0]
        service.create(work, line, work.session.get_one(Agency, line.agency_id), fields)
    except (Invalid, Conflict, NotFound) as error:
        work.take_back()
        wrong = [Problem(p.field or "line", p.sentence) for p in problems(error, language)]
        year = form.text("year")
        shown = int(year) if year.isascii() and year.isdigit() and len(year) == 4 else day_of(work.now).year
        return _list(request, language, work, shown, 1, form, wrong)
    return see_other(f"/{language}/console/plan", done="saved", year=fields["year"])


@router.get("/{item:short}")
def one(request: Request, language: str, item: str, work: MemberWork) -> Response:
    found, body = _find(work, item)
    held = found.item
    values = {name: getattr(held, name) for name in TEXTS}
    values |= {"planned_on": held.planned_on.isoformat(), "edition": str(held.edition)}
    values["delayed_to"] = held.delayed_to.isoformat() if held.delayed_to else ""
    return _one(request, language, found, body, Form.of(values))


@router.post("/{item:short}")
def change(request: Request, language: str, item: str, work: MemberWork, form: PostedForm) -> Response:
    """Saves an item. What somebody else changed meanwhile is not overwritten: `Stale`."""
    found, body = _find(work, item)
    check_if_match(f'"{form.text("edition")}"', str(found.item.edition))
    try:
        fields: dict[str, Any] = {name: form.text(name) for name in TEXTS}
        fields |= {
            "planned_on": _date(form, "planned_on", needed=True),
            "delayed_to": _date(form, "delayed_to"),
        }
        if fields["status"] not in list(PlanStatus) or fields["open_method"] not in list(OpenMethod):
            raise invalid("status", "missing")
        service.change(work, found.item, body, fields)
    except Invalid as error:
        work.take_back()
        found, body = _find(work, item)
        return _one(request, language, found, body, form, problems(error, language))
    return see_other(f"/{language}/console/plan", done="saved", year=found.item.year)


def _bodies(work: Work) -> list[Agency]:
    return [body for body in agencies.every(work) if policy.may_edit(work.actor, body)]


def _find(work: Work, item: str) -> tuple[queries.Planned, Agency]:
    found = queries.find(work, item)
    body = work.session.get_one(Agency, found.line.agency_id)
    if not policy.may_edit(work.actor, body):
        raise Forbidden("agency_editor_only", agency=body.title)
    return found, body


def _free_lines(work: Work, bodies: list[Agency], year: int) -> list[InventoryLine]:
    """Lines of the bodies that are neither closed, nor open, nor in the plan of the year."""
    planned = select(PlanItem.line_id).where(PlanItem.year == year)
    query = select(InventoryLine).where(
        InventoryLine.agency_id.in_([body.id for body in bodies]),
        InventoryLine.openness != Openness.CLOSED.value,
        InventoryLine.id.not_in(planned),
        InventoryLine.id.not_in(select(LineOpening.line_id)),
    )
    return list(work.session.execute(query.order_by(InventoryLine.resource_code).limit(MOST_LINES)).scalars())


def _list(
    request: Request,
    language: str,
    work: Work,
    year: int,
    number: int,
    form: Form | None = None,
    wrong: Sequence[Problem] = (),
) -> Response:
    bodies = _bodies(work)
    wanted = queries.Wanted(year, [body.id for body in bodies])
    found = queries.page(work, wanted, offset=(number - 1) * ITEMS_A_PAGE, limit=ITEMS_A_PAGE)
    return page(
        request,
        "console/plan.html",
        language,
        year=year,
        years=sorted({year, day_of(work.now).year, day_of(work.now).year + 1, *queries.years(work)}),
        items=found.items,
        pager=Pager(number, ITEMS_A_PAGE, found.total),
        bodies={body.id: body for body in bodies},
        lines=_free_lines(work, bodies, year),
        methods=[method.value for method in OpenMethod],
        form=form or Form.of({"year": str(year), "open_method": OpenMethod.DOWNLOAD.value}),
        wrong=wrong,
    )


def _one(
    request: Request,
    language: str,
    found: queries.Planned,
    body: Agency,
    form: Form,
    wrong: Sequence[Problem] = (),
) -> Response:
    return page(
        request,
        "console/plan_item.html",
        language,
        one=found,
        body=body,
        methods=[method.value for method in OpenMethod],
        statuses=[status.value for status in PlanStatus if status is not PlanStatus.OPENED],
        form=form,
        wrong=wrong,
    )


def _year(form: Form) -> int:
    text = form.text("year")
    if not (text.isascii() and text.isdigit() and 2000 <= int(text) <= 2100):
        raise invalid("year", "not_a_number", field="year", value=text[:20])
    return int(text)


def _date(form: Form, name: str, *, needed: bool = False) -> date | None:
    if not form.text(name) and not needed:
        return None
    try:
        return date.fromisoformat(form.text(name))
    except ValueError:
        raise no_day(form, name) from None
