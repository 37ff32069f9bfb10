"""Rectification orders: a body's people read and answer theirs, supervisors issue and settle them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.accounts.service import called
from opendata.agencies import policy as rights
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, Forbidden, Invalid, NotFound, invalid
from opendata.edge.conventions import check_if_match
from opendata.supervision import policy
from opendata.supervision.alerts import service as alerts
from opendata.supervision.rectification import queries, service
from opendata.supervision.rectification.api import decide
from opendata.supervision.rectification.models import SETTLED, Cause, Order, OrderState
from opendata.supervision.rectification.queries import Wanted
from opendata.supervision.rectification.schemas import Outcome
from opendata.supervision.rectification.wording import demand_of, text_of
from opendata.web.forms import Form, Problem, no_day, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/rectifications")
ORDERS_A_PAGE = 50


@router.get("")
def listed(
    request: Request,
    language: str,
    work: MemberWork,
    agency: str = "",
    state: str = "",
    overdue: bool = False,
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Orders of the bodies that the viewer works for or watches, and what is overdue among them."""
    body = agencies.find(work, agency) if agency else None
    wanted = Wanted(
        body.id if body else None, OrderState(state) if state in list(OrderState) else None, overdue
    )
    found = queries.page(work, wanted, offset=(page_ - 1) * ORDERS_A_PAGE, limit=ORDERS_A_PAGE)
    raised = alerts.standing(work, [body.id] if body else None)
    today = day_of(work.now)
    return page(
        request,
        "supervision/orders.html",
        language,
        rows=[(order, demand_of(order, language), order.overdue(today)) for order in found.items],
        bodies=agencies.by_ids(
            work.session, {o.agency_id for o in found.items} | {a.agency_id for a in raised}
        ),
        alerts=raised,
        wanted=wanted,
        body=body,
        states=[state.value for state in OrderState],
        pager=Pager(page_, ORDERS_A_PAGE, found.total),
        may_order=policy.may_order(work.actor),
    )


@router.get("/new")
def new(request: Request, language: str, work: MemberWork, agency: str = "") -> Response:
    policy.check_orders(work.actor)
    return _new(request, language, work, Form.of({"agency": agency[:100]}))


@router.post("/new")
def issue(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    """Sends an order to a body."""
    policy.check_orders(work.actor)
    try:
        cause = form.text("cause")
        if cause not in list(Cause):
            raise invalid("cause", "missing")
        if not form.text("agency"):
            raise invalid("agency", "missing")
        order = service.issue(
            work,
            agencies.find(work, form.text("agency")),
            cause=Cause(cause),
            subject=form.text("subject")[:300],
            demand=form.text("demand")[:2000],
            deadline=_day(form, "deadline"),
        )
    except (Invalid, NotFound) as error:
        work.take_back()
        field = "agency" if isinstance(error, NotFound) else ""
        wrong = [Problem(p.field or field, p.sentence) for p in problems(error, language)]
        return _new(request, language, work, form, wrong)
    return see_other(f"/{language}/console/rectifications/{order.number}", done="saved")


@router.get("/{number:short}")
def one(request: Request, language: str, number: str, work: MemberWork) -> Response:
    return _one(request, language, work, queries.find(work, number))


@router.post("/{number:short}/evidence")
def answer(request: Request, language: str, number: str, work: MemberWork, form: PostedForm) -> Response:
    """Evidence that it was put right."""

    def act(order: Order, body: Agency) -> None:
        service.answer(work, order, body, text=form.text("text")[:4000], url=form.text("url")[:2000])

    return _act(request, language, work, number, form, act)


@router.post("/{number:short}/decision")
def settle(request: Request, language: str, number: str, work: MemberWork, form: PostedForm) -> Response:
    """Closes the order, gives it back, or withdraws it."""

    def act(order: Order, _body: Agency) -> None:
        if form.text("outcome") not in list(Outcome):
            raise invalid("outcome", "missing")
        decide(work, order, Outcome(form.text("outcome")), form.text("reason")[:2000])

    return _act(request, language, work, number, form, act)


@router.post("/{number:short}/deadline")
def extend(request: Request, language: str, number: str, work: MemberWork, form: PostedForm) -> Response:
    """Another deadline, with its reason."""

    def act(order: Order, _body: Agency) -> None:
        service.extend(work, order, deadline=_day(form, "deadline"), reason=form.text("why")[:2000])

    return _act(request, language, work, number, form, act)


def _act(
    request: Request,
    language: str,
    work: Work,
    number: str,
    form: Form,
    act: Callable[[Order, Agency], None],
) -> Response:
    """What somebody else did meanwhile is not overwritten: `Stale`."""
    order = queries.find(work, number)
    check_if_match(f'"{form.text("edition")}"', str(order.edition))
    try:
        act(order, work.session.get_one(Agency, order.agency_id))
    except (Invalid, Conflict, Forbidden) as error:
        work.take_back()
        named = {"reason": "why"} if isinstance(error, Invalid) and "deadline" in form else {}
        wrong = [Problem(named.get(p.field, p.field), p.sentence) for p in problems(error, language)]
        status = 403 if isinstance(error, Forbidden) else None
        return _one(request, language, work, queries.find(work, number), form, wrong, status)
    return see_other(f"/{language}/console/rectifications/{order.number}", done="saved")


def _one(
    request: Request,
    language: str,
    work: Work,
    order: Order,
    form: Form | None = None,
    wrong: list[Problem] | None = None,
    status: int | None = None,
) -> Response:
    body = work.session.get_one(Agency, order.agency_id)
    settled = order.state in SETTLED
    steps: list[Any] = service.steps(work, [order])[order.id]
    return page(
        request,
        "supervision/order.html",
        language,
        status=status,
        order=order,
        body=body,
        demand=demand_of(order, language),
        overdue=order.overdue(day_of(work.now)),
        steps=[(step, text_of(order, step, language)) for step in steps],
        people=called(work, [step.actor_id for step in steps]),
        may_answer=not settled and rights.may_edit(work.actor, body),
        may_order=not settled and policy.may_order(work.actor),
        form=form or Form(),
        wrong=wrong or (),
    )


def _new(
    request: Request, language: str, work: Work, form: Form, wrong: list[Problem] | None = None
) -> Response:
    return page(
        request,
        "supervision/new_order.html",
        language,
        bodies=agencies.every(work),
        causes=[Cause.NOT_OPENED.value, *(cause.value for cause in Cause if cause is not Cause.NOT_OPENED)],
        form=form,
        wrong=wrong or (),
    )


def _day(form: Form, name: str) -> date:
    try:
        return date.fromisoformat(form.text(name))
    except ValueError:
        raise no_day(form, name) from None
