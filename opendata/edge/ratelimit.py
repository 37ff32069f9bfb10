"""How many requests an address may make: token buckets, in memory, of one process.

Each address has a bucket of `per_minute` tokens that fills evenly; signing in has a smaller one of its own, because
each try costs an argon2 hash and guesses a password. (The counters that protect one *account* are rows: see
`accounts.sessions`.) An IPv6 caller owns a whole /64, so that is what counts. At most `MAX_ADDRESSES` buckets are kept;
the one unused for longest goes first, and it is a full one unless more addresses than that call at once.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendata.core.errors import Limited
from opendata.edge import problem
from opendata.edge.http import client_address

MAX_ADDRESSES = 50_000
SIGN_INS_PER_MINUTE = 10
_FREE = ("/healthz", "/readyz", "/metrics")
_SIGN_IN = "sign-in"
"""Pages whose POST signs in end in this (`web`)."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Buckets of one size, by address. Called from the event loop alone."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._rate = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str) -> tuple[bool, int, int]:
        """(allowed, tokens left, seconds until there is one or, if there is, until the bucket is full)."""
        now = self._clock()
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = _Bucket(self.per_minute, now)
            if len(self._buckets) > MAX_ADDRESSES:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(address)
            bucket.tokens = min(self.per_minute, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
        if bucket.tokens < 1:
            return False, 0, math.ceil((1 - bucket.tokens) / self._rate)
        bucket.tokens -= 1
        return True, int(bucket.tokens), math.ceil((self.per_minute - bucket.tokens) / self._rate)


class RateLimit:
    """The ASGI layer; `per_minute` 0 switches it off."""

    def __init__(self, app: ASGIApp, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._all = Buckets(per_minute, clock) if per_minute else None
        self._sign_ins = Buckets(min(per_minute, SIGN_INS_PER_MINUTE), clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._all is None or scope["type"] != "http" or scope["path"] in _FREE:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        signs_in = scope["method"] == "POST" and scope["path"].rstrip("/").endswith(_SIGN_IN)
        buckets = self._sign_ins if signs_in else self._all
        allowed, left, seconds = buckets.take(_owner(client_address(request)))
        headers = [
            (b"ratelimit-limit", b"%d" % buckets.per_minute),
            (b"ratelimit-remaining", b"%d" % left),
            (b"ratelimit-reset", b"%d" % seconds),
        ]

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if allowed:
            await self._app(scope, receive, counted)
        else:
            error = Limited("too_many_requests", retry_after=seconds, limit=buckets.per_minute)
            await problem.answer(error, request)(scope, receive, counted)


def _owner(address: str) -> str:
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
    except ValueError:
        return address
