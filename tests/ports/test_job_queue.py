"""One suite for both job queues: in memory, DBOS on a SQLite file, DBOS on PostgreSQL (`-m services`)."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendata.core.database import BUSY_TIMEOUT_MS, open_engine
from opendata.ports.job_queue.dbos import DbosQueue, JobAbandoned
from opendata.ports.job_queue.dbos_rows import open_system_engine
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.job_queue.port import ATTEMPTS, JobQueue, RetryLater


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


def test_a_committed_job_runs_once_with_its_arguments(bench: Bench) -> None:
    value = {"text": "数据", "list": [1, 2.5, None, True]}
    assert bench.put(value) != bench.put(2)
    bench.run()
    assert sorted(map(str, bench.seen)) == sorted(map(str, [value, 2]))
    assert bench.queue.idle()


def test_a_job_rolls_back_with_the_rows_of_its_transaction(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(text("CREATE TABLE fact (n INTEGER)"))
    with Session(bench.engine) as session:
        session.execute(text("INSERT INTO fact VALUES (1)"))
        bench.queue.enqueue(session.connection(), "t.note", {"n": "rolled back"})
        session.rollback()
        session.execute(text("INSERT INTO fact VALUES (2)"))
        bench.queue.enqueue(session.connection(), "t.note", {"n": "committed"})
        session.commit()
    bench.run()
    assert bench.seen == ["committed"]
    with bench.engine.begin() as connection:
        assert connection.execute(text("SELECT n FROM fact")).scalars().all() == [2]


def test_a_savepoint_takes_only_its_own_jobs_back(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        bench.queue.enqueue(connection, "t.note", {"n": "before"})
        savepoint = connection.begin_nested()
        bench.queue.enqueue(connection, "t.note", {"n": "inside"})
        savepoint.rollback()
        bench.queue.enqueue(connection, "t.note", {"n": "after"})
    with bench.engine.begin() as connection:
        savepoint = connection.begin_nested()
        bench.queue.enqueue(connection, "t.note", {"n": "first of all, inside"})
        savepoint.rollback()
    bench.run()
    assert sorted(bench.seen) == ["after", "before"]


def test_a_commit_that_fails_leaves_no_job(bench: Bench) -> None:
    with bench.engine.begin() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(
            text("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
        )

    def refused() -> None:
        with bench.engine.begin() as connection:
            connection.execute(text("INSERT INTO child VALUES (1)"))
            bench.queue.enqueue(connection, "t.note", {"n": "refused"})

    with pytest.raises(IntegrityError):
        refused()
    bench.put("kept")
    bench.run()
    assert bench.seen == ["kept"]


def test_nothing_is_ready_before_the_commit(bench: Bench) -> None:
    bench.run()
    with bench.engine.begin() as connection:
        bench.queue.enqueue(connection, "t.note", {"n": 1})
        bench.queue.wake()
        if isinstance(bench.queue, InlineQueue):
            bench.queue.drain()
        else:
            time.sleep(0.3)
        assert bench.seen == []
    bench.settle()
    assert bench.seen == [1]


def test_a_key_counts_once_under_eight_threads(bench: Bench) -> None:
    together = threading.Barrier(8)

    def put(n: int) -> str:
        together.wait()
        return bench.put(n, key="release-7/publish")

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(put, range(8)))
    bench.run()
    again = bench.put("later", key="release-7/publish")
    bench.put("other", key="release-8/publish")
    bench.settle()
    assert ids == {again}
    assert len(bench.seen) == 2
    assert "other" in bench.seen


def test_a_key_of_a_rolled_back_job_is_free(bench: Bench) -> None:
    with bench.engine.connect() as connection:
        bench.queue.enqueue(connection, "t.note", {"n": "rolled back"}, key="k")
        connection.rollback()
    bench.put("kept", key="k")
    bench.run()
    assert bench.seen == ["kept"]


@pytest.mark.parametrize(("value", "error"), [({1}, TypeError), (float("nan"), ValueError)])
def test_arguments_are_json(bench: Bench, value: object, error: type[Exception]) -> None:
    with bench.engine.begin() as connection, pytest.raises(error):
        bench.queue.enqueue(connection, "t.note", {"n": value})


def test_retry_later_repeats_as_often_as_it_takes(bench: Bench) -> None:
    runs: list[int] = []

    def busy(n: int) -> None:
        runs.append(n)
        if len(runs) <= ATTEMPTS:
            raise RetryLater(0.01)
        bench.seen.append("done")

    bench.put(5, job="t.busy")
    bench.run(busy=busy)
    assert runs == [5] * (ATTEMPTS + 1)
    assert bench.seen == ["done"]
    assert bench.failures == []


def test_a_failing_job_is_tried_three_times_and_reported_once(bench: Bench) -> None:
    runs: list[int] = []

    def broken(n: int) -> None:
        runs.append(n)
        raise KeyError("no such column")

    bench.put(5, job="t.broken")
    bench.put(1)
    bench.run(broken=broken)
    assert runs == [5] * ATTEMPTS
    assert bench.seen == [1]
    [(job, args, error)] = bench.failures
    assert (job, args) == ("t.broken", {"n": 5})
    assert isinstance(error, KeyError)


def test_a_job_without_a_handler_is_reported(bench: Bench) -> None:
    bench.put(5, job="t.unheard_of")
    bench.run()
    assert [(job, args) for job, args, _error in bench.failures] == [("t.unheard_of", {"n": 5})]


def test_a_job_may_enqueue_the_next(bench: Bench) -> None:
    bench.put(3, job="t.countdown")

    def countdown(n: int) -> None:
        bench.seen.append(n)
        if n:
            bench.put(n - 1, job="t.countdown", key=f"countdown/{n - 1}")

    bench.run(countdown=countdown)
    assert bench.seen == [3, 2, 1, 0]


def test_idle_counts_what_waits_and_what_runs(bench: Bench) -> None:
    idle_inside: list[bool] = []
    assert bench.queue.idle()
    bench.put(1, job="t.look")
    assert not bench.queue.idle()
    bench.run(look=lambda n: idle_inside.append(bench.queue.idle()))
    assert idle_inside == [False]


def test_eight_writers_at_once_lose_and_double_nothing(bench: Bench) -> None:
    bench.run()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bench.put, range(80)))
    bench.settle()
    assert sorted(bench.seen) == list(range(80))


# What only a queue that outlives its process can show.

WORKER = Path(__file__).with_name("job_queue_worker.py")


class Worker:
    """A process running jobs on the bench's database, and what all of them wrote down."""

    def __init__(self, bench: Bench, name: str) -> None:
        self.bench = bench
        self.name = name
        url = bench.engine.url.render_as_string(hide_password=False)
        self.process = subprocess.Popen([sys.executable, str(WORKER), url, name])

    def wait_for(self, what: str) -> None:
        while (self.name, what) not in trace(self.bench):
            assert self.process.poll() is None, f"{self.name} ended by itself"
            time.sleep(0.02)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def trace(bench: Bench) -> list[tuple[str, str]]:
    with bench.engine.begin() as connection:
        return [(row.who, row.what) for row in connection.execute(text("SELECT who, what FROM trace"))]


