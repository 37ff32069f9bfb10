"""A body's own system keeps a dataset here whole: its links, its submission, its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
URL = "/datasets/by-source/housing/a/1"
LINK = {"url": "https://example.org/a.csv", "name": "A", "format": "CSV"}


def put(office: Any, status: int = 200, **fields: Any) -> dict[str, Any]:
    answer = office.editor.put(URL, json={"title": "一", "disclosures": ["result"], **fields})
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def links(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["url"], one["name"]) for one in (told["draft"] or told)["resources"]]


def lines(office: Any) -> int:
    total: int = office.admin.get("/audit", params={"limit": 1}).json()["total"]
    return total


def test_links_are_put_whole_and_known_again(office: Any, settle: Callable[[], None]) -> None:
    made = put(office, 201, resources=[LINK, {"url": "https://example.org/b.csv"}])
    ids = {one["url"]: one["id"] for one in made["draft"]["resources"]}
    told = put(office, resources=[{**LINK, "name": "B"}])
    assert links(told) == [(LINK["url"], "B")]
    assert told["draft"]["resources"][0]["id"] == ids[LINK["url"]]
    office.upload(made["id"], b"a,b\n1,2\n")
    before = put(office, resources=[LINK])
    assert len(links(before)) == 2, "an uploaded file is no link, and stays"
    assert links(put(office)) == links(before), "what is not named stays"
    assert len(links(put(office, resources=[]))) == 1


def test_handed_in_once_and_the_same_again_changes_nothing(office: Any, settle: Callable[[], None]) -> None:
    told = put(office, 201, resources=[LINK], submit=True)
    assert told["draft"]["release_state"] == "in_review"
    settle()
    release = office.editor.get(f"/releases/{told['draft']['release']['id']}").json()
    assert release["state"] == "in_review"
    again = put(office, resources=[LINK], submit=True)
    assert again["draft"]["release_state"] == "in_review"
    for kind in ("content", "secrecy"):
        assert office.decide(release, kind).status_code == 201
    settle()
    public = put(office, resources=[LINK], submit=True)
    assert (public["draft"], public["title"]) == (None, "一")


def test_what_is_wrong_is_named_at_once(office: Any) -> None:
    body = {"title": "", "resources": [{"url": "ftp://x"}], "update_cycle": "often"}
    answer = office.editor.put(URL, json=body)
    assert answer.status_code == 422
    named = {one["field"] for one in answer.json()["errors"]}
    assert named == {"title", "resources.0.url", "update_cycle"}
    lacking = office.editor.put(URL, json={"title": "一", "submit": True})
    assert lacking.status_code == 422
    assert office.editor.get("/datasets", params={"drafts": "true"}).json()["total"] == 0


def test_taken_back_and_put_again(office: Any, settle: Callable[[], None]) -> None:
    made = put(office, 201, resources=[LINK], submit=True)
    settle()
    assert office.editor.delete(URL).status_code == 204
    assert office.editor.get(f"/datasets/{made['id']}").json()["draft"]["release_state"] == "draft"
    put(office, resources=[LINK])
    office.publish(made["id"], settle)
    assert office.editor.delete(URL).status_code == 422, "what is public is withdrawn for a reason"
    assert office.editor.delete(f"{URL}?reason=gone").status_code == 204
    assert office.editor.delete(f"{URL}?reason=gone").status_code == 204
    assert office.client.get(f"/api/v1/datasets/{made['id']}").status_code == 410
    put(office, resources=[LINK], title="二")
    office.publish(made["id"], settle)
    assert office.client.get(f"/api/v1/datasets/{made['id']}").json()["title"] == "二"
    assert office.editor.delete("/datasets/by-source/housing/none").status_code == 404
    assert office.content.delete(f"{URL}?reason=x").status_code == 403
