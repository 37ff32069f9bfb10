"""The whole server: every package's calls are there, explained, and remembered; slow headers are not waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from opendata import main
from opendata.edge.idempotency import OnceRoute
from opendata.edge.serving import protocol

from .conftest import Edge


@pytest.fixture
def app(edge: Edge) -> FastAPI:
    return main.create_app(edge.application)  # type: ignore[arg-type]  # a fake of it


class Links(HTMLParser):
    """What a page would load or open, and what it could run."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "style", "iframe", "object"), tag
        for name, value in attrs:
            assert not name.startswith("on")
            assert name != "style"
            if name in ("href", "src"):
                self.targets.append(value or "")
            if name == "id":
                self.ids.add(value or "")


def test_the_docs_page_loads_nothing_and_lists_every_call(app: FastAPI) -> None:
    client = TestClient(app)
    document = client.get("/api/v1/openapi.json").json()
    page = client.get("/api/v1/docs").text
    links = Links()
    links.feed(page)
    assert [t for t in links.targets if not t.startswith(("#", "/api/v1/"))] == []
    assert {t[1:] for t in links.targets if t.startswith("#")} <= links.ids
    assert document["paths"]
    for path, item in document["paths"].items():
        for method in item:
            assert f"{method.upper()} {path}" in page
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_every_post_of_the_api_remembers_its_answer() -> None:
    routes = [route for router in main.API_ROUTERS for route in main.with_memory(router).routes]
    assert routes
    forgetful = [
        route for route in routes if isinstance(route, APIRoute) and not isinstance(route, OnceRoute)
    ]
    assert forgetful == []


def test_errors_speak_as_the_face_of_their_path(app: FastAPI) -> None:
    client = TestClient(app)
    assert client.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"
    assert client.get("/api/3/action/package_show?id=nothing").json()["success"] is False
    body = {"content": b"{}", "headers": {"Content-Type": "application/json", "Content-Encoding": "gzip"}}
    answer = client.post("/api/v1/agencies", **body)  # type: ignore[arg-type]  # a mixed dict
    assert (answer.status_code, answer.json()["status"]) == (415, 415)


@pytest.fixture
def address(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.3)
    app.state.application.settings = app.state.application.settings.model_copy(update={"run_jobs": False})
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            http=protocol.PunctualProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # it runs beside the main thread
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()
        server.should_exit = True
        thread.join(30)


def talk(address: tuple[str, int], *pieces: bytes, pause: float = 0.0) -> bytes:
    """What the server says until it hangs up."""
    with socket.create_connection(address, timeout=30) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        answer = b""
        while more := connection.recv(65536):
            answer += more
        return answer


def test_a_client_that_does_not_finish_its_headers_is_hung_up_on(address: tuple[str, int]) -> None:
    for pieces in ((), (b"GET /healthz HTTP/1.1\r\nX: ",), (b"GET /healthz HTTP/1.1\r\n",)):
        with suppress(ConnectionResetError):
            assert b"200" not in talk(address, *pieces)


def test_a_client_that_does_not_send_its_body_is_hung_up_on(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.3)
    head = b"POST /api/3/action/package_search HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with suppress(ConnectionResetError):
        assert b"200" not in talk(address, head)


def test_headers_without_an_end_are_refused(address: tuple[str, int]) -> None:
    pieces = [b"GET /healthz HTTP/1.1\r\nX: ", *[b"x" * 60_000] * 2]
    with suppress(ConnectionResetError, BrokenPipeError):
        assert talk(address, *pieces, pause=0.05).startswith(b"HTTP/1.1 431")


def test_a_client_in_time_is_served(address: tuple[str, int]) -> None:
    answer = talk(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"\r\nserver:" not in answer.lower()


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"Content-Length: 2\r\nContent-Length: 3"]
)
def test_smuggling_is_refused_on_the_wire(address: tuple[str, int], lengths: bytes) -> None:
    head = b"POST /api/v1/agencies HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + lengths + b"\r\n\r\n"
    answer = talk(address, head + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400"), answer


def test_an_address_in_plain_utf8_is_understood(address: tuple[str, int]) -> None:
    line = "GET /healthz?q=街道 HTTP/1.1\r\nHost: x\r\n".encode()
    answer = talk(address, line + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert protocol.percent_encoded(line).startswith(b"GET /healthz?q=%E8%A1%97%E9%81%93 HTTP/1.1\r\n")
    assert protocol.percent_encoded(b"GET / HTTP/1.1\r\nX: \xe8\r\n") == b"GET / HTTP/1.1\r\nX: \xe8\r\n"


def test_a_second_request_on_the_connection_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=30) as connection:
        for _ in range(2):
            connection.sendall("GET /healthz?q=街道 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
