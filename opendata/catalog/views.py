"""A dataset as one release shows it: read models that every face (REST, CKAN, DCAT, pages, index) renders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.catalog.models import Dataset, DatasetState, File, Release, Resource, ResourceVersion
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.core.database import table_of


@dataclass(frozen=True)
class FileView:
    id: str
    sha256: str
    size: int
    name: str
    media_type: str
    uploaded_at: datetime
    held: bool = False
    """A row order waits to be applied to it: nobody gets its bytes or rows meanwhile."""


FILE_FACTS = tuple(FileView.__dataclass_fields__)


@dataclass(frozen=True)
class ResourceView:
    id: str
    dataset_id: str
    position: int
    meta: ResourceMeta
    file: FileView | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Contact:
    """Whom to ask about a dataset; what nobody has written is empty."""

    name: str
    phone: str
    email: str


@dataclass(frozen=True)
class DatasetView:
    """`release` tells number, state, dates and content hash; `dataset` the identity."""

    dataset: Dataset
    release: Release
    agency: Agency
    meta: DatasetMeta
    resources: Sequence[ResourceView]

    @property
    def id(self) -> str:
        return self.dataset.id

    @property
    def contact(self) -> Contact:
        """Its contact (联系人); else its maintainer or its author, whom alone CKAN's clients know; else its body's. The
        name is that of the person whose address it is."""
        meta, body = self.meta, self.agency
        people = (
            (meta.contact_name, meta.contact_email),
            (meta.maintainer, meta.maintainer_email),
            (meta.author, meta.author_email),
            (body.contact_name, body.contact_email),
        )
        name, email = next(((name, email) for name, email in people if email), ("", ""))
        named = (meta.contact_name, name, *(name for name, _ in people), body.title, body.name)
        return Contact(
            name=next(name for name in named if name),
            phone=meta.contact_phone or body.contact_phone,
            email=email,
        )


def one(session: Session, dataset: Dataset, release: Release) -> DatasetView:
    return many(session, [(dataset, release)])[0]


def many(session: Session, pairs: Sequence[tuple[Dataset, Release]]) -> list[DatasetView]:
    """Views of (dataset, release) pairs in their order, with a constant number of queries."""
    agencies = agency_queries.by_ids(session, {dataset.agency_id for dataset, _ in pairs})
    resources = _resources(session, [release for _, release in pairs])
    return [
        DatasetView(
            dataset=dataset,
            release=release,
            agency=agencies[dataset.agency_id],
            meta=DatasetMeta(**release.meta),
            resources=resources.get(release.id, []),
        )
        for dataset, release in pairs
    ]


def resource(session: Session, release: Release, resource_id: str) -> ResourceView | None:
    """One resource as the release shows it."""
    found = _resources(session, [release], resource_id).get(release.id, [])
    return found[0] if found else None


def published_resource(session: Session, resource_id: str) -> ResourceView | None:
    """A resource as the dataset's published release shows it; None if it is not public."""
    query = (
        select(Release)
        .join(Dataset, Dataset.published_id == Release.id)
        .join(Resource, Resource.dataset_id == Dataset.id)
        .where(Resource.id == resource_id, Dataset.state == DatasetState.ACTIVE.value)
    )
    release = session.execute(query).scalar_one_or_none()
    return resource(session, release, resource_id) if release else None


def published_hashes(session: Session, among: Iterable[str]) -> set[str]:
    """Those of the SHA-256 values that a resource of a published release has."""
    query = (
        select(File.sha256)
        .join(ResourceVersion, ResourceVersion.file_id == File.id)
        .join(Dataset, Dataset.id == ResourceVersion.dataset_id)
        .join(Release, Release.id == Dataset.published_id)
        .where(
            File.sha256.in_(list(among)),
            ResourceVersion.shown_by(Release.number),
        )
    )
    return set(session.execute(query).scalars())


_RELEASE, _VERSION, _RESOURCE, _FILE = (
    table_of(model) for model in (Release, ResourceVersion, Resource, File)
)
_SHOWN = (
    *(_VERSION.c[name] for name in ("resource_id", "dataset_id", "position", "meta", "updated_at")),
    _RESOURCE.c.created_at,
    _FILE.c.reading,
    *(_FILE.c[name].label(f"file_{name}") for name in FILE_FACTS),
)
"""What a resource is shown by: columns, not objects, for every face and the index read by it."""
_RESOURCES = (
    select(_RELEASE.c.id.label("release_id"), *_SHOWN)
    .join(
        _VERSION,
        and_(
            _VERSION.c.dataset_id == _RELEASE.c.dataset_id,
            _VERSION.c.since <= _RELEASE.c.number,
            or_(_VERSION.c.until.is_(None), _VERSION.c.until > _RELEASE.c.number),
        ),
    )
    .join(_RESOURCE, _RESOURCE.c.id == _VERSION.c.resource_id)
    .outerjoin(_FILE, _FILE.c.id == _VERSION.c.file_id)
    .where(_RELEASE.c.id.in_(bindparam("releases", expanding=True)))
    .order_by(_VERSION.c.position, _VERSION.c.id)
)
"""Made once: making it costs as much as running it."""
_RESOURCE_ALONE = _RESOURCES.where(_VERSION.c.resource_id == bindparam("resource"))


def resources_matching(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[Any],
    *,
    offset: int,
    limit: int,
) -> tuple[int, list[ResourceView]]:
    """Resources of published releases that meet conditions on Dataset, Resource, ResourceVersion and File: how many there
    are, and some of them. The caller brings the filter of what may be seen."""
    query = (
        select(*_SHOWN)
        .join(
            Release,
            and_(Release.dataset_id == ResourceVersion.dataset_id, ResourceVersion.since <= Release.number),
        )
        .join(Dataset, Dataset.published_id == Release.id)
        .join(Resource, Resource.id == ResourceVersion.resource_id)
        .outerjoin(File, File.id == ResourceVersion.file_id)
        .where(or_(ResourceVersion.until.is_(None), ResourceVersion.until > Release.number), *conditions)
    )
    counted = select(func.count()).select_from(query.with_only_columns(ResourceVersion.id).subquery())
    total = session.execute(counted).scalar_one()
    rows = session.execute(query.order_by(*order).offset(offset).limit(limit))
    return total, [_resource_view(row) for row in rows]


def _resources(
    session: Session, releases: Iterable[Release], resource_id: str | None = None
) -> dict[str, list[ResourceView]]:
    session.flush()
    asked = {"releases": [r.id for r in releases], "resource": resource_id}
    query = _RESOURCES if resource_id is None else _RESOURCE_ALONE
    found: dict[str, list[ResourceView]] = {}
    for row in session.connection().execute(query, asked):
        found.setdefault(row.release_id, []).append(_resource_view(row))
    return found


def _resource_view(row: Row[*tuple[Any, ...]]) -> ResourceView:
    file = FileView(*row[-len(FILE_FACTS) :]) if row.file_id is not None else None
    return ResourceView(
        id=row.resource_id,
        dataset_id=row.dataset_id,
        position=row.position,
        meta=ResourceMeta(**(row.meta | (row.reading or {}))),
        file=file,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
