"""The rows behind the DBOS adapter: cheap looks at DBOS's workflow table, and who of us is alive.

`job_executor` is the adapter's own table (alembic leaves it alone): one row a running process, renewed at every
beat. What a process left running is taken over once its row is `DEAD_AFTER_BEATS` beats old; at the start of a process
at once, if the row names a process of this machine that is gone.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    column,
    create_engine,
    delete,
    event,
    insert,
    literal_column,
    select,
    table,
    union_all,
    update,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from opendata.core.database import BUSY_TIMEOUT_MS

SCHEMA = "dbos"
DEAD_AFTER_BEATS = 4

_metadata = MetaData()
_executor = Table(
    "job_executor",
    _metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("beat_at", BigInteger, nullable=False),  # milliseconds since 1970, by the database's clock
)


def open_system_engine(url: str, workers: int) -> Engine:
    """An engine for DBOS: on SQLite its transactions begin IMMEDIATE at the first write, and reads take no lock.

    Not `core.database.open_engine`: DBOS begins by itself in its migrations and reads far more than it writes.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=workers + 4, max_overflow=8, pool_timeout=30)
    engine = create_engine(url, pool_size=workers + 4, max_overflow=20, pool_timeout=30)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = "IMMEDIATE"
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


class Lookout:
    """Asks one question again and again over one kept connection, at a fraction of the usual cost. For one thread."""

    def __init__(self, engine: Engine, question: Select[int]) -> None:
        self._engine = engine
        self._sql = str(question.compile(engine, compile_kwargs={"literal_binds": True}))
        self._connection: Connection | None = None

    def found(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                if (
                    self._engine.dialect.name != "sqlite"
                ):  # there a read by itself opens no transaction anyway
                    self._connection.execution_options(isolation_level="AUTOCOMMIT")
            return self._connection.exec_driver_sql(self._sql).first() is not None
        except SQLAlchemyError:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Rows:
    """Reads of the jobs of one workflow name in one queue."""

    def __init__(self, engine: Engine, workflow: str, queue: str) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self._row = table(
            "workflow_status",
            *(
                column(name, Text)
                for name in ("workflow_uuid", "name", "status", "queue_name", "executor_id")
            ),
            schema=None if self._sqlite else SCHEMA,
        )
        self._workflow = workflow
        self._queue = queue

    def create_executor_table(self) -> None:
        try:
            with self.engine.begin() as connection:
                _metadata.create_all(connection, checkfirst=True)
        except IntegrityError:  # PostgreSQL: another process created it between the look and the statement
            return

    def waiting(self) -> Lookout:
        """Whether a job could start now: one index look, what an idle process does all day."""
        return Lookout(self.engine, self._one("ENQUEUED").limit(1))

    def all_done(self) -> bool:
        # In one statement: a job that moves from one status to the next between two looks would be in neither.
        unfinished = union_all(*(self._one(status) for status in ("ENQUEUED", "PENDING", "DELAYED"))).limit(1)
        with self.engine.connect() as connection:
            return connection.execute(unfinished).first() is None

    def _one(self, status: str) -> Select[int]:
        # The status is written out so that the planner can use DBOS's partial index of waiting and running rows.
        return (
            select(literal_column("1", Integer))
            .select_from(self._row)
            .where(self._row.c.queue_name == self._queue)
            .where(self._row.c.status == literal_column(f"'{status}'"))
        )

    def beat(self, executor_id: str) -> None:
        """Says that this process is alive."""
        with self.engine.begin() as connection:
            renewed = connection.execute(
                update(_executor).where(_executor.c.id == executor_id).values(beat_at=self._now())
            )
            if renewed.rowcount == 0:
                connection.execute(
                    insert(_executor).values(
                        id=executor_id, host=socket.gethostname(), pid=os.getpid(), beat_at=self._now()
                    )
                )

    def leave(self, executor_id: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(_executor).where(_executor.c.id == executor_id))

    def forget_dead(self, executor_id: str, beat_seconds: float, *, look_at_processes: bool) -> list[str]:
        """Drops the rows of dead processes; returns every executor that is dead and still holds a running job.

        `look_at_processes`: a row of this machine whose process is gone (or whose number is ours now) is dead
        however fresh. A container gets the same number again at each start; a reused one only costs the wait.
        """
        with self.engine.begin() as connection:
            connection.execute(
                delete(_executor)
                .where(_executor.c.beat_at < self._now() - int(DEAD_AFTER_BEATS * beat_seconds * 1000))
                .where(_executor.c.id != executor_id)
            )
            others = connection.execute(select(_executor).where(_executor.c.id != executor_id)).all()
            if look_at_processes:
                gone = [row.id for row in others if self._is_gone(row.host, row.pid)]
                connection.execute(delete(_executor).where(_executor.c.id.in_(gone)))
            return self._holders_without_beat(connection)

    def held_by(self, executor_id: str) -> list[str]:
        """The workflows that count as running in that process."""
        with self.engine.connect() as connection:
            return list(
                connection.execute(
                    select(self._row.c.workflow_uuid)
                    .where(self._row.c.status == literal_column("'PENDING'"))
                    .where(self._row.c.name == self._workflow)
                    .where(self._row.c.executor_id == executor_id)
                ).scalars()
            )

    def _holders_without_beat(self, connection: Connection) -> list[str]:
        holders = (
            select(self._row.c.executor_id)
            .distinct()
            .where(self._row.c.status == literal_column("'PENDING'"))
            .where(self._row.c.name == self._workflow)
            .where(self._row.c.executor_id.not_in(select(_executor.c.id)))
        )
        return list(connection.execute(holders).scalars())

    def _is_gone(self, host: str, pid: int) -> bool:
        # A SQLite file has no processes on other machines, whatever the machine was called before a restart.
        if not self._sqlite and host != socket.gethostname():
            return False
        return pid == os.getpid() or not _is_running(pid)

    def _now(self) -> ColumnElement[int]:
        if self._sqlite:
            return literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")
        return literal_column("(EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint")


def _is_running(pid: int) -> bool:
    if Path("/proc/self").exists():
        return Path(f"/proc/{pid}").exists()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
