"""The database base: one declarative base, column types that behave alike on SQLite and PostgreSQL, engines.

SQLite runs in WAL with `synchronous=FULL` (an acknowledged commit survives a power cut). Python's driver would open
transactions by itself, late and deferred, and a deferred transaction that turns into a writer fails with "database
is locked" instead of waiting. So the driver is told to keep out, and we begin ourselves: a writing transaction with
`BEGIN IMMEDIATE` at its first statement (it waits its turn there, for `BUSY_TIMEOUT_MS`), a reading one with `BEGIN`.

SQLite's own waiting serves nobody in order and sleeps up to 100 ms between two looks, so with a few busy writers one of
them waits for seconds while the lock is often free. Here one thread of a process looks each millisecond, the others
queue up behind it.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from sqlalchemy import JSON, Connection, DateTime, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

BUSY_TIMEOUT_MS = 15_000
LOOK_SECONDS = 0.001

JSON_VALUE = JSON().with_variant(JSONB(), "postgresql")
"""A JSON column: JSONB on PostgreSQL, text on SQLite."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, whatever the database keeps. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime: times are aware and in UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: dict[Any, TypeEngine[Any] | type[TypeEngine[Any]]] = {  # noqa: RUF012 - SQLAlchemy reads it so
        datetime: UtcDateTime(),
        dict[str, Any]: JSON_VALUE,
        list[Any]: JSON_VALUE,
    }


def open_engine(url: str, *, writing: bool) -> Engine:
    """An engine whose transactions all write, or all only read (the database refuses writes in the latter)."""
    if url.startswith("sqlite"):
        return _open_sqlite(url, writing)
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=20,
        max_overflow=20,
        pool_timeout=10,
        execution_options={} if writing else {"postgresql_readonly": True},
    )


def _open_sqlite(url: str, writing: bool) -> Engine:
    # Last in, first out: the page caches of a few connections fill, not those of all.
    engine = create_engine(
        url, pool_size=40 if not writing else 20, max_overflow=40, pool_timeout=30, pool_use_lifo=True
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-16000")
        if not writing:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "checkin")
    def leave_clean(connection: Any, _record: Any) -> None:
        # A COMMIT that fails (full disk, deferred constraint) leaves the transaction open, and SQLAlchemy thinks it over.
        if connection is not None and connection.in_transaction:
            connection.rollback()

    turn = Lock()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if writing:
            _begin_writing(connection, turn)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Connection, turn: Lock) -> None:
    """Takes the database's write lock; SQLAlchemy's `OperationalError` if it is not to be had within `BUSY_TIMEOUT_MS`."""
    driver: Any = connection.connection.dbapi_connection
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    mine = turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000)
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < deadline:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
            time.sleep(LOOK_SECONDS)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        if mine:
            turn.release()
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
