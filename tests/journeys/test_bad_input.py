"""Every wrong call gets a clear answer that names the field, and nothing that was submitted is lost."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.core.errors import NoSpace, Unavailable

API = "/api/v1"
GOOD = "代码,名称\n01,一\n02,二\n".encode()


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["detail"] != found["code"], "a code without a sentence"
    for error in found["errors"]:
        assert error["detail"] != error["code"], error
    return found


def fields(answer: Any, status: int = 422) -> dict[str, str]:
    return {error["field"]: error["code"] for error in problem(answer, status)["errors"]}


def returned(office: Any, dataset: str, settle: Callable[[], None]) -> dict[str, Any]:
    """The release after the checks have sent it back."""
    release = office.submit(dataset)
    settle()
    found: dict[str, Any] = office.editor.get(f"/releases/{release['id']}").json()
    assert found["state"] == "returned", found
    return found


def broken_workbook() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.xlsx", broken_workbook()), ("b.json", b'[{"a": 1},'), ("c.parquet", b"PAR1nothing")],
)
def test_an_unreadable_file_stays_in_the_draft_with_its_report(
    office: Any, settle: Callable[[], None], name: str, data: bytes
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], data, name)
    found = returned(office, dataset["id"], settle)
    assert name in found["sentence"]
    report = office.editor.get(f"/resources/{resource['id']}/report", params={"draft": "true"}).json()
    assert report["problem"]["code"]
    kept = office.editor.get(f"/resources/{resource['id']}/download", params={"draft": "true"})
    assert kept.content == data


def test_a_wrong_encoding_is_told_with_the_byte(office: Any, settle: Callable[[], None]) -> None:
    data = b"a,b\n" + b"1,2\n" * 10 + b"\xff\xff\xff,3\n"
    dataset = office.draft()
    resource = office.upload(dataset["id"], data)
    returned(office, dataset["id"], settle)
    report = office.editor.get(f"/resources/{resource['id']}/report", params={"draft": "true"}).json()
    assert report["problem"]["code"] == "encoding_unknown"
    assert report["problem"]["params"]["byte"] == 44


def test_an_empty_file_is_refused(office: Any) -> None:
    dataset = office.draft()
    answer = office.editor.post(f"/datasets/{dataset['id']}/resources", files={"file": ("a.csv", b"")})
    assert fields(answer) == {"file": "file_empty"}
    again = office.editor.post(
        f"/datasets/{dataset['id']}/resources", data={"name": "x"}, files={"other": b"x"}
    )
    assert fields(again) == {"other": "unexpected_file"}


def test_a_schema_that_does_not_exist_and_one_that_is_wrong(office: Any) -> None:
    dataset = office.draft()
    url = f"/datasets/{dataset['id']}/resources"
    named = office.editor.post(url, files={"file": ("a.csv", GOOD)}, data={"schema_name": "no_such"})
    assert fields(named) == {"schema_name": "unknown_schema"}
    wrong = json.dumps({"fields": [{"name": "a", "type": "no_such_type"}, {"type": "string"}]})
    answer = office.editor.post(url, files={"file": ("a.csv", GOOD)}, data={"schema": wrong})
    assert set(fields(answer)) == {"schema.fields.0", "schema.fields.1.name"}
    cut = office.editor.post(url, files={"file": ("a.csv", GOOD)}, data={"schema": "{"})
    assert fields(cut) == {"schema": "json_invalid"}
    assert office.editor.get(f"/datasets/{dataset['id']}").json()["draft"]["resources"] == []


def test_a_name_and_a_source_id_are_given_once(office: Any) -> None:
    office.draft(name="streets", source_id="A-1")
    taken = office.editor.post("/datasets", json={"agency": "housing", "title": "x", "name": "streets"})
    assert problem(taken, 409)["code"] == "name_taken"
    same = office.editor.post("/datasets", json={"agency": "housing", "title": "x", "source_id": "A-1"})
    assert problem(same, 409)["code"] == "source_id_taken"


def test_all_wrong_fields_are_named_at_once_and_unknown_ones_refused(office: Any) -> None:
    body = {"agency": "housing", "title": "", "keywords": [""], "openness": "maybe", "state": "published"}
    found = fields(office.editor.post("/datasets", json=body))
    assert set(found) == {"title", "keywords.0", "openness", "state"}
    dataset = office.draft()
    patch = office.editor.patch(f"/datasets/{dataset['id']}", json={"nonsense": 1})
    assert set(fields(patch)) == {"nonsense"}
    theme = office.editor.patch(f"/datasets/{dataset['id']}", json={"themes": ["NOPE"]})
    assert fields(theme) == {"themes": "unknown_theme"}
    line = office.editor.patch(f"/datasets/{dataset['id']}", json={"inventory": ["no-such-line"]})
    assert fields(line) == {"inventory": "line_not_found"}


@pytest.mark.parametrize(
    "path",
    [
        "/datasets?limt=3",
        "/search?query=x",
        "/inventory?agncy=x",
        "/agencies?x=1",
        "/datasets?limit=0",
        "/search?sort=x",
    ],
)
def test_a_wrong_query_string_is_a_400(office: Any, client: TestClient, path: str) -> None:
    answer = client.get(f"{API}{path}")
    assert len(fields(answer, 400)) == 1


def test_a_stale_edit_is_refused(office: Any) -> None:
    dataset = office.draft()
    url = f"/datasets/{dataset['id']}"
    etag = office.editor.get(url).headers["etag"]
    first = office.editor.patch(url, json={"title": "一"}, headers={"If-Match": etag})
    assert first.status_code == 200, first.text
    late = office.editor.patch(url, json={"title": "二"}, headers={"If-Match": etag})
    assert problem(late, 412)["code"] == "edited_meanwhile"
    now = office.editor.patch(url, json={"title": "三"}, headers={"If-Match": first.headers["etag"]})
    assert now.json()["draft"]["title"] == "三"
    upload = office.editor.post(
        f"{url}/resources", files={"file": ("a.csv", GOOD)}, headers={"If-Match": etag}
    )
    problem(upload, 412)


def test_a_repeated_request_has_one_effect(office: Any) -> None:
    body = {"agency": "housing", "title": "一次"}
    once = {"Idempotency-Key": "k-1"}
    first = office.editor.post("/datasets", json=body, headers=once)
    again = office.editor.post("/datasets", json=body, headers=once)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    for header in ("etag", "location"):
        assert again.headers[header] == first.headers[header]
    other = office.editor.post("/datasets", json={**body, "title": "x"}, headers=once)
    problem(other, 422)
    url = f"/datasets/{first.json()['id']}/resources"
    key = {"Idempotency-Key": "k-2"}
    made = [office.editor.post(url, files={"file": ("a.csv", GOOD)}, headers=key).json() for _ in range(2)]
    assert made[0]["id"] == made[1]["id"]
    assert len(office.editor.get(f"/datasets/{first.json()['id']}").json()["draft"]["resources"]) == 1


def test_an_upload_that_is_cut_short_leaves_nothing(office: Any, client: TestClient) -> None:
    dataset = office.draft()
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    status, answer = asyncio.run(
        _cut(client.app, f"{API}/datasets/{dataset['id']}/resources", office.editor.token, [head, GOOD])
    )
    assert (status, answer["code"]) == (422, "upload_incomplete")
    assert office.editor.get(f"/datasets/{dataset['id']}").json()["draft"]["resources"] == []
    assert list(office.app.stores.inbox.objects()) == []


async def _cut(app: Any, path: str, token: str, pieces: list[bytes]) -> tuple[int, dict[str, Any]]:
    """Calls the application with a connection that breaks after these pieces."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ] + [{"type": "http.disconnect"}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [
        (b"host", b"testserver"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-type", b"multipart/form-data; boundary=x"),
    ]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
             "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers, "root_path": "",
             "client": ("127.0.0.1", 1), "server": ("testserver", 80), "state": {}}  # fmt: skip
    await app(scope, receive, send)
    body = b"".join(m.get("body", b"") for m in sent)
    return sent[0]["status"], json.loads(body)


