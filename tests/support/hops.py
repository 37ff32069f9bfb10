"""The blocking parts of a request done where the request is, if nobody else is served meanwhile.

What opens a unit of work, the endpoint, what commits, and each of CKAN's actions are handed to a thread, so that a server goes on
with other requests. Most tests ask one thing at a time; waking another core and being woken again, three times for a request,
costs up to half of its time. So a request that the test's main thread asks for, and that is the only one in flight, stays in the
thread of the server's loop. All others go as they do in a server: those of a test that asks from several threads, and of course
those of real servers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any

import anyio.to_thread
import pytest

from opendata.compat.ckan import api as ckan

_alone: ContextVar[Callable[[], bool] | None] = ContextVar("alone", default=None)
"""Of a request: whether its client has no other in flight."""


class InFlight:
    """The requests of one client that are being answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """What is asked for in here counts as one. The context of whoever asks goes along to the server's loop."""
        with self._lock:
            self._count += 1
        asked_by_test = threading.current_thread() is threading.main_thread()
        told = _alone.set(self._is_one if asked_by_test else None)
        try:
            yield
        finally:
            _alone.reset(told)
            with self._lock:
                self._count -= 1

    def _is_one(self) -> bool:
        return self._count == 1


def _stays() -> bool:
    is_alone = _alone.get()
    return is_alone is not None and is_alone()


class Sparing(Executor):
    """Does itself what is asked for by a request alone, and hands on the rest."""

    def __init__(self, usual: Executor) -> None:
        self._usual = usual

    def submit(self, call: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        if not _stays():
            return self._usual.submit(call, *given, **named)
        done: Future[Any] = Future()
        try:
            done.set_result(call(*given, **named))
        except Exception as error:
            done.set_exception(error)
        return done


@pytest.fixture(scope="session", autouse=True)
def hops_spared() -> Iterator[None]:
    usual = anyio.to_thread.run_sync

    async def run_sync(call: Callable[..., Any], *given: Any, **options: Any) -> Any:
        if not _stays():
            return await usual(call, *given, **options)
        return copy_context().run(call, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anyio.to_thread, "run_sync", run_sync)
        for pool in ("_READERS", "_WRITERS"):
            patch.setattr(ckan, pool, Sparing(getattr(ckan, pool)))
        yield
