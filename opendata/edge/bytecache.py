"""Public answers kept as their final bytes, before the framework.

An answer is kept only if its endpoint says that others get the same: `X-Cache-Tag` (taken off on the way out) is `public` for
what everybody without a token gets, `everyone` for what callers with a token get too. It is served again only while nothing in the catalogue has changed. That is told by the *generation*: the number of the
last audit line, which every change writes in its own transaction. The generation is read before an answer is
computed, so an answer can be newer than its label, never older: a withdrawal that is committed counts at once.
Search answers come from an index that follows the database by a moment, so nothing is kept, and nothing served from
memory, while an index update is owed (`pending`).

Reading the generation for each request is what makes this safe with many processes, so it must be cheap: SQLite
tells by `PRAGMA data_version` (3 µs) whether any other connection has committed since the last time; only then are the
two rows read. Other databases are asked each time, in a thread.
"""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendata.core.errors import Unavailable
from opendata.edge.conventions import http_date, is_current
from opendata.edge.frame import route_of
from opendata.edge.messages import preferred
from opendata.edge.usage.journal import Use
from opendata.work.audit import AuditHead
from opendata.work.pending import Pending
from opendata.work.unit import Workplace

CAPACITY = 64 << 20
"""Bytes of all answers kept."""
LARGEST = 2 << 20
"""Bytes of one answer; a longer one streams through."""
LARGEST_KEY = 2000
_TAG = b"x-cache-tag"
_CREDENTIALS = (b"authorization", b"x-ckan-api-key")
_SQUEEZED = (
    b"text/",
    b"application/json",
    b"application/ld+json",
    b"application/rdf",
    b"application/xml",
    b"application/atom",
)
_FRESH = [
    (b"cache-control", b"public, max-age=0, must-revalidate"),
    (b"vary", b"Accept, Accept-Language, Accept-Encoding"),
]
_preferred = lru_cache(1024)(preferred)
_OWED = select(func.count()).select_from(select(Pending.id).limit(1).subquery()).scalar_subquery()
_STANDS = select(AuditHead.seq, _OWED)
Headers = list[tuple[bytes, bytes]]
Key = tuple[str, ...]


class Generation:
    """The state of the catalogue as one number; None while the index is behind."""

    def __init__(self, place: Workplace, sqlite_path: str | None) -> None:
        self._place = place
        self._path = sqlite_path
        self._probe: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._seen: tuple[int, int | None] | None = None
        """(data version, generation)"""

    def quick(self) -> tuple[bool, int | None]:
        """(known, generation) without leaving the event loop; not known if the rows have to be read."""
        if self._path is None or self._seen is None:
            return False, None
        version, generation = self._seen
        return (True, generation) if self._version() == version else (False, None)

    def read(self) -> int | None:
        """From the rows; blocking. The version is taken first: what is committed in between is seen the next time."""
        version = self._version() if self._path is not None else 0
        seq, pending = self._place.glance(_STANDS)
        generation = None if pending else int(seq)
        self._seen = (version, generation)
        return generation

    def close(self) -> None:
        with self._lock:
            if self._probe is not None:
                self._probe.close()
            self._probe, self._seen = None, None

    def _version(self) -> int:
        with self._lock:
            if self._probe is None:
                # As a file name, not a URI: a path may hold a question mark. It never writes.
                self._probe = sqlite3.connect(str(self._path), check_same_thread=False, timeout=0.2)
                self._probe.execute("PRAGMA query_only=ON")
            return int(self._probe.execute("PRAGMA data_version").fetchone()[0])


@dataclass(slots=True)
class _Kept:
    generation: int
    headers: Headers
    etag: str
    modified_at: datetime | None
    """Of its Last-Modified, if it has one."""
    body: bytes
    route: str
    everyones: bool
    use: tuple[Use, str] | None = None
    """What being served is (`edge.usage`)."""
    squeezed: bytes | None = None
    squeezable: bool = False

    @property
    def size(self) -> int:
        return len(self.body) + len(self.squeezed or b"") + 1000


@dataclass
class Shelf:
    """Answers by key, the least recently used thrown out first. Used in the event loop alone."""

    capacity: int = CAPACITY
    size: int = 0
    _answers: OrderedDict[Key, _Kept] = field(default_factory=OrderedDict)

    def get(self, key: Key, generation: int) -> _Kept | None:
        found = self._answers.get(key)
        if found is None:
            return None
        if found.generation != generation:
            self._drop(key)
            return None
        self._answers.move_to_end(key)
        return found

    def put(self, key: Key, kept: _Kept) -> None:
        self._drop(key)
        self._answers[key] = kept
        self.size += kept.size
        while self.size > self.capacity:
            self._drop(next(iter(self._answers)))

    def _drop(self, key: Key) -> None:
        old = self._answers.pop(key, None)
        if old is not None:
            self.size -= old.size


