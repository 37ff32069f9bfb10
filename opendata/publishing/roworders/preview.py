"""What an order would hide, before anybody places it: how many rows of which versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from opendata.catalog.models import Dataset, Release, Resource, ResourceVersion
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import OrderKind, RowOrder
from opendata.core.clock import day_of
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import service
from opendata.publishing.roworders.looking import Outcome, Plan, Source, look, sources
from opendata.publishing.roworders.service import Wanted
from opendata.tables.rows import erasing
from opendata.tabular.removal import keys as hashing
from opendata.work.actor import SYSTEM
from opendata.work.audit import AuditRow
from opendata.work.unit import Work

TRIED = "tried"


@dataclass(frozen=True)
class Shown:
    """A file, and where it is shown."""

    source: Source
    resources: Sequence[str]
    """Names of the resources."""
    releases: Sequence[int]
    """Numbers of the releases that show it; none: a draft that is gone had it."""
    public: bool
    """The published release shows it."""


@dataclass(frozen=True)
class Asked:
    plan: Plan
    shown: Sequence[Shown]
    public: bool
    """Everybody sees the dataset, and so the rows that clients write outside of drafts."""


@dataclass(frozen=True)
class Match:
    shown: Shown
    outcome: Outcome

    @property
    def rows(self) -> int:
        return self.outcome.counts.get(TRIED, 0)


@dataclass(frozen=True)
class Tried:
    files: Sequence[Match]
    written: int
    """Rows that clients write, drafts too."""
    written_public: int

    @property
    def found(self) -> Sequence[Match]:
        """Those with such a row, or that nobody can look into."""
        return [match for match in self.files if match.rows or match.outcome.trouble]

    @property
    def rows(self) -> int:
        return sum(match.rows for match in self.files) + self.written

    @property
    def public_rows(self) -> int:
        return sum(match.rows for match in self.files if match.shown.public) + self.written_public


def ask(work: Work, secret: bytes, dataset: Dataset, wanted: Wanted) -> Asked:
    """Errors as of `service.place`; nothing is written."""
    columns, values = service.read_keys(work, dataset, wanted)
    salt = hashing.subkey(secret, dataset.id)
    by_key = wanted.kind is OrderKind.ERASE
    digests = [hashing.digest(salt, columns, key) for key in values] if by_key else None
    order: dict[str, Any] = {"id": TRIED, "columns": columns, "digests": digests}
    plan = Plan(dataset.id, [order], frozenset(), day_of(work.now))
    return Asked(plan, shown_in(work, dataset), dataset.published_id is not None)


def run(journey: Journey, asked: Asked) -> Tried:
    """Looks at every row of every version, and of every table that clients write. Blocks; outside a transaction."""
    counts = {}
    with journey.place.reading(SYSTEM) as work:
        for draft in (False, True):
            about = (asked.plan.dataset_id, asked.plan.orders)
            counts[draft] = erasing.count(work, journey.rows, *about, draft=draft)
    files = [
        Match(one, look(journey, one.source, asked.plan, asked.plan.orders, keep=False))
        for one in asked.shown
    ]
    return Tried(files, counts[True] + counts[False], counts[False] if asked.public else 0)


def shown_in(work: Work, dataset: Dataset) -> list[Shown]:
    return [_shown(work, dataset, source) for source in sources(work, dataset)]


def _shown(work: Work, dataset: Dataset, source: Source) -> Shown:
    query = (
        select(ResourceVersion, Release)
        .join(Release, Release.dataset_id == ResourceVersion.dataset_id)
        .where(
            ResourceVersion.file_id == source.file_id,
            ResourceVersion.dataset_id == dataset.id,
            ResourceVersion.shown_by(Release.number),
        )
    )
    rows = work.session.execute(query.order_by(Release.number)).all()
    names = dict.fromkeys(str(version.meta.get("name") or version.resource_id) for version, _ in rows)
    return Shown(
        source,
        list(names) or [source.name],
        list(dict.fromkeys(release.number for _, release in rows)),
        any(release.id == dataset.published_id for _, release in rows),
    )


def done(work: Work, dataset: Dataset, order_id: str) -> list[tuple[Shown, int, dict[str, Any]]]:
    """What an order did: each file with its rows, and why one could not be looked into."""
    shown = shown_in(work, dataset)
    treated = queries.treatments(work.session, [one.source.file_id for one in shown])
    found = []
    for one in shown:
        row = treated.get(one.source.file_id)
        if row is not None and (row.counts.get(order_id) or row.trouble):
            found.append((one, int(row.counts.get(order_id, 0)), row.trouble))
    return found


def erased(work: Work, order: RowOrder) -> int:
    """Rows that clients had written and that the order took: they went at once, and lifting brings none of them back."""
    mine = select(Resource.id).where(Resource.dataset_id == order.dataset_id)
    query = select(AuditRow.details).where(AuditRow.action == "rows.erased", AuditRow.subject_id.in_(mine))
    told = work.session.execute(query).scalars()
    return sum(int(details.get("rows", {}).get(order.number, 0)) for details in told)
