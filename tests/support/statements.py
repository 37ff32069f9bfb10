"""What an application sends to its database to answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

ANSWERING = ("AnyIO worker thread", "asyncio-portal", "ckan-reader", "ckan-writer", "MainThread")
"""Threads that answer requests (hops.py: one alone in that of its loop), and the test's own. Jobs, the counting of usage and the
clock ask in theirs, whenever they like."""


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """What answering sends to the database meanwhile, with its parameters."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if threading.current_thread().name.startswith(ANSWERING):
            found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
