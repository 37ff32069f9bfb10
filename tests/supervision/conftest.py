"""A body whose data are open, somebody who supervises, somebody who evaluates, and a clock that the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from town import site_person

from opendata.core.clock import FixedClock
from opendata.supervision import schedule
from opendata.work.actor import Role, SiteRole


@pytest.fixture
def clock(app: Any) -> Iterator[FixedClock]:
    """Noon in Beijing on the first of June."""
    kept, app.place.clock = app.place.clock, FixedClock(datetime(2026, 6, 1, 4, tzinfo=UTC))
    yield app.place.clock
    app.place.clock = kept


@pytest.fixture
def town(office: Any, clock: FixedClock) -> Any:
    """Two bodies; `watch` supervises, `judge` evaluates, `second` is an editor too, `stranger` works for the other body."""
    office.admin.post("/agencies", json={"name": "water", "title": "市水利局"})
    office.person("stranger", *Role, agency="water")
    office.person("second", Role.EDITOR)
    site_person(office, "watch", SiteRole.SUPERVISOR)
    site_person(office, "judge", SiteRole.EVALUATOR)
    return office


@pytest.fixture
def nightly(app: Any, settle: Callable[[], None]) -> Callable[[], None]:
    """The day's job, as the clock of a running server asks for it."""

    def run() -> None:
        schedule.ask(app.place)
        settle()

    return run
