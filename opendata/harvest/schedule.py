"""When a source is due: `hourly`, or `daily`, `weekly` (Mondays), `monthly` (the first), each with a time of day in Beijing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from opendata.core.clock import BEIJING

_USUAL = "02:00"
_DAYS: dict[str, Callable[[datetime], bool]] = {
    "daily": lambda _day: True,
    "weekly": lambda day: day.weekday() == 0,
    "monthly": lambda day: day.day == 1,
}


def next_run(schedule: str, now: datetime) -> datetime | None:
    """The first time after `now`; None for a source that runs when somebody asks for it."""
    if not schedule:
        return None
    if schedule == "hourly":
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    cycle, _, time = schedule.partition(" ")
    hour, minute = map(int, (time or _USUAL).split(":"))
    day = now.astimezone(BEIJING).replace(hour=hour, minute=minute, second=0, microsecond=0)
    while day <= now or not _DAYS[cycle](day):
        day += timedelta(days=1)
    return day.astimezone(UTC)