class Failing:
    """A store whose writers fail; everything else is the real one's."""

    def __init__(self, store: Any, error: Exception) -> None:
        self._store, self._error = store, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def writer(self, **_: Any) -> Any:
        raise self._error


def test_a_full_disk_is_507_and_a_store_that_is_down_503(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = office.draft()
    url = f"/datasets/{dataset['id']}/resources"
    stores = office.app.stores
    real = stores.inbox
    for error, status in ((NoSpace(), 507), (Unavailable("storage_unavailable", retry_after=7), 503)):
        object.__setattr__(stores, "inbox", Failing(real, error))
        answer = office.editor.post(url, files={"file": ("a.csv", GOOD)})
        object.__setattr__(stores, "inbox", real)
        problem(answer, status)
        assert int(answer.headers["retry-after"]) > 0
    assert office.editor.get(f"/datasets/{dataset['id']}").json()["draft"]["resources"] == []
    assert office.editor.post(url, files={"file": ("a.csv", GOOD)}).status_code == 201


def test_search_that_is_down_takes_nothing_else_with_it(
    office: Any, client: TestClient, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], GOOD)
    office.publish(dataset["id"], settle)

    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("search_unavailable", retry_after=3)

    monkeypatch.setattr(office.app.index, "search", down)
    answer = client.get(f"{API}/search", params={"q": "另一个"})
    assert problem(answer, 503)["code"] == "search_unavailable"
    assert answer.headers["retry-after"] == "3"
    assert client.get(f"{API}/datasets/{dataset['id']}").status_code == 200
    assert client.get(f"{API}/resources/{resource['id']}/download").content == GOOD


