"""The log of changes over HTTP: what it tells, what it forgets, and cursors that hold for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.changes.models import Change
from opendata.work.actor import SYSTEM

API = "/api/v1"
Settle = Callable[[], None]


def walk(client: TestClient, since: str = "", limit: int = 100) -> tuple[list[dict[str, Any]], str]:
    """Everything after the cursor, page by page, and the cursor behind it."""
    found: list[dict[str, Any]] = []
    while True:
        answer = client.get(f"{API}/changes", params={"since": since, "limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["results"]) <= limit
        found, since = found + page["results"], page["next"]
        if not page["more"]:
            return found, since


def kinds(changes: list[dict[str, Any]], dataset: str) -> list[str]:
    return [change["change"] for change in changes if change["id"] == dataset]


def test_the_road_of_a_dataset_is_told_in_order(office: Any, client: TestClient, settle: Settle) -> None:
    name = "parking"
    dataset = office.link(title="停车场", name=name)
    assert walk(client) == ([], "0-00000000")
    release = office.publish(dataset, settle)
    (first,), after_first = walk(client)
    assert first | {"event": "", "time": "", "cursor": ""} == {
        "event": "", "change": "created", "id": dataset, "name": name, "agency": "housing", "revision": 1,
        "content_hash": release["content_hash"], "time": "", "cursor": "",
    }  # fmt: skip
    assert office.editor.patch(f"/datasets/{dataset}", json={"description": "新的说明"}).status_code == 200
    assert walk(client, after_first) == ([], after_first)
    second = office.publish(dataset, settle)
    (update,), after_second = walk(client, after_first)
    assert (update["change"], update["content_hash"]) == ("updated", second["content_hash"])
    assert update["revision"] > first["revision"]
    assert update["cursor"] == after_second
    gone = office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "有误"})
    assert gone.status_code == 200, gone.text
    (last,), _end = walk(client, after_second)
    assert (last["change"], last["content_hash"], last["name"]) == ("withdrawn", None, name)
    assert office.editor.patch(f"/datasets/{dataset}", json={"description": "再次"}).status_code == 200
    office.publish(dataset, settle)
    assert kinds(walk(client, limit=1)[0], dataset) == ["created", "updated", "withdrawn", "created"]


def test_what_is_gone_is_told_without_its_content(office: Any, client: TestClient, settle: Settle) -> None:
    """Also by the older lines; a purge takes the name along."""
    dataset = office.link(title="停车场", name="parking")
    office.publish(dataset, settle)
    _told, cursor = walk(client)
    office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "有误"})
    assert {change["content_hash"] for change in walk(client)[0]} == {None}
    answer = client.post(
        "/api/3/action/dataset_purge",
        json={"id": dataset},
        headers={"Authorization": office.admin.token},
    )
    assert answer.status_code == 200, answer.text
    told, _end = walk(client)
    assert kinds(told, dataset) == ["created", "withdrawn", "purged"]
    assert {change["name"] for change in told} == {None}
    assert "parking" not in client.get(f"{API}/changes").text
    assert kinds(walk(client, cursor)[0], dataset) == ["withdrawn", "purged"]


def test_drafts_are_nobodys_news(office: Any, client: TestClient, settle: Settle) -> None:
    dataset = office.link(title="停车场", name="parking")
    office.submit(dataset)
    settle()
    answer = office.editor.post(f"/datasets/{dataset}/releases", json={})
    assert answer.status_code in (202, 409), answer.text
    client.post(
        "/api/3/action/dataset_purge", json={"id": dataset}, headers={"Authorization": office.admin.token}
    )
    assert walk(client)[0] == []


def test_nothing_new_is_304_and_now_begins_at_the_end(
    office: Any, client: TestClient, settle: Settle
) -> None:
    office.publish(office.link(), settle)
    first = client.get(f"{API}/changes")
    again = client.get(f"{API}/changes", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    with_token = office.editor.get("/changes", headers={"If-None-Match": first.headers["etag"]})
    assert with_token.status_code == 304
    now = client.get(f"{API}/changes?since=now").json()
    assert now == {"results": [], "next": first.json()["next"], "more": False}
    assert f"/api/v1/changes?since={now['next']}" in first.headers["link"]
    office.publish(office.link(title="公园"), settle)
    changed = client.get(f"{API}/changes", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert len(client.get(f"{API}/changes?since={now['next']}").json()["results"]) == 1


@pytest.mark.parametrize(
    "since", ["x", "1", "-1", "0-0", "٣-00000000", "ffffffffffffffffff-00000000", "1-\x00", "é"]
)
def test_what_is_no_cursor_is_said(client: TestClient, since: str) -> None:
    answer = client.get(f"{API}/changes", params={"since": since})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] in ("cursor_wrong", "cursor_unknown")


def test_a_cursor_of_another_log_is_not_taken_for_one_of_this(
    office: Any, client: TestClient, settle: Settle
) -> None:
    """As after a backup was restored: the same positions, other changes. Nobody skips what he never saw."""
    office.publish(office.link(), settle)
    _told, cursor = walk(client)
    with office.app.place.writing(SYSTEM) as work:
        work.session.get_one(Change, 1).id = "00000000-0000-7000-8000-000000000000"
        work.record("x", "x", "x")
    answer = client.get(f"{API}/changes", params={"since": cursor})
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == ["cursor_unknown"]
