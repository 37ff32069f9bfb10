"""tus 1.0: what has arrived before a connection breaks is kept, and the whole becomes the resource's file."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

API = "/api/v1"
TUS = {"Tus-Resumable": "1.0.0"}
DATA = b"a,b\n" + os.urandom(1).hex().encode() * 3_000_000


def begin(office: Any, dataset: str, length: int, name: str = "大.csv", **more: str) -> str:
    told = {"filename": name, "dataset": dataset, **more}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
    answer = office.editor.post("/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location.removeprefix("http://testserver" + API)


def send(person: Any, upload: str, offset: int, data: bytes) -> Any:
    headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return person.patch(upload, content=data, headers=headers)


def test_parts_become_one_file_of_the_draft(office: Any) -> None:
    dataset = office.draft()
    upload = begin(office, dataset["id"], len(DATA))
    cuts = [0, 1, 2_000_000, len(DATA)]
    for start, end in itertools.pairwise(cuts):
        assert office.editor.head(upload, headers=TUS).headers["upload-offset"] == str(start)
        answer = send(office.editor, upload, start, DATA[start:end])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(end))
    resource = answer.headers["upload-resource"]
    assert office.editor.get(upload).json()["resource"] == resource
    kept = office.editor.get(f"/resources/{resource}/download")
    assert kept.content == DATA
    assert office.editor.get(f"/resources/{resource}").json()["file"]["name"] == "大.csv"


def test_an_upload_replaces_the_file_of_a_resource(office: Any) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], b"a\n1\n")["id"]
    upload = begin(office, dataset["id"], 4, "new.csv", resource=resource)
    assert send(office.editor, upload, 0, b"b\n2\n").headers["upload-resource"] == resource
    assert office.editor.get(f"/resources/{resource}/download").content == b"b\n2\n"


def test_what_came_before_the_cut_is_kept(office: Any, client: TestClient) -> None:
    dataset = office.draft()
    upload = begin(office, dataset["id"], len(DATA))
    headers = {
        "authorization": f"Bearer {office.editor.token}",
        "tus-resumable": "1.0.0",
        "upload-offset": "0",
        "content-type": "application/offset+octet-stream",
        "content-length": str(len(DATA)),
        "host": "testserver",
    }
    asyncio.run(_cut(client.app, f"{API}{upload}", headers, [DATA[:1_500_000], DATA[1_500_000:1_600_000]]))
    assert office.editor.head(upload, headers=TUS).headers["upload-offset"] == "1600000"
    answer = send(office.editor, upload, 1_600_000, DATA[1_600_000:])
    assert office.editor.get(f"/resources/{answer.headers['upload-resource']}/download").content == DATA


async def _cut(app: Any, path: str, headers: dict[str, str], pieces: list[bytes]) -> None:
    """A PATCH whose connection breaks after these pieces."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send_back(_message: dict[str, Any]) -> None:
        pass

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "PATCH", "scheme": "http",
             "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "state": {},
             "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
             "client": ("127.0.0.1", 1), "server": ("testserver", 80)}  # fmt: skip
    await app(scope, receive, send_back)


def test_wrong_calls(office: Any) -> None:
    dataset = office.draft()
    upload = begin(office, dataset["id"], 10)
    late = send(office.editor, upload, 3, b"xyz")
    assert (late.status_code, late.json()["code"]) == (409, "wrong_offset")
    long = send(office.editor, upload, 0, b"x" * 11)
    assert (long.status_code, long.json()["code"]) == (413, "upload_too_long")
    assert office.editor.head(upload, headers=TUS).headers["upload-offset"] == "0"
    assert office.editor.post("/uploads", headers=TUS).json()["errors"][0]["field"] == "Upload-Length"
    bare = office.editor.post("/uploads", headers={**TUS, "Upload-Length": "5"})
    assert {e["field"] for e in bare.json()["errors"]} >= {
        "Upload-Metadata.filename",
        "Upload-Metadata.dataset",
    }
    unknown = office.editor.patch(upload, content=b"x", headers={**TUS, "Upload-Offset": "0"})
    assert unknown.json()["errors"][0]["field"] == "Content-Type"


