"""The board of a body: what is overdue, which orders stand, which datasets have to be reviewed again."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import Invalid, NotFound, invalid
from opendata.inventory.plan import queries as plans
from opendata.supervision import policy
from opendata.supervision.alerts import service as alerts
from opendata.supervision.periodic import calendar, service
from opendata.supervision.periodic.calendar import Due
from opendata.supervision.periodic.models import ReviewOutcome
from opendata.supervision.rectification import queries as orders
from opendata.supervision.rectification.queries import Wanted
from opendata.supervision.rectification.wording import demand_of
from opendata.supervision.reports.models import YearlyReport
from opendata.web.console.agencies import tabs
from opendata.web.forms import Form, Problem, no_day, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/agency")
REVIEWS_A_PAGE = 50
MOST = 100


@router.get("/{name:short}/board")
def board(
    request: Request,
    language: str,
    name: str,
    work: MemberWork,
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """For the people of the body, and for those who watch."""
    body, today = _find(work, name), day_of(work.now)
    reviews = calendar.of_bodies(work, [body.id])
    pager = Pager(page_, REVIEWS_A_PAGE, len(reviews))
    shown = reviews[(page_ - 1) * REVIEWS_A_PAGE : page_ * REVIEWS_A_PAGE]
    held = orders.page(work, Wanted(body.id), limit=MOST)
    return page(
        request,
        "supervision/board.html",
        language,
        body=body,
        tabs=tabs(work, body),
        alerts=alerts.standing(work, [body.id]),
        orders=[(order, demand_of(order, language), order.overdue(today)) for order in held.items],
        late=plans.page(work, plans.Wanted(today.year, [body.id], overdue=True), limit=MOST).items,
        reviews=[(due, due.overdue(today)) for due in shown],
        overdue=sum(due.overdue(today) for due in reviews),
        pager=pager,
        report=work.session.get(YearlyReport, (body.id, today.year - 1)),
        may_review=service.may_review(work.actor, body),
        may_order=policy.may_order(work.actor),
    )


@router.get("/{name:short}/board/{dataset:short}")
def review(request: Request, language: str, name: str, dataset: str, work: MemberWork) -> Response:
    body, due = _due(work, name, dataset)
    return _form(request, language, body, due, Form())


@router.post("/{name:short}/board/{dataset:short}")
def close(
    request: Request, language: str, name: str, dataset: str, work: MemberWork, form: PostedForm
) -> Response:
    """Records that the dataset was looked at again."""
    body, due = _due(work, name, dataset)
    try:
        if form.text("outcome") not in list(ReviewOutcome):
            raise invalid("outcome", "missing")
        outcome = ReviewOutcome(form.text("outcome"))
        service.close(
            work, due, body, outcome=outcome, note=form.text("note")[:2000], next_on=_day(form, "next_on")
        )
    except Invalid as error:
        work.take_back()
        return _form(request, language, body, due, form, problems(error, language))
    return see_other(f"/{language}/console/agency/{body.name}/board", done="saved")


def _find(work: Work, name: str) -> Agency:
    """`NotFound("agency_not_found")` for a body that is none of the viewer's business."""
    body = agencies.find(work, name)
    if not policy.may_see(work.actor, body):
        raise NotFound("agency_not_found", id=name)
    return body


def _due(work: Work, name: str, dataset: str) -> tuple[Agency, Due]:
    body, due = _find(work, name), calendar.of_dataset(work, dataset)
    if due.agency_id != body.id:
        raise NotFound("dataset_not_found", id=dataset)
    return body, due


def _day(form: Form, name: str) -> date | None:
    try:
        return date.fromisoformat(form.text(name)) if form.text(name) else None
    except ValueError:
        raise no_day(form, name) from None


def _form(
    request: Request, language: str, body: Agency, due: Due, form: Form, wrong: list[Problem] | None = None
) -> Response:
    return page(
        request,
        "supervision/review.html",
        language,
        body=body,
        due=due,
        outcomes=[outcome.value for outcome in ReviewOutcome],
        form=form,
        wrong=wrong or (),
    )
