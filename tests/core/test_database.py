"""The database base: late write lock, read-only reading, a failed commit leaves nothing behind."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from opendata.core import database
from opendata.core.database import UtcDateTime, open_engine


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'x.db'}"
    engine = open_engine(address, writing=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(
            text("CREATE TABLE child (id INTEGER REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)")
        )
    engine.dispose()
    return address


def test_a_reading_engine_cannot_write(url: str) -> None:
    engine = open_engine(url, writing=False)
    with pytest.raises(OperationalError), engine.begin() as connection:
        connection.execute(text("INSERT INTO parent VALUES (1)"))


def test_a_commit_that_fails_leaves_the_connection_usable(url: str) -> None:
    engine = open_engine(url, writing=True)
    with Session(engine) as session:
        session.execute(text("INSERT INTO child VALUES (7)"))
        with pytest.raises(IntegrityError):
            session.commit()
    with Session(engine) as session:
        session.execute(text("INSERT INTO parent VALUES (1)"))
        session.commit()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM child")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM parent")).scalar() == 1


def test_writers_wait_for_each_other_and_lose_nothing(url: str) -> None:
    engine = open_engine(url, writing=True)

    def add(start: int) -> None:
        for number in range(start, start + 20):
            with Session(engine) as session:
                held = session.execute(text("SELECT count(*) FROM parent")).scalar()
                session.execute(text("INSERT INTO parent VALUES (:n)"), {"n": number})
                assert session.execute(text("SELECT count(*) FROM parent")).scalar() == (held or 0) + 1
                session.commit()

    threads = [threading.Thread(target=add, args=(1000 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM parent")).scalar() == 160


def test_a_writer_that_does_not_get_its_turn_is_told_so(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    engine = open_engine(url, writing=True)
    with open_engine(url, writing=True).begin() as other:
        other.execute(text("INSERT INTO parent VALUES (1)"))
        with Session(engine) as session, pytest.raises(OperationalError, match="locked"):
            session.execute(text("INSERT INTO parent VALUES (2)"))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO parent VALUES (2)"))
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 50
        assert connection.execute(text("SELECT count(*) FROM parent")).scalar() == 2


def test_times_are_aware_and_in_utc(url: str) -> None:
    dialect = open_engine(url, writing=True).dialect
    kind = UtcDateTime()
    with pytest.raises(ValueError, match="naive"):
        kind.process_bind_param(datetime(2026, 1, 1), dialect)
    assert kind.process_result_value(datetime(2026, 1, 1), dialect) == datetime(2026, 1, 1, tzinfo=UTC)
