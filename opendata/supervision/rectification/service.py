"""Issue, answer, settle: an order is closed by somebody who did not hand in its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import count
from typing import Any

from sqlalchemy import func, select

from opendata.agencies import policy as rights
from opendata.agencies.models import Agency
from opendata.core.checks import is_web_address
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.supervision import policy
from opendata.supervision.alerts import service as alerts
from opendata.supervision.alerts.models import AlertKind
from opendata.supervision.rectification.models import SETTLED, Act, Cause, Order, OrderState, Step
from opendata.work.unit import Work


def issue(work: Work, agency: Agency, *, cause: Cause, subject: str, demand: str, deadline: date) -> Order:
    """An order to a body. Errors: `Forbidden("supervisors_order")`; `Invalid` naming every wrong field."""
    policy.check_orders(work.actor)
    subject, demand = " ".join(clean_text(subject).split()), clean_text(demand).strip()
    errors = [FieldError(n, "missing") for n, v in (("subject", subject), ("demand", demand)) if not v]
    errors += _check_deadline(work, deadline)
    if errors:
        raise Invalid(fields=errors)
    number = next(numbers(work, day_of(work.now).year))
    return put(work, agency.id, number, cause, deadline, subject=subject, demand=demand)


def put(
    work: Work,
    agency_id: str,
    number: str,
    cause: Cause,
    deadline: date,
    *,
    subject: str,
    demand: str = "",
    params: Mapping[str, Any] | None = None,
    occasion: str | None = None,
) -> Order:
    """Writes an order down, without looking who asks: `issue`, and the daily check."""
    order = Order(
        id=new_id(),
        number=number,
        agency_id=agency_id,
        cause=cause.value,
        subject=subject[:300],
        demand=demand,
        params=dict(params or {}),
        occasion=occasion,
        deadline=deadline,
        state=OrderState.OPEN.value,
        issued_by=work.actor.id,
        issued_at=work.now,
        settled_at=None,
    )
    work.session.add(order)
    work.session.flush()
    _step(work, order, Act.ISSUED, cause=cause.value, deadline=deadline.isoformat())
    return order


def answer(work: Work, order: Order, agency: Agency, *, text: str, url: str = "") -> Order:
    """Evidence by an editor or administrator of the body. More can follow until the order is settled."""
    if not rights.may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    _check_unsettled(order)
    text, url = clean_text(text).strip(), url.strip()
    errors = [] if text else [FieldError("text", "missing")]
    if url and not is_web_address(url):
        errors.append(FieldError("url", "not_web_address"))
    if errors:
        raise Invalid(fields=errors)
    return take_evidence(work, order, text, url)


def take_evidence(work: Work, order: Order, text: str = "", url: str = "") -> Order:
    """Writes evidence down, without looking who gives it: `answer`, and the daily check that finds nothing wrong any more."""
    order.state = OrderState.ANSWERED.value
    _step(work, order, Act.EVIDENCE, text, url)
    alerts.settle(work, AlertKind.RECTIFICATION_OVERDUE, order.id)
    return order


def close(work: Work, order: Order, *, reason: str = "") -> Order:
    """The evidence is good. Errors: `Conflict("evidence_missing")`, `Forbidden("second_person_needed")`."""
    policy.check_orders(work.actor)
    _check_unsettled(order)
    if order.state != OrderState.ANSWERED.value:
        raise Conflict("evidence_missing", number=order.number)
    query = select(Step.actor_id).where(Step.order_id == order.id, Step.act == Act.EVIDENCE.value)
    if work.actor.id in work.session.execute(query).scalars().all():
        raise Forbidden("second_person_needed", number=order.number)
    return _settle(work, order, OrderState.CLOSED, Act.CLOSED, clean_text(reason).strip())


def give_back(work: Work, order: Order, *, reason: str) -> Order:
    """The evidence is not good: the body has to act again."""
    policy.check_orders(work.actor)
    _check_unsettled(order)
    if order.state != OrderState.ANSWERED.value:
        raise Conflict("evidence_missing", number=order.number)
    order.state = OrderState.OPEN.value
    _step(work, order, Act.RETURNED, _reason(reason))
    return order


def withdraw(work: Work, order: Order, *, reason: str) -> Order:
    """The order should not have been issued. That is told, not undone."""
    policy.check_orders(work.actor)
    _check_unsettled(order)
    return _settle(work, order, OrderState.WITHDRAWN, Act.WITHDRAWN, _reason(reason))


def extend(work: Work, order: Order, *, deadline: date, reason: str) -> Order:
    """Another deadline, with its reason."""
    policy.check_orders(work.actor)
    _check_unsettled(order)
    told = clean_text(reason).strip()
    errors = _check_deadline(work, deadline) + ([] if told else [FieldError("reason", "missing")])
    if errors:
        raise Invalid(fields=errors)
    before, order.deadline = order.deadline, deadline
    _step(work, order, Act.EXTENDED, told, before=before.isoformat(), deadline=deadline.isoformat())
    alerts.settle(work, AlertKind.RECTIFICATION_OVERDUE, order.id)
    return order


def numbers(work: Work, year: int) -> Iterator[str]:
    """The next free numbers of a year: ZG-2026-001, and so on. Longer ones come after shorter ones."""
    query = select(Order.number).where(Order.number.like(f"ZG-{year}-%"))
    last = work.session.execute(
        query.order_by(func.length(Order.number).desc(), Order.number.desc()).limit(1)
    ).scalar_one_or_none()
    first = int(last.rpartition("-")[2]) + 1 if last else 1
    return (f"ZG-{year}-{number:03d}" for number in count(first))


def steps(work: Work, orders: Sequence[Order]) -> dict[str, list[Step]]:
    """What happened to each of them, by order id, in the order of time."""
    found: dict[str, list[Step]] = {order.id: [] for order in orders}
    query = select(Step).where(Step.order_id.in_(found)).order_by(Step.at, Step.id)
    for step in work.session.execute(query).scalars():
        found[step.order_id].append(step)
    return found


def _settle(work: Work, order: Order, state: OrderState, act: Act, reason: str) -> Order:
    order.state, order.settled_at = state.value, work.now
    _step(work, order, act, reason)
    alerts.settle(work, AlertKind.RECTIFICATION_OVERDUE, order.id)
    return order


def _step(work: Work, order: Order, act: Act, text: str = "", url: str = "", **told: Any) -> None:
    actor = work.actor
    work.session.add(
        Step(
            id=new_id(),
            order_id=order.id,
            act=act.value,
            text=text,
            url=url,
            actor_id=actor.id,
            actor_name=actor.name,
            at=work.now,
        )
    )
    work.session.flush()
    facts = {"number": order.number, "text": text, "url": url, **told}
    work.record(
        f"rectification.{act.value}", "rectification", order.id, **{k: v for k, v in facts.items() if v}
    )


def _check_unsettled(order: Order) -> None:
    if order.state in SETTLED:
        raise Conflict("rectification_settled", number=order.number)


def _check_deadline(work: Work, deadline: date) -> list[FieldError]:
    today = day_of(work.now)
    return (
        [] if deadline > today else [FieldError("deadline", "deadline_is_past", {"today": today.isoformat()})]
    )


def _reason(reason: str) -> str:
    told = clean_text(reason).strip()
    if not told:
        raise Invalid(fields=[FieldError("reason", "missing")])
    return told
