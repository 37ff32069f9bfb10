"""What we ask of a client that fetches what strangers name.

It answers with bytes within limits, or says why not. It must never reach what only we can reach: private addresses, this
machine, other ports than the web's.

Errors: `FetchFailed(code, params)`: `address_wrong`, `address_private`, `address_unknown` (no such host), `fetch_refused`
(nobody answers), `fetch_status`(status), `fetch_redirects`(limit), `fetch_encoded`, `fetch_too_large`(limit),
`fetch_too_slow`(limit, seconds), `fetch_broken`; of https `certificate_expired`, `certificate_name`, `certificate_unknown`
(nobody we trust vouches for it), `fetch_tls`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Sink = Callable[[bytes], Any]


@dataclass(frozen=True)
class FetchLimits:
    size: int
    """Bytes of the body."""
    seconds: float = 30.0
    """From the first look-up of a name to the last byte, redirects and all."""
    redirects: int = 3


@dataclass(frozen=True)
class Fetched:
    url: str
    """After redirects."""
    name: str
    """Of the file: as the server calls it, else by the address; empty if neither has one."""
    media_type: str
    size: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    unchanged: bool = False
    """The caller named what it has (`If-None-Match`, `If-Modified-Since`), and that is still what there is: no body came."""


@dataclass(frozen=True)
class Answered:
    """Whatever another platform's API answered, good or not."""

    status: int
    body: bytes
    retry_after: int | None = None
    """Seconds after which the server wants to be asked again, where it told so."""


class FetchFailed(Exception):
    retry_after: int | None = None
    """Seconds after which the server wants to be asked again, where its refusal (`fetch_status`) told so."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Of the answer that was refused or too large, where there was one. Names in lower case."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class Fetcher(Protocol):
    def fetch(
        self,
        url: str,
        sink: Sink,
        limits: FetchLimits,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        """Sends a GET, or a POST of `body`, with which no redirect is followed; what is answered goes to `sink`, piece by
        piece. Thread-safe; blocks. What was sunk before an error is worth nothing. `headers` (a token) go to the host of
        `url` alone, not to where it redirects."""
        ...

    def deliver(self, url: str, body: bytes, limits: FetchLimits, headers: Mapping[str, str]) -> int:
        """Sends the body and returns the status of a good answer (2xx); any other is `fetch_status`, a redirect too: what was
        meant for one address goes to no other. What is answered is read within the limits and forgotten."""
        ...

    def exchange(
        self, method: Method, url: str, body: bytes | None, limits: FetchLimits, headers: Mapping[str, str]
    ) -> Answered:
        """One call of another platform's API. Any status is an answer, a redirect too, which is not followed: what was meant
        for one address goes to no other. `FetchFailed` where nobody answered, or too much."""
        ...

    def check(self, url: str) -> None:
        """`FetchFailed` (`address_wrong`, `address_private`) for an address that could never be asked, whatever its host's
        name means: nothing is looked up."""
        ...
