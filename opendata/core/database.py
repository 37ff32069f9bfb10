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

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from threading import Lock
from typing import Any, cast

import orjson
from sqlalchemy import (
    JSON,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Insert,
    MetaData,
    String,
    Table,
    Update,
    bindparam,
    create_engine,
    event,
    insert,
    inspect,
    literal_column,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, make_transient, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

BUSY_TIMEOUT_MS = 15_000
LOOK_SECONDS = 0.001
RESTED_SECONDS = 1.0

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


class stamp_of(FunctionElement[str]):
    """A time as UTC to the second, `2026-11-23T08:30:15Z`, written by the database: for lists of tens of thousands."""

    type = String()
    inherit_cache = True


@compiles(stamp_of, "sqlite")
def _stamp_sqlite(element: stamp_of, compiler: SQLCompiler, **more: Any) -> str:
    at = compiler.process(element.clauses, **more)
    return f"(substr({at}, 1, 10) || 'T' || substr({at}, 12, 8) || 'Z')"


@compiles(stamp_of, "postgresql")
def _stamp_postgresql(element: stamp_of, compiler: SQLCompiler, **more: Any) -> str:
    return f"""to_char({compiler.process(element.clauses, **more)} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


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


def table_of(model: type[Base]) -> Table:
    return cast(Table, model.__table__)


class Written:
    """A statement that writes, made once: its text, and what becomes of each value, are worked out for a kind of database and
    kept. SQLAlchemy's `execute` works most of it out each time, which takes ten times as long as the database needs.

    For rows of one table; what an insert leaves out has the column's default. Rows that it returns are the driver's."""

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement.inline()
        self._told: dict[tuple[str, tuple[str, ...]], _Told] = {}

    def send(self, session: Session, *rows: Mapping[str, Any]) -> CursorResult[Any]:
        """Once for each row; all have the same keys: the columns, or the names of the statement's parameters."""
        connection = session.connection()
        key = connection.dialect.name, tuple(rows[0])
        told = self._told.get(key) or self._told.setdefault(key, self._tell(connection.dialect, key[1]))
        return connection.exec_driver_sql(told.text, [told.values(row) for row in rows])

    def _tell(self, dialect: Dialect, keys: tuple[str, ...]) -> _Told:
        left = _defaults(cast(Table, self._statement.table)) if isinstance(self._statement, Insert) else {}
        compiled = self._statement.compile(dialect=dialect, column_keys=[*keys, *left])
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        named = {name: bind for bind, name in compiled.bind_names.items()}
        turned = [
            (name, named[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or named
        ]
        return _Told(str(compiled), turned, fixed | left, in_order=compiled.positional)


@dataclass(frozen=True)
class _Told:
    text: str
    turned: Sequence[tuple[str, Callable[[Any], Any] | None]]
    """The parameters, in the order of the text, and what makes the driver's values of ours."""
    fixed: Mapping[str, Any]
    """Defaults of columns, and values that are part of the statement."""
    in_order: bool

    def values(self, row: Mapping[str, Any]) -> Any:
        if self.fixed:
            row = {**{name: _value(fixed) for name, fixed in self.fixed.items() if name not in row}, **row}
        if self.in_order:
            return tuple(turn(row[name]) if turn else row[name] for name, turn in self.turned)
        return {name: turn(row[name]) if turn else row[name] for name, turn in self.turned}


def store(session: Session, row: Base) -> None:
    """Writes a new row, whose key is set, at once, and hands it to the session as one that it knows. What `add` and `flush`
    do, for a fifth of the time: the statement is made once, and nothing is sorted."""
    session.flush()
    table = table_of(type(row))
    values = dict(row.__dict__)
    del values["_sa_instance_state"]
    for name, default in _defaults(table).items():
        if name not in values:
            values[name] = _value(default)
            set_committed_value(row, name, values[name])
    _storing(table).send(session, values)
    for name in table.columns.keys() - values.keys():
        set_committed_value(row, name, None)
    make_transient_to_detached(row)
    session.add(row)


def save(session: Session, row: Base, *, counted: str = "") -> None:
    """Writes at once what was changed of a row that the session knows; `counted` names a column that goes up by one, from
    what the database has. What `flush` does, for this row alone and a third of the time. `StaleDataError` as there."""
    state = inspect(row)
    if session.in_nested_transaction():  # where what is undone has to be undone in the session too
        if counted:
            setattr(row, counted, table_of(type(row)).c[counted] + 1)
        session.flush()
        return
    changed = sorted(state.manager.keys() - state.unmodified - {counted})
    if not changed and not counted:
        return
    values = {name: getattr(row, name) for name in changed} | {"_id": cast(Any, state.identity)[0]}
    if (edition := _edition(type(row))) is not None:
        values |= {"_edition": getattr(row, edition), edition: getattr(row, edition) + 1}
    written = _saving(type(row), counted).send(session, values)
    if counted and (found := written.first()) is not None:
        values[counted] = found[0]
    elif counted or written.rowcount != 1:
        raise StaleDataError(f"{table_of(type(row)).name} {values['_id']} was changed or deleted meanwhile")
    for name in values.keys() & state.manager.keys():
        set_committed_value(row, name, values[name])
    session.expunge(row)
    make_transient(row)
    make_transient_to_detached(row)
    session.add(row)


@lru_cache(200)
def _storing(table: Table) -> Written:
    return Written(insert(table))


@lru_cache(200)
def _saving(model: type[Base], counted: str) -> Written:
    """The row of `_id`, and of `_edition` where its changes are counted."""
    mapper = inspect(model)
    statement = update(table_of(model)).where(mapper.primary_key[0] == bindparam("_id"))
    if mapper.version_id_col is not None:
        statement = statement.where(mapper.version_id_col == bindparam("_edition"))
    if counted:
        column = table_of(model).c[counted]
        statement = statement.values({column: column + literal_column("1")}).returning(column)
    return Written(statement)


def _edition(model: type[Base]) -> str | None:
    """The column that counts a row's changes."""
    column = inspect(model).version_id_col
    return column.key if column is not None else None


@lru_cache(200)
def _defaults(table: Table) -> dict[str, Any]:
    return {c.key: cast(Any, c.default).arg for c in table.columns if c.default is not None}


def _value(default: Any) -> Any:
    return default(None) if callable(default) else default


def _to_json(value: Any) -> str:
    """JSON as the database keeps it; made by the standard library where that knows more (whole numbers of any length)."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value)


def open_engine(url: str, *, writing: bool) -> Engine:
    """An engine whose transactions all write, or all only read (the database refuses writes in the latter)."""
    if url.startswith("sqlite"):
        return _open_sqlite(url, writing)
    engine = create_engine(
        url,
        json_serializer=_to_json,
        pool_size=20,
        max_overflow=20,
        pool_timeout=10,
        # A reader sees one moment, as with SQLite: what is moved between two of its queries is neither missed nor met twice.
        execution_options={}
        if writing
        else {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"},
    )
    _ping_rested(engine)
    return engine


@contextmanager
def at_once(engine: Engine) -> Iterator[Connection]:
    """A connection for single statements without a transaction around them: one way to the server and back instead of three. What
    only reads is not held to it. SQLite, which is no way off, keeps its transactions."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


def _ping_rested(engine: Engine) -> None:
    """A connection that has rested is asked whether it still leads to the server: a restarted server takes longer than that. Asking
    each time, as `pool_pre_ping` does, is one more way to the server and back for every request."""

    @event.listens_for(engine, "connect")
    @event.listens_for(engine, "checkin")
    def leave(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def take(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info["rests_since"] > RESTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except cast(Any, engine.dialect).dbapi.Error as error:
                raise InvalidatePoolError from error


def _open_sqlite(url: str, writing: bool) -> Engine:
    # Last in, first out: the page caches of a few connections fill, not those of all.
    engine = create_engine(
        url,
        json_serializer=_to_json,
        pool_size=40 if not writing else 20,
        max_overflow=40,
        pool_timeout=30,
        pool_use_lifo=True,
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
        # What is deleted is overwritten: rows that had to go must not stay readable in the file.
        cursor.execute("PRAGMA secure_delete=ON" if writing else "PRAGMA query_only=ON")
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
