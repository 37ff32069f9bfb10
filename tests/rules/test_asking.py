"""The client of the tests (tests/support/asking.py) answers as starlette's own, and hands the application the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

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


async def fails(request: Request) -> Response:
    raise ValueError("no")


def application(done: list[str]) -> Starlette:
    async def later(request: Request) -> Response:
        return Response(status_code=204, background=BackgroundTask(done.append, "done"))

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        """Answers nothing."""

    routes = [
        Route(f"/{one.__name__}", one, methods=["GET", "POST"]) for one in (echo, pieces, away, fails, later)
    ]
    made = Starlette(routes=routes)
    made.mount("/silent", silent)
    return made


ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/echo?a=1&%E4%B8%80=%20", {"headers": {"X-Y": "z"}}),
    ("GET", "/echo", {}),
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
    bodies = [list(options["content"])] * 2 if "content" in options else [None, None]

    def told(kind: type[TestClient], body: Any) -> Any:
        done: list[str] = []
        with kind(application(done), raise_server_exceptions=strict) as client:
            try:
                answer = client.request(method, path, **(options | ({"content": iter(body)} if body else {})))
            except (ValueError, AssertionError) as error:
                return type(error), done
            came = [
                (one.status_code, one.headers.multi_items(), one.content) for one in [*answer.history, answer]
            ]
            return came, dict(client.cookies), str(answer.url), done

    ours, theirs = (told(kind, body) for kind, body in zip((Asking, TestClient), bodies, strict=True))
    assert ours == theirs
