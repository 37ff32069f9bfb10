"""Editing of open drafts: the rows only. Who may, and what an edit does to a release under way, is `publishing`'s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, literal, null, or_, select, update

from opendata.agencies.models import Agency
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, File, Release, ReleaseAuthor, Resource, ResourceVersion
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.catalog.roworders.models import ResourceFile
from opendata.core.database import Written, store, table_of
from opendata.core.errors import Conflict, Invalid, NotFound, invalid
from opendata.core.ids import is_id, new_id
from opendata.core.names import check_name
from opendata.work.unit import Work

# Made once: making a statement costs more than running it.
_ADD_AUTHOR = Written(insert(table_of(ReleaseAuthor)))
_ADD_RESOURCES = Written(insert(table_of(Resource)))
_ADD_VERSIONS = Written(insert(table_of(ResourceVersion)))
_KEYS = table_of(Dataset).c
_TAKEN = select(_KEYS.name, _KEYS.id).where(
    or_(*(key == bindparam(name) for key in (_KEYS.name, _KEYS.id) for name in ("name", "other")))
)


@dataclass(frozen=True)
class NewResource:
    """A resource to be added. A caller may choose the id (CKAN's clients do), but never one that exists."""

    meta: ResourceMeta
    file: File | None = None
    id: str | None = None


def create_dataset(
    work: Work,
    agency: Agency,
    *,
    name: str,
    meta: DatasetMeta,
    source_id: str | None = None,
    dataset_id: str | None = None,
    defaulted: Sequence[str] = (),
    resources: Sequence[NewResource] = (),
) -> tuple[Dataset, Release]:
    """A dataset with its first open draft. `Conflict("name_taken")`, `Conflict("source_id_taken")`."""
    if errors := check_name("name", name):
        raise Invalid(fields=errors)
    if dataset_id is not None and not is_id(dataset_id):
        raise invalid("id", "bad_id", value=dataset_id[:100])
    _check_free(work, agency, name, source_id, dataset_id)
    dataset = Dataset(
        id=dataset_id or new_id(),
        name=name,
        agency_id=agency.id,
        source_id=source_id,
        submit_at=None,
        created_by=work.actor.id,
        created_at=work.now,
    )
    release = _draft(work, dataset, meta, defaulted)
    store(work.session, dataset)
    _insert(work, release)
    _insert_resources(work, dataset, release, resources, position=0)
    return dataset, release


def new_release(work: Work, dataset: Dataset, meta: DatasetMeta, defaulted: Sequence[str] = ()) -> Release:
    """The dataset's next open draft."""
    release = _draft(work, dataset, meta, defaulted)
    _insert(work, release)
    return release


def _draft(work: Work, dataset: Dataset, meta: DatasetMeta, defaulted: Sequence[str]) -> Release:
    dataset.last_number = (dataset.last_number or 0) + 1
    release = Release(
        id=new_id(),
        dataset_id=dataset.id,
        number=dataset.last_number,
        state=State.DRAFT.value,
        sentence={"code": "draft"},
        meta=meta.stored(),
        defaulted=list(defaulted),
        created_at=work.now,
        updated_at=work.now,
    )
    dataset.draft_id = release.id
    return release


def _insert(work: Work, release: Release) -> None:
    store(work.session, release)
    work.made.add(release.id)
    if work.actor.id is not None:
        _ADD_AUTHOR.send(work.session, {"release_id": release.id, "user_id": work.actor.id})
        work.once(("author", release.id, work.actor.id), lambda: True)


def add_author(work: Work, release: Release) -> None:
    """Notes that the actor edited the release."""
    actor = work.actor.id
    if actor is not None:
        work.once(("author", release.id, actor), lambda: _note_author(work, release, actor))


def _note_author(work: Work, release: Release, actor: str) -> bool:
    if work.session.get(ReleaseAuthor, (release.id, actor)) is None:
        work.session.add(ReleaseAuthor(release_id=release.id, user_id=actor))
    return True


def set_meta(work: Work, release: Release, meta: DatasetMeta, written: Sequence[str]) -> None:
    """Replaces the draft's metadata; `written` are the fields that a person wrote (no longer defaulted)."""
    release.meta = meta.stored()
    release.defaulted = [name for name in release.defaulted if name not in written]
    mark_edited(work, release)


def mark_edited(work: Work, release: Release) -> None:
    release.updated_at = work.now
    release.content_hash = None
    add_author(work, release)


def add_resources(work: Work, dataset: Dataset, release: Release, new: Sequence[NewResource]) -> list[str]:
    """New resources at the end of the draft, in order; returns their ids. Two statements, however many they are."""
    ids = _insert_resources(work, dataset, release, new, position=_next_position(work, dataset))
    mark_edited(work, release)
    return ids


def _insert_resources(
    work: Work, dataset: Dataset, release: Release, new: Sequence[NewResource], *, position: int
) -> list[str]:
    if not new:
        return []
    ids = [_free_id(work, entry.id) for entry in new]
    shared = {"dataset_id": dataset.id}
    _ADD_RESOURCES.send(work.session, *({**shared, "id": i, "created_at": work.now} for i in ids))
    _ADD_VERSIONS.send(
        work.session,
        *(
            {
                **shared,
                "resource_id": resource_id,
                "since": release.number,
                "position": position + offset,
                "meta": entry.meta.stored(),
                "file_id": entry.file.id if entry.file else None,
                "updated_at": work.now,
            }
            for offset, (resource_id, entry) in enumerate(zip(ids, new, strict=True))
        ),
    )
    files = [(i, entry.file.id if entry.file else None) for i, entry in zip(ids, new, strict=True)]
    _note_files(work, dataset.id, files)
    return ids


def _note_files(work: Work, dataset_id: str, files: Iterable[tuple[str, str | None]]) -> None:
    """Every file that a resource has had stays known: row orders look at all of them."""
    rows = [
        {"resource_id": resource_id, "file_id": file_id, "dataset_id": dataset_id}
        for resource_id, file_id in files
        if file_id
    ]
    if not rows:
        return
    mine = ResourceFile.file_id.in_([row["file_id"] for row in rows])
    had = work.session.execute(select(ResourceFile.resource_id, ResourceFile.file_id).where(mine))
    known = {(resource_id, file_id) for resource_id, file_id in had}
    if fresh := [row for row in rows if (row["resource_id"], row["file_id"]) not in known]:
        work.session.execute(insert(ResourceFile), fresh)


def _free_id(work: Work, wanted: str | None) -> str:
    if wanted is None:
        return new_id()
    if not is_id(wanted) or work.session.get(Resource, wanted.lower()) is not None:
        raise invalid("id", "bad_id", value=wanted[:100])
    return wanted.lower()


def edit_resource(
    work: Work, release: Release, resource_id: str, changes: Mapping[str, Any]
) -> ResourceVersion:
    """Sets `meta`, `file_id` or `position` of a resource in the draft; in a new version if an older release shows this one."""
    version = current_version(work, release, resource_id)
    if version.since < release.number:
        version.until = release.number
        work.session.flush()
        version = ResourceVersion(
            resource_id=version.resource_id,
            dataset_id=version.dataset_id,
            since=release.number,
            position=version.position,
            meta=version.meta,
            file_id=version.file_id,
            updated_at=work.now,
        )
        work.session.add(version)
    for field, value in changes.items():
        setattr(version, field, value)
    if "file_id" in changes:
        _note_files(work, version.dataset_id, [(resource_id, version.file_id)])
    version.updated_at = work.now
    mark_edited(work, release)
    return version


def remove_resource(work: Work, release: Release, resource_id: str) -> None:
    """Takes a resource out of the draft; older releases keep showing it."""
    version = current_version(work, release, resource_id)
    if version.since < release.number:
        version.until = release.number
    else:
        work.session.delete(version)
    mark_edited(work, release)


_CURRENT = select(ResourceVersion).where(
    ResourceVersion.resource_id == bindparam("resource"),
    ResourceVersion.dataset_id == bindparam("dataset"),
    ResourceVersion.shown_by(bindparam("number")),
)


def current_version(work: Work, release: Release, resource_id: str) -> ResourceVersion:
    asked = {"resource": resource_id, "dataset": release.dataset_id, "number": release.number}
    version = work.session.execute(_CURRENT, asked).scalar_one_or_none()
    if version is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return version


def discard(work: Work, dataset: Dataset, release: Release) -> None:
    """Drops an open draft; the published release stays as it is. Resources that only the draft had are gone."""
    number = release.number
    mine = ResourceVersion.dataset_id == dataset.id
    work.session.execute(delete(ResourceVersion).where(mine, ResourceVersion.since == number))
    work.session.execute(
        update(ResourceVersion).where(mine, ResourceVersion.until == number).values(until=None)
    )
    dataset.draft_id = None
    work.session.flush()
    work.session.delete(release)
    work.session.flush()


def set_aside(work: Work, dataset: Dataset, release: Release) -> None:
    """Ends an open draft and keeps it whole: what it added or changed is its own alone, and what it changed or removed
    stands again, from the number after it, which no release gets."""
    number = release.number
    mine = ResourceVersion.dataset_id == dataset.id
    dataset.last_number += 1
    dataset.draft_id = None
    release.ended_at = work.now
    work.session.flush()
    kept = {
        column.key: column
        for column in ResourceVersion.__table__.columns
        if column.key not in ("id", "since", "until")
    }
    again = select(literal(number + 1), null(), *kept.values()).where(mine, ResourceVersion.until == number)
    work.session.execute(insert(ResourceVersion).from_select(["since", "until", *kept], again))
    own = update(ResourceVersion).where(mine, ResourceVersion.since == number)
    work.session.execute(own.values(until=number + 1))


def _next_position(work: Work, dataset: Dataset) -> int:
    query = select(func.max(ResourceVersion.position)).where(
        ResourceVersion.dataset_id == dataset.id, ResourceVersion.until.is_(None)
    )
    highest = work.session.execute(query).scalar()
    return 0 if highest is None else highest + 1


def _check_free(work: Work, agency: Agency, name: str, source_id: str | None, dataset_id: str | None) -> None:
    # Either one is asked for by the same address, so a name is nobody else's id, nor an id anybody's name.
    work.session.flush()
    found = work.session.connection().execute(_TAKEN, {"name": name, "other": dataset_id or name}).first()
    if found is not None:
        raise Conflict("name_taken" if found.name == name else "id_taken", name=name)
    if source_id is not None:
        same = select(Dataset.id).where(Dataset.agency_id == agency.id, Dataset.source_id == source_id)
        if work.session.execute(same).first():
            raise Conflict("source_id_taken", source_id=source_id)
