"""A round is opened when the checks are passed, and closed by the decision; in between the reviewers are reminded."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select, update

from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.agencies.models import Agency
from opendata.catalog.codes import codes
from opendata.catalog.content import document
from opendata.catalog.models import Release
from opendata.catalog.views import DatasetView
from opendata.core.calendar import workdays
from opendata.core.clock import day_of
from opendata.core.ids import new_id
from opendata.review.rounds import queries
from opendata.review.rounds.models import Reminder, Result, ReviewRound
from opendata.work.unit import Work

SOON = timedelta(days=1)


def begin(work: Work, view: DatasetView) -> ReviewRound:
    """Lays the content before the reviewers: a number, a deadline, a notice to each who may decide."""
    release, agency, today = view.release, view.agency, day_of(work.now)
    due = workdays.deadline(today, codes().review_deadlines.days(agency.name))
    # Two releases of a body that come at once get their numbers one after the other.
    work.session.execute(select(Agency.id).where(Agency.id == agency.id).with_for_update())
    serial = _next_serial(work, agency, today.year)
    row = ReviewRound(
        id=new_id(),
        number=f"{agency.uscc or agency.name.upper()}-{today.year}-{serial:04d}",
        agency_id=agency.id,
        year=today.year,
        serial=serial,
        release_id=release.id,
        content_hash=release.content_hash or "",
        content=document(view),
        opened_at=work.now,
        due_on=due.day,
        official=due.official,
    )
    work.session.add(row)
    work.session.flush()
    work.record(
        "review.opened",
        "release",
        release.id,
        number=row.number,
        due_on=due.day.isoformat(),
        official=due.official,
    )
    _tell(work, row, release, view, Occasion.REVIEW_WAITS)
    return row


def close(work: Work, release: Release, result: Result) -> None:
    """What became of the release's last round. One that was approved can still be returned by what comes after it."""
    row = queries.latest(work, release.id)
    standing = {Result.APPROVED: (Result.OPEN,), Result.TAKEN_BACK: (Result.OPEN,)}.get(
        result, (Result.OPEN, Result.APPROVED)
    )
    if row is None or row.result not in standing:
        return
    row.result, row.closed_at = result.value, work.now
    notices.take_back(work, _path(release))


def remind(work: Work, round_id: str, view: DatasetView, overdue: bool) -> None:
    """Reminds whoever could decide, once for each step; two servers that look at once remind once."""
    step = Reminder.OVERDUE if overdue else Reminder.SOON
    mark = update(ReviewRound).where(
        ReviewRound.id == round_id,
        ReviewRound.result == Result.OPEN.value,
        ReviewRound.reminded.in_([Reminder.NONE.value] + ([Reminder.SOON.value] if overdue else [])),
    )
    if not work.session.execute(mark.values(reminded=step.value)).rowcount:  # type: ignore[attr-defined]  # of an UPDATE
        return
    row = work.session.get_one(ReviewRound, round_id)
    work.record("review.reminded", "release", row.release_id, number=row.number, step=step.value)
    _tell(work, row, view.release, view, Occasion.REVIEW_OVERDUE if overdue else Occasion.REVIEW_SOON)


def is_overdue(row: ReviewRound, today: date) -> bool:
    """From the day after its last day on, until it is decided."""
    return row.result == Result.OPEN.value and row.due_on < today


def _next_serial(work: Work, agency: Agency, year: int) -> int:
    query = select(func.max(ReviewRound.serial)).where(
        ReviewRound.agency_id == agency.id, ReviewRound.year == year
    )
    return (work.session.execute(query).scalar() or 0) + 1


def _path(release: Release) -> str:
    return f"/console/reviews/{release.id}"


def _tell(work: Work, row: ReviewRound, release: Release, view: DatasetView, occasion: Occasion) -> None:
    for kind, people in queries.reviewers(work, release, view.agency).items():
        notices.tell(
            work,
            [user.id for user in people],
            occasion,
            about=f"{row.id}:{kind.value}",
            path=_path(release),
            title=view.meta.title or view.dataset.name,
            kind=kind.value,
            due_on=row.due_on.isoformat(),
            number=row.number,
        )
