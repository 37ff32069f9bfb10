"""Connections to PostgreSQL: those that the server has ended are not handed out, and a single statement takes one way to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from databases import VARIABLE
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from opendata.core import database
from opendata.core.database import at_once, open_engine
from opendata.settings import Settings

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"needs a real service: {VARIABLE} not set"),
]
Opened = Callable[[bool], Engine]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Engines over the tests' own server; whether they write is asked."""
    made: list[Engine] = []

    def make(writing: bool) -> Engine:
        made.append(open_engine(Settings(database_url=os.environ[VARIABLE]).database, writing=writing))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


def end(engine: Engine, *, by: Engine) -> None:
    """The server ends the connection that the engine has."""
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with by.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


@pytest.mark.parametrize("writing", [True, False])
def test_a_connection_that_rested_is_asked_first(
    opened: Opened, writing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RESTED_SECONDS", 0.05)
    engine = opened(writing)
    end(engine, by=opened(True))
    time.sleep(0.1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_one_that_did_not_rest_fails_once(opened: Opened) -> None:
    engine = opened(False)
    end(engine, by=opened(True))
    with pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_single_statement_is_alone(opened: Opened) -> None:
    engine = opened(False)
    with at_once(engine) as connection:
        now, later = (connection.execute(text("SELECT clock_timestamp(), now()")).one() for _ in range(2))
        assert now[1] != later[1], "each is a transaction of its own"
    with engine.connect() as connection:
        assert connection.get_isolation_level() == "REPEATABLE READ", "as all others have it again"
