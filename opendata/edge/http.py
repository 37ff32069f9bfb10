"""From a request to a unit of work and an actor.

`get_work` must be used as `Depends(get_work, scope="function")`: only then does FastAPI commit before the answer is sent
(a test pins this). The aliases below say so once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from opendata.core.errors import Unauthenticated
from opendata.settings import Settings
from opendata.work.actor import PUBLIC, Actor, Credentials
from opendata.work.unit import Work, Workplace

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ActorSource(Protocol):
    """Turns credentials into an actor; `wiring` passes it in."""

    def actor(self, work: Work, credentials: Credentials) -> Actor: ...


def application(request: Request) -> Any:
    """The wired application (`wiring.Application`, which lies above us)."""
    return request.app.state.application


def part(name: str) -> Callable[[Request], Any]:
    """A dependency that gives one part of the wired application by its name: `stores`, `index`, `tables` …"""

    def get(request: Request) -> Any:
        return getattr(application(request), name)

    return get


def get_settings(request: Request) -> Settings:
    settings: Settings = application(request).settings
    return settings


def bearer_token(request: Request) -> str | None:
    """The token of an `Authorization` header: `Bearer TOKEN`, or the bare token as CKAN's clients send it."""
    value = request.headers.get("authorization", "").strip()
    if value.lower().startswith("bearer "):
        value = value[7:].strip()
    return value or None


def request_id(request: Request) -> str | None:
    found: str | None = getattr(request.state, "request_id", None)
    return found


def identify(request: Request, work: Work, credentials: Credentials) -> Actor:
    source: ActorSource = application(request).authenticator
    work.actor = source.actor(work, credentials)
    return work.actor


def place_of(request: Request) -> Workplace:
    place: Workplace = application(request).place
    return place


def get_work(request: Request) -> Iterator[Work]:
    """A unit of work for the API: reading for GET and HEAD, writing (and committed) for the rest; by token only."""
    place = place_of(request)
    credentials = Credentials(token=bearer_token(request))
    if request.method in READING_METHODS:
        with place.reading(request_id=request_id(request)) as work:
            identify(request, work, credentials)
            yield work
    else:
        with place.writing(PUBLIC, request_id=request_id(request)) as work:
            identify(request, work, credentials)
            yield work


def get_signed_in_work(work: ApiWork) -> Work:
    """The same, for calls that make no sense for the public. `Unauthenticated("token_needed")`."""
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    return work


ApiWork = Annotated[Work, Depends(get_work, scope="function")]
SignedInWork = Annotated[Work, Depends(get_signed_in_work, scope="function")]
AppSettings = Annotated[Settings, Depends(get_settings)]
