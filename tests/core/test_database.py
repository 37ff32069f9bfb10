"""The database base: late write lock, read-only reading, a failed commit leaves nothing behind."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, String, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.exc import StaleDataError

from opendata.core import database
from opendata.core.database import Base, UtcDateTime, open_engine, save, store


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


class Local(Base):
    """Of these tests alone: what is one of the application's tables has a migration."""

    __abstract__ = True
    metadata = MetaData()


class Thing(Local):
    __tablename__ = "thing_of_a_test"

    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(10), default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime | None]
    count: Mapped[int] = mapped_column(default=0)
    edition: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so


@pytest.fixture
def things(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'things.db'}", writing=True)
    Local.metadata.create_all(engine)
    return engine


def thing(name: str) -> Any:
    return Thing(
        id=name, name=name, facts={"long": 10**30, "text": "数据"}, at=datetime(2026, 1, 2, tzinfo=UTC)
    )


def test_a_row_written_at_once_is_the_row_that_is_read(things: Engine) -> None:
    with Session(things, expire_on_commit=False) as session:
        store(session, made := thing("a"))
        made.name, made.facts, made.at = "b", {"few": 1}, None
        save(session, made, counted="count")
        assert (made.count, made.edition, list(session.dirty)) == (1, 2, [])
        made.name = "c"  # what is changed afterwards is written as ever
        session.commit()
        store(session, thing("other"))
        session.commit()
    with Session(things) as session:
        read = session.get_one(Thing, "a")
        assert (read.name, read.facts, read.at, read.count, read.edition) == ("c", {"few": 1}, None, 1, 3)
        other = session.get_one(Thing, "other")
        assert other.facts == {"long": 10**30, "text": "数据"}
        assert other.at == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_row_that_somebody_else_has_changed_is_not_written_over(things: Engine) -> None:
    with Session(things, expire_on_commit=False) as session:
        store(session, made := thing("a"))
        session.execute(text("UPDATE thing_of_a_test SET edition = 7"))
        made.name = "b"
        with pytest.raises(StaleDataError):
            save(session, made)
        with pytest.raises(StaleDataError):
            save(session, made, counted="count")


def test_what_a_savepoint_undoes_is_undone_in_the_session(things: Engine) -> None:
    with Session(things, expire_on_commit=False) as session:
        store(session, made := thing("a"))
        part = session.begin_nested()
        made.name = "b"
        save(session, made, counted="count")
        assert (made.name, made.count) == ("b", 1)
        part.rollback()
        assert (made.name, made.count) == ("a", 0)
        save(session, made, counted="count")
        assert made.count == 1
