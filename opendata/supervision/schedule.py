"""What is done once a day: the day's job exists once, whichever server asks for it first, and survives a crash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from opendata.core.clock import day_of
from opendata.publishing.roworders import jobs as roworders
from opendata.supervision.alerts import service as alerts
from opendata.supervision.alerts.models import AlertKind
from opendata.supervision.alerts.service import Late
from opendata.supervision.links import checking
from opendata.supervision.periodic import calendar
from opendata.supervision.rectification import inspection, queries
from opendata.supervision.reports import service as reports
from opendata.supervision.scores import service as scores
from opendata.work.actor import SYSTEM
from opendata.work.unit import Workplace

JOB = "supervision.inspect"
DAILY = (checking.JOB, JOB, roworders.DAILY)


def ask(place: Workplace, asked: str = "", jobs: Sequence[str] = DAILY) -> str:
    """Asks for today's jobs, unless this process has `asked` for it already; the day, in Beijing, that is asked for now."""
    today = day_of(place.clock.now()).isoformat()
    if today != asked:
        with place.writing(SYSTEM) as work:
            for job in jobs:
                work.enqueue(job, {}, key=f"{job}:{today}")
    return today


def inspect(place: Workplace, rules: Path | None = None, *, plan: bool = True) -> None:
    """Job: finds breaches, raises an alert for every order and every review that is overdue, freezes the
    numbers of the year that is over, and takes scores where there is a folder with `rules` for them. Without a `plan` nothing is late by it."""
    inspection.inspect(place, plan=plan)
    with place.writing(SYSTEM) as work:
        orders = [
            Late(o.agency_id, o.id, f"{o.number} {o.subject}", o.deadline) for o in queries.overdue(work)
        ]
        alerts.follow(work, AlertKind.RECTIFICATION_OVERDUE, orders)
        today = day_of(work.now)
        reviews = [
            Late(due.agency_id, due.dataset_id, due.title, due.due_on)
            for due in calendar.every(work)
            if due.overdue(today)
        ]
        alerts.follow(work, AlertKind.REVIEW_OVERDUE, reviews)
    reports.freeze(place)
    if rules is not None:
        scores.take_all(place, rules)
