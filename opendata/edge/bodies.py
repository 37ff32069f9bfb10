"""Bounds and checks request bodies before the framework reads them.

JSON and form bodies are read whole (at most `limit` bytes) and handed on in one piece, so a body that is cut short never
reaches an endpoint. Uploads (multipart, raw bytes, tus) pass through untouched: `uploads` bounds them while they stream.

What JSON may not hold here, and why: more than 64 levels (recursion in every reader behind us), the same key twice
(readers differ on which one counts), NaN, Infinity and numbers that overflow into them (no JSON, and databases differ),
lone surrogates (no UTF-8 form) and U+0000 (PostgreSQL cannot store it). Each has a code of its own.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opendata.core.errors import BadQuery, DomainError, TooLarge, invalid
from opendata.edge import problem

MAX_DEPTH = 64
_IN_THREAD = 1 << 16
"""Bytes from which the check leaves the event loop."""
_BOUNDED = {"application/json", "application/x-www-form-urlencoded"}
# Also an unfinished string to the end of the body: one that did not match would be tried again from each quote in it.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BodyLimits:
    """The ASGI layer. Errors are answered in the face of the path."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = _bounded_kind(scope)
        if kind is None:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
            if body and kind != "application/x-www-form-urlencoded":
                await (run_in_threadpool(check_json, body) if len(body) > _IN_THREAD else _checked(body))
        except DomainError as error:
            request = Request(scope, receive)
            answer = problem.answer(error, request)
            if isinstance(error, TooLarge):
                answer.headers["Connection"] = "close"  # the rest of the body is not waited for
            await answer(scope, receive, send)
            return
        await self._app(scope, _once(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            raise TooLarge("body_too_large", limit=self._limit)
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BadQuery("body_cut_short")
            body += message.get("body", b"")
            if len(body) > self._limit:
                raise TooLarge("body_too_large", limit=self._limit)
            if not message.get("more_body", False):
                return bytes(body)


def check_json(body: bytes) -> None:
    """Errors: `Invalid` with the code of what is wrong, `TooLarge("json_too_deep")`."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid("body", "json_not_utf8", byte=error.start) from None
    _check_depth(body)
    try:
        json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as error:
        raise invalid("body", "json_invalid", line=error.lineno, column=error.colno) from None
    if b"\\u" not in body:
        return
    if _NUL.search(body):
        raise invalid("body", "json_null_character")
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid("body", "json_surrogate", line=error.lineno, column=error.colno) from None


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:  # it cannot be deeper than it has brackets
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise TooLarge("json_too_deep", limit=MAX_DEPTH)


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise invalid("body", "json_duplicate_key", key=key[:100])
        seen.add(key)


def _no_constant(name: str) -> None:
    raise invalid("body", "json_not_a_number", value=name)


def _finite(digits: str) -> None:
    if not math.isfinite(float(digits)):
        raise invalid("body", "json_not_a_number", value=digits[:40])


def _short(digits: str) -> None:
    if len(digits) > 40:
        raise invalid("body", "json_not_a_number", value=digits[:40])


async def _checked(body: bytes) -> None:
    check_json(body)


def _bounded_kind(scope: Scope) -> str | None:
    """The media type of a body that is read whole; None for uploads and for requests that have no body."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    headers = dict(scope["headers"])
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return None
    kind: str = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    return kind if kind in _BOUNDED or kind.endswith("+json") else None


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
