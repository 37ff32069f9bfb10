"""`Asking` over the guarded client: limits of a page, of a run and of a host, another try where it may help, an end on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from opendata.harvest.pages import KnownPages
from opendata.harvest.reading.parsing import Parser
from opendata.harvest.record import Page, SourceBroken
from opendata.ports.fetcher.port import Fetched, Fetcher, FetchFailed, FetchLimits
from opendata.ports.storage.drop import Drop

TRIES = 3
LONGEST_WAIT = 60.0
"""A server that wants to be left alone for longer is one that is down."""
_PASSING = frozenset({"fetch_refused", "fetch_broken", "fetch_too_slow"})
"""Failures that another try may mend; so may a status of 429 or 5xx."""


@dataclass(frozen=True)
class Limits:
    page_bytes: int = 64 << 20
    page_seconds: float = 60.0
    run_bytes: int = 4 << 30
    run_requests: int = 20_000
    run_seconds: float = 3600.0
    pause: float = 0.2
    """Seconds between two requests to one host."""


@dataclass
class Hosts:
    """When each host may be asked again, for all runs of a process: two sources of one host share its patience."""

    _free: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, url: str, pause: float) -> float:
        """Seconds until the caller's turn, which is taken with this."""
        host = (urlsplit(url).hostname or "").lower()
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._free.get(host, 0.0))
            self._free[host] = turn + pause
            return turn - now


def _go_on() -> None:
    """Nobody wants the run to end."""


class Remote:
    """`go_on` is asked before each request: it raises `SourceBroken` where the run is to end. `pages`: those that are known."""

    def __init__(
        self,
        fetcher: Fetcher,
        url: str,
        options: Mapping[str, Any] | None = None,
        secret: str = "",
        *,
        limits: Limits | None = None,
        hosts: Hosts | None = None,
        pages: KnownPages | None = None,
        parser: Parser | None = None,
        drop: Drop | None = None,
        go_on: Callable[[], None] = _go_on,
    ) -> None:
        self.url, self.options, self.secret = url, options or {}, secret
        self.limits = limits or Limits()
        self.seen = self.requests = self.bytes = 0
        self.total: int | None = None
        self._fetcher, self._hosts, self._pages, self._go_on = fetcher, hosts or Hosts(), pages, go_on
        self._parser, self.drop = parser, drop
        self._ends = time.monotonic() + self.limits.run_seconds

    def get(
        self,
        url: str,
        *,
        accept: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Page:
        """`SourceBroken` with the fetcher's codes and `harvest_run_too_long`, `harvest_run_too_large`."""
        told = self._told(url, accept, headers or {})
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(url, accept, told, body)
            except FetchFailed as failure:
                wait = self._wait(failure, attempt)
                if wait is None:
                    raise SourceBroken(failure.code, **failure.params) from None
                self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def parse(self, task: str, body: bytes, **args: Any) -> Any:
        """`SourceBroken` with the codes of `Parser.run`. Only a remote that was given a parser reads what needs one."""
        if self._parser is None:
            raise TypeError(f"{task} needs a parser")
        found = self._parser.run(task, body, args)
        self._check()
        return found

    def progress(self, seen: int, total: int | None = None) -> None:
        self.seen, self.total = seen, total
        self._check()

    def _told(self, url: str, accept: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers of a request. What holds the secret goes to the source alone."""
        home = _origin(url) == _origin(self.url)
        told = {
            name: text for name, text in headers.items() if home or not self.secret or self.secret not in text
        }
        return {**told, "Accept": accept} if accept else told

    def _once(self, url: str, accept: str, told: Mapping[str, str], sent: bytes | None) -> Page:
        self._sleep(self._hosts.turn(url, self.limits.pause))
        if self.requests >= self.limits.run_requests:
            raise SourceBroken("harvest_run_too_many_requests", limit=self.limits.run_requests)
        self.requests += 1
        pages = self._pages if sent is None else None  # an answer to a POST stands for no address
        known = pages.conditions(url, accept) if pages else {}
        body = bytearray()
        limits = FetchLimits(size=self.limits.page_bytes, seconds=self.limits.page_seconds)
        found = self._fetcher.fetch(url, body.extend, limits, {**told, **known}, sent)
        self.bytes += found.size
        self._check()
        return self._page(url, accept, found, bytes(body), pages)

    def _page(self, url: str, accept: str, found: Fetched, body: bytes, pages: KnownPages | None) -> Page:
        if pages and found.unchanged and (known := pages.page(url, accept)) is not None:
            return known
        page = Page(found.url, found.media_type, body, found.headers)
        if pages:
            pages.keep(url, accept, page)
        return page

    def _wait(self, failure: FetchFailed, attempt: int) -> float | None:
        """Seconds until the next try; None if there is to be none."""
        status = int(failure.params.get("status", 0))
        if attempt == TRIES or not (failure.code in _PASSING or status == 429 or status >= 500):
            return None
        wait = failure.retry_after if failure.retry_after is not None else self.limits.pause * 5**attempt
        return wait if wait <= LONGEST_WAIT else None

    def _sleep(self, seconds: float) -> None:
        """In small pieces: whoever cancels a run does not wait for a busy server."""
        until = time.monotonic() + seconds
        self._check()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
            self._check()

    def _check(self) -> None:
        self._go_on()
        if time.monotonic() > self._ends:
            raise SourceBroken("harvest_run_too_long", limit=round(self.limits.run_seconds))
        if self.bytes > self.limits.run_bytes:
            raise SourceBroken("harvest_run_too_large", limit=self.limits.run_bytes)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
