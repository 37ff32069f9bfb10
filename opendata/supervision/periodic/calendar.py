"""When datasets are due to be reviewed: twelve months after the last time, sooner where the data changes often."""

from __future__ import annotations

import calendar
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, Release
from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.inventory.models import UpdateCycle
from opendata.supervision import policy
from opendata.supervision.periodic.models import PeriodicReview
from opendata.work.unit import Work

MONTHS = 12
SOONER: Mapping[str, int] = {
    UpdateCycle.REALTIME: 3,
    UpdateCycle.DAILY: 3,
    UpdateCycle.WEEKLY: 6,
    UpdateCycle.MONTHLY: 6,
}
"""Months, by update cycle: what changes often goes wrong often."""


@dataclass(frozen=True)
class Due:
    """A public dataset and its place in the calendar."""

    dataset_id: str
    name: str
    title: str
    agency_id: str
    cycle: str
    reviewed_on: date | None
    """The last time; None if never."""
    due_on: date
    """The last day on which the next review is in time."""

    def overdue(self, today: date) -> bool:
        return today > self.due_on


def after(day: date, cycle: str) -> date:
    """The same day some months later, by the cycle; the last of the month where that has no such day."""
    months = day.month - 1 + SOONER.get(cycle, MONTHS)
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def of_bodies(work: Work, agency_ids: Collection[str] | None = None) -> Sequence[Due]:
    """The public datasets of the bodies that the actor may see, or of these of them, by the day they are due."""
    conditions: list[ColumnElement[bool]] = []
    for ids in (policy.seen_bodies(work), agency_ids):
        if ids is not None:
            conditions.append(Dataset.agency_id.in_(ids))
    return sorted(_read(work, conditions), key=lambda due: (due.due_on, due.name))


def of_dataset(work: Work, dataset_id: str) -> Due:
    """`NotFound("dataset_not_found")` for one that is not public, and so has no review to come."""
    found = _read(work, [(Dataset.id == dataset_id) | (Dataset.name == dataset_id)])
    if not found:
        raise NotFound("dataset_not_found", id=dataset_id[:100])
    return found[0]


def every(work: Work) -> list[Due]:
    """All public datasets, for the daily check and the scores."""
    return _read(work, [])


def _read(work: Work, conditions: list[ColumnElement[bool]]) -> list[Due]:
    last = (
        select(PeriodicReview.dataset_id, func.max(PeriodicReview.reviewed_at).label("at"))
        .group_by(PeriodicReview.dataset_id)
        .subquery()
    )
    query = (
        select(
            Dataset.id, Dataset.name, Release.meta["title"].as_string(), Dataset.agency_id,
            Release.meta["update_cycle"].as_string(), Dataset.first_published_at, PeriodicReview.reviewed_at,
            PeriodicReview.next_on,
        )
        .join(Release, Release.id == Dataset.published_id)
        .outerjoin(last, last.c.dataset_id == Dataset.id)
        .outerjoin(
            PeriodicReview,
            (PeriodicReview.dataset_id == Dataset.id) & (PeriodicReview.reviewed_at == last.c.at),
        )
        .where(PUBLIC_FILTER, *conditions)
        .order_by(Dataset.id)
    )  # fmt: skip
    found = []
    for (
        dataset_id,
        name,
        title,
        agency_id,
        promised,
        published_at,
        reviewed_at,
        next_on,
    ) in work.session.execute(query):
        cycle = promised or UpdateCycle.IRREGULAR.value
        due_on = next_on or after(day_of(published_at), cycle)
        reviewed_on = day_of(reviewed_at) if reviewed_at else None
        found.append(Due(dataset_id, name, title or name, agency_id, cycle, reviewed_on, due_on))
    return found
