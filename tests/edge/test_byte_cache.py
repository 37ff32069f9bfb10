"""Answers from memory: who gets one, who never does, and that nothing withdrawn is ever among them."""

from __future__ import annotations

import gzip
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from sqlalchemy import delete, text
from starlette.responses import Response, StreamingResponse

from opendata.core.database import open_engine
from opendata.edge.bytecache import Shelf
from opendata.edge.conventions import EVERYONES_TAG, PUBLIC_TAG, is_current
from opendata.edge.http import ApiWork
from opendata.edge.problem import install
from opendata.work.actor import SYSTEM
from opendata.work.pending import Pending
from opendata.work.unit import Workplace

from .conftest import Edge, write_note


class Things:
    """What is public, as rows; how often an endpoint ran; and a gate between reading and answering."""

    def __init__(self) -> None:
        self.ran = 0
        self.has_read, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()

    def router(self) -> APIRouter:
        router = APIRouter()

        @router.get("/things")
        def things(work: ApiWork, request: Request) -> Response:
            self.ran += 1
            found = ",".join(work.session.execute(text("SELECT body FROM note ORDER BY rowid")).scalars())
            self.has_read.set()
            self.may_answer.wait(10)
            language = request.headers.get("accept-language", "")
            return Response(f"{found}|{language}", headers=PUBLIC_TAG, media_type="text/plain")

        @router.get("/long")
        def long(size: int = 5000) -> Response:
            self.ran += 1
            return Response(b"a" * size, headers=PUBLIC_TAG, media_type="application/json")

        @router.get("/kinds/{kind}")
        def kinds(kind: str) -> Response:
            self.ran += 1
            headers = {
                "untagged": {},
                "cookie": PUBLIC_TAG | {"Set-Cookie": "a=b"},
                "nostore": PUBLIC_TAG | {"Cache-Control": "private, no-store"},
                "other": {"X-Cache-Tag": "agency"},
            }.get(kind, PUBLIC_TAG)
            return Response(kind, 404 if kind == "missing" else 200, headers)

        @router.get("/stream")
        def stream() -> Response:
            self.ran += 1
            return StreamingResponse((b"x" * 100_000 for _ in range(40)), headers=PUBLIC_TAG)

        return router


@pytest.fixture
def things() -> Things:
    return Things()


@pytest.fixture
def client(edge: Edge, things: Things) -> TestClient:
    return edge.client(things.router())


def publish(edge: Edge, body: str) -> None:
    with edge.place.writing(SYSTEM) as work:
        write_note(work, body)


def withdraw(edge: Edge, body: str) -> None:
    with edge.place.writing(SYSTEM) as work:
        work.session.execute(text("DELETE FROM note WHERE body = :body"), {"body": body})
        work.record("note.withdrawn", "note", body)


def test_a_second_reader_is_answered_from_memory(client: TestClient, things: Things, edge: Edge) -> None:
    publish(edge, "one")
    first, second = client.get("/api/v1/things"), client.get("/api/v1/things")
    assert (first.text, second.text, things.ran) == ("one|", "one|", 1)
    assert first.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert first.headers["vary"] == "Accept, Accept-Language, Accept-Encoding"
    assert first.headers["etag"] == second.headers["etag"]
    assert "x-cache-tag" not in first.headers
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    head = client.head("/api/v1/things")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "4")
    assert things.ran == 1


def test_nothing_withdrawn_is_served_after_the_commit(client: TestClient, edge: Edge) -> None:
    for round in range(50):
        publish(edge, f"n{round}")
        assert client.get("/api/v1/things").text == client.get("/api/v1/things").text == f"n{round}|"
        withdraw(edge, f"n{round}")
        assert client.get("/api/v1/things").text == "|"


def test_a_withdrawal_by_another_process_counts_too(
    client: TestClient, edge: Edge, tmp_path: Path, things: Things
) -> None:
    publish(edge, "one")
    client.get("/api/v1/things")
    other = sqlite3.connect(tmp_path / "opendata.db")
    other.execute("DELETE FROM note")
    other.execute("UPDATE audit_head SET seq = seq + 1")
    assert client.get("/api/v1/things").text == "one|"  # not committed yet
    other.commit()
    other.close()
    assert client.get("/api/v1/things").text == "|"
    assert things.ran == 2


def test_an_answer_that_was_overtaken_is_not_kept(client: TestClient, edge: Edge, things: Things) -> None:
    """Read before the withdrawal, finished after it: its one reader gets it, nobody else."""
    publish(edge, "one")
    things.may_answer.clear()
    slow: list[str] = []
    thread = threading.Thread(target=lambda: slow.append(client.get("/api/v1/things").text))
    thread.start()
    try:
        assert things.has_read.wait(10)
        withdraw(edge, "one")
    finally:
        things.may_answer.set()
        thread.join()
    assert slow == ["one|"]
    assert client.get("/api/v1/things").text == "|"


def test_other_commits_do_not_empty_the_cache(client: TestClient, edge: Edge, things: Things) -> None:
    client.get("/api/v1/things")
    with edge.place.writing(SYSTEM) as work:
        work.session.execute(text("CREATE TABLE heartbeat (at TEXT)"))
    client.get("/api/v1/things")
    assert things.ran == 1


