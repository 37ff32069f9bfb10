"""What we ask of a client that fetches what strangers name.

It answers with bytes within limits, or says why not. It must never reach what only we can reach: private addresses, this
machine, other ports than the web's.

Errors: `FetchFailed(code, params)`: `address_wrong`, `address_private`, `address_unknown` (no such host), `fetch_refused`
(nobody answers), `fetch_status`(status), `fetch_redirects`(limit), `fetch_encoded`, `fetch_too_large`(limit),
`fetch_too_slow`(limit, seconds), `fetch_broken`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

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


class FetchFailed(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params


class Fetcher(Protocol):
    def fetch(self, url: str, sink: Sink, limits: FetchLimits) -> Fetched:
        """Sends a GET; the body goes to `sink`, piece by piece. Thread-safe; blocks. What was sunk before an error is worth
        nothing."""
        ...
