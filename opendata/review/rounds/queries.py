"""Reads of rounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import select

from opendata.accounts.models import User
from opendata.agencies.delegation import queries as delegations
from opendata.agencies.models import Agency
from opendata.catalog.models import Release
from opendata.review import light
from opendata.review import service as review
from opendata.review.models import DecisionKind
from opendata.review.rounds.models import Result, ReviewRound
from opendata.work.unit import Work


def latest(work: Work, release_id: str) -> ReviewRound | None:
    """The round that is open, or was the last."""
    query = select(ReviewRound).where(ReviewRound.release_id == release_id)
    return work.session.execute(query.order_by(ReviewRound.opened_at.desc()).limit(1)).scalar_one_or_none()


def open_rounds(work: Work, release_ids: Iterable[str]) -> Mapping[str, ReviewRound]:
    """The open round of each release that has one, by the release's id."""
    query = select(ReviewRound).where(
        ReviewRound.release_id.in_(list(release_ids)), ReviewRound.result == Result.OPEN.value
    )
    return {row.release_id: row for row in work.session.execute(query).scalars()}


def of_release(work: Work, release_id: str) -> Sequence[ReviewRound]:
    """All rounds of a release, the oldest first."""
    query = select(ReviewRound).where(ReviewRound.release_id == release_id)
    return work.session.execute(query.order_by(ReviewRound.opened_at)).scalars().all()


def returned_before(work: Work, release: Release) -> ReviewRound | None:
    """The last round of the release that was returned with another content than it has now: what its author has changed
    since then is the difference to it."""
    query = select(ReviewRound).where(
        ReviewRound.release_id == release.id, ReviewRound.result == Result.RETURNED.value
    )
    row = work.session.execute(query.order_by(ReviewRound.opened_at.desc()).limit(1)).scalar_one_or_none()
    return row if row is not None and row.content_hash != release.content_hash else None


def due(work: Work, day: date, reminders: Iterable[str], limit: int = 100) -> Sequence[str]:
    """Ids of open rounds whose last day is that day or an earlier one and that were reminded that far."""
    query = select(ReviewRound.id).where(
        ReviewRound.result == Result.OPEN.value,
        ReviewRound.due_on <= day,
        ReviewRound.reminded.in_(list(reminders)),
    )
    return work.session.execute(query.order_by(ReviewRound.due_on).limit(limit)).scalars().all()


def reviewers(work: Work, release: Release, agency: Agency) -> Mapping[DecisionKind, Sequence[User]]:
    """For each decision that is still to come, who could make it today. Of a correction either is enough."""
    standing = review.standing(work, release)
    if standing and light.is_light(release):
        return {}
    decided = {decision.kind for decision in standing}
    barred = review.authors(work, release) | {person for d in standing for person in review.persons(d)}
    return {
        kind: [
            user for user in delegations.holders(work, agency, review.ROLE_OF[kind]) if user.id not in barred
        ]
        for kind in DecisionKind
        if kind.value not in decided
    }
