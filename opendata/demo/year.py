"""The sample's year: everything in it lies a part of the year before or after today, so that it looks lived in on any day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

from opendata.core.clock import BEIJING, FixedClock, day_of
from opendata.work.unit import Workplace

OFFICE_HOUR = 10


class Year:
    """Points of the year as numbers: 0 is its first day, 1 is now, 2 its last day; -1 is a year before the first."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        today = now.astimezone(BEIJING)
        self.number = today.year
        self._first = datetime(today.year, 1, 1, tzinfo=BEIJING)
        self._last = datetime(today.year, 12, 31, tzinfo=BEIJING)

    def moment(self, point: float) -> datetime:
        """When that was, in office hours; never later than now."""
        begun = self.now - self._first if point >= 0 else timedelta(days=365)
        at = (self._first + min(point, 1.0) * begun).astimezone(BEIJING)
        at = at.replace(hour=OFFICE_HOUR, minute=0, second=0, microsecond=0)
        return min(at.astimezone(UTC), self.now)

    def day(self, point: float) -> date:
        """A day of this year: gone by, up to 1 (yesterday, or the first of January), or from today on."""
        today = day_of(self.now)
        if point <= 1:
            return max(min(day_of(self.moment(point)), today - timedelta(days=1)), self._first.date())
        return today + (min(point, 2.0) - 1) * (self._last.date() - today)


@contextmanager
def told(place: Workplace) -> Iterator[tuple[Year, FixedClock]]:
    """Inside the block time is what the story makes it: its clock goes from last year to now."""
    real = place.clock
    year = Year(real.now())
    clock = FixedClock(year.now)
    place.clock = clock
    try:
        yield year, clock
    finally:
        place.clock = real
