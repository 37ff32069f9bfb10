"""What the feeds read: published releases with their tables and inventory codes, in a constant number of statements."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.models import Dataset, Resource
from opendata.catalog.queries import LineRow
from opendata.catalog.views import DatasetView
from opendata.inventory.models import InventoryLine
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.inventory.profile.models import ProfileVersion
from opendata.settings import Settings
from opendata.tables.models import Table, TableState
from opendata.work.unit import Work, Workplace

BATCH = 200
"""Datasets in memory at a time where all are walked over."""
EDITION = "1"
"""Counts up when the same data gives other bytes: part of every ETag."""


TableRow = Row[str, str, int | None, datetime]
"""resource_id, file_id, row_count, updated_at."""


@dataclass(frozen=True)
class Record:
    """A published dataset and what is known of it beside its release."""

    view: DatasetView
    rows: Mapping[str, int | None]
    """Resources that can be asked for rows: how many they have."""
    codes: Sequence[str]
    """信息资源代码 of the inventory lines that it opens."""
    changed_at: datetime
    """When anything changed of which a feed tells: its release, its body, its tables, its inventory lines."""
    city: Sequence[CityField] = ()
    """What the city's own fields are called, if the dataset has any."""


@dataclass(frozen=True)
class State:
    """The state of the whole public catalogue."""

    etag: str
    modified_at: datetime | None
    datasets: int


@dataclass(frozen=True)
class Page:
    """Some of the catalogue in id order."""

    records: Sequence[Record]
    following: str | None
    """The id after which the next page begins; None if there is none."""


def page(work: Work, *, offset: int = 0, after: str = "", limit: int, since: datetime | None = None) -> Page:
    """The records behind the id `after`, or that many of them further on; only what was published `since`."""
    ids = queries.published_ids(
        work, visible=PUBLIC_FILTER, after=after, offset=offset, limit=limit + 1, since=since
    )
    shown = records(work, queries.published(work, ids[:limit], visible=PUBLIC_FILTER))
    return Page(shown, ids[limit - 1] if len(ids) > limit else None)


def count_since(work: Work, since: datetime) -> int:
    return queries.published_count(work, visible=PUBLIC_FILTER, since=since)


def newest(work: Work, *, limit: int, agency_id: str | None = None) -> list[Record]:
    """What went out last, of all bodies or of one."""
    ids = [agency_id] if agency_id else None
    return records(work, queries.newest_published(work, visible=PUBLIC_FILTER, limit=limit, agency_ids=ids))


def records(work: Work, views: Sequence[DatasetView]) -> list[Record]:
    ids = [view.id for view in views]
    tables, lines = _tables(work, ids), queries.lines_of(work, ids)
    city = profile.city_fields(work) if any(view.meta.city_fields for view in views) else []
    return [_record(view, tables, lines.get(view.id, []), city) for view in views]


def batches(place: Workplace) -> Iterator[list[Record]]:
    """All records in id order, some at a time, each batch on a work of its own: a slow reader holds nothing open. What
    is published or withdrawn meanwhile is there or not; nothing else is missed or given twice."""
    last = ""
    while True:
        with place.reading() as work:
            ids = queries.published_ids(work, visible=PUBLIC_FILTER, after=last, limit=BATCH)
            if not ids:
                return
            last = ids[-1]
            found = records(work, queries.published(work, ids, visible=PUBLIC_FILTER))
        yield found


def names(work: Work, *, offset: int, limit: int) -> Sequence[tuple[str, datetime]]:
    """(name, published at) in id order, for the site map."""
    query = select(Dataset.name, Dataset.published_at)
    rows = work.session.execute(query.where(PUBLIC_FILTER).order_by(Dataset.id).offset(offset).limit(limit))
    return [(name, at) for name, at in rows if at is not None]


def state(work: Work, settings: Settings) -> State:
    """What every answer about the whole catalogue depends on, read from indexes: publications, withdrawals, tables that
    came or went (each counts a revision up), edits of bodies, inventory lines and the city's fields."""
    datasets = select(
        func.count(), func.sum(Dataset.revision), func.max(Dataset.published_at), func.max(Dataset.id)
    )
    count, revisions, published, last = work.session.execute(datasets.where(PUBLIC_FILTER)).one()
    bodies = select(func.count(), func.sum(Agency.edition), func.max(Agency.updated_at))
    agencies, editions, agency_at = work.session.execute(bodies).one()
    latest = (Dataset.withdrawn_at, InventoryLine.updated_at, Table.updated_at, ProfileVersion.made_at)
    others = work.session.execute(
        select(*(select(func.max(at)).where(at.is_not(None)).scalar_subquery() for at in latest))
    ).one()
    times = [at for at in (published, agency_at, *others) if at is not None]
    facts: tuple[object, ...] = (
        EDITION,
        settings.site_url,
        settings.site_title,
        settings.site_title_zh,
        count,
        revisions,
    )
    facts += (last, agencies, editions, *times)
    etag = hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()
    return State(etag, max(times, default=None), count)


def _tables(work: Work, ids: Sequence[str]) -> dict[str, TableRow]:
    """Ready tables by resource id. Columns stay in the database: a page of wide tables has megabytes."""
    query = select(Table.resource_id, Table.file_id, Table.row_count, Table.updated_at)
    query = query.join(Resource, Resource.id == Table.resource_id)
    found = work.session.execute(
        query.where(Resource.dataset_id.in_(ids), Table.state == TableState.READY.value)
    )
    return {row.resource_id: row for row in found}


def _record(
    view: DatasetView,
    tables: Mapping[str, TableRow],
    lines: Sequence[LineRow],
    city: Sequence[CityField],
) -> Record:
    """While a new file's table is loading, the old one's rows are not those of the release."""
    own = {
        r.id: tables[r.id]
        for r in view.resources
        if r.id in tables and r.file is not None and tables[r.id].file_id == r.file.id
    }
    release = view.release
    times = [release.published_at or release.updated_at, view.agency.updated_at]
    times += [row.updated_at for row in own.values()] + [line.updated_at for line in lines]
    rows = {resource_id: row.row_count for resource_id, row in own.items()}
    return Record(view, rows, [line.resource_code for line in lines], max(times), city)
