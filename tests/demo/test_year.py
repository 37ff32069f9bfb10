"""The sample's year, on whatever day it is loaded."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from opendata.core.clock import day_of
from opendata.demo.entries import read
from opendata.demo.year import Year

DAYS = [
    datetime(2027, 1, 1, 0, 30, tzinfo=UTC),
    datetime(2027, 1, 2, 12, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 9, 0, tzinfo=UTC),
    datetime(2026, 7, 1, 3, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 10, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 17, 0, tzinfo=UTC),
]
POINTS = [point / 100 for point in range(-30, 201)]


@pytest.mark.parametrize("now", DAYS, ids=str)
def test_time_only_goes_forward_and_never_beyond_now(now: datetime) -> None:
    year = Year(now)
    moments = [year.moment(point) for point in POINTS]
    assert moments == sorted(moments)
    assert moments[-1] <= now
    assert all(day_of(m).year < year.number for p, m in zip(POINTS, moments, strict=True) if p < 0)
    assert all(day_of(m).year == year.number for p, m in zip(POINTS, moments, strict=True) if p >= 0)


@pytest.mark.parametrize("now", DAYS, ids=str)
def test_days_to_come_stay_in_the_year(now: datetime) -> None:
    year = Year(now)
    days = [year.day(point) for point in POINTS if point >= 0]
    assert days == sorted(days)
    assert {day.year for day in days} == {day_of(now).year}
    assert days[-1] == date(day_of(now).year, 12, 31)


@pytest.mark.parametrize("now", DAYS[1:5], ids=str)
def test_what_is_overdue_is_overdue_on_every_day_but_the_first(now: datetime) -> None:
    year = Year(now)
    opened = {e["line"] for e in read("datasets.json")["datasets"] if "becomes" not in e}
    late = [
        item
        for item in read("plan.json")["items"]
        if item["line"] not in opened and "change" not in item and year.day(item["day"]) < day_of(now)
    ]
    assert len(late) == 3
