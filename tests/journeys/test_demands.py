"""Demands on the whole journey, each with its acceptance test (docs/governance.md): D15, D19, D53."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendata.work.actor import Role


def codes(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_d15_one_review_missing_stays_pending_and_one_person_is_not_two(
    office: Any, settle: Callable[[], None]
) -> None:
    both = office.person("both", Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)
    dataset = office.link()
    release = office.submit(dataset)
    settle()
    body = {"outcome": "approve", "content_hash": release["content_hash"]}
    decisions = f"/releases/{release['id']}/decisions"
    assert both.post(decisions, json=body | {"kind": "content"}).status_code == 201
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "in_review"
    assert office.client.get(f"/api/v1/datasets/{dataset}").status_code == 404
    refused = both.post(decisions, json=body | {"kind": "secrecy"})
    assert (refused.status_code, refused.json()["code"]) == (403, "same_reviewer_twice")
    assert office.decide(release, "secrecy").status_code == 201
    settle()
    assert office.client.get(f"/api/v1/datasets/{dataset}").status_code == 200


def test_d19_each_line_of_the_catalogue_leads_to_what_is_open_or_is_flagged(
    office: Any, settle: Callable[[], None]
) -> None:
    lines = [
        office.editor.post("/inventory", json={"agency": "housing", "title": title, **more}).json()
        for title, more in (
            ("公租房", {}),
            ("维修资金", {}),
            ("个人档案", {"openness": "closed", "open_condition": "《政府信息公开条例》第十五条"}),
        )
    ]
    dataset = office.link(inventory=[lines[0]["resource_code"]])
    assert lines[0]["opened_at"] is None
    office.publish(dataset, settle)

    def titles(query: str) -> list[str]:
        found = office.client.get(f"/api/v1/inventory?{query}").json()["results"]
        return sorted(line["title"] for line in found)

    assert titles("opened=true") == ["公租房"]
    assert titles("opened=false") == ["维修资金"]  # the closed one is not to be opened, so nothing is missing
    page = office.client.get("/zh/inventory").text
    assert page.count("尚未开放</span>") == 1
    assert f"/zh/inventory/{lines[0]['id']}" in page
    assert dataset in office.client.get(f"/api/v1/datasets/{dataset}").text
    name = office.client.get(f"/api/v1/datasets/{dataset}").json()["name"]
    assert f"/zh/dataset/{name}" in office.client.get(f"/zh/inventory/{lines[0]['id']}").text
    office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "x"})
    settle()
    assert titles("opened=false") == ["公租房", "维修资金"]


def test_d53_a_body_shows_its_leader_and_office_and_publishes_with_a_contact_only(
    office: Any, settle: Callable[[], None]
) -> None:
    body = {
        "name": "silent",
        "title": "无联系方式局",
        "responsible_leader": "王某某",
        "office": "政务公开办公室",
    }
    assert office.admin.post("/agencies", json=body).status_code == 201
    clerk = office.person("clerk", Role.EDITOR, agency="silent")
    made = clerk.post("/datasets", json={"agency": "silent", "title": "甲"}).json()["id"]
    clerk.post(f"/datasets/{made}/resources", json={"url": "https://example.org/a.csv"})
    assert codes(clerk.post(f"/datasets/{made}/releases")) == {"contact_email": "contact_missing"}
    assert office.admin.patch("/agencies/silent", json={"contact_phone": "0513-85098888"}).status_code == 200
    assert clerk.post(f"/datasets/{made}/releases").status_code == 202
    page = office.client.get("/zh/agency/silent").text
    assert all(text in page for text in ("王某某", "政务公开办公室", "0513-85098888"))
