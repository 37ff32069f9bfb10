"""The client of the tests (tests/support/asking.py) answers as starlette's own, and hands the application the same."""

from __future__ import annotations

import gzip
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import anyio.to_thread
import pytest
from asking import Asking
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

HANDED = [
    "type",
    "method",
    "path",
    "raw_path",
    "root_path",
    "scheme",
    "query_string",
    "headers",
    "client",
    "server",
    "state",
    "http_version",
]


async def echo(request: Request) -> Response:
    scope = sorted((key, str(value)) for key, value in request.scope.items() if key in HANDED)
    return JSONResponse({"scope": scope, "body": (await request.body()).decode("latin-1")})


async def pieces(request: Request) -> Response:
    async def sent() -> AsyncIterator[bytes]:
        for part in (b"a", b"", b"bc"):
            yield part
        if "broken" in request.query_params:
            raise ValueError("in the middle")

    return StreamingResponse(sent(), headers={"x-one": "1"})


async def away(request: Request) -> Response:
    answer = RedirectResponse("/echo?b=2")
    answer.set_cookie("c", "d")
    return answer


async def packed(request: Request) -> Response:
    return Response(gzip.compress(b"whole"), headers={"content-encoding": "gzip"})


async def fails(request: Request) -> Response:
    raise ValueError("no")


def application(done: list[str]) -> Starlette:
    async def later(request: Request) -> Response:
        return Response(status_code=204, background=BackgroundTask(done.append, "done"))

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        """Answers nothing."""

    routes = [
        Route(f"/{one.__name__}", one, methods=["GET", "POST"])
        for one in (echo, pieces, away, packed, fails, later)
    ]
    made = Starlette(routes=routes)
    made.mount("/silent", silent)
    return made


PARTS = {"content-type": "multipart/form-data; boundary=between"}
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/echo?a=1&%E4%B8%80=%20", {"headers": {"X-Y": "z"}}),
    ("GET", "/echo", {}),
    ("GET", "/echo?a=%25&b=a b", {}),
    ("GET", "/echo/../echo?a='", {}),
    ("GET", "/echo?", {}),
    ("GET", "/echo", {"params": {"q": "一 +", "n": 2}, "headers": {"Accept": "text/plain", "host": "there"}}),
    ("GET", "/echo?a=1", {"params": {"q": "x"}}),
    ("GET", "/echo", {"params": {}}),
    ("GET", "/no/such%2Fplace", {}),
    ("POST", "/echo", {}),
    ("POST", "/echo", {"json": {"a": "一"}, "headers": {"content-type": "text/x"}}),
    ("POST", "/echo", {"content": "一".encode(), "headers": {"Content-Length": "3"}}),
    ("POST", "/echo", {"data": {"a": "b"}, "files": {"f": ("n", b"x")}, "headers": PARTS}),
    ("POST", "/echo", {"cookies": {"c": "1"}}),
    ("POST", "/echo/further", {"json": {}, "headers": {"cookie": "own=2"}}),
    ("DELETE", "/echo", {}),
    ("GET", "/packed", {}),
    ("GET", "/away", {"follow_redirects": False}),
    ("POST", "/away", {"json": [1]}),
    ("HEAD", "/echo", {}),
    ("POST", "/echo", {"json": {"a": [1]}}),
    ("POST", "/echo", {"content": iter([b"a", b"b"])}),
    ("GET", "/pieces", {}),
    ("GET", "/pieces?broken=1", {}),
    ("GET", "/away", {}),
    ("GET", "/fails", {}),
    ("GET", "/later", {}),
    ("GET", "/silent/x", {}),
    ("GET", "https://other.example:8443/echo", {}),
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("number", range(len(ASKED)))
def test_as_starlettes_own(number: int, strict: bool) -> None:
    method, path, options = ASKED[number]
    body = options.get("content")
    bodies = [None, None] if body is None or isinstance(body, bytes) else [list(body)] * 2

    def told(kind: type[TestClient], body: Any) -> Any:
        done: list[str] = []
        with kind(application(done), raise_server_exceptions=strict) as client:
            try:
                client.cookies.set("kept", "1", domain="testserver.local", path="/echo")
                answer = client.request(method, path, **(options | ({"content": iter(body)} if body else {})))
            except (ValueError, AssertionError) as error:
                return type(error), done
            came = [
                (one.status_code, one.headers.multi_items(), one.content) for one in [*answer.history, answer]
            ]
            further = answer.next_request and str(answer.next_request.url)
            asked = answer.request.method, answer.request.headers.multi_items(), answer.request.read()
            words = (
                answer.text,
                answer.encoding,
                answer.is_error,
                answer.reason_phrase,
                answer.cookies.jar._cookies,
            )
            return came, dict(client.cookies), str(answer.url), done, further, asked, str(words)

    ours, theirs = (told(kind, body) for kind, body in zip((Asking, TestClient), bodies, strict=True))
    assert ours == theirs


TOLD: ContextVar[str] = ContextVar("told", default="")


def blocking(call: Callable[[], str]) -> Asking:
    """A client of one address whose answer is what `call` returns, asked for as a blocking part of a request."""

    async def blocks(request: Request) -> Response:
        TOLD.set("here")
        there = await anyio.to_thread.run_sync(call)
        return JSONResponse([threading.current_thread().name, there, TOLD.get()])

    return Asking(Starlette(routes=[Route("/", blocks)]))


def where() -> str:
    assert TOLD.get() == "here"
    TOLD.set("of the part alone")
    return threading.current_thread().name


def test_a_request_alone_stays_where_it_is() -> None:
    """One that another thread asks for does not; what a blocking part sets is seen by no other."""
    with blocking(where) as client, ThreadPoolExecutor(1) as other:
        loop, there, told = client.get("/").json()
        assert (there, told) == (loop, "here")
        loop, there, told = other.submit(client.get, "/").result().json()
        assert (there.startswith("AnyIO worker"), told) == (True, "here")


def test_requests_go_on_beside_each_other() -> None:
    """One that waits for another would wait for ever, if it stayed in the loop's thread."""
    both = threading.Barrier(2)

    def meets() -> str:
        both.wait(60)
        return where()

    with blocking(meets) as client, ThreadPoolExecutor(2) as others:
        answers = list(others.map(client.get, ["/", "/"]))
    assert [answer.json()[1].startswith("AnyIO worker") for answer in answers] == [True, True]


def test_a_request_beside_another_goes_to_a_thread() -> None:
    """Also if the test's main thread asks: the other could not go on while it is answered."""
    begun, go_on = threading.Event(), threading.Event()

    def waits() -> str:
        if not begun.is_set():
            begun.set()
            go_on.wait(60)
        return where()

    with blocking(waits) as client, ThreadPoolExecutor(1) as other:
        before = other.submit(client.get, "/")
        assert begun.wait(60)
        there = client.get("/").json()[1]
        go_on.set()
        assert before.result().status_code == 200
    assert there.startswith("AnyIO worker")


def test_what_a_blocking_part_raises_is_raised() -> None:
    def fails_there() -> str:
        raise ValueError("there")

    with blocking(fails_there) as client, pytest.raises(ValueError, match="there"):
        client.get("/")
