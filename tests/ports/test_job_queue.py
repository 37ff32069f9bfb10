"""One suite for both job queues: in memory, DBOS on a SQLite file, DBOS on PostgreSQL (`-m services`)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from job_queue_bench import Bench
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.job_queue.port import ATTEMPTS, RetryLater


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


def test_what_waits_is_listed_the_oldest_first(bench: Bench) -> None:
    ids = [bench.put(n) for n in range(3)]
    found = bench.queue.waiting()
    assert [(job.id, job.name) for job in found] == [(job_id, "t.note") for job_id in ids]
    assert [job.id for job in bench.queue.waiting(1)] == ids[:1]
    assert all(abs((datetime.now(UTC) - job.created_at).total_seconds()) < 60 for job in found)
    bench.run()
    assert not bench.queue.waiting()


def test_eight_writers_at_once_lose_and_double_nothing(bench: Bench) -> None:
    bench.run()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bench.put, range(80)))
    bench.settle()
    assert sorted(bench.seen) == list(range(80))


# What only a queue that outlives its process can show.
