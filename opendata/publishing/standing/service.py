"""Proposing an authority, the two approvals, what an update must be to pass, and what suspends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update

from opendata.accounts.models import User
from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.agencies.delegation import queries as delegations
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_publish, may_review
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset, Release
from opendata.catalog.views import DatasetView
from opendata.core.canonical import sha256_json
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.inventory.models import InventoryLine, Openness
from opendata.publishing.standing import measuring
from opendata.publishing.standing.measuring import Problem
from opendata.publishing.standing.models import (
    STANDING_POLICY,
    Standing,
    StandingApproval,
    StandingAuthority,
    StandingPassage,
)
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.review.errors import OtherContent, WrongReviewer
from opendata.review.models import DecisionKind, Outcome
from opendata.work.unit import Work

LONGEST = timedelta(days=366)
OPEN = (Standing.PROPOSED.value, Standing.SUSPENDED.value)
"""States in which the reviewers are asked."""
LIVE = (Standing.PROPOSED.value, Standing.ACTIVE.value, Standing.SUSPENDED.value)


def propose(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    line: InventoryLine | None,
    source: User,
    *,
    rows_drift: int,
    filled_drift: int,
    expires_on: date,
    reason: str,
) -> StandingAuthority:
    """Terms about what is public now; nothing goes out by them before both reviewers have approved.

    Errors: `Forbidden`; `Conflict("not_published")`, `Conflict("standing_exists")`; `Invalid` naming every wrong field.
    """
    if not may_publish(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    view = _public(work, dataset)
    shape = measuring.schema_hash(work, view)
    errors = _wrong(work, line, shape, expires_on)
    if errors or line is None or shape is None:
        raise Invalid(fields=errors)
    terms: dict[str, Any] = {
        "dataset_id": dataset.id,
        "agency_id": agency.id,
        "line_id": line.id,
        "source_id": source.id,
        "schema_hash": shape,
        "baseline": measuring.measure(work, view),
        "rows_drift": rows_drift,
        "filled_drift": filled_drift,
    }
    row = _enter(work, terms, expires_on, reason)
    work.record("standing.proposed", "standing_authority", row.id, dataset=dataset.id, terms=row.terms_hash)
    _ask(work, row, agency, view.meta.title, Occasion.STANDING_WAITS)
    return row


def _enter(work: Work, terms: Mapping[str, Any], expires_on: date, reason: str) -> StandingAuthority:
    row = StandingAuthority(
        id=new_id(),
        **terms,
        expires_on=expires_on,
        reason=clean_text(reason).strip()[:1000],
        terms_hash=sha256_json({**terms, "expires_on": expires_on.isoformat()}),
        proposed_by=work.actor.id,
        proposed_at=work.now,
        changed_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    return row


def _public(work: Work, dataset: Dataset) -> DatasetView:
    """What is public now, if it has no authority yet."""
    published = queries.release(work.session, dataset.published_id)
    if published is None:
        raise Conflict("not_published", name=dataset.name)
    if live(work, dataset.id) is not None:
        raise Conflict("standing_exists", name=dataset.name)
    return views.one(work.session, dataset, published)


def decide(
    work: Work,
    row: StandingAuthority,
    agency: Agency,
    *,
    kind: DecisionKind,
    outcome: Outcome,
    terms_hash: str,
    reason: str,
) -> None:
    """One of the two decisions about exactly these terms; the second approval makes it active, a rejection ends it.

    Errors: `WrongReviewer`; `Conflict("standing_not_open")`, `OtherContent`.
    """
    work.session.refresh(row, with_for_update=True)
    actor_id, absent = _reviewer(work, row, agency, kind)
    _check_open(work, row, kind, terms_hash)
    work.record(
        f"standing.{kind.value}_{outcome.value}",
        "standing_authority",
        row.id,
        terms=row.terms_hash,
        reason=reason[:1000],
        on_behalf_of=absent,
    )
    if outcome is Outcome.REJECT:
        _move(work, row, Standing.ENDED)
        return
    approval = StandingApproval(
        id=new_id(),
        authority_id=row.id,
        kind=kind.value,
        terms_hash=row.terms_hash,
        reason=clean_text(reason)[:5000],
        reviewer_id=actor_id,
        on_behalf_of=absent,
        approved_at=work.now,
    )
    work.session.add(approval)
    work.session.flush()
    if {a.kind for a in approvals(work, row)} == {k.value for k in DecisionKind}:
        row.stopped_by = []
        _move(work, row, Standing.ACTIVE)


def _check_open(work: Work, row: StandingAuthority, kind: DecisionKind, terms_hash: str) -> None:
    """Whether this decision about these terms is still to come."""
    if row.state not in OPEN:
        raise Conflict("standing_not_open", state=row.state)
    if any(approval.kind == kind.value for approval in approvals(work, row)):
        raise Conflict("standing_decided", kind=kind.value)
    if terms_hash != row.terms_hash:
        raise OtherContent(expected=row.terms_hash, got=terms_hash[:64])


def end(work: Work, row: StandingAuthority, agency: Agency) -> None:
    """By its body's editors or reviewers, at any time. `Conflict("standing_not_open")` if it is over."""
    if row.state == Standing.ENDED.value:
        raise Conflict("standing_not_open", state=row.state)
    if not may_end(work, row, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    _move(work, row, Standing.ENDED)


def may_end(work: Work, row: StandingAuthority, agency: Agency) -> bool:
    reviewer = any(may_review(work.actor, agency, role) for role in review.ROLE_OF.values())
    return row.state != Standing.ENDED.value and (reviewer or may_publish(work.actor, agency))


def may_decide(work: Work, row: StandingAuthority, agency: Agency, kind: DecisionKind) -> bool:
    """Whether this decision is open, and the actor's."""
    if row.state not in OPEN or any(a.kind == kind.value for a in approvals(work, row)):
        return False
    try:
        _reviewer(work, row, agency, kind)
    except WrongReviewer:
        return False
    return True


def live(work: Work, dataset_id: str) -> StandingAuthority | None:
    """The dataset's authority that is not over."""
    query = select(StandingAuthority).where(
        StandingAuthority.dataset_id == dataset_id, StandingAuthority.state.in_(LIVE)
    )
    return work.session.execute(query).scalar_one_or_none()


def approvals(work: Work, row: StandingAuthority) -> Sequence[StandingApproval]:
    query = select(StandingApproval).where(
        StandingApproval.authority_id == row.id, StandingApproval.void_at.is_(None)
    )
    return work.session.execute(query.order_by(StandingApproval.approved_at)).scalars().all()


def passes(work: Work, view: DatasetView) -> bool:
    """Whether the release goes out by an authority, without reviewers. If it is one of its updates but out of bounds, the
    authority is suspended and the release goes the ordinary way."""
    row = live(work, view.id)
    if row is None or row.state != Standing.ACTIVE.value or not _is_update(work, row, view):
        return False
    found = list(_problems(work, row, view))
    if found:
        suspend(work, view.id, found)
        return False
    release = view.release
    facts = measuring.measure(work, view)
    passage = StandingPassage(
        release_id=release.id,
        content_hash=release.content_hash or "",
        authority_id=row.id,
        facts=facts,
        passed_at=work.now,
    )
    work.session.add(passage)
    release.policy = STANDING_POLICY
    work.session.flush()
    work.record(
        "standing.passed",
        "release",
        release.id,
        authority=row.id,
        content_hash=release.content_hash,
        facts=facts,
    )
    return True


def stop(work: Work, release: Release, code: str) -> None:
    """A machine sent an update of its source back: it is suspended."""
    row = live(work, release.dataset_id)
    if row is not None and review.authors(work, release) == {row.source_id}:
        suspend(work, release.dataset_id, [{"code": code, "params": {}}])


def suspend(work: Work, dataset_id: str, problems: Sequence[Problem]) -> None:
    """Nothing passes by it any more until both reviewers approve it anew."""
    row = live(work, dataset_id)
    if row is None or row.state != Standing.ACTIVE.value:
        return
    row.stopped_by = list(problems)
    work.session.execute(
        update(StandingApproval)
        .where(StandingApproval.authority_id == row.id, StandingApproval.void_at.is_(None))
        .values(void_at=work.now)
    )
    _move(work, row, Standing.SUSPENDED, problems=list(problems))
    dataset = work.session.get_one(Dataset, dataset_id)
    release = queries.release(work.session, dataset.published_id)
    title = str(release.meta.get("title", "")) if release else dataset.name
    _ask(work, row, work.session.get_one(Agency, row.agency_id), title, Occasion.STANDING_STOPPED)


def _is_update(work: Work, row: StandingAuthority, view: DatasetView) -> bool:
    """Delivered by its source alone, and about the data alone: anything else is for the reviewers, and no fault."""
    before = queries.release(work.session, view.dataset.published_id)
    if before is None or review.authors(work, view.release) != {row.source_id}:
        return False
    return measuring.same_words(views.one(work.session, view.dataset, before), view)


def _problems(work: Work, row: StandingAuthority, view: DatasetView) -> list[Problem]:
    line = work.session.get(InventoryLine, row.line_id)
    found: list[Problem] = []
    if row.expires_on < day_of(work.now):
        found.append({"code": "expired", "params": {"day": row.expires_on.isoformat()}})
    if line is None or line.openness == Openness.CLOSED.value:
        found.append({"code": "line_closed", "params": {}})
    if reviews.findings(work, view.release):
        places = [finding.place for finding in reviews.findings(work, view.release)]
        found.append({"code": "findings", "params": {"places": places[:20]}})
    if measuring.schema_hash(work, view) != row.schema_hash:
        found.append({"code": "schema", "params": {}})
    now = measuring.measure(work, view)
    bounds = {"rows_drift": row.rows_drift, "filled_drift": row.filled_drift}
    return [*found, *measuring.drift(row.baseline, now, **bounds)]


def _reviewer(
    work: Work, row: StandingAuthority, agency: Agency, kind: DecisionKind
) -> tuple[str, str | None]:
    """The actor and whose place they take. Neither proposed it, delivers by it, or has made the other decision."""
    actor, role = work.actor, review.ROLE_OF[kind]
    if actor.id is None or not may_review(actor, agency, role):
        raise WrongReviewer("reviewer_role_missing", role=role.value)
    absent = delegations.stands_in_for(work, actor.id, agency, role)
    mine = {actor.id, absent or actor.id}
    if mine & {row.proposed_by, row.source_id}:
        raise WrongReviewer("reviewer_is_author")
    others = [a for a in approvals(work, row) if a.kind != kind.value]
    if any(mine & {a.reviewer_id, a.on_behalf_of or a.reviewer_id} for a in others):
        raise WrongReviewer("same_reviewer_twice")
    return actor.id, absent


def _wrong(work: Work, line: InventoryLine | None, shape: str | None, expires_on: date) -> list[FieldError]:
    today = day_of(work.now)
    errors = []
    if line is None:
        errors.append(FieldError("line", "standing_needs_line"))
    if shape is None:
        errors.append(FieldError("dataset", "standing_needs_tables"))
    if not today <= expires_on <= today + LONGEST:
        errors.append(FieldError("expires_on", "standing_expiry", {"days": LONGEST.days}))
    return errors


def _move(work: Work, row: StandingAuthority, state: Standing, **told: Any) -> None:
    row.state, row.changed_at = state.value, work.now
    work.session.flush()
    work.record(f"standing.{state.value}", "standing_authority", row.id, dataset=row.dataset_id, **told)


def _ask(work: Work, row: StandingAuthority, agency: Agency, title: str, occasion: Occasion) -> None:
    people = {user.id for role in review.ROLE_OF.values() for user in delegations.holders(work, agency, role)}
    wanted = people | ({row.proposed_by} if row.proposed_by else set())
    notices.tell(
        work,
        wanted,
        occasion,
        about=f"{row.id}:{work.now.isoformat()}",
        path="/console/standing",
        title=title,
    )
