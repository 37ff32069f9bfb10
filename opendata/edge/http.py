"""From a request to a unit of work and an actor.

`get_work` must be used as `Depends(get_work, scope="function")`: only then does FastAPI commit before the answer is sent
(a test pins this). The aliases below say so once.

Endpoints that stream an upload are `async def` and take no `Work` as a dependency, because the bytes must not flow while
a transaction is open, nor before the caller is known to be allowed to send them:

    may = await authorize(request, lambda work: service.may_upload(work, dataset_id))      # read-only, closed again
    form = await uploads.receive(request, storage.writer, file_field="file", limit=…)      # bytes to the store
    return await perform(request, lambda work: …, digest=form.digest)                      # the row, late; committed

`perform` asks who the caller is once more: a token that was revoked during a long upload stores nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.core.errors import Unauthenticated
from opendata.core.failpoints import reach
from opendata.edge import idempotency
from opendata.edge.conventions import bearer_token
from opendata.edge.idempotency import Ticket
from opendata.settings import Settings
from opendata.work.actor import PUBLIC, Actor, Credentials
from opendata.work.unit import Work, Workplace

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
T = TypeVar("T")


class ActorSource(Protocol):
    """Turns credentials into an actor; `wiring` passes it in."""

    def actor(self, work: Work, credentials: Credentials) -> Actor: ...


def application(request: Request) -> Any:
    """The wired application (`application.Application`, which lies above us)."""
    return request.app.state.application


def part(name: str) -> Callable[[Request], Any]:
    """A dependency that gives one part of the wired application by its name: `stores`, `index`, `tables` …"""

    async def get(request: Request) -> Any:
        return getattr(application(request), name)

    return get


def get_settings(request: Request) -> Settings:
    settings: Settings = application(request).settings
    return settings


def request_id(request: Request) -> str | None:
    found: str | None = getattr(request.state, "request_id", None)
    return found


def client_address(request: Request) -> str:
    """Who calls: the peer, or behind `settings.trusted_proxies` proxies what the outermost of them wrote down.

    X-Forwarded-For is read from its end, as many steps as there are proxies of ours: what stands further left was
    written by the caller. Anything that is no address counts as the peer's.
    """
    peer = request.client.host if request.client else ""
    hops = get_settings(request).trusted_proxies
    if hops == 0:
        return peer
    written = ",".join(request.headers.getlist("x-forwarded-for"))
    named = [entry.strip() for entry in written.split(",") if entry.strip()]
    claimed = named[-hops] if len(named) >= hops else ""
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return peer


def identify(request: Request, work: Work, credentials: Credentials) -> Actor:
    """Sets and returns the work's actor. The access log names it."""
    source: ActorSource = application(request).authenticator
    work.actor = source.actor(work, credentials)
    request.state.actor_id = work.actor.id
    return work.actor


def place_of(request: Request) -> Workplace:
    place: Workplace = application(request).place
    return place


OnceTicket = Annotated[Ticket | None, Depends(idempotency.ticket)]


def get_work(request: Request, ticket: OnceTicket) -> Iterator[Work]:
    """A unit of work for the API: reading for GET and HEAD, writing (and committed) for the rest; by token only."""
    place = place_of(request)
    credentials = Credentials(token=bearer_token(request))
    if request.method in READING_METHODS:
        with place.reading(request_id=request_id(request)) as work:
            identify(request, work, credentials)
            yield work
    else:
        with idempotency.one_at_a_time(ticket), place.writing(PUBLIC, request_id=request_id(request)) as work:
            identify(request, work, credentials)
            idempotency.look_up(work, ticket)
            idempotency.expect(request, work, ticket)
            yield work
            reach("request.flushed")
        reach("request.committed")


async def get_signed_in_work(work: ApiWork) -> Work:
    """The same, for calls that make no sense for the public. `Unauthenticated("token_needed")`."""
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    return work


async def authorize(request: Request, check: Callable[[Work], T]) -> T:
    """What `check` returns, on a read-only work that is closed before this returns. Errors are `check`'s own.

    In the thread pool. Nothing that `check` returns may need the session any more: ids and names, no lazy rows.
    """

    def run() -> T:
        with place_of(request).reading(request_id=request_id(request)) as work:
            identify(request, work, Credentials(token=bearer_token(request)))
            return check(work)

    return await run_in_threadpool(run)


async def perform(request: Request, change: Callable[[Work], T], *, digest: str | None = None) -> T:
    """What `change` returns, after its transaction is committed. In the thread pool.

    `digest` stands for the body where the request has an Idempotency-Key (`ReceivedForm.digest`): a repeated request is
    answered as the first one was, if `change` returns a `Response`.
    """
    ticket = idempotency.ticket_for(request, digest) if digest is not None else None

    def run() -> T:
        with (
            idempotency.one_at_a_time(ticket),
            place_of(request).writing(PUBLIC, request_id=request_id(request)) as work,
        ):
            identify(request, work, Credentials(token=bearer_token(request)))
            idempotency.look_up(work, ticket)
            answer = change(work)
            if isinstance(answer, Response):
                idempotency.remember(work, ticket, answer)
            work.session.flush()
            reach("upload.flushed")
        reach("upload.committed")
        return answer

    return await run_in_threadpool(run)


ApiWork = Annotated[Work, Depends(get_work, scope="function")]
SignedInWork = Annotated[Work, Depends(get_signed_in_work, scope="function")]
AppSettings = Annotated[Settings, Depends(part("settings"))]
