"""Whose rows are meant: a resource by its id or an alias, what of it the caller may read, and where the caller writes.

Under the `direct` policy a change is visible at once. Under `reviewed` it goes to rows of the open draft, which become the
draft's file and pass the reviews with it; the people of the body see them, nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

from opendata.access import policy
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_publish
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset, Release
from opendata.catalog.profile import WRITTEN
from opendata.catalog.roworders import queries as roworders
from opendata.catalog.views import DatasetView, ResourceView
from opendata.compat.ckan.datasets import wants_public
from opendata.compat.ckan.wire import ActionError, Call, denied, not_found, wrong
from opendata.core.errors import NotFound
from opendata.core.ids import is_id
from opendata.settings import Policy
from opendata.tables.rows import queries as row_queries
from opendata.tables.rows import service as rows
from opendata.tables.rows.engine import Lines, lines_of
from opendata.tables.rows.models import RowTable

READ_ONLY = (
    "Cannot edit read-only resource because changes made may be lost. Use a resource created for editing e.g. with "
    'datastore_create or use "force=True" to ignore this warning.'
)


@dataclass(frozen=True)
class Readable:
    resource_id: str
    lines: Lines
    public: bool
    """Whether everybody without a token gets the same."""
    everyones: bool
    """Whether those with a token get it too: there is no open draft, whose rows some would see."""
    count: int
    """Rows."""
    table: RowTable | None
    """None for rows that were loaded from a file."""


@dataclass(frozen=True)
class Writable:
    resource_id: str
    dataset: Dataset
    agency: Agency
    draft: bool
    view: DatasetView
    resource: ResourceView
    wanted: bool
    """Whether the client has asked for publication before."""

    @property
    def url_type(self) -> str:
        return str(self.resource.meta.extras.get("url_type", ""))


def readable(call: Call, key: str, *, everyones: bool = False) -> Readable:
    """`Not Found` for what is not there, and for what the caller may not see; with `everyones`, for what not everybody may
    see."""
    resource_id = _resolved(call, key)
    try:
        entry = queries.entry_of_resource(call.work, resource_id, visible=policy.visible_filter(call.work))
    except NotFound:
        raise missing(key) from None
    dataset = entry.dataset
    inside = not everyones and policy.sees_drafts(call.work.actor, dataset, entry.agency)
    found = _in(call, dataset, entry.published if policy.is_public(dataset) else None, resource_id)
    if found is None and not inside:
        raise missing(key)
    if found is not None and everyones and not policy.is_data_public(found[0]):
        raise missing(key)
    if found is not None:
        policy.check_data(call.work.actor, found[0])
    table = _line(call, dataset, resource_id, inside=inside)
    if table is not None:
        roworders.check_applied(call.work.session, dataset.id)
        lines, count = lines_of(table), table.row_count
    else:
        loaded = loaded_lines(call, found[1]) if found is not None else None
        if loaded is None:
            raise missing(key)
        lines, count = loaded
    shared = found is not None and policy.is_data_public(found[0])
    same = call.work.actor.is_public and shared
    return Readable(resource_id, lines, same, shared and dataset.draft_id is None, count, table)


def loaded_lines(call: Call, resource: ResourceView) -> tuple[Lines, int] | None:
    """The rows of a resource's published file, with what its dictionary says, and how many they are."""
    return rows.loaded_lines(call.work, call.parts.rows, resource.id, resource.meta.dictionary)


def published(call: Call, dataset: Dataset, resource_id: str) -> tuple[DatasetView, ResourceView] | None:
    """The resource as everybody sees it."""
    if not policy.is_public(dataset):
        return None
    return _in(call, dataset, queries.release(call.work.session, dataset.published_id), resource_id)


def writable(call: Call, resource_id: str) -> Writable:
    """Where changes of a resource go. `Access denied` without the right, `Not Found` for what is not seen."""
    key = resource_id.lower()
    try:
        dataset = queries.dataset_of_resource(call.work, key, visible=policy.visible_filter(call.work))
    except NotFound:
        if call.work.actor.is_public:
            raise _no_right(call, resource_id) from None
        raise not_found() from None
    agency = call.work.session.get_one(Agency, dataset.agency_id)
    if not policy.may_edit_draft(call.work.actor, dataset, agency):
        raise _no_right(call, resource_id)
    draft = call.parts.settings.publication_policy is not Policy.DIRECT
    if not draft and dataset.published_id and not may_publish(call.work.actor, agency):
        raise _no_right(call, resource_id)
    roworders.check_applied(call.work.session, dataset.id)
    release = queries.release(call.work.session, dataset.draft_id or dataset.published_id)
    shown = _in(call, dataset, release, key)
    if shown is None:
        raise not_found()
    return Writable(key, dataset, agency, draft, *shown, wants_public(call, dataset))


def check_writable(place: Writable, *, force: bool) -> None:
    if place.url_type != WRITTEN and not force:
        raise wrong({"read-only": [READ_ONLY]})


def missing(key: str) -> ActionError:
    return not_found(f'Resource "{key[:100]}" was not found.')


def _resolved(call: Call, key: str) -> str:
    if is_id(key):
        return key.lower()
    found = row_queries.aliased(call.work, key)
    if found is None:
        raise missing(key)
    return found


def _line(call: Call, dataset: Dataset, resource_id: str, *, inside: bool) -> RowTable | None:
    """The rows of the draft for those who see it, else those of everybody."""
    if inside:
        draft = rows.find(call.work, resource_id, draft=True)
        if draft is not None and draft.release_id == dataset.draft_id:
            return draft
    return rows.find(call.work, resource_id, draft=False)


def _in(
    call: Call, dataset: Dataset, release: Release | None, resource_id: str
) -> tuple[DatasetView, ResourceView] | None:
    if release is None:
        return None
    view = views.one(call.work.session, dataset, release)
    for resource in view.resources:
        if resource.id == resource_id:
            return view, resource
    return None


def _no_right(call: Call, resource_id: str) -> ActionError:
    name = call.work.actor.name or ""
    return denied(f"User {name} not authorized to perform resource_update on resource {resource_id[:100]}")
