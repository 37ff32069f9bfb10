"""When a queue worker looks for work: when somebody rings, or when a cheap look says that something waits.

DBOS's own poll costs several statements, too much to do five times a second on an idle machine. Its worker sleeps by
`stop_event.wait(timeout)`; a doorbell in that place sleeps longer while nothing waits, and shorter when rung.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

BACKLOG_SECONDS = 0.02
"""Pause between two looks while more waits than the free workers took: a worker may become free at any moment."""


class Doorbell(threading.Event):
    """An event that means "stop" when set; its `wait` also returns, with False, when there is work to fetch."""

    def __init__(self, something_waits: Callable[[], bool], poll_seconds: float) -> None:
        super().__init__()
        self._something_waits = something_waits
        self._poll_seconds = poll_seconds
        self._rung = threading.Event()
        self._backlog = False

    def ring(self) -> None:
        """Ends the present `wait` (or the next one) at once."""
        self._rung.set()

    def set(self) -> None:
        super().set()
        self._rung.set()

    def wait(self, timeout: float | None = None) -> bool:
        """True: stop. False: fetch work. `timeout`, the caller's own idea of a poll, is not used."""
        pause = BACKLOG_SECONDS if self._backlog else self._poll_seconds
        while not self.is_set():
            rung = self._rung.wait(pause)
            self._rung.clear()
            if self.is_set():
                break
            self._backlog = self._something_waits()
            if rung or self._backlog:
                return False
            pause = self._poll_seconds
        return True