def test_while_the_index_is_behind_nothing_is_kept_nor_served(
    client: TestClient, edge: Edge, things: Things
) -> None:
    client.get("/api/v1/things")
    with edge.place.writing(SYSTEM) as work:
        work.session.add(Pending(dataset_id="d", revision=1, at=work.now))
    client.get("/api/v1/things")
    client.get("/api/v1/things")
    assert things.ran == 3
    with edge.place.writing(SYSTEM) as work:
        work.session.execute(delete(Pending))
    client.get("/api/v1/things")
    client.get("/api/v1/things")
    assert things.ran <= 4


@pytest.mark.parametrize("kind", ["untagged", "cookie", "nostore", "other", "missing"])
def test_what_is_not_for_everyone_is_not_kept(client: TestClient, things: Things, kind: str) -> None:
    for _ in range(2):
        assert "x-cache-tag" not in client.get(f"/api/v1/kinds/{kind}").headers
    assert things.ran == 2


def test_callers_with_credentials_are_neither_served_nor_kept(client: TestClient, things: Things) -> None:
    client.get("/api/v1/things", headers={"Authorization": "ann"})
    client.get("/api/v1/things")
    answer = client.get("/api/v1/things", headers={"Authorization": "ann"})
    assert things.ran == 3
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_range_is_not_answered_from_memory(client: TestClient, things: Things) -> None:
    for _ in range(2):
        client.get("/api/v1/things", headers={"Range": "bytes=0-1"})
    assert things.ran == 2


def test_languages_types_and_queries_are_kept_apart(client: TestClient, things: Things) -> None:
    english = client.get("/api/v1/things", headers={"Accept-Language": "en-GB,en;q=0.9"})
    chinese = client.get("/api/v1/things", headers={"Accept-Language": "zh-CN"})
    assert english.text != chinese.text
    client.get("/api/v1/things", headers={"Accept": "text/html"})
    client.get("/api/v1/things?a=1")
    assert things.ran == 4


@pytest.mark.parametrize("header", ["Authorization", "X-CKAN-API-Key"])
def test_what_everyone_gets_is_served_to_callers_with_credentials_too(edge: Edge, header: str) -> None:
    ran: list[str] = []
    router = APIRouter()

    @router.get("/same")
    def same(request: Request) -> Response:
        ran.append(request.headers.get(header, ""))
        return Response("{}", headers=EVERYONES_TAG)

    @router.get("/own")
    def own(request: Request) -> Response:
        ran.append(request.headers.get(header, ""))
        return Response(ran[-1], headers=PUBLIC_TAG)

    client = edge.client(router)
    for headers in ({header: "ann"}, {}, {header: "bob"}):
        assert client.get("/api/v1/same", headers=headers).text == "{}"
    assert ran == ["ann"]
    ran.clear()
    for headers in ({}, {header: "ann"}, {}, {header: "bob"}):
        assert client.get("/api/v1/own", headers=headers).text == headers.get(header, "")
    assert ran == ["", "ann", "bob"]


def test_not_modified(client: TestClient, things: Things) -> None:
    etag = client.get("/api/v1/things").headers["etag"]
    answer = client.get("/api/v1/things", headers={"If-None-Match": f'"x", {etag}'})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert client.get("/api/v1/things", headers={"If-None-Match": '"x"'}).status_code == 200
    assert is_current('"5"', None, "*", None)
    assert is_current('"5"', None, 'W/"5"', None)
    assert not is_current('"5"', None, '"55"', None)


def test_gzip_for_those_who_ask(client: TestClient) -> None:
    def raw(accepted: str) -> tuple[dict[str, str], bytes]:
        request = client.build_request("GET", "/api/v1/long", headers={"Accept-Encoding": accepted})
        answer = client.send(request, stream=True)
        return dict(answer.headers), b"".join(answer.iter_raw())

    for _ in range(2):
        headers, body = raw("br, gzip")
        assert (headers["content-encoding"], headers["content-length"]) == ("gzip", str(len(body)))
        assert gzip.decompress(body) == b"a" * 5000
    for accepted in ("identity", "gzip;q=0"):
        headers, body = raw(accepted)
        assert ("content-encoding" in headers, body) == (False, b"a" * 5000)


def test_a_long_answer_streams_through(client: TestClient, things: Things) -> None:
    for _ in range(2):
        assert len(client.get("/api/v1/stream").content) == 4_000_000
    assert things.ran == 2


def test_memory_is_bounded(client: TestClient, things: Things) -> None:
    client.get("/healthz")  # the layers are built for the first request
    shelf: Shelf = client.app.state.cache.shelf  # type: ignore[attr-defined]  # FastAPI's
    shelf.capacity = 50_000
    for n in range(30):
        client.get(f"/api/v1/long?size={5000 + n}")
        assert shelf.size <= 50_000
    ran = things.ran
    client.get("/api/v1/long?size=5029")
    assert things.ran == ran
    client.get("/api/v1/long?size=5000")
    assert things.ran == ran + 1


def test_a_database_that_is_down_is_said_by_the_application(
    edge: Edge, things: Things, tmp_path: Path
) -> None:
    client = edge.client(things.router())
    gone = tmp_path / "gone" / "x.db"
    broken: Any = open_engine(f"sqlite:///{gone}", writing=False)
    edge.application.place = Workplace(broken, broken, edge.clock, edge.place.queue)
    app: Any = client.app
    install(app)
    app.state.generation._place, app.state.generation._path = edge.application.place, str(gone)
    answer = client.get("/api/v1/things")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"]
