"""Jobs of the journey: validate, publish, retract (the screening is in `findings`). Each is idempotent: it looks where the release stands, does
its step outside the database, and writes the outcome and the next job in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.files import Stores, copy_object
from opendata.catalog.lifecycle import State, can_move, move
from opendata.catalog.models import Dataset, Release
from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.errors import Unavailable
from opendata.core.failpoints import reach
from opendata.ports.sandbox.port import Sandbox
from opendata.ports.storage.port import ObjectMissing
from opendata.publishing import service
from opendata.publishing.governance import bar
from opendata.publishing.sentences import Step, say
from opendata.settings import Policy
from opendata.tables.rows.engine import RowEngine
from opendata.validation import preparing
from opendata.validation import service as validation
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace


@dataclass(frozen=True)
class Journey:
    """What the jobs work with."""

    place: Workplace
    stores: Stores
    sandbox: Sandbox
    scratch: Path
    """Where a masked copy lies until it is in the store."""
    secret: bytes = field(repr=False)
    """Salts the hashes of keys whose rows were erased."""
    rows: RowEngine
    """Reaches the rows that clients write."""

    @property
    def judge(self) -> validation.Judge:
        return validation.Judge(self.place, self.stores, self.sandbox)


def validate(journey: Journey, *, release_id: str, content_hash: str) -> None:
    """Every table against its schema. Structural errors return the release (under `reviewed`); wrong cells are shown to
    the reviewers, whose decision about them is recorded."""
    reach("validate.taken")
    with journey.place.reading(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.CHECKING)
    if view is None:
        return
    broken = [r for r in view.resources if r.file and _is_broken(journey, r)]
    reach("validate.read")
    with journey.place.writing(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.CHECKING)
        if view is None:
            return
        if broken and view.release.policy == Policy.REVIEWED.value:
            names = [r.meta.name or (r.file.name if r.file else r.id) for r in broken]
            bar.send_back(work, view.release, Step.RETURNED_STRUCTURE, resources=names[:20])
        else:
            service.pass_checks(work, view)
        work.session.flush()
        reach("validate.written")
    reach("validate.committed")


def publish(journey: Journey, *, release_id: str, content_hash: str) -> None:
    """Copies the files to the public store, then makes the release public.

    And looks once more whether they are there: a `retract` that began before may have taken them away meanwhile. It looks
    after itself too, so whichever is later puts them back."""
    reach("publish.taken")
    with journey.place.reading(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.APPROVED, State.PUBLISHED)
    if view is None:
        return
    if any(resource.file and resource.file.held for resource in view.resources):
        raise Unavailable("rows_being_removed", retry_after=1)
    hashes = [resource.file.sha256 for resource in view.resources if resource.file]
    if view.release.state == State.APPROVED.value:
        _make_public(journey, hashes)
        reach("publish.copied")
        with journey.place.writing(SYSTEM) as work:
            view = current(work, release_id, content_hash, State.APPROVED)
            if view is None:
                return
            service.finish(work, view)
            work.session.flush()
            reach("publish.written")
        reach("publish.committed")
    if _make_public(journey, hashes):
        with journey.place.writing(SYSTEM) as work:  # and away again, if it was withdrawn in this very moment
            work.enqueue("publishing.retract", {"dataset_id": view.dataset.id})


def retract(journey: Journey, *, dataset_id: str) -> None:
    """After a withdrawal: its bytes leave the public store (kept in the inbox), unless another public dataset has them."""
    reach("retract.taken")
    with journey.place.reading(SYSTEM) as work:
        dataset = work.session.get(Dataset, dataset_id)
        if dataset is None:
            return
        mine = {
            resource.file.sha256
            for release in queries.releases(work, dataset)
            for resource in views.one(work.session, dataset, release).resources
            if resource.file
        }
        still_public = views.published_hashes(work.session, mine)
    for sha256 in mine - still_public:
        try:
            copy_object(journey.stores.public, journey.stores.inbox, sha256)
        except ObjectMissing:
            continue
        reach("retract.kept")
        journey.stores.public.delete(sha256)
    reach("retract.removed")
    with journey.place.reading(SYSTEM) as work:  # see `publish`: what became public meanwhile is put back
        public_again = views.published_hashes(work.session, mine)
    _make_public(journey, sorted(public_again))
    with journey.place.writing(SYSTEM) as work:
        work.enqueue("tables.drop", {"dataset_id": dataset_id})
        reach("retract.written")
    reach("retract.committed")


def failed(journey: Journey, job: str, args: dict[str, Any], error: Exception) -> None:
    """A job gave up: its release waits for the operator, with the reason."""
    if job == "validation.prepare":
        with journey.place.writing(SYSTEM) as work:
            return preparing.give_up(work, args["key"])
    release_id = args.get("release_id")
    if release_id is None or not job.startswith("publishing."):
        return
    with journey.place.writing(SYSTEM) as work:
        release = queries.release(work.session, release_id)
        if release is not None and job == "publishing.mask":
            say(release, Step.NOT_MASKED)  # it stands where it stood, with its author
            return
        if release is None or not can_move(State(release.state), State.FAILED):
            return
        before = release.state
        move(release, State.FAILED)
        say(release, Step.FAILED, job=job, stood=before)
        work.record(
            "release.failed", "release", release.id, job=job, error=type(error).__name__, stood=before
        )


def _make_public(journey: Journey, hashes: Iterable[str]) -> int:
    """Copies into the public store what it lacks; how many objects that were."""
    copied = 0
    for sha256 in hashes:
        if copy_object(journey.stores.holder(sha256), journey.stores.public, sha256):
            copied += 1
            reach("publish.one_copied")
    return copied


def current(work: Work, release_id: str, content_hash: str, *states: State) -> DatasetView | None:
    """The release, if it still stands where the job left it and has the content that the job is about."""
    release = work.session.get(Release, release_id)
    if release is None or release.content_hash != content_hash or State(release.state) not in states:
        return None
    dataset = work.session.get(Dataset, release.dataset_id)
    if dataset is None or work.session.get(Agency, dataset.agency_id) is None:
        return None
    return views.one(work.session, dataset, release)


def _is_broken(journey: Journey, resource: ResourceView) -> bool:
    if resource.file is None:
        return False
    return validation.obstacle(validation.judge(journey.judge, resource.file, resource.meta)) is not None
