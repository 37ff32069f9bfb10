"""An end for patterns that look at one cell for ever.

frictionless matches by Python's `re`, which tries every way of reading `(a+)+$`: twice as many with each letter. The sandbox
would end that after a minute of CPU and blame the file. Here a clock looks in between, and who wrote the pattern is told.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from re import Pattern
from types import FrameType
from typing import Any

from frictionless.schema import field as frictionless_field

from opendata.ports.sandbox.port import TaskError

TICK = 0.25
"""Seconds of CPU between two looks."""
FEW = 500
"""Cells a tick; usual patterns do some hundred thousand."""
SLOW_TICKS = 12
"""Three seconds in which a pattern was at work and got hardly on."""


class TooSlow(BaseException):
    """Passes frictionless, which takes every `Exception` for one of a check."""

    def __init__(self, pattern: str) -> None:
        super().__init__(pattern)
        self.pattern = pattern


class _Watch:
    """What is being matched, and how often something was. Of the main thread alone, where the clock's signal arrives."""

    pattern: Pattern[str] | None = None
    cells = 0
    seen = 0
    slow = 0

    def look(self, _signal: int, _frame: FrameType | None) -> None:
        stuck = self.pattern is not None and self.cells - self.seen < FEW
        self.seen = self.cells
        self.slow += stuck
        if stuck and self.pattern is not None and self.slow >= SLOW_TICKS:
            raise TooSlow(self.pattern.pattern)


_watch = _Watch()


def _check_pattern(constraint: Pattern[str], cell: str | None) -> bool:
    """frictionless' own, watched."""
    if cell is None:
        return True
    _watch.cells += 1
    _watch.pattern = constraint
    try:
        return constraint.match(cell) is not None
    finally:
        _watch.pattern = None


frictionless_field.check_pattern = _check_pattern


@contextmanager
def patience(schema: dict[str, Any]) -> Iterator[None]:
    """Judging by a schema, within which no pattern takes for ever. `TaskError("pattern_too_slow", pattern)`. The clock runs only
    where there is a pattern, and only in the main thread, as a task of the sandbox has it."""
    patterned = any("pattern" in (one.get("constraints") or {}) for one in schema.get("fields", []))
    if not patterned or threading.current_thread() is not threading.main_thread():
        yield
        return
    _watch.seen = _watch.cells = _watch.slow = 0
    before = signal.signal(signal.SIGPROF, _watch.look)
    signal.setitimer(signal.ITIMER_PROF, TICK, TICK)
    try:
        yield
    except TooSlow as slow:
        raise TaskError("pattern_too_slow", pattern=slow.pattern[1:-1][:200]) from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
