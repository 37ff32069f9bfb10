"""Work: what a request or a job does, as one transaction that commits once, or leaves nothing.

Services get a `Work` as their first argument. They add to its session and `flush()`; they never commit. `record`
(audit), `enqueue` (jobs) and `touch` (index) write rows in the same transaction, so none of them is lost, and none
speaks of a change that never happened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Engine, Row, Select, insert, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from opendata.core.clock import Clock
from opendata.core.database import Base, Written, at_once, save, table_of
from opendata.core.errors import NoSpace, Unavailable
from opendata.ports.job_queue.port import JobQueue
from opendata.work import audit
from opendata.work.actor import PUBLIC, Actor
from opendata.work.heard import Heard
from opendata.work.pending import Pending, Revised

log = logging.getLogger(__name__)
T = TypeVar("T")

_OWE = Written(insert(table_of(Pending)))


class Work:
    """One unit of work. `now` is the same for all of it."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        now: datetime,
        queue: JobQueue,
        request_id: str | None = None,
        memory: dict[Hashable, tuple[int, Any]] | None = None,
        follow: Follower | None = None,
        heard: Heard | None = None,
    ) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.request_id = request_id
        self._queue = queue
        self._entries: list[audit.Entry] = []
        self._spoken: set[str] = set()
        self._answers: dict[Hashable, Any] = {}
        self._memory = memory
        self._follow = follow
        self._heard = heard or Heard()
        self._learnt: dict[Hashable, tuple[tuple[str, ...], Any]] = {}
        self._forgotten: set[Hashable] = set()
        self.made: set[str] = set()
        """Ids of what this work has made, and on which nothing hangs yet that somebody else could have written."""
        self.enqueued = False
        self.touched: list[tuple[str, int]] = []

    def record(self, action: str, subject_type: str, subject_id: str, **details: Any) -> None:
        """An audit line; `details` are JSON values (hashes before and after, reasons, names)."""
        self._entries.append(audit.Entry(action, subject_type, subject_id, details))
        self._spoken.add(subject_type)

    def enqueue(self, job: str, args: Mapping[str, Any], *, key: str | None = None) -> str:
        """A job (`package.verb`) that exists exactly if this work commits. `key` makes it once-only."""
        self.session.flush()
        self.enqueued = True
        return self._queue.enqueue(self.session.connection(), job, args, key=key)

    def touch(self, dataset: Revised) -> None:
        """The dataset's public face changed: counts its revision up and owes the index an update."""
        # Counted in the database: of two works at once the later one counts on from the earlier one, whatever it had read.
        save(self.session, cast(Base, dataset), counted="revision")
        self.session.flush()
        _OWE.send(self.session, {"dataset_id": dataset.id, "revision": dataset.revision, "at": self.now})
        self.touched.append((dataset.id, dataset.revision))

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` returned when this was asked first: rules that one unit of work needs in many places are read once.
        Whoever changes the answer calls `forget`."""
        if question not in self._answers:
            self._answers[question] = ask()
        found: T = self._answers[question]
        return found

    def while_unchanged(self, question: Hashable, ask: Callable[[], T]) -> T:
        """What this process answered last, if nothing has changed since: the number of the last audit line tells, and it is
        read before anything else, so an answer can be newer than its label, never older. A unit of work that writes asks
        each time. For few, fixed questions: answers are kept as long as the process lives."""
        if self._memory is None:
            return ask()
        head = self.heard_upto()
        known = self._memory.get(question)
        if known is None or known[0] != head:
            known = self._memory[question] = (head, ask())
        found: T = known[1]
        return found

    def rule(self, question: Hashable, about: tuple[str, ...], ask: Callable[[], T]) -> T:
        """`once`; and the next work asks again only if since then an audit line spoke of such subjects. The answer is a frozen
        value, as all threads get it. For few, fixed questions."""
        return self.once(question, lambda: self._recall(question, about, ask))

    def holds(self, label: int, about: tuple[str, ...]) -> bool:
        """Whether no audit line after that one speaks of such subjects."""
        return self.heard_upto() >= 0 and self._heard.holds(label, about)

    def heard_upto(self) -> int:
        """The number of the last audit line when this was asked first."""
        return self.once("audit head", lambda: self._heard.listen(self.session, self.now))

    def _recall(self, question: Hashable, about: tuple[str, ...], ask: Callable[[], T]) -> T:
        self.heard_upto()
        if question in self._forgotten or self._spoken.intersection(
            about
        ):  # of its own changes nobody else knows yet
            return ask()
        known = self._heard.recall(question, about)
        found: T = ask() if known is None else known[0]
        if known is None:
            self._learnt[question] = about, found
        return found

    def keep_learnt(self) -> None:
        """What holds for others too: by whoever opened the work, when it has ended well. What it has changed is not part of it."""
        for question, (about, answer) in self._learnt.items():
            if not self._spoken.intersection(about):
                self._heard.keep(question, self.heard_upto(), answer)

    def forget(self, question: Hashable) -> None:
        self._answers.pop(question, None)
        self._learnt.pop(question, None)
        self._forgotten.add(question)

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part that may fail by itself: an error in the block undoes what the block did, and nothing else."""
        entries, touched = len(self._entries), len(self.touched)
        try:
            with self.session.begin_nested():
                yield
                self.session.flush()
        except Exception:
            self._unlearn()
            del self._entries[entries:], self.touched[touched:]
            raise

    def take_back(self) -> None:
        """Undoes everything so far (a dry run): no row, audit line, job or index work of it is left."""
        self.session.rollback()
        self._unlearn()
        self._entries, self.touched, self.enqueued = [], [], False

    def _unlearn(self) -> None:
        self._answers.clear()
        self._learnt.clear()
        self.made.clear()

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
        if self.touched and self._follow:
            self._follow(self)
        self.session.commit()


Follower = Callable[[Work], None]
"""Called at the commit of a work that touched something, behind the lock of the audit trail: what it writes down is in the
order of commits."""


class Workplace:
    """Opens units of work: reading ones on a read-only connection, writing ones that commit when their block ends."""

    def __init__(
        self,
        reading: Engine,
        writing: Engine,
        clock: Clock,
        queue: JobQueue,
        follow: Follower | None = None,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self.clock = clock
        self.queue = queue
        self._follow = follow
        self._memory: dict[Hashable, tuple[int, Any]] = {}
        self._heard = Heard()
        self.index_wanted: Any = None
        """Called without arguments after a commit that owes the index something."""

    @contextmanager
    def reading(self, actor: Actor = PUBLIC, request_id: str | None = None) -> Iterator[Work]:
        with _database_errors(), Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            memory = self._memory
            work = Work(session, actor, self.clock.now(), self.queue, request_id, memory, heard=self._heard)
            yield work
            work.keep_learnt()

    def glance(self, statement: Select[*tuple[Any, ...]]) -> Row[*tuple[Any, ...]]:
        """The only row of a single statement, as it is now: cheaper than a unit of work. For what only tells how things stand."""
        with _database_errors(), at_once(self._reading) as connection:
            return connection.execute(statement).one()

    @contextmanager
    def writing(self, actor: Actor, request_id: str | None = None) -> Iterator[Work]:
        """Commits at the end of the block; an error in the block, or in the commit, leaves nothing."""
        with _database_errors(), Session(self._writing, expire_on_commit=False) as session:
            now, follow = self.clock.now(), self._follow
            work = Work(session, actor, now, self.queue, request_id, follow=follow, heard=self._heard)
            yield work
            work.commit()
        work.keep_learnt()
        if work.enqueued:
            self.queue.wake()
        if work.touched and self.index_wanted:
            self.index_wanted()

    def scrub(self, tables: Iterable[str]) -> None:
        """What was deleted leaves the database's files too: SQLite's log of writes, and what PostgreSQL keeps of these tables
        until it vacuums. What a reader still holds stays until the next time."""
        if self._writing.dialect.name == "postgresql":
            with at_once(self._writing) as connection:
                for table in tables:
                    connection.execute(text(f"VACUUM {table}"))
            return
        raw = self._writing.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.close()

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
