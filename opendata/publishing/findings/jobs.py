"""Jobs about findings: screen a release, mask what was found. Idempotent like those of `publishing.jobs`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from opendata.catalog.files import store_file
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Release
from opendata.catalog.views import DatasetView, ResourceView
from opendata.core.failpoints import reach
from opendata.ports.sandbox.port import LimitExceeded, Limits, TaskFailed
from opendata.ports.storage.port import StoredObject
from opendata.publishing import files, service
from opendata.publishing.findings import texts
from opendata.publishing.findings.service import may_mask
from opendata.publishing.jobs import Journey, current
from opendata.publishing.roworders import purging, treating
from opendata.publishing.sentences import Step, say
from opendata.review import queries as reviews
from opendata.review import screening
from opendata.review.detect.rules import Found
from opendata.review.models import Finding
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work


def screen(journey: Journey, *, release_id: str, content_hash: str) -> None:
    """Metadata and every row of every file. A blocking finding that nobody has waived returns the release; else
    validation is next."""
    reach("screen.taken")
    with journey.place.writing(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.SUBMITTED, State.CHECKING)
        if view is None:
            return
        if view.release.state == State.SUBMITTED.value:
            service.begin_checking(work, view.release)
        say(view.release, Step.SCREENING)
        today = work.now.date()
    if _without_ordered_rows(journey, view):
        return  # it was handed in again with the files as they are now
    found: dict[str, list[Found]] = {"": screening.screen_metadata(view, today)}
    for resource in view.resources:
        if resource.file:
            found[resource.id] = _screen_file(journey, resource, today.isoformat())
    reach("screen.read")
    with journey.place.writing(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.CHECKING)
        if view is None:
            return
        if service.keep_findings(work, view.release, found):
            say(view.release, Step.VALIDATING)
            args = {"release_id": release_id, "content_hash": content_hash}
            work.enqueue("publishing.validate", args)
        work.session.flush()
        reach("screen.written")
    reach("screen.committed")


def _without_ordered_rows(journey: Journey, view: DatasetView) -> bool:
    """A row that an order hides comes back with the next delivery of the same list: it goes again. Whether one did."""
    changed = False
    for resource in view.resources:
        if resource.file is None:
            continue
        with journey.place.reading(SYSTEM) as work:
            due = treating.is_due(work, journey.secret, view.id, resource.file.id)
        if due:
            changed |= treating.treat_file(journey, view.id, resource.file.id)
    if changed:
        purging.purge(journey, view.id)
        journey.place.scrub(treating.SCRUBBED)
    return changed


def mask(journey: Journey, *, release_id: str, content_hash: str, findings: Sequence[str]) -> None:
    """New files and texts for the draft, with the findings masked. The files before stay in the inbox store, where only
    those who work for the body reach them."""
    with journey.place.reading(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.RETURNED)
        wanted = [f for f in reviews.findings(work, view.release) if f.id in findings] if view else []
        today = work.now.date()
    if view is None:
        return _not_masked(journey, release_id, Step.DRAFT)
    wanted = [f for f in wanted if may_mask(f)]
    try:
        masked = {
            resource.id: _mask_file(journey, resource, mine, today.isoformat())
            for resource in view.resources
            if resource.file and (mine := [f for f in wanted if f.resource_id == resource.id])
        }
    except (TaskFailed, LimitExceeded):
        return _not_masked(journey, release_id, Step.NOT_MASKED)
    with journey.place.writing(SYSTEM) as work:
        view = current(work, release_id, content_hash, State.RETURNED)
        if view is None:
            return
        for resource in view.resources:
            if resource.id in masked:
                _replace(work, view, resource, masked[resource.id])
        texts.mask(work, view, [f for f in wanted if not f.resource_id], today)
        say(view.release, Step.MASKED)
        work.record("release.masked", "release", release_id, before=content_hash, findings=list(findings))
        work.session.flush()


def _not_masked(journey: Journey, release_id: str, step: Step) -> None:
    """Whoever waits for the masking is told that none comes: the draft was edited meanwhile, or the file resists."""
    with journey.place.writing(SYSTEM) as work:
        release = work.session.get(Release, release_id)
        if release is not None and release.sentence.get("code") == Step.MASKING.value:
            say(release, step if State(release.state) in EDITABLE_STATES else Step.EDITED_AGAIN)


def _screen_file(journey: Journey, resource: ResourceView, today: str) -> list[Found]:
    file = resource.file
    if file is None:
        return []
    with journey.stores.local_copy(file.sha256) as path:
        try:
            answer = journey.sandbox.run(
                "opendata.review.tasks:scan",
                args=_args(journey, resource, today),
                inputs={"path": path},
                limits=Limits.for_bytes(file.size),
            )
        except LimitExceeded as failure:
            return [screening.not_screened(file.name, failure.limit)]
        except TaskFailed:
            return [screening.not_screened(file.name, "crash")]
    return [Found(**finding) for finding in answer]


def _mask_file(
    journey: Journey, resource: ResourceView, findings: Iterable[Finding], today: str
) -> tuple[StoredObject, str]:
    """The masked copy, in the inbox store, and its name."""
    file = resource.file
    if file is None:
        raise TaskFailed("file_empty", {})
    plan = [{"column": f.column_number, "rule": f.rule, "suggestion": f.suggestion} for f in findings]
    journey.scratch.mkdir(parents=True, exist_ok=True)
    with (
        journey.stores.local_copy(file.sha256) as path,
        tempfile.TemporaryDirectory(dir=journey.scratch, prefix="load-") as folder,
    ):
        answer = journey.sandbox.run(
            "opendata.review.tasks:mask",
            args={**_args(journey, resource, today), "plan": plan},
            inputs={"path": path},
            output=Path(folder),
            limits=Limits.for_bytes(file.size),
        )
        made = Path(folder, answer["file"])
        return store_file(journey.stores.inbox, made), _name(file.name, made.suffix)


def _args(journey: Journey, resource: ResourceView, today: str) -> dict[str, Any]:
    with journey.place.reading(SYSTEM) as work:
        hints = screening.hints_of(work.session, resource.meta)
    return {
        "name": resource.file.name if resource.file else "",
        "options": resource.meta.options.stored(),
        "today": today,
        "hints": hints,
    }


def _name(old: str, suffix: str) -> str:
    """A table becomes a CSV; a text keeps its ending."""
    stem, dot, ending = old.rpartition(".")
    if suffix == ".txt":
        return old
    return f"{stem if dot else old}.csv" if ending.lower() != "csv" else old


def _replace(work: Work, view: DatasetView, resource: ResourceView, masked: tuple[StoredObject, str]) -> None:
    """Reading options are those of the old file: sheet, header row and encoding are found anew."""
    stored, name = masked
    file = files.replace(work, view.dataset, view.agency, resource.id, stored, name, {"options": {}})
    before = resource.file.sha256 if resource.file else ""
    work.record(
        "resource.masked", "release", view.release.id, resource=resource.id, before=before, after=file.sha256
    )
