"""Discarding a draft: nothing is left of one that nobody decided on; decisions, and what they were about, stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from opendata.work.audit import AuditRow, verify

LINK = {"name": "甲", "url": "https://example.org/a"}


@pytest.fixture
def published(office: Any, settle: Callable[[], None]) -> str:
    """A public dataset with a file and two links."""
    dataset: str = office.draft()["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    for name in ("甲", "乙"):
        assert (
            office.editor.post(f"/datasets/{dataset}/resources", json={**LINK, "name": name}).status_code
            == 201
        )
    settle()
    office.publish(dataset, settle)
    return dataset


def names(office: Any, dataset: str, face: str | None = None) -> list[str]:
    shown = office.editor.get(f"/datasets/{dataset}").json()
    return [resource["name"] for resource in (shown[face] if face else shown)["resources"]]


def changed(office: Any, dataset: str, settle: Callable[[], None]) -> dict[str, Any]:
    """A next release, submitted: other words, one resource renamed, one removed, one added."""
    found = office.editor.get(f"/datasets/{dataset}").json()["resources"]
    assert office.editor.patch(f"/datasets/{dataset}", json={"title": "另一个标题"}).status_code == 200
    assert office.editor.patch(f"/resources/{found[1]['id']}", json={"name": "甲改"}).status_code == 200
    assert office.editor.delete(f"/resources/{found[2]['id']}").status_code in (200, 204)
    office.upload(dataset, b"c\n3\n", "new.csv")
    settle()
    release: dict[str, Any] = office.submit(dataset)
    settle()
    return release


def discard(office: Any, dataset: str) -> Any:
    return office.editor.delete(f"/datasets/{dataset}/draft")


@pytest.mark.parametrize("outcome", ["approve", "reject"])
def test_what_was_decided_is_kept_whole(
    office: Any, published: str, settle: Callable[[], None], outcome: str
) -> None:
    before = names(office, published)
    release = changed(office, published, settle)
    assert office.decide(release, "content", outcome, "不完整").status_code == 201
    settle()
    assert discard(office, published).status_code == 204

    kept = office.editor.get(f"/releases/{release['id']}").json()
    assert (kept["state"], kept["content_hash"]) == ("discarded", release["content_hash"])
    assert kept["sentence"] == "Given up by its body. What was decided on it is kept."
    assert [(d["kind"], d["outcome"], d["void"]) for d in kept["decisions"]] == [("content", outcome, True)]
    assert kept["dataset"]["title"] == "另一个标题"
    assert [entry["name"] for entry in kept["validation"]] == ["rows.csv", "new.csv"]
    assert office.editor.get(f"/datasets/{published}").json().get("draft") is None
    assert names(office, published) == before
    assert office.decide(release, "secrecy").status_code == 409
    with office.app.place.reading() as work:
        assert list(verify(work.session)) == []
        told = select(AuditRow.details).where(AuditRow.action == "release.discarded")
        assert [details["release"] for details in work.session.execute(told).scalars()] == [release["id"]]


def test_the_next_draft_begins_from_what_is_public(
    office: Any, published: str, settle: Callable[[], None]
) -> None:
    before = names(office, published)
    release = changed(office, published, settle)
    office.decide(release, "content", "reject", "不完整")
    assert discard(office, published).status_code == 204
    assert discard(office, published).status_code == 204  # there is none any more

    for _ in range(2):  # the second one after a draft that left nothing
        changed(office, published, settle)
        assert names(office, published, "draft") == ["rows.csv", "甲改", "new.csv"]
        assert discard(office, published).status_code == 204
        assert names(office, published) == before
    assert office.editor.patch(f"/datasets/{published}", json={"keywords": ["住房"]}).status_code == 200
    draft = office.editor.get(f"/datasets/{published}").json()["draft"]
    assert (draft["title"], [r["name"] for r in draft["resources"]]) == ("住房租赁企业名单", before)
    office.publish(published, settle)
    assert names(office, published) == before
    assert [e["name"] for e in office.editor.get(f"/releases/{release['id']}").json()["validation"]] == [
        "rows.csv",
        "new.csv",
    ]
    listed = office.editor.get(f"/datasets/{published}/releases").json()["results"]
    assert [entry["state"] for entry in listed] == ["published", "discarded", "superseded"]
    public = office.client.get(f"/api/v1/datasets/{published}/releases").json()["results"]
    assert [entry["state"] for entry in public] == ["published", "superseded"]


def test_nothing_is_left_of_what_nobody_decided_on(
    office: Any, published: str, settle: Callable[[], None]
) -> None:
    release = changed(office, published, settle)
    assert discard(office, published).status_code == 204
    assert office.editor.get(f"/releases/{release['id']}").status_code == 404


def test_a_withdrawn_dataset_goes_on_from_its_last_release(
    office: Any, published: str, settle: Callable[[], None]
) -> None:
    release = changed(office, published, settle)
    office.decide(release, "secrecy", "reject", "不应公开")
    assert office.editor.post(f"/datasets/{published}/withdraw", json={"reason": "错误"}).status_code == 200
    assert discard(office, published).status_code == 204
    shown = office.editor.get(f"/datasets/{published}").json()
    assert shown["title"] == "住房租赁企业名单"
    assert office.editor.patch(f"/datasets/{published}", json={"keywords": ["x"]}).status_code == 200
    assert office.editor.get(f"/datasets/{published}").json()["draft"]["title"] == "住房租赁企业名单"
