"""Row orders: listed for the people of the body, placed with a preview, confirmed by a second person or lifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.access import policy
from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.catalog import queries as catalog
from opendata.catalog import views
from opendata.catalog.codes import codes
from opendata.catalog.models import Dataset
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import Ground, OrderKind, OrderState, RowOrder
from opendata.core.errors import Conflict, DomainError, Forbidden, Gathered, Invalid, NotFound, invalid
from opendata.edge import messages
from opendata.edge.http import part
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import preview, service
from opendata.publishing.roworders.api import find
from opendata.publishing.roworders.preview import Asked, Tried
from opendata.publishing.roworders.service import Cause, Key, Wanted
from opendata.web.forms import Form, problems
from opendata.web.http import MemberWork, PostedForm, change, let_in
from opendata.web.render import page, see_other
from opendata.web.texts import choose
from opendata.work.unit import Work

router = APIRouter(prefix="/console/row-orders")
Journeys = Annotated[Journey, Depends(part("journey"))]
MOST = 200
REFUSED = (Invalid, Conflict, NotFound, Forbidden)
Choice = tuple[str, str]


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    """Orders of the bodies that the viewer works for, the latest first."""
    query = select(RowOrder).join(Dataset, Dataset.id == RowOrder.dataset_id)
    query = query.where(policy.draft_filter(work)).order_by(RowOrder.placed_at.desc()).limit(MOST)
    orders = work.session.execute(query).scalars().all()
    return page(
        request,
        "roworders/list.html",
        language,
        rows=[
            (order, _title(work, order), codes().label("row_order_sentence", order.state, language))
            for order in orders
        ],
        may_place=bool(_choices(work, language)),
    )


@router.get("/new")
def new(
    request: Request, language: str, work: MemberWork, dataset: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    if not (choices := _choices(work, language)):
        raise Forbidden("row_order_role", agency="")
    return _form(request, language, Form.of({"dataset": dataset}), choices)


@router.post("/new")
async def place(request: Request, language: str, form: PostedForm, journey: Journeys) -> Response:
    """Says how many rows of which versions would go, or places the order, as the pressed button says."""
    try:
        if form.text("step") != "place":
            asked = await let_in(request, lambda work: _ask(work, journey, form))
            tried = await run_in_threadpool(preview.run, journey, asked)
            choices = await let_in(request, lambda work: _choices(work, language))
            return _form(request, language, form, choices, tried=tried)
        number = await change(request, form, lambda work: _place(work, journey, form))
    except REFUSED as error:
        choices = await let_in(request, lambda work: _choices(work, language))
        return _form(request, language, form, choices, wrong=error)
    return see_other(f"/{language}/console/row-orders/{number}", done="row_order")


@router.get("/{number:short}")
def one(request: Request, language: str, number: str, work: MemberWork) -> Response:
    order, agency = find(work, number)
    return _one(request, language, work, order, agency)


@router.post("/{number:short}")
def decide(request: Request, language: str, number: str, work: MemberWork, form: PostedForm) -> Response:
    """Confirms the order, or lifts it."""
    order, agency = find(work, number)
    try:
        if form.text("outcome") == "confirm":
            service.confirm(work, order, agency)
        elif form.text("outcome") == "lift":
            service.lift(work, order, agency, form.text("reason"))
        else:
            raise invalid("outcome", "missing")
    except (Invalid, Conflict, Forbidden) as error:
        work.take_back()
        order, agency = find(work, number)
        return _one(request, language, work, order, agency, wrong=error)
    return see_other(f"/{language}/console/row-orders/{order.number}", done="row_order_decided")


def _ask(work: Work, journey: Journey, form: Form) -> Asked:
    dataset, _agency = _target(work, form)
    return preview.ask(work, journey.secret, dataset, _wanted(form))


def _place(work: Work, journey: Journey, form: Form) -> str:
    dataset, agency = _target(work, form)
    wrong = Gathered()
    with wrong:
        if form.text("ground") not in list(Ground):
            raise invalid("ground", "missing")
    for name in ("reason", "document"):
        with wrong:
            if not form.text(name):
                raise invalid(name, "missing")
    with wrong:
        service.read_keys(work, dataset, _wanted(form))
    wrong.raise_if_any()
    cause = Cause(Ground(form.text("ground")), form.text("reason"), form.text("document"))
    return service.place(work, journey.secret, dataset, agency, _wanted(form), cause).number


def _target(work: Work, form: Form) -> tuple[Dataset, Agency]:
    if not form.text("dataset"):
        raise invalid("dataset", "missing")
    dataset = catalog.dataset(work, form.text("dataset"), visible=policy.draft_filter(work))
    agency = work.session.get_one(Agency, dataset.agency_id)
    service.check_may(work, agency)
    return dataset, agency


def _wanted(form: Form) -> Wanted:
    """Keys stand one a line; those of several columns have their values between commas."""
    if form.text("kind") not in list(OrderKind):
        raise invalid("kind", "missing")
    columns = form.words("columns")
    lines = [line.strip() for line in form.text("keys").splitlines() if line.strip()]
    keys: Sequence[Key] = lines
    if len(columns) > 1:
        keys = [[part.strip() for part in line.replace("，", ",").split(",")] for line in lines]
    return Wanted(OrderKind(form.text("kind")), columns, keys)


def _choices(work: Work, language: str) -> list[Choice]:
    """Datasets of the bodies for which the viewer may place orders: (id, title)."""
    query = select(Dataset).where(policy.draft_filter(work), Dataset.state != "deleted").limit(1000)
    datasets = work.session.execute(query.order_by(Dataset.name)).scalars().all()
    agencies: Mapping[str, Agency] = {
        d.agency_id: work.session.get_one(Agency, d.agency_id) for d in datasets
    }
    mine = [d for d in datasets if service.may_order(work.actor, agencies[d.agency_id])]
    shown = views.many(work.session, [(d, catalog.last_release(work, d)) for d in mine])
    return [
        (
            view.id,
            f"{choose(view.meta.title, view.meta.title_en, language) or view.dataset.name} · "
            f"{choose(view.agency.title, view.agency.title_en, language)}",
        )
        for view in shown
    ]


def _form(
    request: Request,
    language: str,
    form: Form,
    choices: Sequence[Choice],
    *,
    tried: Tried | None = None,
    wrong: DomainError | None = None,
) -> Response:
    return page(
        request,
        "roworders/new.html",
        language,
        form=form,
        choices=choices,
        grounds=list(Ground),
        kinds=list(OrderKind),
        previewed=tried is not None,
        rows=tried.rows if tried else 0,
        public_rows=tried.public_rows if tried else 0,
        written_rows=tried.written if tried else 0,
        touched=[
            (m.shown, m.rows, _problem(m.outcome.trouble, language)) for m in (tried.found if tried else ())
        ],
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _one(
    request: Request,
    language: str,
    work: Work,
    order: RowOrder,
    agency: Agency,
    wrong: DomainError | None = None,
) -> Response:
    dataset = work.session.get_one(Dataset, order.dataset_id)
    may = service.may_order(work.actor, agency)
    state = OrderState(order.state)
    hidden = state is OrderState.HIDDEN
    return page(
        request,
        "roworders/one.html",
        language,
        order=order,
        agency=agency,
        dataset=dataset,
        title=_title(work, order),
        sentence=codes().label("row_order_sentence", order.state, language),
        people={
            name: _name(work, getattr(order, name)) for name in ("placed_by", "confirmed_by", "lifted_by")
        },
        keys=order.keys if may else (),  # they name somebody: for those who decide alone
        touched=[(s, n, _problem(p, language)) for s, n, p in preview.done(work, dataset, order.id)],
        written_rows=preview.erased(work, order),
        tombstones=[t for t in queries.tombstones(work.session, dataset.id) if t.order_id == order.id],
        may_confirm=may and hidden and work.actor.id != order.placed_by,
        needs_second=may and hidden and work.actor.id == order.placed_by,
        may_lift=may and state not in (OrderState.LIFTED, OrderState.CONFIRMED),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _title(work: Work, order: RowOrder) -> str:
    dataset = work.session.get_one(Dataset, order.dataset_id)
    return str(catalog.last_release(work, dataset).meta.get("title") or dataset.name)


def _problem(trouble: Mapping[str, Any], language: str) -> str:
    told = messages.problem_text(trouble or None, language)
    return str(told["detail"]) if told else ""


def _name(work: Work, user_id: str | None) -> str:
    user = work.session.get(User, user_id) if user_id else None
    return user.called if user else ""
