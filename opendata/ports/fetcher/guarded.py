"""The guarded client (reliability.md section 3): each hop is resolved once, checked, and connected to by the checked address.

No proxies from the environment, no cookies, no credentials but the caller's, no compression (bombs), no answers but good ones
(a 304 is one for whoever named what it has). A watch breaks the connection off when the time is up, whatever it is doing: a server that sends a byte now and then would outlast any timeout
of single reads.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from opendata.ports.fetcher.addresses import Target, is_address, is_public, resolve, target
from opendata.ports.fetcher.port import Answered, Fetched, FetchFailed, FetchLimits, Method, Sink

_MOVED = (301, 302, 303, 307, 308)
_UNCHANGED = 304
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_OUT_OF_DATE = (9, 10)
"""OpenSSL's verdicts: not valid yet, or no longer."""
_OF_OTHERS = (62, 64)
"""Another host's name or address. What is in neither list nobody vouches for."""
_CHUNK = 64 << 10
_CONNECT_SECONDS = 5.0
_QUIET_SECONDS = 10.0


class GuardedFetcher:
    """`allowed`: `host:port` pairs that may be fetched from although they are private or use another port, for a city's own
    network and for tests."""

    def __init__(self, allowed: Collection[str] = (), agent: str = "opendata") -> None:
        self._allowed = frozenset(allowed)
        self._agent = agent

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Reading the machine's certificates takes 30 ms: not before somebody asks for an address with TLS."""
        return ssl.create_default_context()

    def fetch(
        self,
        url: str,
        sink: Sink,
        limits: FetchLimits,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Fetched:
        deadline = time.monotonic() + limits.seconds
        first = target(url, self._allowed)
        for _hop in range(limits.redirects + 1):
            found = target(url, self._allowed)
            told = (headers or {}) if (found.scheme, found.place) == (first.scheme, first.place) else {}
            with self._answer(found, told, body, deadline, limits) as answer:
                if answer.status == _UNCHANGED and not _CONDITIONS.isdisjoint(map(str.lower, told)):
                    return _fetched(url, answer, size=0, unchanged=True)
                if answer.status not in _MOVED or body is not None:
                    return _receive(url, answer, sink, limits)
                url = urljoin(url, answer.headers.get("Location", ""))
        raise FetchFailed("fetch_redirects", limit=limits.redirects)

    def deliver(self, url: str, body: bytes, limits: FetchLimits, headers: Mapping[str, str]) -> int:
        deadline = time.monotonic() + limits.seconds
        found = target(url, self._allowed)
        with self._answer(found, headers, body, deadline, limits) as answer:
            if not 200 <= answer.status < 300:
                raise _refused(answer)
            answer.read(limits.size)
            return answer.status

    def exchange(
        self, method: Method, url: str, body: bytes | None, limits: FetchLimits, headers: Mapping[str, str]
    ) -> Answered:
        deadline = time.monotonic() + limits.seconds
        found = target(url, self._allowed)
        with self._answer(found, headers, body, deadline, limits, method) as answer:
            told = bytearray()
            while chunk := answer.read1(_CHUNK):
                told += chunk
                if len(told) > limits.size:
                    raise FetchFailed("fetch_too_large", limit=limits.size)
            if answer.length:
                raise FetchFailed("fetch_broken")  # less than was announced
            return Answered(answer.status, bytes(told), _retry_after(_told(answer)))

    def check(self, url: str) -> None:
        found = target(url, self._allowed)
        if found.place not in self._allowed and is_address(found.host) and not is_public(found.host):
            raise FetchFailed("address_private")

    @contextmanager
    def _answer(
        self,
        found: Target,
        told: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        limits: FetchLimits,
        method: Method | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """What a GET, or a POST of the body where no method is named, is answered: resolved, checked, connected to and watched."""
        address = resolve(found, max(0.0, deadline - time.monotonic()), self._allowed)[0]
        tls = self._tls if found.scheme == "https" else None
        connection = _Pinned(found, address, tls, check=found.place not in self._allowed)
        with (
            _watched(connection, deadline, limits),
            self._ask(connection, found, told, body, method) as answer,
        ):
            yield answer

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        found: Target,
        told: Mapping[str, str],
        body: bytes | None,
        method: Method | None,
    ) -> http.client.HTTPResponse:
        length = {} if body is None else {"Content-Length": str(len(body))}
        method = method or ("GET" if body is None else "POST")
        connection.putrequest(method, found.path, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": found.authority, "User-Agent": self._agent, "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}  # fmt: skip
        for name, value in {**sent, **told, **length}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
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
    except ssl.SSLCertVerificationError as error:
        of_others = error.verify_code in _OF_OTHERS
        raise FetchFailed(
            "certificate_expired"
            if error.verify_code in _OUT_OF_DATE
            else ("certificate_name" if of_others else "certificate_unknown")
        ) from None
    except ssl.SSLError:
        raise FetchFailed(
            "fetch_too_slow" if over.is_set() else "fetch_tls", limit=round(limits.seconds)
        ) from None
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
        raise _refused(answer)
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise FetchFailed("fetch_encoded")
    size = 0
    if (answer.length or 0) > limits.size:
        raise _too_large(answer, limits)  # announced: nothing of it has to travel
    while chunk := answer.read1(_CHUNK):
        size += len(chunk)
        if size > limits.size:
            raise _too_large(answer, limits)
        sink(chunk)
    if answer.length:
        raise FetchFailed("fetch_broken")  # less than was announced
    return _fetched(url, answer, size=size)


def _fetched(url: str, answer: http.client.HTTPResponse, *, size: int, unchanged: bool = False) -> Fetched:
    name = _name(url, answer.headers)
    return Fetched(url, name, answer.headers.get_content_type(), size, _told(answer), unchanged)


def _refused(answer: http.client.HTTPResponse) -> FetchFailed:
    failure = FetchFailed("fetch_status", status=answer.status)
    failure.headers = _told(answer)
    failure.retry_after = _retry_after(failure.headers)
    return failure


def _too_large(answer: http.client.HTTPResponse, limits: FetchLimits) -> FetchFailed:
    failure = FetchFailed("fetch_too_large", limit=limits.size)
    failure.headers = _told(answer)
    return failure


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds from now: it is told as a number or as a date."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal() and told.isascii() and len(told) < 9:
        return int(told)
    try:
        return max(0, round(parsedate_to_datetime(told).timestamp() - time.time()))
    except (ValueError, OverflowError):
        return None


def _told(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def _name(url: str, headers: Message) -> str:
    told = Message()
    told["Content-Disposition"] = headers.get("Content-Disposition", "")
    return told.get_filename() or unquote(PurePosixPath(urlsplit(url).path).name)
