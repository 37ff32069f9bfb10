"""Reads of orders: the people of a body see their own, who watches sees all. They are not public: evidence may name people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.supervision import policy
from opendata.supervision.rectification.models import SETTLED, Order, OrderState
from opendata.work.unit import Work


@dataclass(frozen=True)
class Wanted:
    """Which orders."""

    agency_id: str | None = None
    state: OrderState | None = None
    overdue: bool = False


def page(work: Work, wanted: Wanted, *, offset: int = 0, limit: int = 100) -> Page[Order]:
    """Unsettled orders first, each part by its deadline."""
    query = select(Order).where(*_conditions(work, wanted))
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    query = query.order_by(Order.state.in_(SETTLED), Order.deadline, Order.number).offset(offset).limit(limit)
    return Page(work.session.execute(query).scalars().all(), total, offset, limit)


def find(work: Work, number_or_id: str) -> Order:
    """`NotFound("rectification_not_found")` if there is none, or it is not for the actor's eyes."""
    query = select(Order).where((Order.number == number_or_id) | (Order.id == number_or_id))
    found = work.session.execute(query.where(*_conditions(work, Wanted()))).scalar_one_or_none()
    if found is None:
        raise NotFound("rectification_not_found", id=number_or_id[:100])
    return found


def overdue(work: Work) -> Sequence[Order]:
    """All that are, for the daily check."""
    query = select(Order).where(Order.state == OrderState.OPEN.value, Order.deadline < day_of(work.now))
    return work.session.execute(query).scalars().all()


def _conditions(work: Work, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    seen = policy.seen_bodies(work)
    if seen is not None:
        yield Order.agency_id.in_(seen)
    if wanted.agency_id is not None:
        yield Order.agency_id == wanted.agency_id
    if wanted.state is not None:
        yield Order.state == wanted.state.value
    if wanted.overdue:
        yield Order.state == OrderState.OPEN.value
        yield Order.deadline < day_of(work.now)
