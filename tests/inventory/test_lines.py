"""Inventory lines by the API: all elements, their rules, edits, withholding, versions (D03, D08, D09, D36, D54)."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.catalog.codes import codes
from opendata.inventory.models import ShareMethod
from opendata.inventory.transfer.template import template
from opendata.work.actor import Role

WHOLE = {
    "agency": "housing",
    "title": "商品房预售许可信息",
    "abstract": "本市商品房预售许可证发放信息",
    "resource_code": "306001/000042",
    "category": "306001",
    "category_path": "部门信息资源目录/市级部门/住房城乡建设局",
    "format_class": "database",
    "format_type": "MySQL",
    "items": [
        {"name": "许可证号", "type": "C", "length": 32, "level": "L1", "openness": "unconditional"},
        {"name": "经办人", "type": "C", "length": 20, "level": "L3", "openness": "closed"},
    ],
    "share_type": "conditional",
    "share_condition": "业务协同",
    "share_method": "共享平台",
    "openness": "unconditional",
    "open_condition": "",
    "update_cycle": "daily",
    "issued_on": "2026-10-01",
    "related_codes": ["306001/000007"],
    "data_level": "L1",
    "domain": "livelihood",
    "region_code": "320600",
    "lead_unit": "市住房和城乡建设局",
    "responsible_unit": "市房产交易中心",
}
CLOSED = {"openness": "closed", "open_condition": "《中华人民共和国个人信息保护法》第二十八条"}


def line(office: Any, **fields: Any) -> dict[str, Any]:
    answer = office.editor.post("/inventory", json={"agency": "housing", "title": "某某清单"} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def wrong(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {e["field"]: e["code"] for e in answer.json()["errors"]}


def test_d08_a_line_holds_every_element(office: Any, client: TestClient) -> None:
    answer = office.editor.post("/inventory", json=WHOLE)
    assert answer.status_code == 201, answer.text
    shown = client.get("/api/v1/inventory/306001/000042")
    assert shown.json() == answer.json()
    assert {name: shown.json()[name] for name in WHOLE} == WHOLE
    assert shown.json()["defaulted"] == []


def test_d09_a_line_that_breaks_the_profile_is_refused_with_every_path(office: Any) -> None:
    body = WHOLE | {
        "resource_code": "301001/000001",
        "openness": "conditional",
        "open_condition": "无",
        "share_type": "not_shared",
        "share_condition": "",
        "related_codes": ["7"],
        "items": [
            {"name": "a", "openness": "unconditional", "level": "L2"},
            {"name": "a"},
        ],
    }
    assert wrong(office.editor.post("/inventory", json=body)) == {
        "resource_code": "code_of_other_category",
        "related_codes": "bad_resource_code",
        "open_condition": "conditional_needs_condition",
        "share_type": "open_not_shared",
        "share_condition": "share_needs_condition",
        "items.0.openness": "item_more_open",
        "items.0.level": "item_above_line",
        "items.1.name": "item_repeated",
    }
    unknown = office.editor.post("/inventory", json={"agency": "housing", "title": "x", "secrecy": "涉密"})
    assert wrong(unknown) == {"secrecy": "extra_forbidden"}


@pytest.mark.parametrize("basis", ["", "无", "-", "待定", "N/A"])
def test_d08_what_is_not_open_needs_a_legal_basis(office: Any, basis: str) -> None:
    body = {"agency": "housing", "title": "x", "openness": "closed", "open_condition": basis}
    assert wrong(office.editor.post("/inventory", json=body)) == {"open_condition": "closed_needs_basis"}
    level = {"agency": "housing", "title": "x", "data_level": "L4"}
    assert wrong(office.editor.post("/inventory", json=level)) == {"data_level": "level_not_open"}


def test_d08_a_line_is_graded_like_the_most_sensitive_item_that_goes_out(office: Any) -> None:
    items = [{"name": "a", "level": "L2"}, {"name": "b", "level": "L3", "openness": "closed"}]
    assert line(office, items=items)["data_level"] == "L2"


def test_d08_an_edit_changes_the_named_elements_and_only_on_the_copy_that_was_read(office: Any) -> None:
    made = line(office)
    assert "domain" in made["defaulted"]
    edited = office.editor.patch(
        f"/inventory/{made['resource_code']}", json={"domain": "livelihood"}, headers={"If-Match": '"1"'}
    )
    assert edited.status_code == 200, edited.text
    assert edited.json()["domain"] == "livelihood"
    assert "domain" not in edited.json()["defaulted"]
    assert edited.headers["etag"] == f'"{edited.json()["edition"]}"'
    late = office.editor.patch(f"/inventory/{made['id']}", json={"title": "y"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    closed = office.editor.patch(f"/inventory/{made['id']}", json={"openness": "closed"})
    assert wrong(closed) == {"open_condition": "closed_needs_basis"}
    assert wrong(office.editor.patch(f"/inventory/{made['id']}", json={"title": None})) == {
        "title": "missing"
    }


def test_d08_the_code_follows_the_category_and_is_nobody_elses(office: Any) -> None:
    first, second = line(office), line(office)
    path = f"/inventory/{second['id']}"
    taken = office.editor.patch(path, json={"resource_code": first["resource_code"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "resource_code_taken")
    moved = office.editor.patch(path, json={"category": "201003"}).json()
    assert (moved["category"], moved["resource_code"]) == ("201003", "201003/000001")
    named = office.editor.patch(path, json={"resource_code": "30600102/7"}).json()
    assert (named["category"], named["resource_code"]) == ("30600102", "30600102/7")


def test_d54_only_the_bodys_editors_write_its_lines(office: Any, client: TestClient) -> None:
    made = line(office)
    office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
    stranger = office.person("stranger", Role.EDITOR, Role.ADMIN, agency="water")
    for person in (stranger, office.content, office.secrecy):
        assert person.patch(f"/inventory/{made['id']}", json={"title": "x"}).status_code == 403
    assert client.patch(f"/api/v1/inventory/{made['id']}", json={"title": "x"}).status_code == 401


def test_d08_lists_are_narrowed(office: Any, client: TestClient) -> None:
    line(office, title="公园名录", domain="livelihood")
    line(office, title="信访台账 100%", **CLOSED)

    def titles(query: str) -> list[str]:
        return [found["title"] for found in client.get(f"/api/v1/inventory?{query}").json()["results"]]

    assert titles("openness=closed") == ["信访台账 100%"]
    assert titles("domain=livelihood&agency=housing") == ["公园名录"]
    assert titles("q=100%25") == ["信访台账 100%"]
    assert titles("q=306001/000001") == ["公园名录"]
    assert client.get("/api/v1/inventory?openness=no").status_code == 400


def test_d36_a_line_names_its_lead_and_its_responsible_unit(office: Any, client: TestClient) -> None:
    made = line(office, lead_unit="市政府办公室", responsible_unit="市住房和城乡建设局")
    shown = client.get(f"/api/v1/inventory/{made['id']}").json()
    assert (shown["lead_unit"], shown["responsible_unit"]) == ("市政府办公室", "市住房和城乡建设局")
    page = client.get(f"/zh/inventory/{made['id']}").text
    assert "牵头单位" in page
    assert "市政府办公室" in page


def test_the_way_of_sharing_is_one_of_the_list(office: Any) -> None:
    body = {"agency": "housing", "title": "某某清单"}
    refused = office.editor.post("/inventory", json=body | {"share_method": "飞鸽"})
    assert wrong(refused) == {"share_method": "enum"}
    assert "系统对接" in refused.json()["errors"][0]["detail"]
    labels = codes().labels["share_method"]
    template_list = template().labels["share_method"]
    assert set(template_list) == {m.value for m in ShareMethod if m.value} == set(labels)
    made = line(office, share_method="")
    kept = office.editor.patch(f"/inventory/{made['id']}", json={"share_method": "系统对接"})
    assert kept.json()["share_method"] == "系统对接"
