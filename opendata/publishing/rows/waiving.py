"""Waivers for written rows: a secrecy reviewer records why what a rule finds in a column may be public."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.core.errors import NotFound, invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.review.detect.rules import Rule
from opendata.review.errors import WrongReviewer
from opendata.review.models import RowWaiver
from opendata.work.actor import Role
from opendata.work.unit import Work


def waive(work: Work, agency: Agency, resource_id: str, *, column: str, rule: Rule, reason: str) -> RowWaiver:
    """`WrongReviewer`; `Invalid` without a reason. One that is in force already is answered as it is."""
    actor_id = _check(work, agency)
    if not reason.strip():
        raise invalid("reason", "waiver_needs_reason")
    found = _in_force(work, resource_id, column, rule)
    if found is not None:
        return found
    text = clean_text(reason)[:5000]
    made = RowWaiver(
        id=new_id(),
        resource_id=resource_id,
        place=column,
        rule=rule.value,
        reason=text,
        reviewer_id=actor_id,
        waived_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    work.record("rows.waived", "resource", resource_id, place=column, rule=rule.value, reason=text)
    return made


def end(work: Work, agency: Agency, resource_id: str, waiver_id: str) -> None:
    """From now on the rule holds again; what was written meanwhile stays. `WrongReviewer`, `NotFound`."""
    actor_id = _check(work, agency)
    found = work.session.get(RowWaiver, waiver_id)
    if found is None or found.resource_id != resource_id or found.ended_at is not None:
        raise NotFound("row_waiver_not_found", id=waiver_id[:100])
    found.ended_by, found.ended_at = actor_id, work.now
    work.record("rows.waiver_ended", "resource", resource_id, place=found.place, rule=found.rule)


def listed(work: Work, resource_id: str) -> Sequence[tuple[RowWaiver, User]]:
    """All that there ever were, the latest first, with the reviewers."""
    query = select(RowWaiver, User).join(User, User.id == RowWaiver.reviewer_id)
    query = query.where(RowWaiver.resource_id == resource_id).order_by(RowWaiver.waived_at.desc())
    return [(waiver, user) for waiver, user in work.session.execute(query)]


def waived(work: Work, resource_id: str) -> set[tuple[str, str]]:
    """(column, rule) of what the actor may write: nobody waives the own rows."""
    query = select(RowWaiver.place, RowWaiver.rule).where(
        RowWaiver.resource_id == resource_id,
        RowWaiver.ended_at.is_(None),
        RowWaiver.reviewer_id != (work.actor.id or ""),
    )
    return {(place, rule) for place, rule in work.session.execute(query)}


def _in_force(work: Work, resource_id: str, column: str, rule: Rule) -> RowWaiver | None:
    query = select(RowWaiver).where(
        RowWaiver.resource_id == resource_id,
        RowWaiver.place == column,
        RowWaiver.rule == rule.value,
        RowWaiver.ended_at.is_(None),
        RowWaiver.reviewer_id == (work.actor.id or ""),
    )
    return work.session.execute(query).scalars().first()


def _check(work: Work, agency: Agency) -> str:
    if work.actor.id is None or not may_review(work.actor, agency, Role.SECRECY_REVIEWER):
        raise WrongReviewer("reviewer_role_missing", role=Role.SECRECY_REVIEWER.value)
    return work.actor.id
