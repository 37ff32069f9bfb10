"""Uploads: what arrives is what is stored, and what does not arrive whole leaves nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.core.errors import NoSpace
from opendata.edge.http import authorize, perform
from opendata.edge.uploads import receive, receive_raw
from opendata.ports.storage.local import LocalStorage
from opendata.ports.storage.port import CHUNK

from .conftest import Edge, write_note

LIMIT = 5 << 20
FULL = b"disk full"


class Watched:
    """The real store; notes what is written in which thread, and can run full."""

    def __init__(self, store: LocalStorage) -> None:
        self.store = store
        self.sizes: list[int] = []
        self.threads: set[int] = set()
        self.open = 0

    def writer(self, limit: int | None = None) -> Any:
        return _Writer(self, self.store.writer(limit=limit))


class _Writer:
    def __init__(self, watched: Watched, writer: Any) -> None:
        self._watched, self._writer = watched, writer
        self.size = 0
        watched.open += 1

    def write(self, chunk: bytes) -> None:
        self._watched.sizes.append(len(chunk))
        self._watched.threads.add(threading.get_ident())
        if chunk.startswith(FULL):
            raise NoSpace()
        self._writer.write(chunk)

    def commit(self, expected: str | None = None) -> Any:
        self._watched.open -= 1
        return self._writer.commit(expected)

    def abort(self) -> None:
        self._writer.abort()


@pytest.fixture
def store(edge: Edge) -> Watched:
    return Watched(edge.store)


@pytest.fixture
def client(edge: Edge, store: Watched) -> TestClient:
    router = APIRouter()
    loop_thread: list[int] = []

    @router.post("/files", status_code=201)
    async def upload(request: Request) -> dict[str, Any]:
        loop_thread[:] = [threading.get_ident()]
        await authorize(request, lambda work: work.actor.id)
        form = await receive(
            request, partial(store.writer, limit=LIMIT), file_field="file", limit=LIMIT, max_fields=5
        )
        await perform(request, lambda work: write_note(work, "row"))
        assert loop_thread[0] not in store.threads
        return {
            "fields": form.fields,
            "files": {
                n: [f.filename, f.content_type, f.stored.sha256, f.stored.size] for n, f in form.files.items()
            },
        }

    @router.put("/raw")
    async def raw(request: Request) -> dict[str, Any]:
        stored = await receive_raw(request, partial(store.writer, limit=LIMIT), LIMIT)
        return {"sha256": stored.sha256, "size": stored.size}

    return edge.client(router)


def left(folder: Path) -> list[Path]:
    """Everything in the store, its temporary folder included."""
    return [path for path in (folder / "inbox").rglob("*") if path.is_file()]


def test_a_form_with_a_file(client: TestClient, edge: Edge) -> None:
    body = bytes(range(256)) * 9000
    answer = client.post(
        "/api/v1/files",
        data={"name": "街道", "tag": ["a", "b", "c"]},
        files={"file": ("街道 1.csv", body, "text/csv")},
    )
    assert answer.status_code == 201, answer.text
    sha256 = hashlib.sha256(body).hexdigest()
    assert answer.json() == {
        "fields": {"name": "街道", "tag": ["a", "b", "c"]},
        "files": {"file": ["街道 1.csv", "text/csv", sha256, len(body)]},
    }
    assert b"".join(edge.store.read(sha256)) == body
    assert edge.notes() == ["row"]


def test_bytes_are_written_in_blocks(client: TestClient, store: Watched) -> None:
    client.post("/api/v1/files", files={"file": ("a.bin", b"x" * (4 << 20))})
    assert len(store.sizes) <= 6
    assert max(store.sizes) <= 2 * CHUNK


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"files": {"file": ("a", b"x" * (LIMIT + 1))}}, 413, "file_too_large"),
        ({"files": {"file": ("a", b"x" * (2 * LIMIT))}}, 413, "file_too_large"),
        ({"files": {"other": ("a", b"x")}}, 422, "unexpected_file"),
        ({"files": [("file", ("a", b"x")), ("file", ("b", b"y"))]}, 422, "unexpected_file"),
        ({"files": {"file": ("a", b"x")}, "data": {"f": "y" * (1 << 21)}}, 413, "field_too_large"),
        ({"files": {"file": ("a", b"x")}, "data": {str(n): "y" for n in range(9)}}, 413, "too_many_fields"),
        ({"files": {"file": ("a", b"x")}, "data": {"f": "\0"}}, 422, "null_character"),
        ({"files": {"file": ("a", b"x")}, "data": {"f": b"\xff"}}, 422, "form_not_utf8"),
        ({"files": {"file": ("a", FULL)}}, 507, "no_space"),
        ({"json": {}}, 422, "not_multipart"),
        (
            {"content": b"--y\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            422,
            "form_broken",
        ),
        (
            {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            422,
            "upload_incomplete",
        ),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "not_multipart"),
    ],
)
def test_what_is_refused_leaves_no_row_and_no_temporary_file(
    client: TestClient, edge: Edge, tmp_path: Path, form: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/api/v1/files", **form)
    said = answer.json()
    assert answer.status_code == status, said
    assert code in [said["code"], *(f["code"] for f in said["errors"])]
    assert edge.notes() == []
    assert [path for path in left(tmp_path) if "tmp" in path.parts[len(tmp_path.parts) :]] == []


def test_a_file_input_left_empty_is_no_file(client: TestClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--\r\n'
    answer = client.post(
        "/api/v1/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.json() == {"fields": {"file": ""}, "files": {}}


def drive(
    client: TestClient, method: str, path: str, headers: dict[str, str], messages: Iterator[Any]
) -> list[Any]:
    """The application by its own protocol: a client that goes away in the middle."""
    sent: list[Any] = []

    async def get() -> Any:
        return next(messages, {"type": "http.disconnect"})

    async def put(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 5), "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip

    async def run() -> None:
        await client.app(scope, get, put)  # type: ignore[arg-type]  # a plain dict is enough for it

    anyio.run(run)
    return sent


def test_an_upload_cut_short_leaves_nothing(client: TestClient, edge: Edge, tmp_path: Path) -> None:
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    messages = (
        {"type": "http.request", "body": part, "more_body": True} for part in [start, b"a" * (3 << 20)]
    )
    sent = drive(
        client, "POST", "/api/v1/files", {"content-type": "multipart/form-data; boundary=x"}, messages
    )
    assert sent[0]["status"] == 422
    assert b"upload_incomplete" in sent[1]["body"]
    assert (edge.notes(), left(tmp_path)) == ([], [])


def test_a_form_without_its_end_is_incomplete(client: TestClient, edge: Edge, tmp_path: Path) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
    answer = client.post(
        "/api/v1/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_incomplete")
    assert (edge.notes(), left(tmp_path)) == ([], [])


def test_raw_bodies(client: TestClient, edge: Edge, tmp_path: Path) -> None:
    body = b"0123456789" * 300_000
    answer = client.put("/api/v1/raw", content=body)
    assert answer.json() == {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
    refused = client.put("/api/v1/raw", content=b"x" * (LIMIT + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "file_too_large")
    messages = iter([{"type": "http.request", "body": b"a" * (2 << 20), "more_body": True}])
    assert drive(client, "PUT", "/api/v1/raw", {}, messages)[0]["status"] == 422
    assert len(left(tmp_path)) == 1


def test_who_may_not_enter_writes_nothing(client: TestClient, store: Watched) -> None:
    answer = client.post("/api/v1/files", files={"file": ("a", b"x")}, headers={"Authorization": "wrong"})
    assert answer.status_code == 401
    assert store.sizes == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 400), max_size=8), content=st.binary(max_size=120))
def test_however_the_network_cuts_the_form(
    client: TestClient, edge: Edge, cuts: list[int], content: bytes
) -> None:
    content = content.replace(b"\r\n--x", b"")
    body = (
        b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        + content
        + b"\r\n--x--\r\n"
    )
    edges = sorted({0, len(body), *(min(cut, len(body)) for cut in cuts)})
    parts = [body[a:b] for a, b in pairwise(edges)]
    messages = ({"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts)
    sent = drive(
        client, "POST", "/api/v1/files", {"content-type": "multipart/form-data; boundary=x"}, messages
    )
    assert sent[0]["status"] == 201, sent
    assert b'"hello"' in sent[1]["body"]
    assert b"".join(edge.store.read(hashlib.sha256(content).hexdigest())) == content
