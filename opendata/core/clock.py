"""Time as a dependency, so that tests can hold it still. All times are aware and in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

BEIJING = timezone(timedelta(hours=8))
"""The country's one time zone: people read times in it, deadlines end with its days; the API keeps UTC."""


def day_of(moment: datetime) -> date:
    """The day in Beijing on which the moment falls."""
    return moment.astimezone(BEIJING).date()


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        self.at += timedelta(**delta)
