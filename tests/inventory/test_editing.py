"""Inventory lines are edited by the body's editors, by the API; what nobody has written stays marked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendata.work import audit
from opendata.work.actor import SYSTEM, Role


def line(office: Any, **fields: Any) -> dict[str, Any]:
    answer = office.editor.post("/inventory", json={"agency": office.agency, "title": "停车场", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_named_elements_change_and_count_as_written(office: Any) -> None:
    made = line(office)
    assert {"abstract", "domain"} <= set(made["defaulted"])
    changes = {
        "abstract": "全市停车场。",
        "domain": "public_service",
        "issued_on": "2026-01-02",
        "items": [{"name": "名称", "type": "C", "length": 50}],
    }
    answer = office.editor.patch(f"/inventory/{made['resource_code']}", json=changes)
    assert answer.status_code == 200, answer.text
    found = office.editor.get(f"/inventory/{made['id']}").json()
    assert {name: found[name] for name in changes} == changes
    assert not set(changes) & set(found["defaulted"])
    assert found["title"] == "停车场"


def test_an_edit_is_recorded_once(app: Any, office: Any) -> None:
    made = line(office)
    for _ in range(2):
        assert office.editor.patch(f"/inventory/{made['id']}", json={"title": "泊位"}).status_code == 200
    with app.place.reading(SYSTEM) as work:
        rows = work.session.query(audit.AuditRow).filter_by(subject_id=made["id"]).all()
    assert [row.action for row in rows] == ["inventory.created", "inventory.edited"]


def test_another_category_brings_its_own_code(office: Any) -> None:
    line(office, category="306012", resource_code="306012/000007")
    made = line(office)
    found = office.editor.patch(f"/inventory/{made['id']}", json={"category": "306012"}).json()
    assert found["resource_code"] == "306012/000008"
    own = office.editor.patch(
        f"/inventory/{made['id']}", json={"category": "306013", "resource_code": "306013/000100"}
    )
    assert own.json()["resource_code"] == "306013/000100"
    taken = office.editor.patch(f"/inventory/{made['id']}", json={"resource_code": "306012/000007"})
    assert (taken.status_code, taken.json()["code"]) == (409, "resource_code_taken")


def test_a_closed_line_keeps_its_basis(office: Any) -> None:
    made = line(office)
    for wrong in ({"openness": "closed"}, {"share_type": "not_shared"}, {"title": None}, {"agency": "other"}):
        answer = office.editor.patch(f"/inventory/{made['id']}", json=wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"]
    closed = {"openness": "closed", "open_condition": "保守国家秘密法第十三条"}
    assert office.editor.patch(f"/inventory/{made['id']}", json=closed).status_code == 200
    assert office.editor.patch(f"/inventory/{made['id']}", json={"open_condition": ""}).status_code == 422


def test_a_stale_edit_overwrites_nothing(office: Any) -> None:
    made = line(office)
    etag = office.editor.get(f"/inventory/{made['id']}").headers["etag"]
    assert (
        office.editor.patch(
            f"/inventory/{made['id']}", json={"title": "甲"}, headers={"If-Match": etag}
        ).status_code
        == 200
    )
    late = office.editor.patch(f"/inventory/{made['id']}", json={"title": "乙"}, headers={"If-Match": etag})
    assert late.status_code == 412
    assert office.editor.get(f"/inventory/{made['id']}").json()["title"] == "甲"


def test_only_the_bodys_editors_edit(office: Any, client: Any) -> None:
    made = line(office)
    office.admin.post("/agencies", json={"name": "other", "title": "另一机构"})
    elsewhere = office.person("elsewhere", Role.EDITOR, Role.ADMIN, agency="other")
    path = f"/inventory/{made['id']}"
    assert elsewhere.patch(path, json={"title": "改"}).status_code == 403
    assert office.content.patch(path, json={"title": "改"}).status_code == 403
    assert client.patch(f"/api/v1{path}", json={"title": "改"}).status_code == 401
    assert office.editor.patch("/inventory/306001/999999", json={"title": "改"}).status_code == 404


def test_lines_that_are_no_longer_chosen_can_be_chosen_again(office: Any, settle: Callable[[], None]) -> None:
    """The line that a dataset got at its first publication stays in the inventory; its next release takes it up again."""
    draft = office.draft()
    office.upload(draft["id"], b"a,b\n1,2\n")
    office.publish(draft["id"], settle)
    assert (
        office.editor.patch(f"/datasets/{draft['id']}", json={"inventory": [], "title": "新标题"}).status_code
        == 200
    )
    office.publish(draft["id"], settle)
    assert office.editor.get(f"/datasets/{draft['id']}").json()["title"] == "新标题"
