"""What is refused before the framework; what every answer and every log line carries."""

from __future__ import annotations

import json
import logging
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from opendata.core.errors import Unavailable
from opendata.edge import ratelimit
from opendata.edge.bodies import MAX_DEPTH
from opendata.edge.frame import JsonLines
from opendata.edge.http import ApiWork, client_address

from .conftest import Edge, Sound, write_note

LIMIT = 10_000
JSON = {"Content-Type": "application/json"}


class Anything(BaseModel, extra="forbid"):
    body: Any


def router() -> APIRouter:
    router = APIRouter()

    @router.post("/anything", status_code=201)
    def anything(work: ApiWork, given: Anything) -> dict[str, str]:
        write_note(work, "stored")
        return {}

    @router.post("/form", status_code=201)
    async def form(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/page")
    def page() -> HTMLResponse:
        return HTMLResponse("<p>hello")

    @router.get("/address")
    def address(request: Request) -> str:
        return client_address(request)

    @router.get("/fails/{name}")
    def fails(name: str) -> None:
        raise RuntimeError(f"a bug near ogd_abcDEF123 in {name}\nand a second line")

    return router


@pytest.fixture
def client(tmp_path: Any) -> TestClient:
    edge = Edge(tmp_path, max_json_bytes=LIMIT)
    client = edge.client(router())
    client.edge = edge  # type: ignore[attr-defined]  # so that one fixture gives both
    return client


def stored(client: TestClient) -> list[str]:
    notes: list[str] = client.edge.notes()  # type: ignore[attr-defined]  # set by the fixture
    return notes


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"body": 1,}', 422, "json_invalid"),
        (b'{"body": "\xff"}', 422, "json_not_utf8"),
        (b'{"body": "unfinished \\', 422, "json_invalid"),
        (b'{"body": NaN}', 422, "json_not_a_number"),
        (b'{"body": -Infinity}', 422, "json_not_a_number"),
        (b'{"body": 1e999}', 422, "json_not_a_number"),
        (b'{"body": ' + b"9" * 5000 + b"}", 422, "json_not_a_number"),
        (b'{"body": 1, "body": 2}', 422, "json_duplicate_key"),
        (b'{"body": [{"a": 1, "\\u0061": 2}]}', 422, "json_duplicate_key"),
        (b'{"body": "\\ud83d"}', 422, "json_surrogate"),
        (b'{"body": "\\u0000"}', 422, "json_null_character"),
        (b'{"body": "\\\\\\u0000"}', 422, "json_null_character"),
        (b'{"body": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", 413, "json_too_deep"),
        (b'{"body": ' + b"[" * 5000, 413, "json_too_deep"),
        (b'{"body": "' + b"x" * LIMIT + b'"}', 413, "body_too_large"),
    ],
)
def test_json_that_is_refused(client: TestClient, body: bytes, status: int, code: str) -> None:
    answer = client.post("/api/v1/anything", content=body, headers=JSON)
    said = answer.json()
    assert answer.status_code == status, said
    assert answer.headers["content-type"] == "application/problem+json"
    assert code in [said["code"], *(field["code"] for field in said["errors"])]
    assert stored(client) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"body": "\\\\u0000"}',  # a backslash and four digits, no U+0000
        b'{"body": "\\ud83d\\ude00 [[[[ \\" {{{{"}',
        b'{"body": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}",
        b'{"body": [1.5, 1e308, 12345678901234567890]}',
        b'{"body": "' + b"[" * 200 + b'"}',
    ],
)
def test_json_that_only_looks_wrong(client: TestClient, body: bytes) -> None:
    assert client.post("/api/v1/anything", content=body, headers=JSON).status_code == 201
    assert stored(client) == ["stored"]


