"""The public reads of the catalogue: a dataset, its releases, a resource, a file. What is hidden looks like what is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from opendata.access import policy
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset, Release
from opendata.catalog.queries import Entry
from opendata.catalog.views import DatasetView, FileView, ResourceView
from opendata.core.clock import day_of
from opendata.core.errors import Gone, NotFound, Unauthenticated
from opendata.work.unit import Work


@dataclass(frozen=True)
class Seen:
    """A dataset as an actor sees it: what is public of it (None if nothing is), and the open draft, if they may see it."""

    dataset: Dataset
    published: DatasetView | None
    draft: DatasetView | None
    newest: DatasetView | None
    """For those who see drafts, and when nothing is public: the release that tells most."""
    sees_drafts: bool

    @property
    def shown(self) -> DatasetView:
        """The published release; for those who see drafts, and while nothing is public, the newest one."""
        view = self.published or self.newest
        if view is None:
            raise NotFound("dataset_not_found", id=self.dataset.id)
        return view


def see(work: Work, id_or_name: str) -> Seen:
    """`NotFound("dataset_not_found")`; `Gone("dataset_withdrawn", reason=…)` for what was public once."""
    return _seen(work, _find(work, id_or_name))


def see_of_resource(work: Work, resource_id: str) -> Seen:
    """The dataset of a resource. `NotFound("resource_not_found")`, `Gone`."""
    try:
        found = queries.entry_of_resource(work, resource_id, visible=policy.visible_filter(work))
    except NotFound:
        _raise_gone(queries.dataset_that_showed(work, resource_id))
        raise
    return _seen(work, found)


@dataclass(frozen=True)
class SeenResource:
    seen: Seen
    view: DatasetView
    """The release that shows it here."""
    resource: ResourceView
    public: bool
    """Whether that release is the public one."""


def resource(work: Work, resource_id: str, *, draft: bool = False) -> SeenResource:
    """A resource as published; with `draft`, or when it is in no public release, as the open draft has it (for those who
    see drafts). `NotFound("resource_not_found")`, `Gone`."""
    seen = see_of_resource(work, resource_id)
    order = [seen.draft, seen.newest] if draft else [seen.published, seen.draft, seen.newest]
    return _first(seen, order, resource_id)


def edited(work: Work, resource_id: str) -> SeenResource:
    """A resource as edits find it: of the open draft, else of the newest release. `NotFound("resource_not_found")` for those
    who see no drafts."""
    seen = see_of_resource(work, resource_id)
    if not seen.sees_drafts:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return _first(seen, [seen.draft or seen.published or seen.newest], resource_id)


def resource_in_release(work: Work, resource_id: str, number: int) -> SeenResource:
    """A resource as an old release had it that is still public (or any release, for those who see drafts)."""
    seen = see_of_resource(work, resource_id)
    for release in releases(work, seen):
        if release.number == number:
            view = views.one(work.session, seen.dataset, release)
            found = _in(view, resource_id)
            if found is not None:
                public = release.id in {r.id for r in public_releases(work, seen.dataset)}
                return SeenResource(seen, view, found, public=public)
    raise NotFound("resource_not_found", id=resource_id[:100])


def releases(work: Work, seen: Seen) -> Sequence[Release]:
    """Releases that the actor sees, newest first."""
    return queries.releases(work, seen.dataset) if seen.sees_drafts else public_releases(work, seen.dataset)


def public_releases(work: Work, dataset: Dataset) -> Sequence[Release]:
    """The published release and those it superseded, newest first. What stood before a withdrawal stays withdrawn."""
    if not policy.is_public(dataset):
        return []
    query = select(Release).where(Release.dataset_id == dataset.id, policy.PUBLIC_RELEASE)
    return work.session.execute(query.order_by(Release.number.desc())).scalars().all()


def public_release(work: Work, seen: Seen, number: int) -> DatasetView:
    """A release of that number, the present one or an old one, as long as it is public. `Gone("release_withdrawn")` for one
    that was public and is no more, `NotFound("release_not_found")` for all others."""
    for release in public_releases(work, seen.dataset):
        if release.number == number:
            return views.one(work.session, seen.dataset, release)
    for release in queries.releases(work, seen.dataset):
        if release.number == number and release.published_at is not None:
            raise Gone("release_withdrawn", number=number)
    raise NotFound("release_not_found", id=number)


def drafts(work: Work, *, offset: int, limit: int, agency_id: str | None = None) -> tuple[list[Seen], int]:
    """Datasets whose open draft the actor sees, newest edit first; and how many there are.
    `Unauthenticated("token_needed")`."""
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    mine = policy.seen_drafts_filter(work)
    found, total = queries.draft_page(work, visible=mine, offset=offset, limit=limit, agency_id=agency_id)
    public = queries.published(work, [view.id for view in found], visible=policy.PUBLIC_FILTER)
    by_id = {view.id: view for view in public}
    return [Seen(view.dataset, by_id.get(view.id), view, view, sees_drafts=True) for view in found], total


def edit_etag(release: Release) -> str:
    """What `If-Match` is compared with: the release that edits start from, and how often it was edited."""
    return f"{release.id[-12:]}-{release.edition}"


def data_file(work: Work, found: SeenResource) -> FileView:
    """The resource's file, if the actor may have its bytes. `Forbidden("conditional_access")`, `NotFound("no_file")`."""
    policy.check_data(work.actor, found.view)
    if found.resource.file is None:
        raise NotFound("no_file", id=found.resource.id)
    return found.resource.file


def _find(work: Work, id_or_name: str) -> Entry:
    try:
        return queries.entry(work, id_or_name, visible=policy.visible_filter(work))
    except NotFound:
        query = select(Dataset).where((Dataset.id == id_or_name) | (Dataset.name == id_or_name))
        _raise_gone(work.session.execute(query).scalar_one_or_none())
        raise


def _raise_gone(dataset: Dataset | None) -> None:
    if dataset is not None and dataset.withdrawn_at is not None and dataset.first_published_at is not None:
        day = day_of(dataset.withdrawn_at).isoformat()
        raise Gone("dataset_withdrawn", reason=dataset.withdraw_reason, day=day)


def _seen(work: Work, entry: Entry) -> Seen:
    dataset = entry.dataset
    inside = policy.sees_drafts(work.actor, dataset, entry.agency)
    published = entry.published if policy.is_public(dataset) else None
    draft = queries.release(work.session, dataset.draft_id) if inside else None
    newest = queries.last_release(work, dataset) if inside and published is None and draft is None else draft
    found = {r.id: r for r in (published, draft, newest) if r is not None}
    made = {v.release.id: v for v in views.many(work.session, [(dataset, r) for r in found.values()])}
    return Seen(
        dataset=dataset,
        published=made[published.id] if published else None,
        draft=made[draft.id] if draft else None,
        newest=made[newest.id] if newest else None,
        sees_drafts=inside,
    )


def _first(seen: Seen, order: Sequence[DatasetView | None], resource_id: str) -> SeenResource:
    """The resource in the first of the views that has it. `NotFound("resource_not_found")`."""
    for view in order:
        found = _in(view, resource_id)
        if view is not None and found is not None:
            return SeenResource(seen, view, found, public=view is seen.published)
    raise NotFound("resource_not_found", id=resource_id[:100])


def _in(view: DatasetView | None, resource_id: str) -> ResourceView | None:
    return next((r for r in view.resources if r.id == resource_id), None) if view else None
