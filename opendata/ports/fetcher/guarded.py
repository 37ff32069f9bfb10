"""The guarded client (reliability.md section 3): each hop is resolved once, checked, and connected to by the checked address.

No proxies from the environment, no cookies, no credentials, no compression (bombs), no answers but 200. A watch breaks the
connection off when the time is up, whatever it is doing: a server that sends a byte now and then would outlast any timeout
of single reads.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from opendata.ports.fetcher.addresses import Target, is_public, resolve, target
from opendata.ports.fetcher.port import Fetched, FetchFailed, FetchLimits, Sink

_MOVED = (301, 302, 303, 307, 308)
_CHUNK = 64 << 10
_CONNECT_SECONDS = 5.0
_QUIET_SECONDS = 10.0


class GuardedFetcher:
    """`allowed`: `host:port` pairs that may be fetched from although they are private or use another port, for a city's own
    network and for tests."""

    def __init__(self, allowed: Collection[str] = (), agent: str = "opendata") -> None:
        self._allowed = frozenset(allowed)
        self._agent = agent
        self._tls = ssl.create_default_context()

    def fetch(self, url: str, sink: Sink, limits: FetchLimits) -> Fetched:
        deadline = time.monotonic() + limits.seconds
        for _hop in range(limits.redirects + 1):
            found = target(url, self._allowed)
            address = resolve(found, max(0.0, deadline - time.monotonic()), self._allowed)[0]
            connection = self._connection(found, address)
            with _watched(connection, deadline, limits), self._ask(connection, found) as answer:
                if answer.status not in _MOVED:
                    return _receive(url, answer, sink, limits)
                url = urljoin(url, answer.headers.get("Location", ""))
        raise FetchFailed("fetch_redirects", limit=limits.redirects)

    def _connection(self, found: Target, address: str) -> _Pinned:
        tls = self._tls if found.scheme == "https" else None
        return _Pinned(found, address, tls, check=found.place not in self._allowed)

    def _ask(self, connection: http.client.HTTPConnection, found: Target) -> http.client.HTTPResponse:
        connection.putrequest("GET", found.path, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": found.authority, "User-Agent": self._agent, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}  # fmt: skip
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked, whatever the host's name means by now."""

    def __init__(self, found: Target, address: str, tls: ssl.SSLContext | None, *, check: bool) -> None:
        super().__init__(found.host, found.port, timeout=_QUIET_SECONDS)
        self._address, self._tls, self._check = address, tls, check
        self._held: socket.socket | None = None
        """`sock` is given up as soon as an answer begins; the watch needs it until the end."""

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), _CONNECT_SECONDS)
        self.sock = self._held = plain
        if self._check and not is_public(str(plain.getpeername()[0])):
            raise FetchFailed("address_private")
        plain.settimeout(_QUIET_SECONDS)
        if self._tls is not None:
            self.sock = self._held = self._tls.wrap_socket(plain, server_hostname=self.host)

    def break_off(self) -> None:
        """From another thread: whatever reads or writes meets the end. Not by the SSL object, which is not for two threads."""
        if self._held is not None:
            with suppress(OSError):  # not connected yet, or over already
                socket.socket.shutdown(self._held, socket.SHUT_RDWR)


@contextmanager
def _watched(connection: _Pinned, deadline: float, limits: FetchLimits) -> Iterator[None]:
    """Closes the connection afterwards, and breaks it off when the time is up. Its errors as `FetchFailed`."""
    over = threading.Event()

    def end() -> None:
        over.set()
        connection.break_off()

    watch = threading.Timer(max(0.0, deadline - time.monotonic()), end)
    watch.daemon = True
    watch.start()
    try:
        yield
        if over.is_set():
            raise FetchFailed("fetch_too_slow", limit=round(limits.seconds))
    except FetchFailed:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if over.is_set() or isinstance(error, TimeoutError):
            raise FetchFailed("fetch_too_slow", limit=round(limits.seconds)) from None
        refused = isinstance(error, OSError) and not isinstance(error, ConnectionResetError)
        raise FetchFailed("fetch_refused" if refused else "fetch_broken") from None
    finally:
        watch.cancel()
        connection.close()


def _receive(url: str, answer: http.client.HTTPResponse, sink: Sink, limits: FetchLimits) -> Fetched:
    if answer.status != 200:
        raise FetchFailed("fetch_status", status=answer.status)
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise FetchFailed("fetch_encoded")
    size = 0
    while chunk := answer.read1(_CHUNK):
        size += len(chunk)
        if size > limits.size:
            raise FetchFailed("fetch_too_large", limit=limits.size)
        sink(chunk)
    if answer.length:
        raise FetchFailed("fetch_broken")  # less than was announced
    return Fetched(url, _name(url, answer.headers), answer.headers.get_content_type(), size)


def _name(url: str, headers: Message) -> str:
    told = Message()
    told["Content-Disposition"] = headers.get("Content-Disposition", "")
    return told.get_filename() or unquote(PurePosixPath(urlsplit(url).path).name)
