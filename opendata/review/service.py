"""The two decisions: two roles, two people, neither an author, both about exactly the content that would go out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select, update

from opendata.agencies.delegation import queries as delegations
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Release, ReleaseAuthor
from opendata.core.database import table_of
from opendata.core.errors import NotFound, invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.review import light, queries, reasons
from opendata.review.errors import NotInReview, OtherContent, WrongReviewer
from opendata.review.models import Decision, DecisionKind, Outcome, Waiver
from opendata.work.actor import Role
from opendata.work.unit import Work

_AUTHOR = table_of(ReleaseAuthor).c
_AUTHORS = select(_AUTHOR.user_id).where(_AUTHOR.release_id == bindparam("release"))
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
    field_reasons: Sequence[Mapping[str, str]] = (),
) -> Decision:
    """Writes a decision down. It moves nothing: `publishing` reads the decisions and moves the release. `field_reasons`
    are [{field, reason}] of a rejection.

    Errors: `WrongReviewer`, `NotInReview`, `OtherContent`; `Invalid` for a rejection without any reason.
    """
    actor_id = check_reviewer(work, release, agency, kind)
    _check_open(work, release, kind, content_hash)
    by_field = reasons.checked(field_reasons) if outcome is Outcome.REJECT else []
    if outcome is Outcome.REJECT and not (reason.strip() or by_field):
        raise invalid("reason", "rejection_needs_reason")
    decision = Decision(
        id=new_id(),
        release_id=release.id,
        kind=kind.value,
        outcome=outcome.value,
        content_hash=content_hash,
        reason=clean_text(reason)[:5000],
        field_reasons=by_field,
        reviewer_id=actor_id,
        on_behalf_of=delegations.stands_in_for(work, actor_id, agency, ROLE_OF[kind]),
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
        field_reasons=by_field,
        on_behalf_of=decision.on_behalf_of,
    )
    return decision


def _check_open(work: Work, release: Release, kind: DecisionKind, content_hash: str) -> None:
    """Whether this decision about this content is still to come."""
    if release.state != State.IN_REVIEW.value:
        raise NotInReview(state=release.state)
    if content_hash != release.content_hash:
        raise OtherContent(expected=release.content_hash, got=content_hash[:64])
    if any(d.kind == kind.value for d in standing(work, release)):
        raise NotInReview("already_decided", kind=kind.value)


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
    # Whoever stands in for somebody decides as both of them: what binds the one binds the other.
    mine = {actor.id, delegations.stands_in_for(work, actor.id, agency, ROLE_OF[kind]) or actor.id}
    if mine & authors(work, release):
        raise WrongReviewer("reviewer_is_author")
    if any(mine & persons(d) for d in standing(work, release) if d.kind != kind.value):
        raise WrongReviewer("same_reviewer_twice")
    return actor.id


def may_decide(work: Work, release: Release, agency: Agency, kind: DecisionKind) -> bool:
    """Whether the actor may make this decision, as far as persons and roles go."""
    try:
        check_reviewer(work, release, agency, kind)
    except WrongReviewer:
        return False
    return True


def persons(decision: Decision) -> set[str]:
    """Who made it, and in whose place."""
    return {decision.reviewer_id, decision.on_behalf_of or decision.reviewer_id}


def authors(work: Work, release: Release) -> set[str]:
    """Account ids of all who edited or submitted the release."""
    submitted = {release.author_id} if release.author_id else set()
    if release.id in work.made:
        return submitted | ({work.actor.id} if work.actor.id else set())
    work.session.flush()
    found = work.session.connection().execute(_AUTHORS, {"release": release.id}).scalars()
    return set(found) | submitted


def standing(work: Work, release: Release) -> Sequence[Decision]:
    """Decisions on the release's present content that are not void."""
    query = select(Decision).where(
        Decision.release_id == release.id,
        Decision.content_hash == release.content_hash,
        Decision.void_at.is_(None),
    )
    return work.session.execute(query.order_by(Decision.decided_at)).scalars().all()


def approved(work: Work, release: Release) -> bool:
    """Whether all decisions that this release needs are approvals: both, or one of a correction."""
    found = {d.kind for d in standing(work, release) if d.outcome == Outcome.APPROVE.value}
    return bool(found) if light.is_light(release) else found == {kind.value for kind in DecisionKind}


def void(work: Work, release: Release) -> None:
    """Makes all standing decisions void: the content changed, or the release went back."""
    work.session.execute(
        update(Decision)
        .where(Decision.release_id == release.id, Decision.void_at.is_(None))
        .values(void_at=work.now)
    )
