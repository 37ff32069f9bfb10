"""A client of the application in one process that spends little on a question.

Starlette's `TestClient` goes eight times from its thread to the server's and back for each request (for every event and
stream that it makes, for every part of the body, for every end), which takes longer than many an answer. Nearly every test
wants the answer as a whole, and that needs one way there and back. The application runs as it does there: in a loop of its
own thread, from the first message to its end, with what it does behind the answer. An answer that is read in parts
(`stream`) comes the old way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Self
from urllib.parse import unquote

import httpx
from hops import InFlight
from plain import CAREFUL, Headers, Plain, Told, plain
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Scope

STREAMED = "streamed"
ASKED = ("json", "content", "headers", "params")
PORTS = {"http": 80, "https": 443}


class Asking(TestClient):
    """`TestClient`, but a whole answer is fetched in one go while the application is up (`with`)."""

    __test__ = False
    loop: asyncio.AbstractEventLoop | None = None
    _transport: _Whole

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
        question = plain(self, method, url, given) if self.loop else None
        if question is None:
            return httpx.Client.request(self, method, url, **given)
        answer = self._transport.plainly(method, question)
        asked = partial(self.build_request, method, url, **{name: given.get(name) for name in ASKED})
        if answer.begun and CAREFUL.isdisjoint(name.lower() for name, _ in answer.headers):
            return Told(answer.status, answer.headers, answer.body(method), asked)
        return self._carefully(answer.response(asked()), question.follows)

    def _carefully(self, answer: httpx.Response, follows: bool) -> httpx.Response:
        """What httpx does with an answer that sets a cookie, leads elsewhere or is packed."""
        answer.read()
        self.cookies.extract_cookies(answer)
        if not answer.has_redirect_location:
            return answer
        further = self._build_redirect_request(answer.request, answer)
        if not follows:
            answer.next_request = further
            return answer
        found = self.send(further, follow_redirects=True)
        found.history.insert(0, answer)
        return found

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
        self._in_flight = InFlight()

    def close(self) -> None:
        self._usual.close()

    @property
    def strict(self) -> bool:
        """Whether what the application raises is raised here."""
        return bool(self._usual.raise_server_exceptions)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._client.loop is None or STREAMED in request.extensions or request.url.scheme not in PORTS:
            with self._in_flight.one_more():
                streamed: httpx.Response = self._usual.handle_request(request)
            return streamed
        url = request.url
        scope = {
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.partition(b"?")[0],
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "server": [url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]],
        }
        return self._ask(scope, request.read).response(request)

    def plainly(self, method: str, question: Plain) -> _Answer:
        base = self._client.base_url
        scope = {
            "method": method,
            "path": unquote(question.path),
            "raw_path": question.path.encode(),
            "scheme": base.scheme,
            "query_string": question.query.encode(),
            "headers": question.headers,
            "server": [base.raw_host.decode("ascii"), base.port or PORTS[base.scheme]],
        }
        return self._ask(scope, lambda: question.body)

    def _ask(self, scope: Scope, body: Callable[[], bytes]) -> _Answer:
        whole = {
            "type": "http",
            "http_version": "1.1",
            "root_path": self._usual.root_path,
            "client": self._usual.client,
            "extensions": {"http.response.debug": {}, "http.response.trailers": {}},
            "state": self._client.app_state.copy(),
            **scope,
        }
        answer = _Answer(body)
        assert self._client.loop is not None
        told = answer.told(self._client.app, whole)
        with self._in_flight.one_more():
            error = asyncio.run_coroutine_threadsafe(told, self._client.loop).exception()
        if error is not None and self.strict:
            raise error
        assert answer.begun or not self.strict, "no answer"
        return answer


class _Answer:
    """What the application says to one request."""

    def __init__(self, asked: Callable[[], bytes]) -> None:
        self._read = asked
        self._asked = False
        self.status = 500
        self.begun = False
        self.headers: Headers = []
        self._parts: list[bytes] = []

    async def told(self, app: Any, scope: Scope) -> None:
        self._complete = asyncio.Event()
        await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._asked:
            await self._complete.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": self._read()}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert not self.begun, "an answer begins twice"
            self.headers = list(message.get("headers", []))
            self.status, self.begun = message["status"], True
        elif message["type"] == "http.response.body":
            assert self.begun, "a body before its answer"
            assert not self._complete.is_set(), "a body after its end"
            self._parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._complete.set()

    def body(self, method: str) -> bytes:
        return b"" if method == "HEAD" else b"".join(self._parts)

    def response(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            self.status,
            headers=[(name.decode(), value.decode()) for name, value in self.headers],
            stream=httpx.ByteStream(self.body(request.method)),
            request=request,
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
