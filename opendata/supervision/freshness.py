"""Promised update cycles against what happened: when each public dataset's data changed last, here or behind its links, and by
when it has to again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, func, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, Release, ResourceVersion
from opendata.core.clock import day_of
from opendata.inventory.models import UpdateCycle
from opendata.supervision.links import queries as links
from opendata.supervision.links.queries import Remote
from opendata.work.unit import Work

ALLOWANCE_DAYS: Mapping[str, int] = {
    UpdateCycle.REALTIME: 1,
    UpdateCycle.DAILY: 2,
    UpdateCycle.WEEKLY: 9,
    UpdateCycle.MONTHLY: 38,
    UpdateCycle.QUARTERLY: 105,
    UpdateCycle.HALF_YEARLY: 200,
    UpdateCycle.YEARLY: 395,
}
"""The cycle and about a fifth of it, in days; a dataset of another cycle promises nothing."""


@dataclass(frozen=True)
class Freshness:
    dataset_id: str
    name: str
    title: str
    agency_id: str
    cycle: str
    updated_on: date
    """When a file of the public release came last, ours or one behind a link; the publication, if of a link nothing is known
    and there is no file of ours."""
    due_on: date | None
    """The last day on which the next update is in time; None if nothing is promised."""

    def missed(self, today: date) -> bool:
        return self.due_on is not None and today > self.due_on


def every(work: Work) -> Iterator[Freshness]:
    """All public datasets, in two statements."""
    version = ResourceVersion
    shown = and_(
        version.dataset_id == Dataset.id,
        version.shown_by(Release.number),
        version.file_id.is_not(None),
    )
    query = (
        select(
            Dataset.id, Dataset.name, Release.meta["title"].as_string(), Dataset.agency_id,
            Release.meta["update_cycle"].as_string(), Release.published_at, func.max(version.updated_at),
        )
        .join(Release, Release.id == Dataset.published_id)
        .outerjoin(version, shown)
        .where(PUBLIC_FILTER)
        .group_by(Dataset.id, Release.id)
        .order_by(Dataset.id)
    )  # fmt: skip
    remote = links.remote(work)
    for dataset_id, name, title, agency_id, promised, published_at, file_at in work.session.execute(query):
        cycle = promised or UpdateCycle.IRREGULAR.value
        updated_on = _updated_on(remote.get(dataset_id), published_at, file_at)
        days = ALLOWANCE_DAYS.get(cycle)
        due_on = updated_on + timedelta(days=days) if days is not None else None
        yield Freshness(dataset_id, name, title or name, agency_id, cycle, updated_on, due_on)


def _updated_on(remote: Remote | None, published_at: datetime, file_at: datetime | None) -> date:
    days = [day_of(file_at)] if file_at is not None else []
    if remote is not None and remote.changed_on is not None:
        days.append(remote.changed_on)
    if file_at is None and (remote is None or remote.unknown):
        days.append(day_of(published_at))
    return max(days)