def status(bench: Bench, job_id: str) -> str:
    with bench.engine.begin() as connection:
        schema = "" if connection.dialect.name == "sqlite" else "dbos."
        query = text(f"SELECT status FROM {schema}workflow_status WHERE workflow_uuid = :id")  # noqa: S608
        return str(connection.execute(query, {"id": job_id}).scalar_one())


@pytest.fixture
def workers(durable: Bench) -> Iterator[Callable[[str], Worker]]:
    with durable.engine.begin() as connection:
        connection.execute(text("CREATE TABLE trace (who VARCHAR, what VARCHAR)"))
    begun: list[Worker] = []

    def begin(name: str) -> Worker:
        begun.append(Worker(durable, name))
        begun[-1].wait_for("ready")
        return begun[-1]

    yield begin
    for worker in begun:
        worker.kill()


def test_a_killed_process_resumes_its_jobs_at_the_next_start(
    durable: Bench, workers: Callable[[str], Worker]
) -> None:
    quick = durable.put(1, job="t.quick")
    durable.put(2, job="t.stuck")
    doomed = workers("doomed")
    doomed.wait_for("begun 2")
    while status(durable, quick) != "SUCCESS":  # killed before that, it would rightly run again
        time.sleep(0.02)
    doomed.kill()
    heir = workers("heir")
    ready_at = time.monotonic()
    heir.wait_for("done 2")
    print(f"resumed after {time.monotonic() - ready_at:.3f} s")
    while not durable.queue.idle():
        time.sleep(0.01)
    told = [(who, what) for who, what in trace(durable) if what != "ready"]
    assert sorted(told) == [
        ("doomed", "begun 2"),
        ("doomed", "done 1"),
        ("heir", "begun 2"),
        ("heir", "done 2"),
    ]


def test_a_living_process_takes_over_from_a_dead_one(
    durable: Bench, workers: Callable[[str], Worker]
) -> None:
    doomed, alive = workers("doomed"), workers("alive")
    for n in range(2):  # until the doomed one has both its hands full
        durable.put(n, job="t.stuck")
    taken = [n for n in range(40) if n < 2 or durable.put(n, job="t.stuck")]
    while len([what for who, what in trace(durable) if who == "doomed" and what != "ready"]) < 2:
        time.sleep(0.02)
    doomed.kill()
    while not durable.queue.idle():
        assert alive.process.poll() is None
        time.sleep(0.02)
    done = [(who, what) for who, what in trace(durable) if what.startswith("done")]
    assert sorted(done) == sorted(("alive", f"done {n}") for n in taken)


