"""A dataset as one release shows it: read models that every face (REST, CKAN, DCAT, pages, index) renders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.catalog.models import Dataset, DatasetState, File, Release, Resource, ResourceVersion
from opendata.catalog.profile import DatasetMeta, ResourceMeta


@dataclass(frozen=True)
class FileView:
    id: str
    sha256: str
    size: int
    name: str
    media_type: str
    uploaded_at: datetime


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
            ResourceVersion.since <= Release.number,
            or_(ResourceVersion.until.is_(None), ResourceVersion.until > Release.number),
        )
    )
    return set(session.execute(query).scalars())


_RESOURCES = (
    select(Release.id, ResourceVersion, Resource.created_at, File)
    .join(
        ResourceVersion,
        and_(
            ResourceVersion.dataset_id == Release.dataset_id,
            ResourceVersion.since <= Release.number,
            or_(ResourceVersion.until.is_(None), ResourceVersion.until > Release.number),
        ),
    )
    .join(Resource, Resource.id == ResourceVersion.resource_id)
    .outerjoin(File, File.id == ResourceVersion.file_id)
    .where(Release.id.in_(bindparam("releases", expanding=True)))
    .order_by(ResourceVersion.position, ResourceVersion.id)
)
"""Made once: making it costs as much as running it."""


def _resources(
    session: Session, releases: Iterable[Release], resource_id: str | None = None
) -> dict[str, list[ResourceView]]:
    query = _RESOURCES
    if resource_id is not None:
        query = query.where(ResourceVersion.resource_id == resource_id)
    found: dict[str, list[ResourceView]] = {}
    for release_id, version, created_at, file in session.execute(
        query, {"releases": [r.id for r in releases]}
    ):
        found.setdefault(release_id, []).append(_resource_view(version, created_at, file))
    return found


def _resource_view(version: ResourceVersion, created_at: datetime, file: File | None) -> ResourceView:
    return ResourceView(
        id=version.resource_id,
        dataset_id=version.dataset_id,
        position=version.position,
        meta=ResourceMeta(**version.meta),
        file=FileView(file.id, file.sha256, file.size, file.name, file.media_type, file.uploaded_at)
        if file
        else None,
        created_at=created_at,
        updated_at=version.updated_at,
    )
