"""A job queue in memory, without threads: the fake that fast tests use. Jobs run when the test calls `drain`.

It keeps the promise of the real one where tests look: a job exists exactly if the transaction (or savepoint) that
enqueued it commits, a key counts once, arguments make the trip through JSON, failures are retried and then reported.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Connection, Engine, ExceptionContext, RootTransaction, event

from opendata.ports.job_queue.port import ATTEMPTS, Handler, OnFailure, RetryLater, Waiting


@dataclass(frozen=True)
class Job:
    id: str
    name: str
    args: str
    attempt: int = 1
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class _Pending:
    """What one connection's open transaction has enqueued, and where its savepoints began in that list."""

    jobs: list[Job] = field(default_factory=list)
    savepoints: list[int] = field(default_factory=list)

    def close_savepoint(self) -> int:
        """The number of jobs when the innermost savepoint began; one older than our first job is not in the list."""
        return self.savepoints.pop() if self.savepoints else 0


@dataclass(frozen=True)
class _Committing:
    """Jobs of a transaction about to commit; they count once it is over (`handle_error` takes them back)."""

    transaction: RootTransaction | None
    jobs: tuple[Job, ...]


class InlineQueue:
    """`paused` holds the jobs that asked for `RetryLater`; `drain(retry=True)` runs them again."""

    def __init__(self) -> None:
        self.paused: list[Job] = []
        self._ready: deque[Job] = deque()
        self._committing: dict[int, _Committing] = {}
        self._open: WeakKeyDictionary[Connection, _Pending] = WeakKeyDictionary()
        self._watched: WeakSet[Engine] = WeakSet()
        self._seen: set[str] = set()
        self._handlers: dict[str, Handler] | None = None
        self._on_failure: OnFailure | None = None
        self._running = 0
        self._lock = threading.RLock()

    def enqueue(
        self, connection: Connection, job: str, args: Mapping[str, Any], *, key: str | None = None
    ) -> str:
        """Holds the job back until the connection's transaction commits."""
        stored = Job(
            id=uuid4().hex if key is None else f"key:{key}",
            name=job,
            args=json.dumps(dict(args), allow_nan=False),
        )
        with self._lock:
            if connection not in self._open:
                self._listen(connection)
            self._open[connection].jobs.append(stored)
        return stored.id

    def start(self, handlers: Mapping[str, Handler], on_failure: OnFailure) -> None:
        self._handlers = dict(handlers)
        self._on_failure = on_failure

    def stop(self) -> None:
        """Nothing runs outside `drain`."""

    def wake(self) -> None:
        """Nothing sleeps."""

    def idle(self) -> bool:
        with self._lock:
            self._collect()
            return not (self._ready or self.paused or self._running)

    def waiting(self, limit: int = 0) -> Sequence[Waiting]:
        with self._lock:
            self._collect()
            held = sorted([*self._ready, *self.paused], key=lambda job: job.created_at)
        return [Waiting(job.id, job.name, job.created_at) for job in held[: limit or None]]

    def drain(self, *, retry: bool = False) -> int:
        """Runs all ready jobs, and those that they enqueue, in this thread; returns how many runs that took."""
        runs = 0
        with self._lock:
            if retry:
                self._ready.extend(self.paused)
                self.paused.clear()
        while (job := self._take()) is not None:
            runs += 1
            try:
                self._run(job)
            finally:
                with self._lock:
                    self._running -= 1
        return runs

    def _take(self) -> Job | None:
        with self._lock:
            self._collect()
            if not self._ready:
                return None
            self._running += 1
            return self._ready.popleft()

    def _run(self, job: Job) -> None:
        if self._handlers is None or self._on_failure is None:
            raise RuntimeError("drain before start: there are no handlers")
        args = json.loads(job.args)
        try:
            self._handlers[job.name](**args)
        except RetryLater:
            with self._lock:
                self.paused.append(job)
        except Exception as error:
            if job.attempt >= ATTEMPTS:
                self._on_failure(job.name, args, error)
                return
            with self._lock:
                self._ready.append(replace(job, attempt=job.attempt + 1))

    def _collect(self) -> None:
        """Moves the jobs of finished commits to the ready ones; a key that an earlier commit used drops its job."""
        for number, batch in list(self._committing.items()):
            if batch.transaction is not None and batch.transaction.is_active:
                continue
            del self._committing[number]
            for job in batch.jobs:
                if job.id not in self._seen:
                    self._seen.add(job.id)
                    self._ready.append(job)

    def _commit_failed(self, context: ExceptionContext) -> None:
        with self._lock:
            batch = self._committing.get(id(context.connection))
            if batch is not None and batch.transaction is not None and batch.transaction.is_active:
                del self._committing[id(context.connection)]

    def _listen(self, connection: Connection) -> None:
        self._open[connection] = _Pending()
        if connection.engine not in self._watched:
            self._watched.add(connection.engine)
            event.listen(connection.engine, "handle_error", self._commit_failed)

        # SQLAlchemy tells of a commit *before* it happens, and of its failure as an error of the engine.
        @event.listens_for(connection, "commit")
        def committing(connection: Connection) -> None:
            with self._lock:
                pending = self._open[connection]
                transaction = connection.get_transaction()
                self._collect()
                self._committing[id(connection)] = _Committing(transaction, tuple(pending.jobs))
                self._open[connection] = _Pending()

        @event.listens_for(connection, "rollback")
        def rolled_back(connection: Connection) -> None:
            with self._lock:
                self._open[connection] = _Pending()

        @event.listens_for(connection, "savepoint")
        def savepoint(connection: Connection, name: str) -> None:
            with self._lock:
                pending = self._open[connection]
                pending.savepoints.append(len(pending.jobs))

        @event.listens_for(connection, "release_savepoint")
        def savepoint_kept(connection: Connection, name: str, context: None) -> None:
            with self._lock:
                self._open[connection].close_savepoint()

        @event.listens_for(connection, "rollback_savepoint")
        def savepoint_undone(connection: Connection, name: str, context: None) -> None:
            with self._lock:
                pending = self._open[connection]
                del pending.jobs[pending.close_savepoint() :]
