"""Closing a review: by a reviewer or an administrator of the body, for the record."""

from __future__ import annotations

from datetime import date

from opendata.agencies import policy as rights
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import FieldError, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.supervision.alerts import service as alerts
from opendata.supervision.alerts.models import AlertKind
from opendata.supervision.periodic import calendar
from opendata.supervision.periodic.calendar import Due
from opendata.supervision.periodic.models import PeriodicReview, ReviewOutcome
from opendata.work.actor import Actor, Role
from opendata.work.unit import Work


def may_review(actor: Actor, agency: Agency) -> bool:
    """Not the editors: they would look over their own work."""
    reviewers = (Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)
    return rights.may_administer(actor, agency) or any(
        rights.may_review(actor, agency, role) for role in reviewers
    )


def close(
    work: Work,
    due: Due,
    agency: Agency,
    *,
    outcome: ReviewOutcome,
    note: str = "",
    next_on: date | None = None,
) -> PeriodicReview:
    """Records a review of the dataset. `next_on` may come sooner than its cycle asks for, never later.

    Errors: `Forbidden("body_reviewer_only")`; `Invalid` naming every wrong field.
    """
    if not may_review(work.actor, agency):
        raise Forbidden("body_reviewer_only", agency=agency.name)
    today = day_of(work.now)
    latest, note = calendar.after(today, due.cycle), clean_text(note).strip()
    errors = []
    if outcome is not ReviewOutcome.KEEP and not note:
        errors.append(FieldError("note", "outcome_needs_note"))
    if next_on is not None and not today < next_on <= latest:
        errors.append(FieldError("next_on", "review_day_outside", {"latest": latest.isoformat()}))
    if errors:
        raise Invalid(fields=errors)
    review = PeriodicReview(
        id=new_id(),
        dataset_id=due.dataset_id,
        due_on=due.due_on,
        outcome=outcome.value,
        note=note,
        next_on=next_on or latest,
        reviewed_by=work.actor.id,
        reviewer_name=work.actor.name,
        reviewed_at=work.now,
    )
    work.session.add(review)
    work.session.flush()
    alerts.settle(work, AlertKind.REVIEW_OVERDUE, due.dataset_id)
    work.record(
        "dataset.reviewed", "dataset", due.dataset_id, outcome=outcome.value, note=note,
        due_on=due.due_on.isoformat(), next_on=review.next_on.isoformat(),
    )  # fmt: skip
    return review
