"""What operators ask: is the process up, is it ready, how is it doing.

`/healthz` touches nothing but the process. `/readyz` asks the database, both stores and the index, and names the part
that does not answer. `/metrics` (Prometheus text) holds counts and times, no names, no addresses and no secrets; it is
answered to loopback and private addresses alone, anybody else gets a 404. Behind a proxy the caller's address is what
`settings.trusted_proxies` makes of X-Forwarded-For.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import func, select, text
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from opendata.core.errors import DomainError, NotFound
from opendata.edge.http import application, client_address
from opendata.work.pending import Pending
from opendata.work.unit import Workplace

router = APIRouter(include_in_schema=False)
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
_READY_FOR = 2.0
"""Seconds for which an answer about readiness is kept: the check of a store writes to its disk."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counts of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "opendata_requests_total", "Requests", ["route", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "opendata_request_seconds",
            "Time from the headers to the end of the answer",
            ["route", "method"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.cache_hits = Counter(
            "opendata_byte_cache_hits_total", "Answers from memory", registry=self.registry
        )
        self.left_out = Counter(
            "opendata_feed_values_left_out_total",
            "Values of records that have no place in an RDF feed, each time one was written without them",
            registry=self.registry,
        )
        self._pending = Gauge("opendata_index_pending", "Index updates owed", registry=self.registry)
        self._pending_age = Gauge(
            "opendata_index_pending_seconds", "Age of the oldest index update owed", registry=self.registry
        )
        self._jobs_idle = Gauge("opendata_jobs_idle", "1 if no job waits or runs", registry=self.registry)
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        key = (route, method if method in _METHODS else "other", status)
        found = self._known.get(key)
        if found is None:
            found = (self._requests.labels(*map(str, key)), self._seconds.labels(*key[:2]))
            self._known[key] = found
        found[0].inc()
        found[1].observe(seconds)

    def read_database(self, place: Workplace) -> None:
        """Fills the gauges that are read from rows."""
        with place.reading() as work:
            count, oldest = work.session.execute(select(func.count(), func.min(Pending.at))).one()
            now = work.now
        self._pending.set(count)
        self._pending_age.set((now - oldest).total_seconds() if oldest else 0)
        self._jobs_idle.set(float(place.queue.idle()))


class Readiness:
    """Which parts answer, asked at most every two seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = float("-inf")
        self._parts: dict[str, str] = {}

    def parts(self, app: Any) -> dict[str, str]:
        """`ok` or the code of what is wrong, by part."""
        with self._lock:
            if time.monotonic() - self._at > _READY_FOR:
                self._parts = {name: _code_of(check) for name, check in _checks(app)}
                self._at = time.monotonic()
            return self._parts


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def healthz() -> Response:
    """The process is up. Runs in the event loop: it answers also when all threads are busy."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def readyz(request: Request) -> Response:
    """200 if every part answers, else 503 with the code of each part that does not."""
    parts = await run_in_threadpool(request.app.state.readiness.parts, application(request))
    ready = all(code == "ok" for code in parts.values())
    headers = {"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": "5"})
    status = "ok" if ready else "unavailable"
    return JSONResponse({"status": status, "parts": parts}, 200 if ready else 503, headers)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    if not _is_near(client_address(request)):
        raise NotFound("no_such_address")
    found: Metrics = request.app.state.metrics
    found.read_database(application(request).place)
    return Response(
        generate_latest(found.registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def _checks(app: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "database", lambda: _ask(app.place)
    yield "inbox", app.stores.inbox.check
    yield "public", app.stores.public.check
    yield "index", app.index.check


def _ask(place: Workplace) -> None:
    with place.reading() as work:
        work.session.execute(text("SELECT seq FROM audit_head"))


def _code_of(check: Callable[[], object]) -> str:
    try:
        check()
    except DomainError as error:
        return error.code
    except Exception as error:
        return type(error).__name__
    return "ok"


def _is_near(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or found.is_private