def test_a_job_that_kills_its_process_again_and_again_is_reported(durable: Bench) -> None:
    job_id = durable.put(1)
    with durable.engine.begin() as connection:
        table = "workflow_status" if connection.dialect.name == "sqlite" else "dbos.workflow_status"
        connection.execute(
            text(f"UPDATE {table} SET recovery_attempts = 99 WHERE workflow_uuid = :id"),  # noqa: S608
            {"id": job_id},
        )
    durable.run()
    while not durable.failures:
        time.sleep(0.01)
    time.sleep(0.6)  # two more rounds of upkeep
    durable.settle()
    assert durable.seen == []
    assert [(job, args, type(error)) for job, args, error in durable.failures] == [
        ("t.note", {"n": 1}, JobAbandoned)
    ]


def test_a_job_claimed_but_never_begun_goes_back_to_the_queue(durable: Bench) -> None:
    durable.run()
    queue = durable.queue
    assert isinstance(queue, DbosQueue)
    with durable.engine.begin() as connection:
        table = "workflow_status" if connection.dialect.name == "sqlite" else "dbos.workflow_status"
        job_id = queue.enqueue(connection, "t.note", {"n": 1})
        connection.execute(  # as if the answer to our claim had been lost on its way
            text(
                f"UPDATE {table} SET status = 'PENDING', executor_id = :me, application_version = '1' WHERE workflow_uuid = :id"  # noqa: S608
            ),
            {"me": queue.executor_id, "id": job_id},
        )
    durable.settle()
    assert durable.seen == [1]


def test_a_failed_report_is_made_again(durable: Bench) -> None:
    reports: list[str] = []

    def report(job: str, _args: dict[str, Any], _error: Exception) -> None:
        reports.append(job)
        if len(reports) == 1:
            raise OSError("the database is away")

    durable.put(1, job="t.unheard_of")
    durable.queue.start({}, report)
    durable.settle()
    assert reports == ["t.unheard_of"] * 2


def test_ended_jobs_are_purged_and_waiting_ones_kept(durable: Bench) -> None:
    queue = durable.queue
    assert isinstance(queue, DbosQueue)
    durable.put("first", key="k")
    durable.run()
    assert queue.purge(older_than_seconds=60) == 0
    durable.put("not stored", key="k")
    queue.stop()
    durable.put("waits")
    time.sleep(0.01)
    assert queue.purge(older_than_seconds=0) == 1
    durable.put("again", key="k")
    durable.run()
    assert sorted(durable.seen) == ["again", "first", "waits"]


def test_stop_waits_for_what_runs_and_leaves_what_waits(durable: Bench) -> None:
    running = threading.Event()

    def slow(n: int) -> None:
        running.set()
        time.sleep(0.4)
        durable.seen.append(n)

    durable.put(1, job="t.slow")
    durable.queue.start({"t.slow": slow}, lambda *_: None)
    durable.queue.wake()
    running.wait()
    durable.queue.stop()
    assert durable.seen == [1]
    durable.put(2)
    assert not durable.queue.idle()
    durable.run()
    assert durable.seen == [1, 2]


def test_sqlite_commits_of_dbos_are_as_durable_as_ours(tmp_path: Path) -> None:
    engine = open_system_engine(f"sqlite:///{tmp_path / 'jobs.db'}", workers=1)
    with engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    engine.dispose()
    assert pragmas == ["wal", 2, BUSY_TIMEOUT_MS, 1]


def test_figures(durable: Bench) -> None:
    """Milliseconds from commit to start, with and without `wake`; jobs a second, enqueued one by one and run (shown by -s)."""
    started: dict[int, float] = {}
    durable.queue.start({"t.note": lambda n: started.update({n: time.perf_counter()})}, lambda *_: None)
    for name, wake in (("woken", True), ("polled", False)):
        taken = []
        for n in range(10):
            durable.put(n)
            committed = time.perf_counter()
            if wake:
                durable.queue.wake()
            while not durable.queue.idle():
                time.sleep(0.002)
            taken.append((started.pop(n) - committed) * 1000)
        print(f"{name}: {statistics.median(taken):.1f} ms from commit to start (median)")
    begin = time.perf_counter()
    for n in range(60):
        durable.put(n)
    durable.settle()
    print(f"{60 / (time.perf_counter() - begin):.0f} jobs a second")
    assert sorted(started) == list(range(60))
