"""Working days: holidays, worked weekends, and years that the calendar does not know."""

from __future__ import annotations

from datetime import date

import pytest

from opendata.core.calendar import workdays


@pytest.mark.parametrize(
    ("start", "days", "last", "official"),
    [
        (date(2026, 11, 23), 5, date(2026, 11, 30), True),  # Monday to Monday
        (date(2026, 11, 27), 1, date(2026, 11, 30), True),  # over a weekend
        (
            date(2026, 9, 30),
            3,
            date(2026, 10, 10),
            True,
        ),  # National Day; Saturday the 10th is worked in exchange
        (date(2026, 11, 28), 1, date(2026, 11, 30), True),  # begun on a Saturday
        (date(2050, 1, 5), 5, date(2050, 1, 12), False),  # nobody has published that calendar
        (date(1990, 1, 5), 1, date(1990, 1, 8), False),
    ],
)
def test_a_deadline_counts_working_days(start: date, days: int, last: date, official: bool) -> None:
    found = workdays.deadline(start, days)
    assert (found.day, found.official) == (last, official)
    assert workdays.between(start, last) == days


def test_a_deadline_into_an_unknown_year_says_so() -> None:
    found = workdays.deadline(date(2026, 12, 30), 3)
    assert found.day.year == 2027
    assert not found.official


def test_what_is_overdue_counts_backwards() -> None:
    assert workdays.between(date(2026, 12, 2), date(2026, 11, 30)) == -2
    assert workdays.between(date(2026, 11, 30), date(2026, 11, 30)) == 0
