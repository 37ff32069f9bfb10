"""Rectification orders by REST: for the people of the body, and for those who watch over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from opendata.agencies import queries as agencies
from opendata.core.clock import day_of
from opendata.edge.conventions import (
    Language,
    Limit,
    Offset,
    check_if_match,
    documented,
    json_answer,
    known_query,
)
from opendata.edge.http import SignedInWork
from opendata.supervision.rectification import queries, service
from opendata.supervision.rectification.models import Cause, Order, OrderState
from opendata.supervision.rectification.queries import Wanted
from opendata.supervision.rectification.schemas import (
    DecisionIn,
    EvidenceIn,
    OrderIn,
    OrderOut,
    OrderPage,
    OrderPatch,
    Outcome,
    StepOut,
)
from opendata.supervision.rectification.wording import demand_of, text_of
from opendata.work.unit import Work

router = APIRouter(tags=["supervision"], dependencies=[Depends(known_query)])
IfMatch = Annotated[str | None, Header()]


@router.post("/rectifications", status_code=201, responses=documented(OrderOut, 201))
def issue_rectification(work: SignedInWork, body: OrderIn, language: Language) -> Response:
    """An order to a body, by a supervisor."""
    agency = agencies.find(work, body.agency)
    order = service.issue(work, agency, **body.model_dump(exclude={"agency"}))
    headers = {"Location": f"/api/v1/rectifications/{order.number}"}
    return json_answer(shapes(work, [order], language)[0], status=201, headers=headers)


@router.get("/rectifications", responses=documented(OrderPage))
def list_rectifications(
    work: SignedInWork,
    language: Language,
    agency: Annotated[str | None, Query(description="Name or id of the body")] = None,
    state: OrderState | None = None,
    overdue: Annotated[bool, Query(description="Only what is late")] = False,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """Orders to the bodies that you work for, to all of them for those who watch; unsettled ones first, by deadline."""
    wanted = Wanted(agencies.find(work, agency).id if agency is not None else None, state, overdue)
    found = queries.page(work, wanted, offset=offset, limit=limit)
    return json_answer(OrderPage(total=found.total, results=shapes(work, found.items, language)))


@router.get("/rectifications/{order}", responses=documented(OrderOut))
def get_rectification(work: SignedInWork, order: str, language: Language) -> Response:
    """One order with all its steps, by its number or id."""
    return _told(work, queries.find(work, order), language)


@router.patch("/rectifications/{order}", responses=documented(OrderOut))
def extend_rectification(
    work: SignedInWork, order: str, body: OrderPatch, language: Language, if_match: IfMatch = None
) -> Response:
    """Another deadline, by a supervisor, with the reason."""
    found = queries.find(work, order)
    check_if_match(if_match, str(found.edition))
    return _told(work, service.extend(work, found, **body.model_dump()), language)


@router.post("/rectifications/{order}/evidence", responses=documented(OrderOut))
def answer_rectification(work: SignedInWork, order: str, body: EvidenceIn, language: Language) -> Response:
    """Evidence that it was put right, by an editor or administrator of the body."""
    found = queries.find(work, order)
    agency = agencies.by_ids(work.session, [found.agency_id])[found.agency_id]
    return _told(work, service.answer(work, found, agency, **body.model_dump()), language)


@router.post("/rectifications/{order}/decisions", responses=documented(OrderOut))
def decide_rectification(
    work: SignedInWork, order: str, body: DecisionIn, language: Language, if_match: IfMatch = None
) -> Response:
    """A supervisor closes the order, gives it back, or withdraws it. Who handed in evidence cannot close it."""
    found = queries.find(work, order)
    check_if_match(if_match, str(found.edition))
    return _told(work, decide(work, found, body.outcome, body.reason), language)


def decide(work: Work, order: Order, outcome: Outcome, reason: str) -> Order:
    act = {
        Outcome.CLOSE: service.close,
        Outcome.RETURN: service.give_back,
        Outcome.WITHDRAW: service.withdraw,
    }
    return act[outcome](work, order, reason=reason)


def shapes(work: Work, orders: Sequence[Order], language: str) -> list[OrderOut]:
    bodies = agencies.by_ids(work.session, {order.agency_id for order in orders})
    steps = service.steps(work, orders)
    own = ("id", "number", "subject", "deadline", "issued_at", "settled_at", "edition")
    return [
        OrderOut(
            agency=bodies[order.agency_id].name,
            cause=Cause(order.cause),
            state=OrderState(order.state),
            demand=demand_of(order, language),
            overdue=order.overdue(day_of(work.now)),
            automatic=order.occasion is not None,
            steps=[
                StepOut(
                    act=step.act,
                    text=text_of(order, step, language),
                    url=step.url,
                    actor=step.actor_name,
                    at=step.at,
                )
                for step in steps[order.id]
            ],
            **{name: getattr(order, name) for name in own},
        )
        for order in orders
    ]


def _told(work: Work, order: Order, language: str) -> Response:
    work.session.flush()
    return json_answer(shapes(work, [order], language)[0], etag=str(order.edition))
