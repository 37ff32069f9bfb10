"""The client of the tests asks in one hop from thread to thread.

Starlette's own crosses to the event loop's thread eight times a request, so that an answer can be read while it is still being
sent: 1.1 of the 1.5 ms of CPU that a small question takes, a million questions long. Tests read answers when they are whole.
The application is called in the same way, in the same thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import anyio
import httpx
import pytest
from starlette import testclient
from starlette.types import Message

_PORTS = {"http": 80, "https": 443}


@pytest.fixture(scope="session", autouse=True)
def in_one_hop() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testclient._TestClientTransport, "handle_request", answered)
        yield


class _Exchange:
    """The two ends that the application is given, for one question; what it sent."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request
        self.start: Message = {}
        self.parts: list[bytes] = []
        self.whole = anyio.Event()
        self._asked = False

    async def receive(self) -> Message:
        if self._asked:
            await self.whole.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": self.request.read()}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not self.start, "an answer begins twice"
            self.start = message
        elif message["type"] == "http.response.body":
            assert self.start, "an answer's body before its beginning"
            assert not self.whole.is_set(), "more of an answer after its end"
            self.parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self.whole.set()

    def answer(self) -> httpx.Response:
        if not self.start:
            return httpx.Response(500, stream=httpx.ByteStream(b""), request=self.request)
        body = b"" if self.request.method == "HEAD" else b"".join(self.parts)
        headers = [(name.decode(), value.decode()) for name, value in self.start.get("headers", [])]
        return httpx.Response(
            self.start["status"], headers=headers, stream=httpx.ByteStream(body), request=self.request
        )


def answered(transport: testclient._TestClientTransport, request: httpx.Request) -> httpx.Response:
    """In the place of starlette's: it raises, or hides, what the application raises as that does."""
    scope = _scope(transport, request)

    async def asked() -> tuple[_Exchange, Exception | None]:
        exchange = _Exchange(request)
        try:
            await transport.app(scope, exchange.receive, exchange.send)
        except Exception as error:  # to be raised, or hidden, where the test asks
            return exchange, error
        return exchange, None

    with transport.portal_factory() as portal:
        exchange, error = portal.call(asked)
    if transport.raise_server_exceptions:
        if error is not None:
            raise error
        assert exchange.start, "the application answered nothing"
    return exchange.answer()


def _scope(transport: testclient._TestClientTransport, request: httpx.Request) -> Mapping[str, Any]:
    url = request.url
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.multi_items()]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(url.path),
        "raw_path": url.raw_path.split(b"?", 1)[0],
        "root_path": transport.root_path,
        "scheme": url.scheme,
        "query_string": url.query,
        "headers": headers,
        "client": transport.client,
        "server": [url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]],
        "extensions": {},
        "state": transport.app_state.copy(),
    }
