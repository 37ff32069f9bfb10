"""What only a durable queue promises: kills, takeovers, purges; DBOS on a SQLite file and on PostgreSQL."""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from job_queue_bench import Bench
from sqlalchemy import text

from opendata.core.database import BUSY_TIMEOUT_MS
from opendata.ports.job_queue.dbos import DbosQueue, JobAbandoned
from opendata.ports.job_queue.dbos_rows import open_system_engine

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


@pytest.mark.heavy
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
