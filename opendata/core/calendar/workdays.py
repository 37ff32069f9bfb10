"""Working days by the State Council's calendar of holidays and the weekends that are worked in exchange (调休).

The calendar is published each November for the year to come. For years that it does not know yet (or any more) Monday to
Friday count, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

ONE_DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True)
class Deadline:
    """The last day on which something is in time."""

    day: date
    official: bool
    """Whether the calendar knew every day on the way; else weekdays stand for some of them."""


def is_workday(day: date) -> tuple[bool, bool]:
    """(whether the day is worked, whether the calendar knows its year)."""
    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < SATURDAY, False


def deadline(start: date, days: int) -> Deadline:
    """The `days`-th working day after `start`, which does not count itself; `days` is at least 1."""
    day, official, left = start, True, days
    while left:
        day += ONE_DAY
        worked, known = is_workday(day)
        left -= worked
        official = official and known
    return Deadline(day, official)


def between(today: date, until: date) -> int:
    """Working days from tomorrow up to and with `until`; negative: those since then, up to and with today."""
    first, last = sorted((today, until))
    days = sum(is_workday(first + n * ONE_DAY)[0] for n in range(1, (last - first).days + 1))
    return days if until >= today else -days
