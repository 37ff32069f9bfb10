"""Commit before answer; one effect under an Idempotency-Key."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import select, text
from starlette.responses import JSONResponse

from opendata.core.errors import Conflict
from opendata.edge import idempotency
from opendata.edge.http import ApiWork, SignedInWork, authorize, perform
from opendata.work.actor import SYSTEM
from opendata.work.idempotency import IdempotentAnswer
from opendata.work.unit import Work

from .conftest import Edge, write_note

AUTH = {"Authorization": "Bearer ann"}


class Note(BaseModel, extra="forbid"):
    body: str


class Log:
    """How often an endpoint ran, and what may hold it up."""

    def __init__(self) -> None:
        self.ran = 0
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()


def notes(log: Log) -> APIRouter:
    router = APIRouter()

    @router.post("/notes", status_code=201)
    def add(work: SignedInWork, note: Note, dry_run: bool = False) -> dict[str, Any]:
        log.ran += 1
        log.inside.set()
        log.go_on.wait(10)
        write_note(work, note.body)
        if note.body == "refused":
            raise Conflict("name_taken", name="x")
        return {"body": note.body, "ran": log.ran}

    @router.post("/breaks-at-commit", status_code=201)
    def late(work: ApiWork) -> dict[str, str]:
        # The deferred constraint fails in the COMMIT itself, after the endpoint has returned.
        work.session.execute(text("INSERT INTO child VALUES ('nobody')"))
        return {"stored": "yes"}

    @router.post("/upload", status_code=201)
    async def upload(request: Request) -> JSONResponse:
        name = await authorize(request, lambda work: work.actor.name)
        digest = (await request.body()).hex()

        def store(work: Work) -> JSONResponse:
            log.ran += 1
            write_note(work, "uploaded")
            return JSONResponse({"by": name, "ran": log.ran}, 201)

        return await perform(request, store, digest=digest)

    return router


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def client(edge: Edge, log: Log) -> TestClient:
    with edge.place.writing(SYSTEM) as work:
        work.session.execute(text("CREATE TABLE parent (id TEXT PRIMARY KEY)"))
        work.session.execute(
            text("CREATE TABLE child (id TEXT REFERENCES parent(id) DEFERRABLE INITIALLY DEFERRED)")
        )
    return edge.client(notes(log))


def test_a_commit_that_fails_is_no_201(client: TestClient, edge: Edge) -> None:
    answer = client.post("/api/v1/breaks-at-commit", headers=AUTH)
    assert answer.status_code == 409, answer.text
    assert answer.json()["code"] == "constraint"
    with edge.place.reading() as work:
        assert work.session.execute(text("SELECT count(*) FROM child")).scalar_one() == 0


def test_the_change_is_committed_when_the_answer_arrives(client: TestClient, edge: Edge) -> None:
    assert client.post("/api/v1/notes", json={"body": "one"}, headers=AUTH).status_code == 201
    assert edge.notes() == ["one"]


def test_a_repeated_key_gets_the_first_answer_and_has_no_effect(
    client: TestClient, edge: Edge, log: Log
) -> None:
    headers = AUTH | {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/notes", json={"body": "one"}, headers=headers)
    again = client.post("/api/v1/notes", json={"body": "one"}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert (edge.notes(), log.ran) == (["one"], 1)


def test_a_key_is_the_actors_and_the_requests_own(client: TestClient, edge: Edge) -> None:
    key = {"Idempotency-Key": "k1"}
    client.post("/api/v1/notes", json={"body": "one"}, headers=AUTH | key)
    reused = client.post("/api/v1/notes", json={"body": "two"}, headers=AUTH | key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    client.post("/api/v1/notes", json={"body": "two"}, headers={"Authorization": "bob"} | key)
    client.post("/api/v1/notes?dry_run=true", json={"body": "three"}, headers=AUTH | key)
    assert edge.notes() == ["one", "two", "three"]


def test_a_refused_request_may_be_corrected_under_its_key(client: TestClient, edge: Edge) -> None:
    headers = AUTH | {"Idempotency-Key": "k1"}
    assert client.post("/api/v1/notes", json={"body": "refused"}, headers=headers).status_code == 409
    assert client.post("/api/v1/notes", json={"body": "good"}, headers=headers).status_code == 201
    assert edge.notes() == ["good"]


def test_the_answer_is_kept_in_the_transaction_of_the_change(client: TestClient, edge: Edge) -> None:
    headers = AUTH | {"Idempotency-Key": "k1"}
    client.post("/api/v1/notes", json={"body": "late"}, headers=headers)  # a CHECK refuses it
    client.post("/api/v1/notes", json={"body": "fine"}, headers=headers)
    with edge.place.reading() as work:
        kept = work.session.execute(select(IdempotentAnswer)).scalars().all()
    assert [json.loads(row.body)["body"] for row in kept] == ["fine"] == edge.notes()


def test_a_second_request_while_the_first_runs_is_told_to_come_back(
    client: TestClient, edge: Edge, log: Log
) -> None:
    headers = AUTH | {"Idempotency-Key": "k1"}
    log.go_on.clear()
    first: list[int] = []

    def send() -> None:
        first.append(client.post("/api/v1/notes", json={"body": "one"}, headers=headers).status_code)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        assert log.inside.wait(10)
        second = client.post("/api/v1/notes", json={"body": "one"}, headers=headers)
    finally:
        log.go_on.set()
        thread.join()
    assert (second.status_code, second.json()["code"]) == (409, "request_running")
    assert int(second.headers["retry-after"]) > 0
    assert first == [201]
    assert edge.notes() == ["one"]


def test_answers_are_forgotten_after_a_day(client: TestClient, edge: Edge) -> None:
    headers = AUTH | {"Idempotency-Key": "k1"}
    client.post("/api/v1/notes", json={"body": "one"}, headers=headers)
    edge.clock.advance(hours=24)
    with edge.place.writing(SYSTEM) as work:
        idempotency.purge(work)
        assert work.session.execute(select(IdempotentAnswer)).first() is None
    client.post("/api/v1/notes", json={"body": "one"}, headers=headers)
    edge.clock.advance(hours=25)
    client.post("/api/v1/notes", json={"body": "one"}, headers=headers)
    assert edge.notes() == ["one", "one", "one"]


@pytest.mark.parametrize("key", ["", "a b", "k" * 256])
def test_a_key_of_a_wrong_form_is_told(client: TestClient, key: str) -> None:
    answer = client.post("/api/v1/notes", json={"body": "x"}, headers=AUTH | {"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_wrong")


def test_an_upload_endpoint_remembers_by_its_digest(client: TestClient, edge: Edge, log: Log) -> None:
    headers = AUTH | {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/upload", content=b"abc", headers=headers)
    again = client.post("/api/v1/upload", content=b"abc", headers=headers)
    other = client.post("/api/v1/upload", content=b"abd", headers=headers)
    assert (first.json(), again.json()) == ({"by": "ann", "ran": 1},) * 2
    assert other.json()["code"] == "idempotency_key_reused"
    assert (edge.notes(), log.ran) == (["uploaded"], 1)


def test_who_may_not_enter_sends_no_upload(client: TestClient, edge: Edge, log: Log) -> None:
    answer = client.post("/api/v1/upload", content=b"abc", headers={"Authorization": "wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")
    assert log.ran == 0
