"""What the feeds read: published releases with their tables and inventory codes, in a constant number of statements."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from opendata.access import service as access
from opendata.access import totals
from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies.models import Agency
from opendata.catalog import queries, vocabularies
from opendata.catalog.library import queries as library
from opendata.catalog.models import Dataset, Resource
from opendata.catalog.queries import LineRow
from opendata.catalog.views import DatasetView
from opendata.core.database import stamp_of
from opendata.core.errors import NotFound
from opendata.inventory.models import InventoryLine
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.inventory.profile.models import ProfileVersion
from opendata.settings import Settings
from opendata.tables.models import Table, TableState
from opendata.work.unit import Work

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
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The ready schemas that its resources name, by `name/version`."""
    terms: Sequence[str] = ()
    """The terms of vocabularies that it has and they still have."""

    @property
    def words(self) -> list[str]:
        """Its keywords, and those terms: to whom a feed is told, they are the same."""
        return list(dict.fromkeys((*self.view.meta.keywords, *self.terms)))


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
    return Page(of_ids(work, ids[:limit]), ids[limit - 1] if len(ids) > limit else None)


def of_ids(work: Work, ids: Sequence[str]) -> list[Record]:
    """Those of them that are public, in that order."""
    return records(work, queries.published(work, ids, visible=PUBLIC_FILTER))


def count_since(work: Work, since: datetime) -> int:
    return queries.published_since(work, since, visible=PUBLIC_FILTER)


def records(work: Work, views: Sequence[DatasetView]) -> list[Record]:
    ids = [view.id for view in views]
    tables, lines = _tables(work, ids), queries.lines_of(work, ids)
    city = profile.city_fields(work) if any(view.meta.city_fields for view in views) else []
    schemas = _schemas(work, views)
    known = vocabularies.known(work, [view.meta.vocabulary_terms for view in views])
    found = (_record(view, tables, lines.get(view.id, []), city, schemas) for view in views)
    return [
        replace(
            record, terms=[term.name for term in vocabularies.of(record.view.meta.vocabulary_terms, known)]
        )
        if record.view.meta.vocabulary_terms
        else record
        for record in found
    ]


def published(work: Work, id_or_name: str) -> Record:
    """`NotFound("dataset_not_found")`; `Gone` for what was withdrawn."""
    view = access.see(work, id_or_name).published
    if view is None:
        raise NotFound("dataset_not_found", id=id_or_name[:100])
    return records(work, [view])[0]


def names(work: Work, *, offset: int, limit: int) -> Sequence[Row[str, str]]:
    """Name and stamp of the publication in id order, for the site map."""
    query = select(Dataset.name, stamp_of(Dataset.published_at)).where(PUBLIC_FILTER)
    return work.session.execute(query.order_by(Dataset.id).offset(offset).limit(limit)).all()


def marks(work: Work, *, after: str, limit: int) -> dict[str, str]:
    """Of the datasets behind the id `after`, in id order: what changes with their release or their body."""
    query = select(Dataset.id, Dataset.revision, Agency.edition).join(Agency, Agency.id == Dataset.agency_id)
    rows = work.session.execute(
        query.where(PUBLIC_FILTER, Dataset.id > after).order_by(Dataset.id).limit(limit)
    )
    return {dataset_id: mark(revision, edition) for dataset_id, revision, edition in rows}


def mark(revision: int, edition: int) -> str:
    return f"{revision}.{edition}"


_BODIES = select(func.count(), func.sum(Agency.edition), func.max(Agency.updated_at))
_LATEST = select(
    *(
        select(func.max(at)).where(at.is_not(None)).scalar_subquery()
        for at in (Dataset.withdrawn_at, InventoryLine.updated_at, Table.updated_at, ProfileVersion.made_at)
    )
)


def state(work: Work, settings: Settings) -> State:
    """What every answer about the whole catalogue depends on, read from indexes: publications, withdrawals, tables that
    came or went (each counts a revision up), edits of bodies, inventory lines and the city's fields."""
    public = totals.facts(work)
    agencies, editions, agency_at = work.session.execute(_BODIES).one()
    others = work.session.execute(_LATEST).one()
    times = [at for at in (public.published_at, agency_at, *others) if at is not None]
    facts: tuple[object, ...] = (
        EDITION,
        settings.site_url,
        settings.site_title,
        settings.site_title_zh,
        public.datasets,
        public.revisions,
    )
    facts += (public.last_id, agencies, editions, *times)
    etag = hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()
    return State(etag, max(times, default=None), public.datasets)


def _schemas(work: Work, views: Sequence[DatasetView]) -> dict[str, Mapping[str, Any]]:
    named = {r.meta.schema_name for view in views for r in view.resources if r.meta.schema_name}
    found = {reference: library.find(work.session, reference) for reference in named}
    return {reference: schema for reference, schema in found.items() if schema is not None}


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
    schemas: Mapping[str, Mapping[str, Any]],
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
    return Record(view, rows, [line.resource_code for line in lines], max(times), city, schemas)
