"""`Idempotency-Key`: a repeated POST has one effect, and gets the first one's answer.

How it fits together, for `POST /api/v1/…` by a signed-in caller:

1. `ticket` (a dependency of `get_work`) reads the header, and hashes the body that the body layer has already bounded.
2. `get_work` opens its writing `Work`, looks the ticket up (`look_up`), and raises `Replay` for an answer that is kept.
3. The endpoint runs. FastAPI makes the answer's bytes *before* the function-scoped `get_work` is left, so `OnceRoute`
   sees the finished answer while the transaction is still open, and writes it down in it (`remember`).
4. `get_work` is left: the change and the answer are committed together, or neither is.

Only successful answers are kept: a refused request had no effect and may be corrected under its key. Two at a time: in
one process the second is refused at once; of two processes the second one's insert fails at the primary key, and its
change is rolled back with it. Upload endpoints do the same through `http.perform(…, digest=…)`.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.core.errors import BadQuery, Conflict, Invalid
from opendata.edge.conventions import bearer_token
from opendata.work.idempotency import IdempotentAnswer
from opendata.work.unit import Work

KEPT_FOR = timedelta(hours=24)
PREFIX = "/api/v1/"
LARGEST = 1 << 20
"""Bytes of an answer that is kept."""
UNKEPT = frozenset({"/api/v1/tokens", "/api/v1/uploads"})
"""The key has no effect here: the one answers with a secret, which is kept nowhere, the other in headers alone, and an
upload that nobody goes on with is gone by itself."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_running: set[tuple[str, str, str]] = set()
_lock = threading.Lock()


@dataclass(frozen=True)
class Ticket:
    """A request that wants to have one effect."""

    route: str
    """Method, path and query: a dry run is another request."""
    key: str
    body_hash: str
    caller: str
    """Hash of the credentials."""


class Replay(Exception):
    """Not an error: the answer of the first request, to be sent again."""

    def __init__(self, kept: IdempotentAnswer) -> None:
        super().__init__(kept.key)
        told = {"ETag": kept.etag, "Location": kept.location}
        headers = {"Idempotent-Replayed": "true", "Cache-Control": "private, no-store"}
        headers |= {name: value for name, value in told.items() if value}
        self.response = Response(kept.body, kept.status, headers, media_type=kept.media_type or None)


async def ticket(request: Request) -> Ticket | None:
    """The request's ticket, if it asks for one. `BadQuery("idempotency_key_wrong")` for a key of a wrong form."""
    if "idempotency-key" not in request.headers or not _applies(request):
        return None
    return ticket_for(request, hashlib.sha256(await request.body()).hexdigest())


def ticket_for(request: Request, digest: str) -> Ticket | None:
    """The ticket of a request whose body has this digest; for uploads, which are not held in memory."""
    key = request.headers.get("idempotency-key")
    path = request.url.path
    if key is None or request.method != "POST" or not path.startswith(PREFIX) or path in UNKEPT:
        return None
    if not _KEY.fullmatch(key):
        raise BadQuery("idempotency_key_wrong", limit=255)
    route = f"{request.method} {path}"
    if request.url.query:
        route += f"?{request.url.query}"
    if len(route) > 300:
        route = route[:230] + "#" + hashlib.sha256(route.encode()).hexdigest()
    caller = hashlib.sha256((bearer_token(request) or "").encode()).hexdigest()
    return Ticket(route, key, digest, caller)


@contextmanager
def one_at_a_time(ticket: Ticket | None) -> Iterator[None]:
    """`Conflict("request_running")` while the same request is being worked on in this process."""
    if ticket is None:
        yield
        return
    entry = (ticket.caller, ticket.route, ticket.key)
    with _lock:
        if entry in _running:
            raise Conflict("request_running", retry_after=2)
        _running.add(entry)
    try:
        yield
    finally:
        with _lock:
            _running.discard(entry)


def look_up(work: Work, ticket: Ticket | None) -> None:
    """Raises `Replay` for an answer that is kept, `Invalid("idempotency_key_reused")` if it is another body's."""
    if ticket is None or work.actor.id is None:
        return
    kept = work.session.get(IdempotentAnswer, (ticket.caller, ticket.route, ticket.key))
    if kept is None:
        return
    if kept.created_at <= work.now - KEPT_FOR:
        work.session.delete(kept)
        work.session.flush()
        return
    if kept.body_hash != ticket.body_hash:
        raise Invalid("idempotency_key_reused")
    raise Replay(kept)


def expect(request: Request, work: Work, ticket: Ticket | None) -> None:
    """Tells `OnceRoute` which work the answer belongs to."""
    if ticket is not None and work.actor.id is not None:
        request.state.answer_belongs_to = (work, ticket)


def remember(work: Work, ticket: Ticket | None, answer: Response) -> None:
    """Writes the answer down in the transaction of the change. `Conflict("request_running")` if another was faster."""
    body = getattr(answer, "body", None)
    if ticket is None or work.actor.id is None or answer.status_code >= 400:
        return
    if not isinstance(body, bytes) or len(body) > LARGEST:
        return
    work.session.add(
        IdempotentAnswer(
            caller=ticket.caller,
            route=ticket.route,
            key=ticket.key,
            body_hash=ticket.body_hash,
            status=answer.status_code,
            media_type=(answer.headers.get("content-type") or "")[:100],
            etag=(answer.headers.get("etag") or "")[:200],
            location=(answer.headers.get("location") or "")[:500],
            body=body,
            created_at=work.now,
        )
    )
    try:
        work.session.flush()
    except IntegrityError as error:
        raise Conflict("request_running", retry_after=2) from error


def purge(work: Work) -> None:
    """Drops answers older than a day."""
    work.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_at <= work.now - KEPT_FOR))


class OnceRoute(APIRoute):
    """Keeps the finished answer under its Idempotency-Key while the transaction is still open."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer_to = super().get_route_handler()

        async def handle(request: Request) -> Response:
            answer = await answer_to(request)
            belongs = getattr(request.state, "answer_belongs_to", None)
            if belongs is not None:
                work, ticket = belongs
                await run_in_threadpool(remember, work, ticket, answer)
            return answer

        return handle


def with_memory(router: APIRouter) -> APIRouter:
    """The router, its routes turned into `OnceRoute`s, so that no package can forget to ask for it."""
    for route in router.routes:
        if type(route) is APIRoute:
            route.__class__ = OnceRoute
    return router


def _applies(request: Request) -> bool:
    """Bodies that the body layer has bounded, and empty ones. Upload endpoints give the digest of what they received."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (not kind and request.headers.get("content-length", "0") == "0")
