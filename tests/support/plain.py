"""Questions and answers without httpx where nothing of it is needed: putting a request together and taking its answer apart takes
httpx longer than the application takes to answer.

A question is plain if its address needs no escaping, its body is JSON or bytes, and nothing is asked for beside: no files,
no forms. It is put together here as httpx does, byte for byte (tests/rules/test_asking.py compares); all others go
httpx's way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.request import Request

import httpx
from httpx._client import USE_CLIENT_DEFAULT
from httpx._content import encode_request

Headers = list[tuple[bytes, bytes]]
_BYTE = r"(?:[\w.~!$&()*+,;=:@/-]|%(?!25)[0-9A-F]{2})"
_PLAIN = re.compile(rf"/(?!/){_BYTE}*(?:\?{_BYTE}+)?", re.ASCII)
_DOTS = re.compile(r"/\.{1,2}(?:[/?]|$)")
_KNOWN = {"json", "content", "headers", "params", "follow_redirects"}
_WITH_BODY = {"POST", "PUT", "PATCH"}
CAREFUL = {b"set-cookie", b"location", b"content-encoding"}
"""Headers of answers that httpx does something about."""


@dataclass(frozen=True)
class Plain:
    path: str
    query: str
    headers: Headers
    body: bytes
    follows: bool


def plain(client: httpx.Client, method: str, url: Any, given: Mapping[str, Any]) -> Plain | None:
    """The question, or None if it is none of the plain ones."""
    asked = {
        name: value for name, value in given.items() if value is not None and value is not USE_CLIENT_DEFAULT
    }
    if (
        not asked.keys() <= _KNOWN
        or not isinstance(url, str)
        or not _PLAIN.fullmatch(url)
        or _DOTS.search(url)
    ):
        return None
    path, _, query = url.partition("?")
    params, headers, content = asked.get("params"), asked.get("headers", {}), asked.get("content", b"")
    if (params and (query or not isinstance(params, dict))) or not isinstance(content, bytes | str):
        return None
    if not isinstance(headers, dict) or not _of_text(headers):
        return None
    added, body = encode_request(content=asked.get("content"), json=asked.get("json"))
    return Plain(
        path=path,
        query=str(httpx.QueryParams(params)) if params else query,
        headers=_headers(client, method, url, headers, added),
        body=b"".join(body),  # type: ignore[arg-type]  # of bytes, and to be read by whoever does not wait
        follows=asked.get("follow_redirects", client.follow_redirects),
    )


def _of_text(headers: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) and value.isascii() for value in headers.values())


def _headers(
    client: httpx.Client, method: str, url: str, own: Mapping[str, str], added: Mapping[str, str]
) -> Headers:
    """In httpx's order: what it adds in front, the client's, the question's own, its cookies, the body's."""
    asked = {name.lower().encode(): value.encode() for name, value in own.items()}
    found = [(name.lower(), value) for name, value in client.headers.raw if name.lower() not in asked]
    found += asked.items()
    if client.cookies and b"cookie" not in asked:
        found += _cookies(client, url)
    names = {name for name, _ in found}
    body = [(name.lower().encode(), value.encode()) for name, value in added.items()]
    found += [(name, value) for name, value in body if name not in names]
    front: Headers = [] if b"host" in names else [(b"host", client.base_url.netloc)]
    if method in _WITH_BODY and not {b"content-length", b"transfer-encoding"} & {name for name, _ in found}:
        front.append((b"content-length", b"0"))
    return front + found


def _cookies(client: httpx.Client, url: str) -> Headers:
    """Which of them are sent is for the jar to say, as with httpx."""
    base = client.base_url
    asked = Request(f"{base.scheme}://{base.netloc.decode()}{url}")
    client.cookies.jar.add_cookie_header(asked)
    found = asked.get_header("Cookie")
    return [(b"cookie", found.encode())] if found else []


class Told(httpx.Response):
    """A whole answer as it came. Headers and the question are made into httpx's when somebody looks at them."""

    def __init__(
        self, status: int, headers: Headers, body: bytes, asked: Callable[[], httpx.Request]
    ) -> None:
        self.status_code = status
        self.extensions, self.history = {}, []
        self.next_request = None
        self.is_closed = self.is_stream_consumed = True
        self.default_encoding = "utf-8"
        self.stream = httpx.ByteStream(body)
        self._content = body
        self._num_bytes_downloaded = len(body)
        self._elapsed = timedelta()
        self._told = headers
        self._asked = asked

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]  # an attribute there
        return httpx.Headers(self._told)

    @cached_property
    def _request(self) -> httpx.Request:  # type: ignore[override]  # as above
        return self._asked()
