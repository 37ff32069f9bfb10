"""What the background does for every job and step: it waits for what is down, logs what fails, and looks before it writes."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable
from typing import Any

from opendata.core.errors import DomainError, Unavailable
from opendata.ports.job_queue.port import Handler, RetryLater
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

log = logging.getLogger(__name__)


def patient(job: Handler, **args: Any) -> None:
    """A job that meets a service that is down or a full disk waits for it, however long it takes: it has not failed."""
    try:
        job(**args)
    except Unavailable as down:
        raise RetryLater(down.retry_after) from down
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RetryLater(60) from error


def guarded(work: Callable[[], object]) -> None:
    """A background step that fails is logged and tried again at the next turn."""
    try:
        work()
    except DomainError as error:
        log.warning("background step put off: %s", error.code)
    except Exception:
        log.exception("background step failed")


def ask_if_owed(place: Workplace, owed: Callable[[Work], bool], ask: Callable[[Work], object]) -> None:
    """Looks on a reading work: mostly nothing is owed, and then nothing is written."""
    with place.reading(SYSTEM) as work:
        if not owed(work):
            return
    with place.writing(SYSTEM) as work:
        ask(work)


def ask_due(place: Workplace, due: Callable[[Work], Iterable[str]], ask: Callable[[Work, str], Any]) -> None:
    """Of those whose time has come, each in a transaction of its own."""
    with place.reading(SYSTEM) as work:
        found = due(work)
    for one in found:
        with place.writing(SYSTEM) as work:
            ask(work, one)
