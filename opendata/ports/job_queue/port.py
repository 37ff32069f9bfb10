"""What we ask of a job queue.

A job is a name (`package.verb`) and JSON arguments. It is stored through the caller's own database connection, so it
exists exactly if the caller's transaction commits. It runs at least once, resumes after a crash, and its handler is
idempotent. A handler that raises `RetryLater` is run again after a pause; any other error is retried `ATTEMPTS` times in
all, and then the queue's `on_failure(job, args, error)` is called once so that the owner can show the failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

Handler = Callable[..., None]
"""Called with the job's arguments by name; blocking; in a worker thread."""

OnFailure = Callable[[str, dict[str, Any], Exception], None]

ATTEMPTS = 3


class RetryLater(Exception):
    """The handler cannot do it now (a service is down); try again in `seconds`, as often as it takes."""

    def __init__(self, seconds: float = 5.0) -> None:
        super().__init__(f"retry in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True)
class Waiting:
    """A job that has not ended: it waits, runs, or will be tried again."""

    id: str
    name: str
    created_at: datetime
    """In UTC."""


class JobQueue(Protocol):
    def enqueue(
        self, connection: Connection, job: str, args: Mapping[str, Any], *, key: str | None = None
    ) -> str:
        """Writes the job within the connection's transaction and returns its id.

        `key` makes it once-only: a second job of the same key is not stored (the first one's id is returned).
        """
        ...

    def start(self, handlers: Mapping[str, Handler], on_failure: OnFailure) -> None:
        """Begins running jobs in background threads, this process' unfinished ones and those of dead processes first."""
        ...

    def stop(self) -> None:
        """Stops taking jobs and waits for the running ones (at most a few seconds; the rest resumes after restart)."""
        ...

    def wake(self) -> None:
        """A hint that a job was just committed, so that it starts at once instead of at the next poll."""
        ...

    def idle(self) -> bool:
        """Whether nothing waits and nothing runs (tests and `opendata demo` wait for it)."""
        ...

    def waiting(self, limit: int = 0) -> Sequence[Waiting]:
        """Committed jobs that have not ended, the oldest first; at most `limit` of them, 0: all."""
        ...