def test_an_upload_is_its_sender_s_alone_and_can_be_given_up(office: Any, client: TestClient) -> None:
    dataset = office.draft()
    upload = begin(office, dataset["id"], 4)
    for call in (
        office.admin.get(upload),
        office.content.get(upload),
        send(office.admin, upload, 0, b"abcd"),
    ):
        assert call.status_code == 404
    assert client.get(f"{API}{upload}").status_code == 401
    assert office.editor.delete(upload, headers=TUS).status_code == 204
    assert office.editor.head(upload, headers=TUS).status_code == 404


@pytest.mark.parametrize("path", ["/uploads", "/uploads/any"])
def test_options_tell_what_is_spoken(client: TestClient, path: str) -> None:
    """To anybody, without a version of their own."""
    answer = client.options(API + path)
    assert answer.status_code == 204
    spoken = {name: value for name, value in answer.headers.items() if name.startswith("tus-")}
    assert spoken == {
        "tus-resumable": "1.0.0",
        "tus-version": "1.0.0",
        "tus-extension": "creation,termination,expiration",
        "tus-max-size": str(client.app.state.application.settings.max_upload_bytes),
    }


def test_every_answer_says_which_tus_is_spoken(office: Any, client: TestClient) -> None:
    """Those of the layers before the calls too: an address that is none, a body that is packed."""
    upload = begin(office, office.draft()["id"], 4)
    packed = {**TUS, "Content-Encoding": "gzip"}
    answers = {
        200: office.editor.get(upload),
        401: client.post(f"{API}/uploads", headers=TUS),
        404: office.editor.head("/uploads/none", headers=TUS),
        405: office.editor.put(upload, headers=TUS),
        409: send(office.editor, upload, 3, b"xyz"),
        413: send(office.editor, upload, 0, b"x" * 11),
        415: office.editor.patch(upload, content=b"x", headers=packed),
        422: office.editor.post("/uploads", headers={**TUS, "Upload-Length": "x"}),
    }
    for status, answer in answers.items():
        assert (answer.status_code, answer.headers["tus-resumable"]) == (status, "1.0.0")
        assert "tus-version" not in answer.headers


@pytest.mark.parametrize("version", [{"Tus-Resumable": "0.2.2"}, {}])
def test_another_version_is_412(office: Any, version: dict[str, str]) -> None:
    upload = begin(office, office.draft()["id"], 4)
    editor = office.editor
    patch = {**version, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    for answer in (
        editor.post("/uploads", headers={**version, "Upload-Length": "5"}),
        editor.head(upload, headers=version),
        editor.patch(upload, content=b"abcd", headers=patch),
        editor.delete(upload, headers=version),
    ):
        told = (answer.headers["tus-resumable"], answer.headers["tus-version"])
        assert (answer.status_code, told) == (412, ("1.0.0", "1.0.0"))
    assert editor.head(upload, headers=TUS).headers["upload-offset"] == "0"


def test_who_lost_the_right_meanwhile_adds_nothing(office: Any) -> None:
    dataset = office.draft()
    upload = begin(office, dataset["id"], 4)
    assert office.admin.put("/agencies/housing/members/editor", json={"roles": []}).status_code == 200
    assert send(office.editor, upload, 0, b"a\n1\n").status_code == 404


@pytest.mark.parametrize("size", [3, 5 << 20])
def test_one_part_is_the_file(office: Any, settle: Callable[[], None], size: int) -> None:
    dataset = office.draft()
    data = os.urandom(size)
    upload = begin(office, dataset["id"], size, "a.bin")
    assert send(office.editor, upload, 0, data).status_code == 204
    assert [o.size for o in office.app.stores.inbox.objects()] == [size]
