"""What is due by the clock: drafts of quiet clients, scheduled releases, reminders of reviews. Read from the database at each
turn, so a restart forgets nothing; each is done in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select

from opendata.catalog import queries, views
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, Release
from opendata.core.clock import day_of
from opendata.publishing import service
from opendata.review.rounds import queries as reviews
from opendata.review.rounds import service as rounds
from opendata.review.rounds.models import Reminder, ReviewRound
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

Guard = Callable[[Callable[[], object]], None]
"""Runs a step; one that fails is logged, and the others go on."""


def run(place: Workplace, guarded: Guard) -> None:
    with place.reading(SYSTEM) as work:
        owed = [
            *((service.submit_quietly, dataset_id) for dataset_id in _quiet(work)),
            *((service.release_scheduled, release_id) for release_id in _scheduled(work)),
            *((_remind_overdue, round_id) for round_id in _late(work)),
            *((_remind_soon, round_id) for round_id in _soon(work)),
        ]
    for step, subject in owed:
        guarded(lambda step=step, subject=subject: _do(place, step, subject))  # type: ignore[misc]  # bound per turn


def _do(place: Workplace, step: Callable[[Work, str], object], subject: str) -> None:
    with place.writing(SYSTEM) as work:
        step(work, subject)


def _quiet(work: Work) -> Sequence[str]:
    return work.session.execute(select(Dataset.id).where(Dataset.submit_at <= work.now)).scalars().all()


def _scheduled(work: Work) -> Sequence[str]:
    query = select(Release.id).where(Release.state == State.SCHEDULED.value, Release.publish_at <= work.now)
    return work.session.execute(query).scalars().all()


def _late(work: Work) -> Sequence[str]:
    yesterday = day_of(work.now) - rounds.SOON
    return reviews.due(work, yesterday, (Reminder.NONE.value, Reminder.SOON.value))


def _soon(work: Work) -> Sequence[str]:
    """On the last day and the day before."""
    return reviews.due(work, day_of(work.now) + rounds.SOON, (Reminder.NONE.value,))


def _remind_overdue(work: Work, round_id: str) -> None:
    _remind(work, round_id, overdue=True)


def _remind_soon(work: Work, round_id: str) -> None:
    _remind(work, round_id, overdue=False)


def _remind(work: Work, round_id: str, *, overdue: bool) -> None:
    release = queries.release(work.session, work.session.get_one(ReviewRound, round_id).release_id)
    dataset = work.session.get(Dataset, release.dataset_id) if release is not None else None
    if release is not None and dataset is not None:
        rounds.remind(work, round_id, views.one(work.session, dataset, release), overdue)
