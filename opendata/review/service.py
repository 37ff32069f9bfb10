"""The two decisions: two roles, two people, neither an author, both about exactly the content that would go out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select, update

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Release, ReleaseAuthor
from opendata.core.errors import NotFound, invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.review import queries
from opendata.review.errors import NotInReview, OtherContent, WrongReviewer
from opendata.review.models import Decision, DecisionKind, Outcome, Waiver
from opendata.work.actor import Role
from opendata.work.unit import Work

ROLE_OF = {DecisionKind.CONTENT: Role.CONTENT_REVIEWER, DecisionKind.SECRECY: Role.SECRECY_REVIEWER}


def record_decision(
    work: Work,
    release: Release,
    agency: Agency,
    *,
    kind: DecisionKind,
    outcome: Outcome,
    content_hash: str,
    reason: str,
) -> Decision:
    """Writes a decision down. It moves nothing: `publishing` reads the decisions and moves the release.

    Errors: `WrongReviewer`, `NotInReview`, `OtherContent`; `Invalid` for a rejection without a reason.
    """
    actor_id = check_reviewer(work, release, agency, kind)
    if release.state != State.IN_REVIEW.value:
        raise NotInReview(state=release.state)
    if content_hash != release.content_hash:
        raise OtherContent(expected=release.content_hash, got=content_hash[:64])
    if outcome is Outcome.REJECT and not reason.strip():
        raise invalid("reason", "rejection_needs_reason")
    if any(d.kind == kind.value for d in standing(work, release)):
        raise NotInReview("already_decided", kind=kind.value)
    decision = Decision(
        id=new_id(),
        release_id=release.id,
        kind=kind.value,
        outcome=outcome.value,
        content_hash=content_hash,
        reason=clean_text(reason)[:5000],
        reviewer_id=actor_id,
        decided_at=work.now,
    )
    work.session.add(decision)
    work.session.flush()
    work.record(
        f"release.{kind.value}_{outcome.value}",
        "release",
        release.id,
        content_hash=content_hash,
        reason=decision.reason,
    )
    return decision


def record_waivers(
    work: Work,
    release: Release,
    agency: Agency,
    *,
    finding_ids: Collection[str],
    content_hash: str,
    reason: str,
) -> None:
    """Writes down why blocking findings may go out. It moves nothing: `publishing` reads the waivers.

    Errors: `WrongReviewer`, `NotInReview("nothing_to_waive")`, `OtherContent`, `NotFound`; `Invalid` without a reason.
    """
    actor_id = check_reviewer(work, release, agency, DecisionKind.SECRECY)
    if release.state != State.RETURNED.value:
        raise NotInReview("nothing_to_waive", state=release.state)
    if content_hash != release.content_hash:
        raise OtherContent(expected=release.content_hash, got=content_hash[:64])
    if not reason.strip():
        raise invalid("reason", "waiver_needs_reason")
    blocking = {finding.id: finding for finding in queries.blocking(work, release)}
    for finding_id in sorted(set(finding_ids)):
        finding = blocking.get(finding_id)
        if finding is None:
            raise NotFound("finding_not_found", id=finding_id[:100])
        about = {name: getattr(finding, name) for name in ("content_hash", "resource_id", "place", "rule")}
        text = clean_text(reason)[:5000]
        work.session.add(
            Waiver(
                id=new_id(),
                release_id=release.id,
                **about,
                reason=text,
                reviewer_id=actor_id,
                waived_at=work.now,
            )
        )
        work.record("finding.waived", "release", release.id, **about, reason=text)
    work.session.flush()


def check_reviewer(work: Work, release: Release, agency: Agency, kind: DecisionKind) -> str:
    """The reviewer's account id; `WrongReviewer` if the actor may not make this decision on this release."""
    actor = work.actor
    if actor.id is None or not may_review(actor, agency, ROLE_OF[kind]):
        raise WrongReviewer("reviewer_role_missing", role=ROLE_OF[kind].value)
    if actor.id in authors(work, release):
        raise WrongReviewer("reviewer_is_author")
    if any(d.reviewer_id == actor.id and d.kind != kind.value for d in standing(work, release)):
        raise WrongReviewer("same_reviewer_twice")
    return actor.id


def authors(work: Work, release: Release) -> set[str]:
    """Account ids of all who edited or submitted the release."""
    query = select(ReleaseAuthor.user_id).where(ReleaseAuthor.release_id == release.id)
    return set(work.session.execute(query).scalars()) | ({release.author_id} if release.author_id else set())


def standing(work: Work, release: Release) -> Sequence[Decision]:
    """Decisions on the release's present content that are not void."""
    query = select(Decision).where(
        Decision.release_id == release.id,
        Decision.content_hash == release.content_hash,
        Decision.void_at.is_(None),
    )
    return work.session.execute(query.order_by(Decision.decided_at)).scalars().all()


def both_approved(work: Work, release: Release) -> bool:
    approved = {d.kind for d in standing(work, release) if d.outcome == Outcome.APPROVE.value}
    return approved == {kind.value for kind in DecisionKind}


def void(work: Work, release: Release) -> None:
    """Makes all standing decisions void: the content changed, or the release went back."""
    work.session.execute(
        update(Decision)
        .where(Decision.release_id == release.id, Decision.void_at.is_(None))
        .values(void_at=work.now)
    )
