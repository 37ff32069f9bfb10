"""Reads of the catalogue. Every one takes `visible`, the filter of `access.policy`: there is no read without a rule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, Text, bindparam, cast, func, select
from sqlalchemy.orm import Session

from opendata.agencies.models import Agency
from opendata.catalog import views
from opendata.catalog.lifecycle import State
from opendata.catalog.models import (
    Dataset,
    DatasetLine,
    DatasetState,
    File,
    Group,
    Release,
    Resource,
    ResourceVersion,
    ViewKey,
)
from opendata.catalog.views import DatasetView
from opendata.core.database import table_of
from opendata.core.errors import NotFound
from opendata.inventory.models import InventoryLine
from opendata.inventory.policy import PUBLIC_LINES
from opendata.work.unit import Work

Visible = ColumnElement[bool]
LineRow = Row[str, str, str, datetime, str]
"""dataset_id, resource_code, title, updated_at, id of an inventory line."""


def dataset(work: Work, id_or_name: str, *, visible: Visible) -> Dataset:
    """`NotFound("dataset_not_found")` for an unknown one and for one that may not be seen: the two look alike."""
    query = select(Dataset).where((Dataset.id == id_or_name) | (Dataset.name == id_or_name), visible)
    found = work.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("dataset_not_found", id=id_or_name[:100])
    return found


@dataclass(frozen=True)
class Entry:
    """A dataset with what nearly every reader of it asks for next."""

    dataset: Dataset
    agency: Agency
    published: Release | None


_ENTRY = (
    select(Dataset, Agency, Release)
    .join(Agency, Agency.id == Dataset.agency_id)
    .outerjoin(Release, Release.id == Dataset.published_id)
)


def entry(work: Work, id_or_name: str, *, visible: Visible) -> Entry:
    """As `dataset`, with one statement for all that an entry has."""
    query = _ENTRY.where((Dataset.id == id_or_name) | (Dataset.name == id_or_name), visible)
    found = work.session.execute(query).one_or_none()
    if found is None:
        raise NotFound("dataset_not_found", id=id_or_name[:100])
    return Entry(*found)


def entry_of_resource(work: Work, resource_id: str, *, visible: Visible) -> Entry:
    """As `dataset_of_resource`, with one statement for all that an entry has."""
    query = _ENTRY.join(Resource, Resource.dataset_id == Dataset.id)
    found = work.session.execute(query.where(Resource.id == resource_id, visible)).one_or_none()
    if found is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return Entry(*found)


def dataset_of_resource(work: Work, resource_id: str, *, visible: Visible) -> Dataset:
    query = select(Dataset).join(Resource, Resource.dataset_id == Dataset.id)
    found = work.session.execute(query.where(Resource.id == resource_id, visible)).scalar_one_or_none()
    if found is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return found


def dataset_that_showed(work: Work, resource_id: str) -> Dataset | None:
    """The dataset of a resource that was in a release which was public once; None for one that only drafts had."""
    query = (
        select(Dataset)
        .join(ResourceVersion, ResourceVersion.dataset_id == Dataset.id)
        .join(Release, Release.dataset_id == Dataset.id)
        .where(
            ResourceVersion.resource_id == resource_id,
            Release.published_at.is_not(None),
            ResourceVersion.shown_by(Release.number),
        )
    )
    return work.session.execute(query.limit(1)).scalar_one_or_none()


def published(work: Work, ids: Iterable[str], *, visible: Visible) -> list[DatasetView]:
    """Published views of these datasets, in the order of the ids; those that may not be seen are left out."""
    wanted = list(ids)
    query = select(Dataset, Release).join(Release, Release.id == Dataset.published_id)
    rows = work.session.execute(query.where(Dataset.id.in_(wanted), visible)).all()
    by_id = {view.id: view for view in views.many(work.session, [(d, r) for d, r in rows])}
    return [by_id[i] for i in wanted if i in by_id]


def newest_published(
    work: Work,
    *,
    visible: Visible,
    offset: int = 0,
    limit: int = 100,
    agency_ids: Collection[str] | None = None,
) -> list[DatasetView]:
    """Published views, newest publication first. What is passed over is passed over in an index."""
    query = select(Dataset.id).where(*_published(visible, agency_ids=agency_ids))
    query = query.order_by(Dataset.published_at.desc(), Dataset.id.desc()).offset(offset).limit(limit)
    return published(work, work.session.execute(query).scalars(), visible=visible)


def published_since(work: Work, since: datetime, *, visible: Visible) -> int:
    """How many went out since then and are public still (`access.totals` counts all)."""
    query = select(func.count()).select_from(Dataset)
    return work.session.execute(query.where(*_published(visible, since=since))).scalar_one()


def _published(
    visible: Visible, agency_ids: Collection[str] | None = None, since: datetime | None = None
) -> list[ColumnElement[bool]]:
    found = [Dataset.published_id.is_not(None), visible]
    if agency_ids is not None:
        found.append(Dataset.agency_id.in_(agency_ids))
    if since is not None:
        found.append(Dataset.published_at >= since)
    return found


def draft_page(
    work: Work, *, visible: Visible, offset: int = 0, limit: int = 100, agency_id: str | None = None
) -> tuple[list[DatasetView], int]:
    """A page of open drafts, newest edit first, and how many there are in all."""
    query = select(Dataset, Release).join(Release, Release.id == Dataset.draft_id).where(visible)
    query = query.where(Dataset.state != DatasetState.DELETED.value)
    if agency_id is not None:
        query = query.where(Dataset.agency_id == agency_id)
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    order = query.order_by(Release.updated_at.desc(), Dataset.id).offset(offset).limit(limit)
    rows = work.session.execute(order).all()
    return views.many(work.session, [(d, r) for d, r in rows]), total


def published_ids(
    work: Work,
    *,
    visible: Visible,
    after: str = "",
    offset: int = 0,
    limit: int = 1000,
    agency_ids: Collection[str] | None = None,
    since: datetime | None = None,
) -> Sequence[str]:
    """Ids of published datasets in id order, after a given one: walks over the whole catalogue, which miss and repeat
    nothing whatever is published or withdrawn meanwhile."""
    query = select(Dataset.id).where(Dataset.id > after, *_published(visible, agency_ids, since))
    return work.session.execute(query.order_by(Dataset.id).offset(offset).limit(limit)).scalars().all()


def published_names(
    work: Work, *, visible: Visible, offset: int = 0, limit: int | None = None
) -> Sequence[str]:
    query = select(Dataset.name).where(*_published(visible)).order_by(Dataset.name)
    return work.session.execute(query.offset(offset).limit(limit)).scalars().all()


def lines_of(work: Work, ids: Sequence[str]) -> dict[str, list[LineRow]]:
    """The public inventory lines that each of these datasets opens, by code; their items stay in the database. The inventory
    is public, but which dataset opens a line is for those who see the dataset: the caller has looked."""
    if not ids:
        return {}
    found: dict[str, list[LineRow]] = {}
    work.session.flush()
    for row in work.session.connection().execute(_LINES, {"ids": list(ids)}):
        found.setdefault(row.dataset_id, []).append(row)
    return found


_LINE, _OPENS = table_of(InventoryLine), table_of(DatasetLine)
_LINES: Select[str, str, str, datetime, str] = (
    select(_OPENS.c.dataset_id, _LINE.c.resource_code, _LINE.c.title, _LINE.c.updated_at, _LINE.c.id)
    .join(_LINE, _LINE.c.id == _OPENS.c.line_id)
    .where(_OPENS.c.dataset_id.in_(bindparam("ids", expanding=True)), PUBLIC_LINES)
    .order_by(_LINE.c.resource_code)
)


def names_by_code(work: Work, codes: Sequence[str], *, visible: Visible) -> dict[str, list[str]]:
    """Names of the datasets that open the inventory lines of these resource codes."""
    if not codes:
        return {}
    query = select(InventoryLine.resource_code, Dataset.name)
    query = query.join(DatasetLine, DatasetLine.line_id == InventoryLine.id)
    query = query.join(Dataset, Dataset.id == DatasetLine.dataset_id)
    query = query.where(InventoryLine.resource_code.in_(codes), PUBLIC_LINES, visible)
    query = query.order_by(Dataset.name)
    found: dict[str, list[str]] = {}
    for code, name in work.session.execute(query):
        found.setdefault(code, []).append(name)
    return found


def taken_names(work: Work, names: Collection[str]) -> set[str]:
    """Those that some dataset has, whatever became of it."""
    query = select(Dataset.name).where(Dataset.name.in_(names))
    return set(work.session.execute(query).scalars()) if names else set()


def counts_by_agency(work: Work, *, visible: Visible) -> dict[str, int]:
    """Published datasets per agency id; bodies without any are left out."""
    query = select(Dataset.agency_id, func.count()).where(*_published(visible))
    rows = work.session.execute(query.group_by(Dataset.agency_id)).all()
    return {row[0]: row[1] for row in rows}


def release(session: Session, release_id: str | None) -> Release | None:
    return session.get(Release, release_id) if release_id else None


def releases(work: Work, dataset: Dataset) -> Sequence[Release]:
    """All releases of a dataset, newest first. The caller shows only those that its reader may see."""
    query = select(Release).where(Release.dataset_id == dataset.id).order_by(Release.number.desc())
    return work.session.execute(query).scalars().all()


def last_release(work: Work, dataset: Dataset) -> Release:
    """What edits start from: the open draft, or else the newest release that was not discarded."""
    if (draft := release(work.session, dataset.draft_id)) is not None:
        return draft
    return work.session.execute(_LAST, {"dataset": dataset.id}).scalar_one()


def last_release_id() -> ScalarSelect[str]:
    """The same of each row of a list, as a part of its statement."""
    return _last(Dataset.id).correlate(Dataset).scalar_subquery()


def _last(dataset_id: Any) -> Select[str]:
    query = select(Release.id).where(Release.dataset_id == dataset_id, Release.state != State.DISCARDED.value)
    return query.order_by(Release.number.desc()).limit(1)


_LAST = select(Release).where(Release.id == _last(bindparam("dataset")).scalar_subquery())


GROUPS, GROUP_FACES = "groups", "groups as datasets show them"
_GROUPS = select(Group).where(Group.active).order_by(Group.name)


def groups(work: Work) -> Sequence[Group]:
    """Those in use, by name. Read once in a unit of work."""
    return work.once(GROUPS, lambda: work.session.execute(_GROUPS).scalars().all())


@dataclass(frozen=True)
class GroupFace:
    """A group as the datasets in it show it."""

    id: str
    name: str
    title: str
    description: str
    image_url: str


_FACES = select(*(table_of(Group).c[name] for name in GroupFace.__dataclass_fields__)).where(Group.active)


def group_faces(work: Work) -> Mapping[str, GroupFace]:
    """Those in use, by name."""
    return work.rule(GROUP_FACES, ("group",), lambda: {face.name: face for face in _faces(work)})


def _faces(work: Work) -> Iterator[GroupFace]:
    work.session.flush()
    for row in work.session.connection().execute(_FACES):
        yield GroupFace(*row)


def groups_changed(work: Work) -> None:
    """To be called by whoever writes a group."""
    work.forget(GROUPS)
    work.forget(GROUP_FACES)


def group(work: Work, id_or_name: str) -> Group:
    query = select(Group).where((Group.name == id_or_name) | (Group.id == id_or_name), Group.active)
    found = work.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("group_not_found", id=id_or_name[:100])
    return found


def is_group(work: Work, key: str) -> bool:
    """Whether a group, a closed one too, has that name or id."""
    query = select(Group.id).where((Group.name == key) | (Group.id == key))
    return work.session.execute(query).first() is not None


def resource_of_view(work: Work, view_id: str) -> str | None:
    """Id of the resource that a view shows."""
    key = work.session.get(ViewKey, view_id)
    return key.resource_id if key else None


def resources_with_views(work: Work) -> Sequence[str]:
    """Ids of resources that have, or had, a view."""
    query = select(ViewKey.resource_id).distinct().order_by(ViewKey.resource_id)
    return work.session.execute(query).scalars().all()


def new_view_key(work: Work, view_id: str, resource_id: str) -> None:
    """A view by which its resource is found."""
    work.session.add(ViewKey(id=view_id, resource_id=resource_id))


def in_releases(work: Work, group: Group) -> bool:
    """Whether any release, even an old one, may name the group (a text that looks like it counts)."""
    named = cast(Release.meta, Text).like(f'%"{group.name}"%')
    return work.session.execute(select(Release.id).where(named).limit(1)).first() is not None


def hash_in_use(session: Session, sha256: str) -> bool:
    """Whether any file row names these bytes."""
    return session.execute(select(File.id).where(File.sha256 == sha256).limit(1)).first() is not None
