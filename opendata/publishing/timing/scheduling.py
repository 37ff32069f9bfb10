"""Scheduled publication (定时发布): a release that is approved before its time waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_publish
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Release
from opendata.core.errors import Conflict, Forbidden, invalid
from opendata.publishing.sentences import Step, say
from opendata.review import service as review
from opendata.work.unit import Work

FREE = frozenset({State.DRAFT, State.RETURNED, State.SUBMITTED, State.CHECKING, State.IN_REVIEW})
"""States before the second approval."""
LONGEST = timedelta(days=731)


def schedule(work: Work, release: Release, agency: Agency, at: datetime | None) -> None:
    """Not before that time; None: as soon as it is approved. Reviewers approve the time that they see: once one of them has
    decided it can only be put off.

    Errors: `Forbidden`; `Conflict("schedule_over")`, `Conflict("schedule_only_later")`; `Invalid` for a time in the past or
    more than two years away.
    """
    if not may_publish(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    work.session.refresh(release, with_for_update=True)
    state = State(release.state)
    if state not in FREE | {State.SCHEDULED}:
        raise Conflict("schedule_over", state=state.value)
    if at is not None and not work.now < at <= work.now + LONGEST:
        raise invalid("publish_at", "publish_at_in_future", at=at.isoformat(), days=LONGEST.days)
    bound = state is State.SCHEDULED or (state is State.IN_REVIEW and bool(review.standing(work, release)))
    if bound and (at is None or (release.publish_at is not None and at < release.publish_at)):
        standing = release.publish_at.isoformat() if release.publish_at else "-"
        raise Conflict("schedule_only_later", at=standing)
    before = release.publish_at
    release.publish_at = at
    if state is State.SCHEDULED and at is not None:
        say(release, Step.SCHEDULED, at=at.isoformat())
    work.record(
        "release.schedule_set",
        "release",
        release.id,
        before=before.isoformat() if before else None,
        after=at.isoformat() if at else None,
    )
