"""The outermost layer: a request id, one log line, security headers, and refusals that need no more than the headers.

It also is where a request ends that failed past all handlers: the answer was sent, the log has the trace, and the
server need not print it a second time.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendata.core.errors import BadQuery, DomainError
from opendata.edge import problem
from opendata.edge.health import Metrics
from opendata.edge.usage.journal import Use

access = logging.getLogger("opendata.access")
log = logging.getLogger(__name__)

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
# Tokens, the values of a failed SQL statement, name and password in an address.
_SECRETS = re.compile(
    r"ogd_[A-Za-z0-9_-]+|(?<=\[parameters: ).*?(?=\n\(Background|\Z)|(?<=://)[^/@\s]+:[^/@\s]+(?=@)",
    re.DOTALL,
)
_HTML_POLICY = b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
# Anything that is no page: should a browser render it all the same, it may do nothing.
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'; sandbox"
_SLASH = 307
"""The framework's own redirect, to an address with or without a slash at its end."""
_UNCHANGED = 304
_SERVED = frozenset({200, 206, 302, 304})
"""With these a reader has what was asked for, and it counts as used (`edge.usage`)."""
_UNSENT = 499
"""Status in log and metrics of a request whose client went away before the answer."""


class Frame:
    """`https`: whether the site is reached by https (its public address says so): then HSTS is sent. `note_use` is told of
    every use of a dataset, once its answer is on its way."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        *,
        https: bool = False,
        note_use: Callable[[Use, str], None] = lambda _use, _subject: None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._note_use = note_use
        self._always = [*_ALWAYS, *([(b"strict-transport-security", b"max-age=31536000")] if https else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        headers = dict(scope["headers"])
        ident = _request_id(headers)
        state = scope.setdefault("state", {})
        state["request_id"] = ident
        status = _UNSENT
        credentials = b"authorization" in headers or b"cookie" in headers

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == _SLASH:
                    message["headers"] = [_on_this_host(pair) for pair in message["headers"]]
                message["headers"] = self._headers(message["headers"], ident, credentials, status)
            await send(message)

        try:
            refusal = _refusal(scope)
            if refusal is not None:
                code = 415 if refusal.code == "content_encoding" else None
                await problem.answer(refusal, Request(scope), code)(scope, receive, framed)
            else:
                await self._app(scope, receive, framed)
        except Exception:
            if status == _UNSENT:
                raise
            log.debug("ended after its answer had begun", extra={"request_id": ident})
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _headers(
        self, given: list[tuple[bytes, bytes]], ident: str, credentials: bool, status: int
    ) -> list[tuple[bytes, bytes]]:
        names = {name.lower(): value for name, value in given}
        more = [pair for pair in self._always if pair[0] not in names]
        more.append((b"x-request-id", ident.encode()))
        # A browser puts the headers of a 304 over those it kept: the policy of data would forbid the kept page its style.
        if status != _UNCHANGED and b"content-security-policy" not in names:
            html = names.get(b"content-type", b"").startswith(b"text/html")
            more.append((b"content-security-policy", _HTML_POLICY if html else _DATA_POLICY))
        if credentials and b"cache-control" not in names:
            more.append((b"cache-control", b"private, no-store"))
        return [*given, *more]

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        use = scope["state"].get("use")
        if use is not None and status in _SERVED and scope["method"] != "HEAD":
            self._note_use(*use)
        route = route_of(scope)
        self._metrics.observe(route, scope["method"], status, seconds)
        if access.isEnabledFor(logging.INFO):
            state = scope["state"]
            line = {
                "method": scope["method"][:20],
                "path": scope["path"][:500],
                "status": status,
                "ms": round(seconds * 1000, 1),
                "request_id": state["request_id"],
            }
            if actor := state.get("actor_id"):
                line["actor_id"] = actor
            # Not `access.info`: it would look for its caller's line for each request.
            record = logging.LogRecord(access.name, logging.INFO, __file__, 0, "request", None, None)
            record.facts = line
            access.handle(record)


def _on_this_host(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A Location without the host, which the framework takes from the Host header: anybody may write anything there."""
    name, value = header
    if name.lower() != b"location":
        return header
    to = urlsplit(value.decode("latin-1"))
    path = "/" + to.path.lstrip("/\\")
    return name, (f"{path}?{to.query}" if to.query else path).encode("latin-1")


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"")
    return given.decode("ascii") if _SANE_ID.fullmatch(given) else secrets.token_hex(16)


def _refusal(scope: Scope) -> DomainError | None:
    """What the headers alone forbid: a message that two readers could split in two ways, a body we would have to unpack."""
    names = [name for name, _ in scope["headers"]]
    lengths = names.count(b"content-length")
    if lengths > 1 or names.count(b"host") > 1 or (lengths and b"transfer-encoding" in names):
        return BadQuery("message_ambiguous")
    if b"content-encoding" in names:
        encoding = dict(scope["headers"])[b"content-encoding"].strip().lower()
        if encoding not in (b"", b"identity"):
            return DomainError("content_encoding")
    return None


def route_of(scope: Scope) -> str:
    """The route's template: few values, for metrics. Made from the path, because routes of included routers do not know
    the prefix they were included under."""
    known: str | None = scope["state"].get("route")
    if known is not None:
        return known
    if "route" not in scope:
        return "unmatched"
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        for mark in "/.-":  # what stands before a parameter: `/catalog.{extension}`, `/sitemap-{part}.xml`
            head, found, tail = path.rpartition(f"{mark}{value}")
            if found:
                path = f"{head}{mark}{{{name}}}{tail}"
                break
    return path


class JsonLines(logging.Formatter):
    """One line of JSON a record. Control characters are escaped, secrets cut out, long texts capped."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line |= facts
        else:
            line["message"] = redacted(record.getMessage())[:2000]
        if record.exc_info:
            line["trace"] = redacted(self.formatException(record.exc_info))[-8000:]
        # ASCII alone: no control, bidi or line-separator character can act in a terminal or a log viewer.
        fast = orjson.dumps(line, default=str).decode()
        if fast.isascii() and fast.isprintable():
            return fast
        return json.dumps(line, ensure_ascii=True, default=str).replace("\x7f", "\\u007f")


def redacted(text: str) -> str:
    """Without tokens, passwords in addresses, and the values of failed SQL statements."""
    return _SECRETS.sub("***", text)


def configure_logging(level: str) -> None:
    """Everything to standard error as lines of JSON; the server's own access log is off, ours is on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").disabled = True
