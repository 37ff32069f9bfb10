"""What the job queue suites share: a queue, a database, and what the jobs did."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from opendata.core.database import open_engine
from opendata.ports.job_queue.dbos import DbosQueue
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.job_queue.port import JobQueue


class Bench:
    """A queue, a database, and what the jobs did."""

    def __init__(self, engine: Engine, queue: JobQueue) -> None:
        self.engine = engine
        self.queue = queue
        self.seen: list[Any] = []
        self.failures: list[tuple[str, dict[str, Any], Exception]] = []

    def put(self, n: Any, *, job: str = "t.note", key: str | None = None) -> str:
        with self.engine.begin() as connection:
            return self.queue.enqueue(connection, job, {"n": n}, key=key)

    def run(self, **handlers: Callable[..., None]) -> None:
        """Starts the queue with `t.note` and these handlers, and returns when nothing waits or runs."""
        named = {f"t.{name}": handler for name, handler in handlers.items()}
        self.queue.start({"t.note": lambda n: self.seen.append(n), **named}, self._failed)
        self.settle()

    def settle(self) -> None:
        self.queue.wake()
        while not self.queue.idle():
            if isinstance(self.queue, InlineQueue):
                self.queue.drain(retry=True)
            else:
                time.sleep(0.01)

    def _failed(self, job: str, args: dict[str, Any], error: Exception) -> None:
        self.failures.append((job, args, error))


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The address of an empty database of its own."""
    server = os.environ.get("OPENDATA_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("OPENDATA_TEST_POSTGRES_URL is not set")
    name = f"jobs_{uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


POSTGRES = pytest.param("postgres", marks=pytest.mark.services)


def database_url(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if kind == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{folder / 'jobs.db'}"


@pytest.fixture(params=["inline", "sqlite", POSTGRES])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    url = database_url(request.param, tmp_path, request)
    yield from open_bench(
        url, InlineQueue() if request.param == "inline" else DbosQueue(url, retry_seconds=0.01)
    )


@pytest.fixture(params=["sqlite", POSTGRES])
def durable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    url = database_url(request.param, tmp_path, request)
    yield from open_bench(url, DbosQueue(url, retry_seconds=0.01, beat_seconds=0.25))


def open_bench(url: str, queue: JobQueue) -> Iterator[Bench]:
    engine = open_engine(url, writing=True)
    try:
        yield Bench(engine, queue)
    finally:
        queue.stop()
        engine.dispose()
