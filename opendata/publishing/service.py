"""The moves of a release: submit, pass the checks, be decided, be published, be withdrawn. Everyone enters here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_publish
from opendata.catalog import queries, views
from opendata.catalog.content import content_hash as hash_of
from opendata.catalog.lifecycle import EDITABLE_STATES, State, move
from opendata.catalog.models import Dataset, DatasetState, Release
from opendata.catalog.views import DatasetView
from opendata.core.database import save
from opendata.core.errors import Conflict, Forbidden, Invalid, NotFound, invalid
from opendata.core.names import clean_text
from opendata.inventory.models import Openness
from opendata.publishing import completeness, policy_record
from opendata.publishing.governance import bar, openings, own_line, telling
from opendata.publishing.governance.bar import lines_of, send_back
from opendata.publishing.sentences import Step, say
from opendata.publishing.standing import service as standing
from opendata.publishing.trust import service as trusted
from opendata.publishing.trust.models import Trust
from opendata.review import light, screening
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.review.detect.rules import Found
from opendata.review.models import Decision, DecisionKind, Outcome
from opendata.review.rounds import service as rounds
from opendata.review.rounds.models import Result
from opendata.settings import Policy
from opendata.work.unit import Work


def submit(work: Work, dataset: Dataset, agency: Agency, *, correction: bool = False) -> Release:
    """`submit_view`, for callers who need the release alone."""
    return submit_view(work, dataset, agency, correction=correction).release


def submit_view(
    work: Work, dataset: Dataset, agency: Agency, *, correction: bool = False, trust: Trust | None = None
) -> DatasetView:
    """Hands the open draft in: its content is fixed by a hash, and the checks begin. Returns the release with its content.
    What its author calls a correction takes the light path if it is one, else the ordinary road. `trust`: of the source
    that hands it in.

    Errors: `Forbidden`; `Conflict("nothing_to_submit")`, `Conflict("already_submitted")`, `Conflict("line_closed")`;
    `Invalid` naming everything that is missing.
    """
    if not may_publish(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    release = queries.release(work.session, dataset.draft_id)
    if release is None:
        raise Conflict("nothing_to_submit", name=dataset.name)
    if State(release.state) not in EDITABLE_STATES:
        raise Conflict("already_submitted", state=release.state)
    policy = policy_record.in_force(work)
    view = views.one(work.session, dataset, release)
    if errors := completeness.missing(work, view):
        raise Invalid(fields=errors)
    _check_lines(work, view)
    bar.check(work, view)
    release.content_hash = hash_of(view)
    release.author_id = work.actor.id
    release.submitted_at = work.now
    is_light = correction and policy is Policy.REVIEWED and light.fits(work, dataset, release)
    release.policy = light.LIGHT_POLICY if is_light else policy.value
    release.defaulted = []
    dataset.submit_at = None
    move(release, State.SUBMITTED)
    say(release, Step.SUBMITTED)
    work.record(
        "release.submitted",
        "release",
        release.id,
        content_hash=release.content_hash,
        dataset=dataset.id,
        policy=release.policy,
    )
    if trust is not None:
        trusted.note(work, trust, release)
    _begin_checks(work, view)
    return view


def decide(
    work: Work,
    dataset: Dataset,
    release: Release,
    agency: Agency,
    *,
    kind: DecisionKind,
    outcome: Outcome,
    content_hash: str,
    reason: str = "",
    field_reasons: Sequence[Mapping[str, str]] = (),
) -> Decision:
    """One of the two decisions. The second approval starts the publication; any rejection returns the release."""
    # Two people who decide at once do so one after the other: each would else miss the other's approval.
    work.session.refresh(release, with_for_update=True)
    decision = review.record_decision(
        work,
        release,
        agency,
        kind=kind,
        outcome=outcome,
        content_hash=content_hash,
        reason=reason,
        field_reasons=field_reasons,
    )
    if outcome is Outcome.REJECT:
        said = decision.reason or "; ".join(entry["reason"] for entry in decision.field_reasons)
        send_back(work, release, Step.RETURNED_REJECTED, reason=said, kind=kind.value)
    elif review.approved(work, release):
        approve(work, views.one(work.session, dataset, release))
    else:
        say(release, Step.ONE_APPROVAL, kind=kind.value)
    return decision


def begin_checking(work: Work, release: Release) -> None:
    move(release, State.CHECKING)
    work.record("release.checking", "release", release.id, content_hash=release.content_hash)


def pass_checks(work: Work, view: DatasetView) -> None:
    """Screening and validation found nothing that blocks: to the reviewers, or straight on under the direct policy."""
    if bar.is_barred(work, view):  # now that its files have been read
        return
    release = view.release
    if release.policy == Policy.DIRECT.value or trusted.passes(work, release) or standing.passes(work, view):
        approve(work, view)
        return
    move(release, State.IN_REVIEW)
    say(release, Step.IN_LIGHT_REVIEW if light.is_light(release) else Step.IN_REVIEW)
    work.record("release.in_review", "release", release.id, content_hash=release.content_hash)
    rounds.begin(work, view)


def approve(work: Work, view: DatasetView) -> None:
    """All that is asked for is there. Files have to be copied first, by a job; without files it goes out at once."""
    if bar.is_barred(work, view) or _is_no_correction(work, view):
        return
    release = view.release
    move(release, State.APPROVED)
    if release.policy != Policy.DIRECT.value:  # there a round is never opened
        rounds.close(work, release, Result.APPROVED)
    work.record("release.approved", "release", release.id, content_hash=release.content_hash)
    if release.publish_at is not None and release.publish_at > work.now:
        move(release, State.SCHEDULED)
        say(release, Step.SCHEDULED, at=release.publish_at.isoformat())
        work.record("release.scheduled", "release", release.id, at=release.publish_at.isoformat())
    else:
        _go_out(work, view)


def _go_out(work: Work, view: DatasetView) -> None:
    if any(resource.file for resource in view.resources):
        say(view.release, Step.PUBLISHING)
        work.enqueue("publishing.publish", _job(view.release))
    else:
        finish(work, view)


def finish(work: Work, view: DatasetView) -> None:
    """Makes the release the dataset's public one. Its files are in the public store. The database checks the reviews.

    The one way out: whatever led here, what the negative list forbids by now goes back to its author instead."""
    dataset, release = view.dataset, view.release
    if bar.is_barred(work, view) or _is_no_correction(work, view):
        return
    if hash_of(view) != release.content_hash:
        raise Conflict("content_changed", release=release.id)
    before = queries.release(work.session, dataset.published_id)
    if before is not None:
        move(before, State.SUPERSEDED)
        before.ended_at = work.now
        say(before, Step.SUPERSEDED)
        work.record("release.superseded", "release", before.id, content_hash=before.content_hash)
    move(release, State.PUBLISHED)
    release.published_at = work.now
    say(release, Step.PUBLISHED)
    if before is not None:
        save(work.session, before)
    save(work.session, release)
    dataset.published_id, dataset.published_at = release.id, release.published_at
    dataset.draft_id = None
    dataset.state = DatasetState.ACTIVE.value
    dataset.first_published_at = dataset.first_published_at or work.now
    if dataset.withdrawn_at is not None:
        dataset.withdrawn_at, dataset.withdraw_reason = None, ""
    work.touch(dataset)
    openings.begin(work, dataset, own_line.enter(work, view))
    telling.published(work, view)
    work.record(
        "release.published",
        "release",
        release.id,
        dataset=dataset.id,
        number=release.number,
        content_hash=release.content_hash,
        before=before.content_hash if before else None,
        policy=release.policy,
    )
    for resource in view.resources:
        if resource.file:
            work.enqueue("tables.load", {"resource_id": resource.id, "file_id": resource.file.id})


def withdraw(work: Work, dataset: Dataset, agency: Agency, reason: str, *, delete: bool = False) -> None:
    """Takes the dataset out of every door at once; its files follow by a job. With `delete` it also leaves the agency's
    lists. Needs a reason if it was public."""
    if not may_publish(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    published = queries.release(work.session, dataset.published_id)
    if published is None and not delete:
        raise Conflict("not_published", name=dataset.name)
    if published is not None and not reason.strip():
        raise invalid("reason", "withdrawal_needs_reason")
    dataset.submit_at = None
    dataset.state = (DatasetState.DELETED if delete else DatasetState.WITHDRAWN).value
    if published is not None:
        _end_publication(work, dataset, published, clean_text(reason)[:5000])
    _recall_draft(work, dataset)
    work.record(
        "dataset.deleted" if delete else "dataset.withdrawn",
        "dataset",
        dataset.id,
        reason=dataset.withdraw_reason,
    )


def keep_private(work: Work, dataset: Dataset, agency: Agency, reason: str) -> None:
    """A CKAN client wants the dataset private: withdraws what is public, and forgets that publication was asked for."""
    if dataset.published_id is not None:
        withdraw(work, dataset, agency, reason)
    dataset.submit_at = None
    draft = queries.release(work.session, dataset.draft_id)
    if draft is not None:
        draft.submitted_at = None


def purge(work: Work, dataset: Dataset, agency: Agency, reason: str) -> None:
    """Out of the bin, for good: nobody sees it any more, and its name is free. Releases that were public stay stored."""
    withdraw(work, dataset, agency, reason, delete=True)
    work.record("dataset.purged", "dataset", dataset.id, name=dataset.name)
    dataset.state = DatasetState.PURGED.value
    dataset.name = f"purged-{dataset.id}"
    if dataset.first_published_at is not None:
        work.touch(dataset)


def ask_submission(work: Work, dataset: Dataset, agency: Agency, quiet_seconds: float) -> None:
    """A CKAN client wants the draft public: submit it once the client has been quiet for that long."""
    if not may_publish(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    dataset.submit_at = work.now + timedelta(seconds=quiet_seconds)


_ROWS_WAIT = timedelta(seconds=5)


def submit_quietly(work: Work, dataset_id: str) -> None:
    """Submits a draft whose CKAN client has been quiet. What is missing is shown on the draft; nobody waits for an answer."""
    dataset = work.session.get(Dataset, dataset_id)
    if dataset is None or dataset.submit_at is None or dataset.submit_at > work.now:
        return
    dataset.submit_at = None
    agency = work.session.get(Agency, dataset.agency_id)
    release = queries.release(work.session, dataset.draft_id)
    if agency is None or release is None or State(release.state) not in EDITABLE_STATES:
        return
    view = views.one(work.session, dataset, release)
    errors = completeness.missing(work, view)
    if any(error.code == "rows_not_written_down" for error in errors):
        dataset.submit_at = work.now + _ROWS_WAIT
        return
    if errors:
        say(release, Step.INCOMPLETE, places=[error.path for error in errors])
        return
    try:
        submit(work, dataset, agency)
    except bar.OnNegativeList as error:
        bar.tell(release, error)
    except (Conflict, Invalid) as error:
        say(release, Step.INCOMPLETE, places=[f.path for f in error.fields] or [error.code])


def release_scheduled(work: Work, release_id: str) -> None:
    """The time of a scheduled release has come. Two servers that see it at once let it out once."""
    query = select(Release).where(Release.id == release_id).with_for_update()
    release = work.session.execute(query).scalar_one_or_none()
    if release is None or release.state != State.SCHEDULED.value:
        return
    if release.publish_at is not None and release.publish_at > work.now:  # put off meanwhile
        return
    dataset = work.session.get(Dataset, release.dataset_id)
    if dataset is not None:
        move(release, State.APPROVED)
        work.record("release.due", "release", release.id, content_hash=release.content_hash)
        _go_out(work, views.one(work.session, dataset, release))


def find_release(work: Work, release_id: str, *, visible: queries.Visible) -> tuple[Dataset, Release]:
    """`NotFound("release_not_found")` for an unknown one and for one whose dataset may not be seen."""
    query = select(Dataset, Release).join(Release, Release.dataset_id == Dataset.id)
    row = work.session.execute(query.where(Release.id == release_id, visible)).one_or_none()
    if row is None:
        raise NotFound("release_not_found", id=release_id[:100])
    return row[0], row[1]


def screen_again(work: Work, view: DatasetView) -> None:
    """The content that findings sent back is looked at once more, unchanged: what blocked it is waived."""
    move(view.release, State.SUBMITTED)
    say(view.release, Step.SUBMITTED)
    work.record(
        "release.resumed", "release", view.release.id, content_hash=view.release.content_hash, dataset=view.id
    )
    _begin_checks(work, view)


def keep_findings(work: Work, release: Release, found: Mapping[str, Sequence[Found]]) -> bool:
    """Stores what the screening found, by resource; whether the release may go on. If not, it goes back to its author."""
    places = (
        [f.place for f in reviews.blocking(work, release)] if screening.store(work, release, found) else []
    )
    if places:
        send_back(work, release, Step.RETURNED_FINDINGS, places=places[:20])
    return not places


def _begin_checks(work: Work, view: DatasetView) -> None:
    release = view.release
    if any(resource.file for resource in view.resources):
        work.enqueue("publishing.screen", _job(release))
        return
    begin_checking(work, release)
    if keep_findings(work, release, {"": screening.screen_metadata(view, work.now.date())}):
        pass_checks(work, view)


def _is_no_correction(work: Work, view: DatasetView) -> bool:
    """Sends a release of the light path back if by now it is more than a correction of what is public."""
    if not light.is_light(view.release) or light.fits(work, view.dataset, view.release):
        return False
    send_back(work, view.release, Step.RETURNED_NOT_LIGHT)
    return True


def _job(release: Release) -> dict[str, str | None]:
    return {"release_id": release.id, "content_hash": release.content_hash}


def _check_lines(work: Work, view: DatasetView) -> None:
    """The dataset opens no inventory line that is not open. One that has none gets its own when it goes out."""
    lines = lines_of(work, view.dataset)
    for line in lines:
        if line.openness == Openness.CLOSED.value:
            raise Conflict("line_closed", resource_code=line.resource_code, basis=line.open_condition)
    if not lines:
        own_line.check(view)


def _end_publication(work: Work, dataset: Dataset, published: Release, reason: str) -> None:
    move(published, State.WITHDRAWN)
    published.ended_at = work.now
    say(published, Step.WITHDRAWN, reason=reason)
    work.record("release.withdrawn", "release", published.id, content_hash=published.content_hash)
    dataset.published_id, dataset.published_at = None, None
    dataset.withdrawn_at = work.now
    dataset.withdraw_reason = reason
    openings.follow(work, dataset)
    own_line.take_back(work, dataset)
    work.touch(dataset)
    work.enqueue("publishing.retract", {"dataset_id": dataset.id})


def _recall_draft(work: Work, dataset: Dataset) -> None:
    """A draft under way must not go out after a withdrawal."""
    draft = queries.release(work.session, dataset.draft_id)
    if draft is not None and State(draft.state) not in EDITABLE_STATES:
        move(draft, State.DRAFT)
        say(draft, Step.EDITED_AGAIN)
        work.record("release.recalled", "release", draft.id, content_hash=draft.content_hash)
        rounds.close(work, draft, Result.TAKEN_BACK)
        review.void(work, draft)