def test_a_body_without_a_length_is_bounded_too(client: TestClient) -> None:
    sent = 0

    def endless() -> Any:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 1000

    answer = client.post("/api/v1/anything", content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["connection"] == "close"


def test_forms_have_the_limit_too(client: TestClient) -> None:
    answer = client.post("/api/v1/form", data={"a": "x" * LIMIT})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert client.post("/api/v1/form", data={"a": "x"}).json() == {"bytes": 3}


def test_a_body_cut_short_reaches_no_endpoint(client: TestClient) -> None:
    sent = exchange(
        client,
        [{"type": "http.request", "body": b'{"body": 1}', "more_body": True}, {"type": "http.disconnect"}],
    )
    assert sent[0]["status"] == 400
    assert b"body_cut_short" in sent[1]["body"]
    assert stored(client) == []


def exchange(client: TestClient, messages: list[dict[str, Any]], *more: tuple[bytes, bytes]) -> list[Any]:
    """The application driven by its own protocol, as no client library would."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/anything", "raw_path": b"/api/v1/anything",
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 5),
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"40"), *more],
    }  # fmt: skip

    async def run() -> None:
        await client.app(scope, receive, send)  # type: ignore[arg-type]

    anyio.run(run)
    return sent


@pytest.mark.parametrize(
    "header", [(b"transfer-encoding", b"chunked"), (b"content-length", b"41"), (b"content-length", b"40")]
)
def test_a_length_that_is_said_twice_is_refused(client: TestClient, header: tuple[bytes, bytes]) -> None:
    sent = exchange(client, [{"type": "http.request", "body": b'{"body": 1}', "more_body": False}], header)
    assert sent[0]["status"] == 400
    assert b"message_ambiguous" in sent[1]["body"]


def test_compressed_bodies_are_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/anything", content=b"x", headers=JSON | {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (
        415,
        "content_encoding",
        415,
    )


def test_every_answer_carries_the_headers(client: TestClient) -> None:
    for path in ("/api/v1/page", "/api/v1/nothing", "/api/v1/fails/x", "/healthz"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"]
        assert len(headers["x-request-id"]) == 32
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    policy = client.get("/api/v1/page").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe-inline" not in policy
    assert client.get("/healthz", headers={"Authorization": "x"}).headers["cache-control"] == "no-store"
    assert (
        client.get("/api/v1/page", headers={"Cookie": "a=b"}).headers["cache-control"] == "private, no-store"
    )


def test_a_request_id_is_taken_only_if_it_is_sane(client: TestClient) -> None:
    assert (
        client.get("/healthz", headers={"X-Request-Id": "abc-123-def"}).headers["x-request-id"]
        == "abc-123-def"
    )
    for odd in ("short", "x" * 65, 'a"},{"level": 1', "abcdefgh\tx"):
        assert client.get("/healthz", headers={"X-Request-Id": odd}).headers["x-request-id"] != odd


def test_a_bug_is_a_500_without_its_text(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/api/v1/fails/x")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "bug" not in answer.text
    assert "a bug" in caplog.text


def test_a_log_line_is_one_line_whatever_the_path_says(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get(
        "/api/v1/fails/%0a%7B%22level%22:%22INFO%22%7D%1b[2K%e2%80%ae%7f",
        headers={"Authorization": "Bearer ogd_secretsecret", "X-Request-Id": "abc-123-def"},
    )
    lines = [JsonLines().format(record) for record in caplog.records]
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        assert "ogd_" not in line
    access = json.loads(next(line for line in lines if '"opendata.access"' in line))
    assert access["path"].startswith("/api/v1/fails/\n{")
    assert (access["method"], access["status"], access["request_id"]) == ("GET", 500, "abc-123-def")
    assert access["ms"] >= 0


def test_the_access_log_names_the_actor(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "opendata.access")
    client.post("/api/v1/anything", json={"body": 1}, headers={"Authorization": "ann"})
    assert caplog.records[-1].facts["actor_id"] == "id-ann"  # type: ignore[attr-defined]  # ours


def test_a_log_line_keeps_no_sql_values() -> None:
    told = "(IntegrityError) NOT NULL\n[SQL: INSERT]\n[parameters: ('13800000000',\n 'x]\ny')]\n(Background on this"
    record = logging.LogRecord("x", logging.ERROR, "x", 1, told, None, None)
    assert "13800000000" not in JsonLines().format(record)
    assert "y'" not in JsonLines().format(record)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "203.0.113.9", "testclient"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "testclient"),
        (1, "<script>", "testclient"),
    ],
)
def test_the_callers_address(tmp_path: Any, proxies: int, forwarded: str, found: str) -> None:
    client = Edge(tmp_path, trusted_proxies=proxies).client(router())
    assert client.get("/api/v1/address", headers={"X-Forwarded-For": forwarded}).json() == found


def test_rate_limit(tmp_path: Any) -> None:
    now = [0.0]
    client = Edge(tmp_path, rate_limit=3, trusted_proxies=1).client(router(), tick=lambda: now[0])

    def get(address: str) -> Any:
        return client.get("/api/v1/page", headers={"X-Forwarded-For": address})

    answers = [get("203.0.113.9") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert answers[3].headers["retry-after"] == "20" == answers[3].headers["ratelimit-reset"]
    assert answers[3].json()["code"] == "too_many_requests"
    assert get("203.0.113.10").status_code == 200
    assert client.get("/healthz", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200
    now[0] = 20.0
    assert [get("203.0.113.9").status_code for _ in range(2)] == [200, 429]


def test_one_ipv6_network_is_one_caller(tmp_path: Any) -> None:
    client = Edge(tmp_path, rate_limit=1, trusted_proxies=1).client(router())
    codes = [
        client.get("/api/v1/page", headers={"X-Forwarded-For": f"2001:db8::{n}"}).status_code for n in (1, 2)
    ]
    assert codes == [200, 429]


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "MAX_ADDRESSES", 10)
    buckets = ratelimit.Buckets(5)
    for n in range(100):
        buckets.take(str(n))
    assert len(buckets) == 10


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, set(ready.json()["parts"].values())) == (200, {"ok"})


def test_readiness_names_the_part_that_is_down(client: TestClient) -> None:
    application = client.app.state.application  # type: ignore[attr-defined]  # FastAPI's
    application.index = Sound(Unavailable("search_unavailable"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["parts"] == {
        "database": "ok",
        "inbox": "ok",
        "public": "ok",
        "index": "search_unavailable",
    }
    assert client.get("/healthz").status_code == 200


def test_metrics_are_for_near_addresses(tmp_path: Any) -> None:
    client = Edge(tmp_path, trusted_proxies=1).client(router())
    client.get("/api/v1/fails/secret-name")
    far = client.get("/metrics", headers={"X-Forwarded-For": "8.8.8.8"})
    assert (far.status_code, far.json()["code"]) == (404, "no_such_address")
    near = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).text
    assert 'opendata_requests_total{method="GET",route="/api/v1/fails/{name}",status="500"} 1.0' in near
    assert "opendata_index_pending 0.0" in near
    assert "secret-name" not in near
