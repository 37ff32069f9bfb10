"""Databases on the tests' PostgreSQL: a template that a process makes once, and copies of it, one a test.

Bringing a database to the newest schema takes a hundred times longer than copying one that is there already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text

from opendata.application import DAILY
from opendata.core.clock import SystemClock
from opendata.core.database import open_engine
from opendata.ports.job_queue.dbos import DbosQueue
from opendata.settings import Settings
from opendata.supervision import schedule
from opendata.wiring import migrate
from opendata.work.unit import Workplace

VARIABLE = "OPENDATA_TEST_POSTGRES_URL"


@cache
def server() -> Engine:
    """Of this process, for what concerns whole databases."""
    return create_engine(os.environ[VARIABLE], isolation_level="AUTOCOMMIT")


@contextmanager
def own_database(template: str = "") -> Iterator[str]:
    """The address of a new database, empty or a copy of the one of the address `template`; gone afterwards."""
    name = f"test_{uuid4().hex}"
    with server().connect() as connection:
        copied = _copied(connection, make_url(template)) if template else ""
        connection.execute(text(f"CREATE DATABASE {name}{copied}"))
    yield server().url.set(database=name).render_as_string(hide_password=False)
    with server().connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def migrated_database(folder: Path) -> Iterator[str]:
    """The newest schema and the job queue's tables, and nothing else."""
    with own_database() as database:
        migrate(Settings(data_dir=folder, database_url=database))
        DbosQueue(database)
        yield database


def do_the_days_job(database: str) -> None:
    """Puts today's jobs down as done: what a server asks for in its first second would write into the trail whenever it likes."""
    engine, queue = open_engine(database, writing=True), DbosQueue(database)
    schedule.ask(Workplace(engine, engine, SystemClock(), queue), jobs=DAILY)
    queue.start(dict.fromkeys(DAILY, lambda: None), lambda *_: None)
    queue.wake()
    while not queue.idle():
        time.sleep(0.01)
    queue.stop()
    engine.dispose()


def _copied(connection: Connection, template: URL) -> str:
    """Of the statement that makes a database. What is still connected to the template, as the queue's threads are for a while, is
    ended: who copies it must be alone with it."""
    others = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    connection.execute(others, {"name": template.database})
    # Copied as files, the only way before 15: written to the log block by block it takes four times as long.
    files = " STRATEGY file_copy" if (connection.dialect.server_version_info or (0,)) >= (15,) else ""
    return f" TEMPLATE {template.database}{files}"
