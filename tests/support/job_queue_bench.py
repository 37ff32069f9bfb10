"""What the job queue suites share: a queue, a database, and what the jobs did."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import VARIABLE, own_database
from sqlalchemy import Engine

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
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of its own, in which no job has been."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} is not set")
    with own_database(request.getfixturevalue("migrated")) as database:
        yield database


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
