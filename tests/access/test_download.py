"""The download door: ranges, conditions, names, and the ways around us that a site may choose."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from places import furnished
from starlette.testclient import TestClient

from opendata.access.download import disposition

API = "/api/v1"
DATA = b"a,b\n" + b"".join(b"%d,%s\n" % (n, b"x" * 999) for n in range(3_500))
SHA256 = hashlib.sha256(DATA).hexdigest()


@furnished
def address(office: Any, settle: Callable[[], None]) -> str:
    """The download address of a published file of several chunks."""
    dataset = office.draft()
    resource = office.upload(dataset["id"], DATA, "报 告; x=1.csv")
    office.publish(dataset["id"], settle)
    return f"{API}/resources/{resource['id']}/download"


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=10-19", 206, 10, 20),
        ("bytes=1048570-2097160", 206, 1_048_570, 2_097_161),
        (f"bytes={len(DATA) - 5}-", 206, len(DATA) - 5, len(DATA)),
        ("bytes=-7", 206, len(DATA) - 7, len(DATA)),
        (f"bytes=-{len(DATA) + 9}", 206, 0, len(DATA)),
        (f"bytes=5-{len(DATA) * 9}", 206, 5, len(DATA)),
        ("bytes=9-3", 200, 0, len(DATA)),
        ("bytes=-", 200, 0, len(DATA)),
        ("bytes=0-1,5-6", 200, 0, len(DATA)),
        ("lines=1-2", 200, 0, len(DATA)),
        ("bytes=٣-٤", 200, 0, len(DATA)),
    ],
)
def test_ranges(address: str, client: TestClient, asked: str, status: int, start: int, end: int) -> None:
    answer = client.get(address, headers={"Range": asked.encode()})
    assert answer.status_code == status
    assert answer.content == DATA[start:end]
    assert answer.headers["content-length"] == str(end - start)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(DATA)}"


def test_a_range_after_the_end(address: str, client: TestClient) -> None:
    answer = client.get(address, headers={"Range": f"bytes={len(DATA)}-"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"


def test_conditions(address: str, client: TestClient) -> None:
    for known in (f'"{SHA256}"', f'W/"{SHA256}"', f'"x", "{SHA256}"', "*"):
        answer = client.get(address, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == f'"{SHA256}"'
    assert client.get(address, headers={"If-None-Match": '"x"'}).status_code == 200
    fresh = client.get(address, headers={"Range": "bytes=0-3", "If-Range": f'"{SHA256}"'})
    assert (fresh.status_code, fresh.content) == (206, DATA[:4])
    old = client.get(address, headers={"Range": "bytes=0-3", "If-Range": '"other"'})
    assert (old.status_code, len(old.content)) == (200, len(DATA))


def test_head_tells_what_get_gives(address: str, client: TestClient) -> None:
    head, get = client.head(address), client.get(address)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "etag", "content-type", "content-disposition", "accept-ranges"):
        assert head.headers[name] == get.headers[name]


def test_a_stranger_s_file_is_never_run(address: str, client: TestClient) -> None:
    headers = client.get(address).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    disposition = headers["content-disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.count('"') == 2
    assert disposition.endswith("filename*=UTF-8''%E6%8A%A5%20%E5%91%8A%3B%20x%3D1.csv")


def test_no_name_leaves_its_quotes() -> None:
    assert disposition('a";b\\\r\nX: y') == (
        "attachment; filename=\"a__b___X_ y\"; filename*=UTF-8''a%22%3Bb%5C%0D%0AX%3A%20y"
    )


@pytest.mark.parametrize("settings", ["light"], indirect=True)
@pytest.mark.parametrize("overrides", [{"x_accel_prefix": "/protected/"}])
def test_nginx_sends_what_is_public(address: str, client: TestClient, office: Any) -> None:
    answer = client.get(address)
    assert answer.content == b""
    target = answer.headers["x-accel-redirect"]
    assert target.startswith("/protected/")
    path = office.app.settings.data_dir / "files" / "public" / target.removeprefix("/protected/")
    assert path.read_bytes() == DATA
    again = office.draft(name="again")
    own = office.upload(again["id"], b"a\n1\n")
    draft = office.editor.get(f"/resources/{own['id']}/download")
    assert (draft.content, "x-accel-redirect" in draft.headers) == (b"a\n1\n", False)


@pytest.mark.services
@pytest.mark.parametrize("settings", [pytest.param("full", marks=pytest.mark.services)], indirect=True)
@pytest.mark.parametrize("overrides", [{"presigned_seconds": 60}])
def test_the_object_store_sends_what_is_public(address: str, client: TestClient) -> None:
    answer = client.get(address, follow_redirects=False)
    assert answer.status_code == 302
    assert SHA256 in answer.headers["location"]


def test_a_link_leads_on(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    dataset = office.draft()
    url = f"/datasets/{dataset['id']}/resources"
    for wrong in ("javascript:alert(1)", "ftp://example.org/x", ""):
        assert office.editor.post(url, json={"url": wrong}).status_code == 422
    link = office.editor.post(url, json={"url": "https://example.org/data.csv", "name": "elsewhere"})
    assert link.status_code == 201, link.text
    office.publish(dataset["id"], settle)
    answer = client.get(f"{API}/resources/{link.json()['id']}/download", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.org/data.csv")


def test_what_is_opened_on_conditions_is_seen_and_not_taken(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft(openness="conditional", open_condition="签署协议")
    resource = office.upload(dataset["id"], b"a,b\n1,2\n")["id"]
    office.publish(dataset["id"], settle)
    assert client.get(f"{API}/datasets/{dataset['id']}").json()["open_condition"] == "签署协议"
    for door in ("download", "releases/1/download", "rows", "report"):
        answer = client.get(f"{API}/resources/{resource}/{door}")
        assert (answer.status_code, answer.json()["code"]) == (403, "conditional_access"), door
        assert "签署协议" in answer.text
        own = office.editor.get(f"/resources/{resource}/{door}")
        assert own.status_code == 200, (door, own.text)
        again = client.get(f"{API}/resources/{resource}/{door}")
        assert again.status_code == 403, "what the body may see is kept for nobody else"


def test_a_resource_that_only_the_draft_has_is_not_public(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    office.upload(dataset["id"], b"a,b\n1,2\n")
    office.publish(dataset["id"], settle)
    added = office.upload(dataset["id"], b"c\n3\n", "more.csv")["id"]
    for door in ("", "/download", "/download?draft=true", "/rows", "/report", "/report?draft=true"):
        assert client.get(f"{API}/resources/{added}{door}").status_code == 404, door
    assert office.editor.get(f"/resources/{added}/download").content == b"c\n3\n"