class ByteCache:
    """The ASGI layer."""

    def __init__(
        self, app: ASGIApp, generation: Generation, on_hit: Callable[[], object] = lambda: None
    ) -> None:
        self._app = app
        self._generation = generation
        self._on_hit = on_hit
        self.shelf = Shelf()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        key = _key(scope, headers)
        generation = await self._now() if key is not None else None
        if key is None or generation is None:
            await self._app(scope, receive, _untagged(send))
            return
        named = any(header in headers for header in _CREDENTIALS)
        kept = self.shelf.get(key, generation)
        if kept is not None and (kept.everyones or not named):
            self._on_hit()
            scope.setdefault("state", {})["route"] = kept.route
            scope["state"]["use"] = kept.use
        elif scope["method"] == "HEAD":  # answered from a kept GET, but not kept itself
            await self._app(scope, receive, _untagged(send))
            return
        else:
            capture = _Capture(send, named)
            await self._app(scope, receive, capture)
            if not capture.complete:
                return
            kept = _kept(capture, generation, scope)
            self.shelf.put(key, kept)
        if kept.squeezable and kept.squeezed is None and _takes_gzip(headers):
            kept.squeezed = await run_in_threadpool(gzip.compress, kept.body, 5, mtime=0)
            self.shelf.put(key, kept)
        await _send(kept, headers, scope["method"], send)

    async def _now(self) -> int | None:
        """The generation; None if it is not to be had: then the application itself says what is wrong."""
        try:
            known, generation = self._generation.quick()
            return generation if known else await run_in_threadpool(self._generation.read)
        except (Unavailable, sqlite3.Error):
            return None


class _Capture:
    """Holds back an answer that may be kept, passes on any other as it comes."""

    def __init__(self, send: Send, named: bool) -> None:
        self._send = send
        self._named = named
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self.everyones = False
        self.complete = False

    @property
    def headers(self) -> Headers:
        return [] if self._start is None else self._start["headers"]

    @property
    def body(self) -> bytes:
        return b"".join(self._parts)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            tag = _shared(message)
            self.everyones = tag == b"everyone"
            message["headers"] = [pair for pair in message["headers"] if pair[0].lower() != _TAG]
            if self.everyones or (tag == b"public" and not self._named):
                self._start = message
            else:
                await self._send(message)
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            await self._hold(message)

    async def _hold(self, message: Message) -> None:
        self._parts.append(message.get("body", b""))
        self._size += len(self._parts[-1])
        if self._size > LARGEST:
            assert self._start is not None  # noqa: S101 - the caller looked
            start, self._start = self._start, None
            await self._send(start)
            await self._send({**message, "body": self.body})
            self._parts.clear()
        elif not message.get("more_body", False):
            self.complete = True


def _shared(start: Message) -> bytes | None:
    """The tag of an answer that may be kept."""
    if start["status"] != 200:
        return None
    names = {name.lower(): value for name, value in start["headers"]}
    private = b"set-cookie" in names or b"content-encoding" in names or b"content-range" in names
    directives = names.get(b"cache-control", b"")
    return None if private or b"no-store" in directives else names.get(_TAG)


def _key(scope: Scope, headers: dict[bytes, bytes]) -> Key | None:
    """What an answer depends on; None for a request whose answer is never kept."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or b"range" in headers:
        return None
    path: str = scope["path"]
    query: bytes = scope["query_string"]
    if b"cookie" in headers and not path.startswith("/api/"):
        return None
    if b"hx-request" in headers:  # a fragment of a page, at the page's own address
        return None
    language = headers.get(b"accept-language")
    chosen = "" if language is None else _preferred(language.decode("latin-1"))
    # HEAD and GET share an answer.
    key = (path, query.decode("latin-1"), headers.get(b"accept", b"").decode("latin-1"), chosen)
    return key if sum(map(len, key)) <= LARGEST_KEY else None


def _kept(capture: _Capture, generation: int, scope: Scope) -> _Kept:
    body = capture.body
    names = {name.lower(): value for name, value in capture.headers}
    etag = names.get(b"etag") or b'W/"%s"' % hashlib.blake2b(body, digest_size=12).hexdigest().encode()
    replaced = (b"content-length", b"cache-control", b"vary", b"etag")
    headers = [pair for pair in capture.headers if pair[0].lower() not in replaced]
    kind = names.get(b"content-type", b"")
    return _Kept(
        generation,
        [*headers, *_FRESH, (b"etag", etag)],
        etag.decode("latin-1"),
        http_date(_text(names, b"last-modified")),
        body,
        route_of(scope),
        capture.everyones,
        scope["state"].get("use"),
        squeezable=len(body) > 1000 and kind.startswith(_SQUEEZED),
    )


async def _send(kept: _Kept, headers: dict[bytes, bytes], method: str, send: Send) -> None:
    tags, since = (_text(headers, name) for name in (b"if-none-match", b"if-modified-since"))
    if is_current(kept.etag, kept.modified_at, tags, since):
        unneeded = (b"content-type", b"content-length")
        same = [pair for pair in kept.headers if pair[0].lower() not in unneeded]
        await send({"type": "http.response.start", "status": 304, "headers": same})
        await send({"type": "http.response.body", "body": b""})
        return
    body, more = kept.body, []
    if kept.squeezed is not None and _takes_gzip(headers):
        body, more = kept.squeezed, [(b"content-encoding", b"gzip")]
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [*kept.headers, length, *more]})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


def _text(headers: dict[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def _takes_gzip(headers: dict[bytes, bytes]) -> bool:
    for entry in headers.get(b"accept-encoding", b"").lower().split(b","):
        name, _, weight = entry.strip().partition(b";")
        if name.strip() in (b"gzip", b"*"):
            return weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def _untagged(send: Send) -> Send:
    """The tag is a word between the endpoint and this layer."""

    async def pass_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [pair for pair in message["headers"] if pair[0].lower() != _TAG]
        await send(message)

    return pass_on
