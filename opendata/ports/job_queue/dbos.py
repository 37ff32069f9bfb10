"""Durable jobs on DBOS, in the application's own database (SQLite file, or PostgreSQL in the schema `dbos`).

A job is one DBOS workflow `run_job(job, args, attempt, root, turn)` in one queue. It has no DBOS steps: a step would
save a handler from running again only between two adjacent writes, and every handler is idempotent. A run that has to
be repeated (`RetryLater`, an error) stores its successor with a delay and ends, so nothing that waits holds a worker.

Its rows: `key:<key>` or a random id for a job, `<id>/<turn>` for its repetitions, `<id>/abandoned` for the report of
one that took down `MAX_RECOVERIES` processes. A key is known for as long as the row: `KEEP_SECONDS` after the end.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, WorkflowStatus
from dbos._queue import queue_worker_thread
from dbos._serialization import DBOSPortableJSONSerializer
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from opendata.ports.job_queue.dbos_rows import DEAD_AFTER_BEATS, Rows, open_system_engine
from opendata.ports.job_queue.doorbell import Doorbell
from opendata.ports.job_queue.port import ATTEMPTS, Handler, OnFailure, RetryLater, Waiting

APPLICATION = "opendata"
# Pinned, so that a new release finishes what an old one left.
APPLICATION_VERSION = "1"
QUEUE = "jobs"
WORKFLOW = "run_job"
MAX_RECOVERIES = 10
KEEP_SECONDS = 7 * 86_400.0
PURGE_EVERY_SECONDS = 3_600.0
STOP_SECONDS = 5.0
ABANDONED = ATTEMPTS + 1  # as an attempt: do not run, only report

log = logging.getLogger(__name__)
# DBOS logs at INFO to a console handler of its own, unless it finds a handler: warnings go where ours go.
logging.getLogger("dbos").addHandler(logging.NullHandler())
logging.getLogger("dbos").setLevel(logging.WARNING)


class JobAbandoned(Exception):
    """The process died during this job so often that it is not tried any more."""


def _waiting(row: WorkflowStatus) -> Waiting:
    name = str(row.input["args"][0]) if row.input else ""
    return Waiting(row.workflow_id, name, datetime.fromtimestamp((row.created_at or 0) / 1000, UTC))


class DbosQueue:
    """Creates DBOS's tables when it is made. One started queue a process (DBOS is a singleton)."""

    def __init__(
        self,
        database_url: str,
        *,
        executor_id: str | None = None,
        poll_seconds: float = 0.18,
        workers: int = 4,
        retry_seconds: float = 1.0,
        beat_seconds: float = 5.0,
    ) -> None:
        """`workers`: jobs at a time in this process. `retry_seconds`: pause before the second attempt (then x4).

        `beat_seconds`: how often a process says that it lives; the same for all processes of one database.
        """
        DBOS.migrate(database_url)
        self.executor_id = executor_id or uuid4().hex
        self._url = database_url
        self._poll_seconds = poll_seconds
        self._workers = workers
        self._retry_seconds = retry_seconds
        self._beat_seconds = beat_seconds
        self._engine = open_system_engine(database_url, workers)
        self._rows = Rows(self._engine, WORKFLOW, QUEUE)
        self._waiting = self._rows.waiting()
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )
        self._handlers: dict[str, Handler] = {}
        self._on_failure: OnFailure | None = None
        self._doorbell = Doorbell(self._something_waits, poll_seconds)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running: set[str] = set()
        self._can_look = True

    def enqueue(
        self, connection: Connection, job: str, args: Mapping[str, Any], *, key: str | None = None
    ) -> str:
        """Within the caller's transaction. `key` alone counts: another job of the same key is not stored either."""
        plain = json.loads(json.dumps(dict(args), allow_nan=False))
        job_id = uuid4().hex if key is None else f"key:{key}"
        self._client.enqueue_in_transaction(connection, self._options(job_id), job, plain, 1, job_id, 0)
        return job_id

    def start(self, handlers: Mapping[str, Handler], on_failure: OnFailure) -> None:
        if self._threads:
            raise RuntimeError("the queue is started")
        self._handlers = dict(handlers)
        self._on_failure = on_failure
        self._doorbell = Doorbell(self._something_waits, self._poll_seconds)
        self._stopped = threading.Event()
        self._rows.create_executor_table()
        self._rows.beat(self.executor_id)  # before the first job can carry our id
        try:
            self._threads = self._launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)  # else the next start would find the half made one
            raise
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        if not self._threads:
            return
        self._stopped.set()
        self._doorbell.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        self._threads = []
        self._waiting.close()
        until = time.monotonic() + STOP_SECONDS
        while self._running and time.monotonic() < until:
            time.sleep(0.02)
        DBOS.destroy(destroy_registry=True)
        self._sign_off()
        self._engine.dispose()

    def _sign_off(self) -> None:
        if (
            self._running
        ):  # our row stays until this process is gone, so that nobody else runs these jobs beside us
            return
        try:
            self._rows.leave(self.executor_id)
        except SQLAlchemyError as error:  # the others find out by the missing beats
            log.warning("cannot sign off from the job queue", exc_info=error)

    def wake(self) -> None:
        self._doorbell.ring()

    def idle(self) -> bool:
        return self._rows.all_done()

    def waiting(self, limit: int = 0) -> Sequence[Waiting]:
        rows = self._client.list_workflows(
            name=WORKFLOW, status=["ENQUEUED", "PENDING", "DELAYED"], limit=limit or None, load_output=False
        )
        return [_waiting(row) for row in rows]

    def purge(self, older_than_seconds: float = KEEP_SECONDS) -> int:
        """Deletes jobs that ended longer ago than that, with their keys; returns how many. Runs hourly by itself."""
        before = (datetime.now(UTC) - timedelta(seconds=older_than_seconds)).isoformat()
        gone = 0
        while True:
            ended = self._client.list_workflows(
                name=WORKFLOW, completed_before=before, limit=500, load_input=False, load_output=False
            )
            if not ended:
                return gone
            self._client.delete_workflows([row.workflow_id for row in ended])
            gone += len(ended)

    def _options(self, job_id: str, delay_seconds: float | None = None) -> EnqueueOptions:
        options: EnqueueOptions = {"queue_name": QUEUE, "workflow_name": WORKFLOW, "workflow_id": job_id}
        if delay_seconds is not None:
            options["delay_seconds"] = delay_seconds
        return options

    def _launch(self) -> list[threading.Thread]:
        """DBOS with its one workflow; returns our two threads, not yet started."""
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._url,
            "system_database_engine": self._engine,
            "application_version": APPLICATION_VERSION,
            "executor_id": self.executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "enable_otlp": False,
            "run_migrations": False,
            # What we do not use (schedules, events, the internal queue) looks for work rarely.
            "scheduler_polling_interval_sec": 3_600.0,
            "notification_coalesce_sec": 0.5,
            "notification_listener_polling_interval_sec": 0.25,  # only a sleep, and `stop` waits for its end
        }
        self._dbos = DBOS(config=config)
        self._dbos._registry.get_internal_queue()._polling_interval_sec = 10.0
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)(self._make_workflow())
        DBOS.listen_queues([])  # the queue gets a worker with our doorbell instead of DBOS's fixed poll
        DBOS.launch()
        self._take_over(look_at_processes=True)
        queue = DBOS.register_queue(QUEUE, worker_concurrency=self._workers, on_conflict="always_update")
        work = (self._doorbell, self._dbos, queue)
        return [
            threading.Thread(target=queue_worker_thread, args=work, name="jobs", daemon=True),
            threading.Thread(target=self._keep_up, args=(self._stopped,), name="jobs-upkeep", daemon=True),
        ]

    def _make_workflow(self) -> Callable[[str, dict[str, Any], int, str, int], str]:
        def run_job(job: str, args: dict[str, Any], attempt: int, root: str, turn: int) -> str:
            workflow_id = DBOS.workflow_id or ""
            self._running.add(workflow_id)
            try:
                again = self._run(job, args, attempt)
                if again is None:
                    return "done"
                seconds, attempt = again
                options = self._options(f"{root}/{turn + 1}", delay_seconds=seconds)
                self._client.enqueue(options, job, args, attempt, root, turn + 1)
                return f"again as turn {turn + 1}"
            finally:
                self._running.discard(workflow_id)

        return run_job

    def _run(self, job: str, args: dict[str, Any], attempt: int) -> tuple[float, int] | None:
        """Runs the handler; None when it is over, else the pause in seconds and the number of the next attempt."""
        try:
            if attempt >= ABANDONED:
                raise JobAbandoned(f"{job} was running when the process died, {MAX_RECOVERIES} times")
            self._handlers[job](**args)
        except RetryLater as later:
            return later.seconds, attempt
        except Exception as error:
            if attempt < ATTEMPTS:
                log.warning("job %s failed, attempt %d of %d", job, attempt, ATTEMPTS, exc_info=error)
                return self._retry_seconds * 4 ** (attempt - 1), attempt + 1
            return self._report(job, args, attempt, error)
        return None

    def _report(
        self, job: str, args: dict[str, Any], attempt: int, error: Exception
    ) -> tuple[float, int] | None:
        log.error("job %s failed for good", job, exc_info=error)
        if self._on_failure is None:
            raise RuntimeError("a job runs before start")
        try:
            self._on_failure(job, args, error)
        except Exception as second:
            # The report must not be lost (the database may be away): the last attempt is made once more, later.
            log.error("the failure of job %s could not be reported", job, exc_info=second)
            return self._retry_seconds * 16, attempt
        return None

    def _something_waits(self) -> bool:
        try:
            found = self._waiting.found()
        except SQLAlchemyError as error:
            if self._can_look:  # once an outage, not at every look
                log.warning("cannot look for jobs", exc_info=error)
            self._can_look = False
            return False
        self._can_look = True
        return found

    def _take_over(self, *, look_at_processes: bool) -> None:
        dead = self._rows.forget_dead(
            self.executor_id, self._beat_seconds, look_at_processes=look_at_processes
        )
        if dead:
            log.warning("taking over the jobs of %d dead processes", len(dead))
            DBOS._recover_pending_workflows(dead)

    def _keep_up(self, stopped: threading.Event) -> None:
        """Beats, takes over, reports and purges until stopped. What fails is tried again at the next beat."""
        beat_at = judge_at = purge_at = time.monotonic()
        idle_beats: dict[str, int] = {}
        while not stopped.is_set():
            try:
                self._rows.beat(self.executor_id)
                late, beat_at = time.monotonic() - beat_at > 2 * self._beat_seconds, time.monotonic()
                # Late: the database or this machine was away. The others only look dead and get time to beat.
                if late:
                    judge_at = beat_at + DEAD_AFTER_BEATS * self._beat_seconds
                if beat_at >= judge_at:
                    self._take_over(look_at_processes=False)
                idle_beats = self._put_back_lost(idle_beats)
                self._report_abandoned()
                if beat_at >= purge_at:
                    self.purge()
                    purge_at = beat_at + PURGE_EVERY_SECONDS
            except Exception as error:  # of whatever kind: without its beats this process would count as dead
                log.warning("upkeep of the job queue failed", exc_info=error)
            stopped.wait(self._beat_seconds)

    def _put_back_lost(self, idle_beats: dict[str, int]) -> dict[str, int]:
        """Puts back what this process has held for `DEAD_AFTER_BEATS` beats without running it.

        It happens when the database goes away between our claim of a job and its answer. A job that has run and whose
        end is not stored yet looks the same for a moment, hence the wait. Takes and returns the beats counted a job.
        """
        held = set(self._rows.held_by(self.executor_id)) - self._running
        counted = {workflow_id: idle_beats.get(workflow_id, 0) + 1 for workflow_id in held}
        for workflow_id in [name for name, beats in counted.items() if beats > DEAD_AFTER_BEATS]:
            log.warning("job %s is held here but does not run: it goes back to the queue", workflow_id)
            self._dbos._sys_db.reenqueue_for_recovery(workflow_id, [self.executor_id], QUEUE)
            del counted[workflow_id]
        return counted

    def _report_abandoned(self) -> None:
        for row in self._client.list_workflows(
            name=WORKFLOW, status="MAX_RECOVERY_ATTEMPTS_EXCEEDED", load_output=False
        ):
            given = row.input["args"] if row.input else None
            if given is not None:
                job, args, _attempt, root, turn = given
                options = self._options(f"{row.workflow_id}/abandoned")
                self._client.enqueue(options, job, args, ABANDONED, root, turn + 1)
