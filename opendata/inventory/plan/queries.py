"""Reads of the opening plan. It is public, also what is late, and why (D10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.inventory.models import InventoryLine
from opendata.inventory.plan.models import LineOpening, PlanItem, PlanStatus
from opendata.inventory.policy import PUBLIC_LINES
from opendata.work.unit import Work

BATCH = 500


@dataclass(frozen=True)
class Planned:
    """An item with its line, as the public sees it on a day."""

    item: PlanItem
    line: InventoryLine
    opened_at: datetime | None
    today: date

    @property
    def status(self) -> PlanStatus:
        return PlanStatus.OPENED if self.opened_at else PlanStatus(self.item.status)

    @property
    def actual_on(self) -> date | None:
        return day_of(self.opened_at) if self.opened_at else None

    @property
    def overdue(self) -> bool:
        """From the day after the last one on which it was in time."""
        ended = self.status in (PlanStatus.OPENED, PlanStatus.CANCELLED)
        return not ended and self.today > self.item.due_on


@dataclass(frozen=True)
class Wanted:
    """Which items of a year: of one body, domain or status, only those overdue."""

    year: int
    agency_ids: Sequence[str] | None = None
    domain: str | None = None
    status: PlanStatus | None = None
    overdue: bool = False


@dataclass
class Counts:
    """How far a plan is. Opening a planned line moves `opened` by one, and nothing else."""

    planned: int = 0
    """Items of the year that were not cancelled."""
    opened: int = 0
    """Those of them that are open to the public now."""
    inventory: int = 0
    """All lines that the public knows of."""

    def add(self, planned: int, opened: int, inventory: int) -> None:
        self.planned += planned
        self.opened += opened
        self.inventory += inventory


@dataclass
class Progress:
    total: Counts = field(default_factory=Counts)
    agencies: dict[str, Counts] = field(default_factory=dict)
    """By agency id."""
    domains: dict[str, Counts] = field(default_factory=dict)


def page(work: Work, wanted: Wanted, *, offset: int = 0, limit: int = 100) -> Page[Planned]:
    """Items by the day they are due."""
    query = _items().where(*_conditions(work, wanted))
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    query = query.order_by(_due(), InventoryLine.resource_code).offset(offset).limit(limit)
    return Page([_planned(work, row) for row in work.session.execute(query)], total, offset, limit)


def every(work: Work, wanted: Wanted) -> Iterator[Planned]:
    """All of them, a batch at a time."""
    offset = 0
    while found := page(work, wanted, offset=offset, limit=BATCH).items:
        yield from found
        offset += BATCH


def find(work: Work, item_id: str) -> Planned:
    """`NotFound("plan_item_not_found")` if there is none."""
    row = work.session.execute(_items().where(PlanItem.id == item_id)).one_or_none()
    if row is None:
        raise NotFound("plan_item_not_found", id=item_id[:100])
    return _planned(work, row)


def years(work: Work) -> list[int]:
    """Years that have a plan, the newest first."""
    query = select(PlanItem.year).join(
        InventoryLine, and_(InventoryLine.id == PlanItem.line_id, PUBLIC_LINES)
    )
    query = query.distinct().order_by(PlanItem.year.desc())
    return list(work.session.execute(query).scalars())


def progress(work: Work, year: int) -> Progress:
    """Planned, opened and inventory of each body and each domain, counted in one statement."""
    planned = and_(
        PlanItem.line_id == InventoryLine.id,
        PlanItem.year == year,
        PlanItem.status != PlanStatus.CANCELLED.value,
    )
    query = (
        select(
            InventoryLine.agency_id,
            InventoryLine.domain,
            func.count(PlanItem.id),
            func.count(LineOpening.line_id),
            func.count(InventoryLine.id),
        )
        .outerjoin(PlanItem, planned)
        .outerjoin(LineOpening, LineOpening.line_id == PlanItem.line_id)
        .where(PUBLIC_LINES)
        .group_by(InventoryLine.agency_id, InventoryLine.domain)
    )
    found = Progress()
    for agency_id, domain, *numbers in work.session.execute(query):
        for counts in (
            found.total,
            found.agencies.setdefault(agency_id, Counts()),
            found.domains.setdefault(domain, Counts()),
        ):
            counts.add(*numbers)
    return found


def facts(planned: Planned) -> Mapping[str, Any]:
    """What every face tells of an item, besides its body."""
    item, line = planned.item, planned.line
    own = ("id", "year", "planned_on", "delayed_to", "due_on", "reason", "lead_unit", "responsible_unit", "open_method", "edition")  # fmt: skip
    of_line = ("resource_code", "title", "domain", "openness", "update_cycle")
    return {
        **{name: getattr(item, name) for name in own},
        **{name: getattr(line, name) for name in of_line},
        "status": planned.status,
        "actual_on": planned.actual_on,
        "overdue": planned.overdue,
    }


def _items() -> Select[PlanItem, InventoryLine, datetime]:
    """Every read of items starts here. What is planned is public: an item of a withheld line would tell of the line."""
    query = select(PlanItem, InventoryLine, LineOpening.opened_at)
    query = query.join(InventoryLine, and_(InventoryLine.id == PlanItem.line_id, PUBLIC_LINES))
    return query.outerjoin(LineOpening, LineOpening.line_id == PlanItem.line_id)


def _due() -> ColumnElement[date]:
    return func.coalesce(PlanItem.delayed_to, PlanItem.planned_on)


def _conditions(work: Work, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield PlanItem.year == wanted.year
    if wanted.agency_ids is not None:
        yield InventoryLine.agency_id.in_(wanted.agency_ids)
    if wanted.domain is not None:
        yield InventoryLine.domain == wanted.domain
    if wanted.status is PlanStatus.OPENED:
        yield LineOpening.opened_at.is_not(None)
    elif wanted.status is not None:
        yield PlanItem.status == wanted.status.value
        yield LineOpening.opened_at.is_(None)
    if wanted.overdue:
        yield LineOpening.opened_at.is_(None)
        yield PlanItem.status != PlanStatus.CANCELLED.value
        yield _due() < day_of(work.now)


def _planned(work: Work, row: Any) -> Planned:
    item, line, opened_at = row
    return Planned(item, line, opened_at, day_of(work.now))
