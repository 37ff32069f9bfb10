"""The daily check: breaches that the database itself shows. Each is an order once; what is put right answers its order."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import select

from opendata.core.clock import day_of
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.negative import queries as negative
from opendata.inventory.negative.models import NegativeEntry
from opendata.inventory.plan import queries as plans
from opendata.inventory.policy import PUBLIC_LINES
from opendata.publishing.governance import already
from opendata.supervision import freshness
from opendata.supervision.links import queries as links
from opendata.supervision.rectification import service
from opendata.supervision.rectification.models import Cause, Order, OrderState
from opendata.supervision.sentences import iso
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

T = TypeVar("T")
DAYS_TO_RECTIFY = 30
AT_ONCE = 200
"""Orders a transaction: the database's write lock is never held for long."""
_LAW = re.compile(
    r"《[^》]{2,}》|第[〇零一二三四五六七八九十百千\d]+条|\b(?:art(?:icle|\.)?|section|§)\s*\d+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Breach:
    agency_id: str
    cause: Cause
    subject: str
    params: Mapping[str, Any]
    occasion: str


def inspect(place: Workplace, *, plan: bool = True) -> None:
    """Issues what is newly found, and takes what is put right as evidence. Run twice, it does nothing the second time."""
    with place.reading(SYSTEM) as work:
        found = {breach.occasion: breach for breach in breaches(work, plan=plan)}
        query = select(Order.occasion, Order.id, Order.state).where(Order.occasion.is_not(None))
        known = {occasion: (order_id, state) for occasion, order_id, state in work.session.execute(query)}
    new = [breach for occasion, breach in found.items() if occasion not in known]
    for some in _batches(new):
        with place.writing(SYSTEM) as work:
            _issue(work, some)
    cured = [i for o, (i, state) in known.items() if o not in found and state == OrderState.OPEN.value]
    for ids in _batches(cured):
        with place.writing(SYSTEM) as work:
            _answer(work, ids)


def breaches(work: Work, *, plan: bool) -> Iterator[Breach]:
    """Everything that is wrong today."""
    if plan:
        yield from _late_plans(work)
    yield from _missed_updates(work)
    yield from _closed_without_basis(work)
    yield from _forbidden_yet_public(work)
    yield from _broken_links(work)


def _issue(work: Work, some: Sequence[Breach]) -> None:
    taken = select(Order.occasion).where(Order.occasion.in_([breach.occasion for breach in some]))
    there = set(work.session.execute(taken).scalars())
    numbers = service.numbers(work, day_of(work.now).year)
    deadline = day_of(work.now) + timedelta(days=DAYS_TO_RECTIFY)
    for breach in some:
        if breach.occasion not in there:
            service.put(
                work, breach.agency_id, next(numbers), breach.cause, deadline,
                subject=breach.subject, params=breach.params, occasion=breach.occasion,
            )  # fmt: skip


def _answer(work: Work, ids: Sequence[str]) -> None:
    query = select(Order).where(Order.id.in_(ids), Order.state == OrderState.OPEN.value)
    for order in work.session.execute(query).scalars().all():
        service.take_evidence(work, order)


def _late_plans(work: Work) -> Iterator[Breach]:
    """Planned but not opened: this year's plan and the last one's."""
    year = day_of(work.now).year
    for of in (year - 1, year):
        for planned in plans.every(work, plans.Wanted(of, overdue=True)):
            line, due_on = planned.line, iso(planned.item.due_on)
            params = {"title": line.title, "resource_code": line.resource_code, "due_on": due_on}
            occasion = f"plan:{planned.item.id}:{due_on}"
            yield Breach(line.agency_id, Cause.PLANNED_NOT_OPENED, line.title, params, occasion)


def _missed_updates(work: Work) -> Iterator[Breach]:
    today = day_of(work.now)
    for one in freshness.every(work):
        if one.due_on is not None and one.missed(today):
            params = {
                "title": one.title, "dataset": one.name, "cycle": one.cycle, "updated_on": iso(one.updated_on),
                "due_on": iso(one.due_on),
            }  # fmt: skip
            occasion = f"update:{one.dataset_id}:{one.cycle}:{iso(one.updated_on)}"
            yield Breach(one.agency_id, Cause.UPDATE_MISSED, one.title, params, occasion)


def _closed_without_basis(work: Work) -> Iterator[Breach]:
    """Of public lines: an order would tell of a withheld one."""
    in_force = {entry.number for entry in negative.in_force(work)}
    lifted = set(work.session.execute(select(NegativeEntry.number)).scalars()) - in_force
    query = select(
        InventoryLine.id, InventoryLine.agency_id, InventoryLine.resource_code, InventoryLine.title,
        InventoryLine.open_condition,
    ).where(InventoryLine.openness == Openness.CLOSED.value, PUBLIC_LINES)  # fmt: skip
    for line_id, agency_id, code, title, basis in work.session.execute(query.order_by(InventoryLine.id)):
        if not is_basis(basis, in_force, lifted):
            params = {"title": title, "resource_code": code, "basis": basis[:200]}
            occasion = f"basis:{line_id}:{sha256(basis.encode()).hexdigest()[:16]}"
            yield Breach(agency_id, Cause.CLOSED_WITHOUT_BASIS, title, params, occasion)


def _forbidden_yet_public(work: Work) -> Iterator[Breach]:
    """What the negative list forbids by now and was public before."""
    for match in already.matches(work, negative.in_force(work)):
        view, entry = match.view, match.hit.entry
        title = view.meta.title or view.dataset.name
        told = f"{entry.number} {entry.subject}"
        params = {
            "title": title,
            "dataset": view.dataset.name,
            "entry": told[:200],
            "field": match.hit.place[:100],
        }
        occasion = f"negative:{entry.id}:{view.id}"
        yield Breach(view.agency.id, Cause.FORBIDDEN_YET_PUBLIC, title, params, occasion)


def _broken_links(work: Work) -> Iterator[Breach]:
    for found in links.broken(work):
        link = found.link
        outcome = f"HTTP {found.status}" if found.status else found.outcome
        params = {
            "title": link.title, "dataset": link.name, "url": link.url[:300], "since": iso(found.since), "outcome": outcome,
        }  # fmt: skip
        occasion = f"link:{link.resource_id}:{sha256(link.url.encode()).hexdigest()[:16]}"
        yield Breach(link.agency_id, Cause.LINK_BROKEN, link.title, params, occasion)


def is_basis(text: str, in_force: Collection[str], lifted: Collection[str]) -> bool:
    """Whether a ground for not opening names a law, an article of one, or an entry of the negative list that is in force. An
    entry that does not stand any more is no ground, whatever else is said beside it."""
    if any(_names(text, number) for number in lifted):
        return False
    return _LAW.search(text) is not None or any(_names(text, number) for number in in_force)


def _names(text: str, number: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", text, re.ASCII) is not None


def _batches(found: Sequence[T]) -> Iterator[Sequence[T]]:
    return (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))
