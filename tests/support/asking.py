"""A client of the application in one process that spends little on a question.

Starlette's `TestClient` goes eight times from its thread to the server's and back for each request (for every event and
stream that it makes, for every part of the body, for every end), which takes longer than many an answer. Nearly every test
wants the answer as a whole, and that needs one way there and back. The application runs as it does there: in a loop of its
own thread, from the first message to its end, with what it does behind the answer. An answer that is read in parts
(`stream`) comes the old way.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self
from urllib.parse import unquote

import httpx
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Scope

STREAMED = "streamed"
PORTS = {"http": 80, "https": 443}


class Asking(TestClient):
    """`TestClient`, but a whole answer is fetched in one go while the application is up (`with`)."""

    __test__ = False
    loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        super().__init__(app, **options)
        self._transport = _Whole(self, self._transport)
        self._cookies = _Cookies(self._cookies)

    def __enter__(self) -> Self:
        super().__enter__()
        assert self.portal is not None
        self.loop = self.portal.call(asyncio.get_running_loop)
        return self

    def __exit__(self, *given: Any) -> None:
        self.loop = None
        super().__exit__(*given)

    def request(self, method: str, url: Any, **given: Any) -> httpx.Response:
        """httpx puts the address together; `TestClient` would have it done twice."""
        return httpx.Client.request(self, method, url, **given)

    def send(self, request: httpx.Request, *, stream: bool = False, **given: Any) -> httpx.Response:
        if stream:
            request.extensions[STREAMED] = True
        return super().send(request, stream=stream, **given)


class _Cookies(httpx.Cookies):
    """Looks for cookies in answers that set some."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "set-cookie" in response.headers:
            super().extract_cookies(response)


class _Whole(httpx.BaseTransport):
    """Runs the application for one request to its end."""

    def __init__(self, client: Asking, usual: Any) -> None:
        self._client = client
        self._usual = usual

    def close(self) -> None:
        self._usual.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        loop = self._client.loop
        if loop is None or STREAMED in request.extensions or request.url.scheme not in PORTS:
            streamed: httpx.Response = self._usual.handle_request(request)
            return streamed
        answer = _Answer(request)
        running = asyncio.run_coroutine_threadsafe(answer.told(self._client.app, self._scope(request)), loop)
        strict = self._usual.raise_server_exceptions
        if (error := running.exception()) is not None and strict:
            raise error
        return answer.response(strict)

    def _scope(self, request: httpx.Request) -> Scope:
        url = request.url
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.partition(b"?")[0],
            "root_path": self._usual.root_path,
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self._usual.client,
            "server": [url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]],
            "extensions": {"http.response.debug": {}, "http.response.trailers": {}},
            "state": self._client.app_state.copy(),
        }


class _Answer:
    """What the application says to one request."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._asked = False
        self._status: int | None = None
        self._headers: list[tuple[str, str]] = []
        self._parts: list[bytes] = []

    async def told(self, app: Any, scope: Scope) -> None:
        self._complete = asyncio.Event()
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._asked:
            await self._complete.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": self._request.read()}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert self._status is None, "an answer begins twice"
            self._headers = [(name.decode(), value.decode()) for name, value in message.get("headers", [])]
            self._status = message["status"]
        elif message["type"] == "http.response.body":
            assert self._status is not None, "a body before its answer"
            assert not self._complete.is_set(), "a body after its end"
            self._parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._complete.set()

    def response(self, strict: bool) -> httpx.Response:
        if self._status is None:
            assert not strict, "no answer"
            return httpx.Response(500, request=self._request, stream=httpx.ByteStream(b""))
        body = b"" if self._request.method == "HEAD" else b"".join(self._parts)
        return httpx.Response(
            self._status, headers=self._headers, stream=httpx.ByteStream(body), request=self._request
        )


def shape(answer: Any, asked: list[str]) -> tuple[Any, ...]:
    """The answer without what differs between any two requests."""
    text = answer.text
    asked = sorted(asked, key=len, reverse=True)
    for value in asked:
        text = text.replace(value, "*")
    varying = ("x-request-id", "date", "content-length", "set-cookie")
    headers = {k: v for k, v in answer.headers.items() if k not in varying}
    for name in ("etag", "location", "link"):
        for value in asked:
            if name in headers:
                headers[name] = headers[name].replace(value, "*")
    request_id = answer.headers.get("x-request-id", "-")
    return answer.status_code, text.replace(request_id, "*"), tuple(sorted(headers.items()))
