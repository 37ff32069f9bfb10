"""How much is public. Counting reads an index of all that is public, so the counts are kept while nothing changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog import queries
from opendata.catalog.models import Dataset
from opendata.catalog.views import DatasetView
from opendata.work.unit import Work


@dataclass(frozen=True)
class Facts:
    """What changes whenever anything that is public of the datasets changes."""

    datasets: int
    revisions: int
    published_at: datetime | None
    last_id: str | None


_FACTS = select(
    func.count(),
    func.coalesce(func.sum(Dataset.revision), 0),
    func.max(Dataset.published_at),
    func.max(Dataset.id),
).where(PUBLIC_FILTER)


def facts(work: Work) -> Facts:
    return work.while_unchanged("public facts", lambda: Facts(*work.session.execute(_FACTS).one()))


def by_agency(work: Work) -> Mapping[str, int]:
    """Public datasets by agency id; bodies without any are left out."""
    return work.while_unchanged(
        "public by agency", lambda: queries.counts_by_agency(work, visible=PUBLIC_FILTER)
    )


def count(work: Work, agency_ids: Collection[str] | None = None) -> int:
    """Of all bodies, or of some."""
    counts = by_agency(work)
    return sum(counts.values()) if agency_ids is None else sum(counts.get(i, 0) for i in set(agency_ids))


def page(
    work: Work, *, offset: int = 0, limit: int = 100, agency_ids: Collection[str] | None = None
) -> tuple[list[DatasetView], int]:
    """A page of what is public, newest publication first, and how many there are in all."""
    total = count(work, agency_ids)
    views = queries.newest_published(
        work, visible=PUBLIC_FILTER, offset=offset, limit=limit, agency_ids=agency_ids
    )
    return views, total