def test_a_file_over_the_limit_is_a_413(office: Any) -> None:
    dataset = office.draft()
    length = str(office.app.settings.max_upload_bytes + (4 << 20))
    answer = office.editor.post(
        f"/datasets/{dataset['id']}/resources",
        content=b"x",
        headers={"Content-Type": "multipart/form-data; boundary=x", "Content-Length": length},
    )
    assert problem(answer, 413)["code"] == "file_too_large"


def test_what_is_missing_is_named_before_and_at_submission(office: Any) -> None:
    dataset = office.draft(licence="no-such", description="")
    dry = office.editor.patch(f"/datasets/{dataset['id']}?dry_run=true", json={"title": "别的"})
    assert {m["field"] for m in dry.json()["missing"]} == {"licence", "resources", "description"}
    answer = office.editor.post(f"/datasets/{dataset['id']}/releases")
    assert set(fields(answer)) == {"licence", "resources", "description"}


def test_identifiers_of_people_send_the_release_back(office: Any, settle: Callable[[], None]) -> None:
    dataset = office.draft()
    office.upload(dataset["id"], "姓名,证件\n张三,11010519491231002X\n".encode())
    found = returned(office, dataset["id"], settle)
    assert {(f["place"], f["rule"], f["blocks"]) for f in found["screening"]} == {
        ("证件", "resident_id", True),
        ("姓名", "person", True),
    }
    assert "11010519491231002X" not in json.dumps(found)


def test_the_same_bytes_twice_are_one_object(office: Any) -> None:
    dataset = office.draft()
    for name in ("a.csv", "b.csv"):
        office.upload(dataset["id"], GOOD, name)
    hashes = [o.sha256 for o in office.app.stores.inbox.objects()]
    assert hashes == [hashlib.sha256(GOOD).hexdigest()]


@pytest.mark.parametrize(
    ("name", "data", "schema", "code"),
    [
        ("broken.xlsx", broken_workbook(), "", "sheet_broken"),
        ("blank.csv", b"\n\n\n", "", "file_empty"),
        ("bytes.csv", b"a,b\n" + b"1,2\n" * 10 + b"\xff\xff\xff,3\n", "", "encoding_unknown"),
        ("columns.csv", b"a,b\n1,2\n", '{"fields": [{"name": "c", "type": "string"}]}', "table_structure"),
    ],
)
def test_a_file_that_was_read_and_is_no_sound_table_is_missing_and_bars_the_submission(
    office: Any, settle: Callable[[], None], name: str, data: bytes, schema: str, code: str
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], data, name, **({"schema": schema} if schema else {}))
    settle()
    dry = office.editor.patch(f"/datasets/{dataset['id']}?dry_run=true", json={"title": "别的"})
    assert [(m["field"], m["code"]) for m in dry.json()["missing"]] == [("resources.0.file", code)]
    answer = office.editor.post(f"/datasets/{dataset['id']}/releases")
    assert fields(answer) == {"resources.0.file": code}
    mended = office.editor.put(
        f"/resources/{resource['id']}/file", files={"file": ("c.csv", "c\n甲\n".encode())}
    )
    assert mended.status_code == 200, mended.text
    settle()
    office.submit(dataset["id"])
