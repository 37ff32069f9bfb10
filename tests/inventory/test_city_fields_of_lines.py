"""D09: the city's own fields of inventory lines: form, API, lists in and out, versions, filters."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from opendata.work.actor import SiteRole

SYSTEM = {
    "name": "source_system", "label": "来源系统", "label_en": "Source system", "kind": "code", "scope": "line", "facet": True,
    "choices": [{"code": "oa", "label": "协同办公", "label_en": "Office"}, {"code": "gis", "label": "地理信息"}],
}  # fmt: skip
SHARED = {"name": "is_shared_up", "label": "已上报省级", "kind": "boolean", "scope": "both", "facet": True}
BUILT = {"name": "built_on", "label": "建库日期", "kind": "date", "scope": "line"}
VOLUME = {"name": "volume_mb", "label": "数据量", "kind": "number", "scope": "line"}
OF_DATASETS = {"name": "service_window", "label": "服务窗口", "kind": "text"}
FIELDS = [SYSTEM, SHARED, BUILT, VOLUME, OF_DATASETS]
VALUES = {"source_system": "gis", "is_shared_up": True, "built_on": "2019-05-01", "volume_mb": 12.5}


@pytest.fixture
def keeper(office: Any) -> Any:
    return office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])


@pytest.fixture
def defined(keeper: Any) -> Any:
    answer = keeper.put("/metadata-profile", json={"fields": FIELDS, "note": "清单扩展"})
    assert answer.status_code == 200, answer.text
    return keeper


def line(office: Any, title: str, **values: Any) -> Any:
    body = {"agency": "housing", "title": title, "city_fields": values}
    return office.editor.post("/inventory", json=body)


def counts(told: dict[str, Any]) -> tuple[int, ...]:
    return told["added"], told["changed"], told["unchanged"], told["wrong"]


def wrong(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_d09_a_line_holds_the_fields_of_lines_and_no_others(office: Any, defined: Any) -> None:
    made = line(office, "地名", **VALUES)
    assert made.status_code == 201, made.text
    assert made.json()["city_fields"] == VALUES
    assert "city_fields" not in made.json()["defaulted"]
    refused = line(office, "x", source_system="paper", service_window="a", built_on="5 月", volume_mb="much")
    assert wrong(refused) == {
        "city_fields.source_system": "unknown_value",
        "city_fields.service_window": "unknown_field",
        "city_fields.built_on": "day_expected",
        "city_fields.volume_mb": "not_a_number",
    }
    dataset = {"agency": "housing", "title": "x", "city_fields": {"source_system": "gis"}}
    assert wrong(office.editor.post("/datasets", json=dataset)) == {
        "city_fields.source_system": "unknown_field"
    }
    both = office.editor.post("/datasets", json=dataset | {"city_fields": {"is_shared_up": True}})
    assert both.status_code == 201


def test_d09_versions_and_differences_tell_them(office: Any, defined: Any) -> None:
    made = line(office, "地名", source_system="oa").json()
    answer = office.editor.patch(f"/inventory/{made['id']}", json={"city_fields": VALUES})
    assert answer.status_code == 200, answer.text
    told = office.client.get(f"/api/v1/inventory/{made['id']}/versions").json()
    assert told[0]["changes"] == [
        {"element": "city_fields", "before": {"source_system": "oa"}, "after": VALUES}
    ]
    # Another element leaves them as they are, and makes no difference of them.
    office.editor.patch(f"/inventory/{made['id']}", json={"title": "地名地址"})
    newest = office.client.get(f"/api/v1/inventory/{made['id']}/versions").json()[0]
    assert [change["element"] for change in newest["changes"]] == ["title"]


def test_d09_what_is_required_is_flagged_until_it_is_written(office: Any, defined: Any) -> None:
    made = line(office, "地名").json()
    assert not [name for name in made["defaulted"] if name.startswith("city_fields")]
    fields = [SYSTEM | {"required": True}, *FIELDS[1:]]
    assert defined.put("/metadata-profile", json={"fields": fields, "note": "必填"}).status_code == 200
    flagged = line(office, "门牌", volume_mb=1).json()
    assert "city_fields.source_system" in flagged["defaulted"]
    written = office.editor.patch(
        f"/inventory/{flagged['id']}", json={"city_fields": {"source_system": "oa"}}
    )
    assert "city_fields.source_system" not in written.json()["defaulted"]


def test_d09_lists_are_narrowed_by_them(office: Any, defined: Any) -> None:
    line(office, "地名", **VALUES)
    line(office, "公文", source_system="oa", is_shared_up=False, volume_mb=3)

    def titles(*asked: str) -> list[str]:
        answer = office.client.get("/api/v1/inventory", params={"city_field": list(asked)})
        assert answer.status_code == 200, answer.text
        return [found["title"] for found in answer.json()["results"]]

    assert titles("source_system:oa") == ["公文"]
    assert titles("is_shared_up:true") == ["地名"]
    assert titles("is_shared_up:false", "source_system:gis") == []
    assert titles("volume_mb:12.5") == ["地名"]
    refused = office.client.get("/api/v1/inventory?city_field=service_window:a")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_value")
    page = office.client.get("/zh/inventory?city_field=source_system:oa").text
    assert '<option value="source_system:oa" selected>协同办公</option>' in page
    assert "公文" in page
    assert "地名" not in page


def test_d09_a_list_goes_out_with_them_and_comes_in_again(office: Any, defined: Any) -> None:
    made = line(office, "地名", **VALUES).json()
    out = office.client.get("/api/v1/inventory.csv").content
    rows = list(csv.DictReader(io.StringIO(out.decode("utf-8-sig"))))
    assert {name: rows[0][name] for name in ("来源系统", "已上报省级", "建库日期", "数据量")} == {
        "来源系统": "地理信息", "已上报省级": "是", "建库日期": "2019-05-01", "数据量": "12.5",
    }  # fmt: skip
    assert "服务窗口" not in rows[0]
    sheet = load_workbook(io.BytesIO(office.client.get("/api/v1/inventory.xlsx").content)).active
    assert '"协同办公,地理信息"' in {choice.formula1 for choice in sheet.data_validations.dataValidation}

    def send(**changed: str) -> Any:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerow(rows[0] | changed)
        files = {"file": ("list.csv", text.getvalue().encode("utf-8-sig"))}
        answer = office.editor.post("/inventory/import?agency=housing", files=files)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert counts(send()) == (0, 0, 1, 0)
    bad = send(来源系统="纸质台账", 建库日期="某年")
    assert counts(bad) == (0, 0, 0, 1)
    assert {(p["column"]["zh"], p["rule"]) for p in bad["problems"]} == {
        ("来源系统", "unknown_value"),
        ("建库日期", "bad_day"),
    }
    marked = load_workbook(io.BytesIO(base64.b64decode(bad["workbook"]["base64"]))).active
    header = [cell.value for cell in marked[1]]
    assert marked.cell(2, header.index("来源系统") + 1).comment is not None
    good = send(来源系统="oa", 已上报省级="否", 建库日期="2020年1月2日", 数据量="")
    assert counts(good) == (0, 1, 0, 0)
    now = office.client.get(f"/api/v1/inventory/{made['id']}").json()["city_fields"]
    assert now == {"source_system": "oa", "is_shared_up": False, "built_on": "2020-01-02"}


def test_d09_a_field_s_scope_can_only_be_widened(office: Any, defined: Any) -> None:
    line(office, "地名", **VALUES)
    narrower = [SYSTEM, SHARED | {"scope": "dataset"}, *FIELDS[2:]]
    answer = defined.put("/metadata-profile", json={"fields": narrower, "note": "x"})
    assert wrong(answer) == {"fields.1.scope": "field_scope_stays"}
    wider = [SYSTEM | {"scope": "both"}, *FIELDS[1:]]
    assert defined.put("/metadata-profile", json={"fields": wider, "note": "x"}).status_code == 200
