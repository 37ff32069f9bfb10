"""Work: what a request or a job does, as one transaction that commits once, or leaves nothing.

Services get a `Work` as their first argument. They add to its session and `flush()`; they never commit. `record`
(audit), `enqueue` (jobs) and `touch` (index) write rows in the same transaction, so none of them is lost, and none
speaks of a change that never happened.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Engine, Table, insert
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from opendata.core.clock import Clock
from opendata.core.errors import NoSpace, Unavailable
from opendata.ports.job_queue.port import JobQueue
from opendata.work import audit
from opendata.work.actor import PUBLIC, Actor
from opendata.work.pending import Pending, Revised

log = logging.getLogger(__name__)


_OWE = insert(cast(Table, Pending.__table__))


class Work:
    """One unit of work. `now` is the same for all of it."""

    def __init__(
        self, session: Session, actor: Actor, now: datetime, queue: JobQueue, request_id: str | None = None
    ) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.request_id = request_id
        self._queue = queue
        self._entries: list[audit.Entry] = []
        self.enqueued = False
        self.touched: list[tuple[str, int]] = []

    def record(self, action: str, subject_type: str, subject_id: str, **details: Any) -> None:
        """An audit line; `details` are JSON values (hashes before and after, reasons, names)."""
        self._entries.append(audit.Entry(action, subject_type, subject_id, details))

    def enqueue(self, job: str, args: Mapping[str, Any], *, key: str | None = None) -> str:
        """A job (`package.verb`) that exists exactly if this work commits. `key` makes it once-only."""
        self.session.flush()
        self.enqueued = True
        return self._queue.enqueue(self.session.connection(), job, args, key=key)

    def touch(self, dataset: Revised) -> None:
        """The dataset's public face changed: counts its revision up and owes the index an update."""
        dataset.revision += 1
        owed = {"dataset_id": dataset.id, "revision": dataset.revision, "at": self.now}
        self.session.connection().execute(_OWE, owed)
        self.touched.append((dataset.id, dataset.revision))

    def take_back(self) -> None:
        """Undoes everything so far (a dry run): no row, audit line, job or index work of it is left."""
        self.session.rollback()
        self._entries, self.touched, self.enqueued = [], [], False

    def commit(self) -> None:
        """Called once, by whoever opened the work. A public change always moves the audit trail's head: caches go by it."""
        if self.touched and not self._entries:
            for dataset_id, revision in self.touched:
                self.record("dataset.touched", "dataset", dataset_id, revision=revision)
        self.session.flush()
        if self._entries:
            audit.append(
                self.session,
                self._entries,
                at=self.now,
                actor_id=self.actor.id,
                actor_name=self.actor.name,
                request_id=self.request_id,
            )
            self._entries = []
        self.session.commit()


class Workplace:
    """Opens units of work: reading ones on a read-only connection, writing ones that commit when their block ends."""

    def __init__(self, reading: Engine, writing: Engine, clock: Clock, queue: JobQueue) -> None:
        self._reading = reading
        self._writing = writing
        self.clock = clock
        self.queue = queue
        self.index_wanted: Any = None
        """Called without arguments after a commit that owes the index something."""

    @contextmanager
    def reading(self, actor: Actor = PUBLIC, request_id: str | None = None) -> Iterator[Work]:
        with _database_errors(), Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield Work(session, actor, self.clock.now(), self.queue, request_id)

    @contextmanager
    def writing(self, actor: Actor, request_id: str | None = None) -> Iterator[Work]:
        """Commits at the end of the block; an error in the block, or in the commit, leaves nothing."""
        with _database_errors(), Session(self._writing, expire_on_commit=False) as session:
            work = Work(session, actor, self.clock.now(), self.queue, request_id)
            yield work
            work.commit()
        if work.enqueued:
            self.queue.wake()
        if work.touched and self.index_wanted:
            self.index_wanted()

    def dispose(self) -> None:
        self._reading.dispose()
        self._writing.dispose()


def _is_full(error: OperationalError) -> bool:
    """SQLite's SQLITE_FULL; PostgreSQL's disk_full."""
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return code in ("SQLITE_FULL", "53100")


@contextmanager
def _database_errors() -> Iterator[None]:
    """A database that is down, locked or full is `Unavailable`, not a bug of ours."""
    try:
        yield
    except OperationalError as error:
        log.warning("database unavailable: %s", error.orig)
        if _is_full(error):
            raise NoSpace(retry_after=60) from error
        raise Unavailable("database_unavailable", retry_after=5) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("database_unavailable", retry_after=5) from error
        raise
