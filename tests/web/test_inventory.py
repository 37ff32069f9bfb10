"""The inventory at the desk: lines listed, added, edited, and chosen for a dataset; links as resources."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from opendata.work.actor import Role, SiteRole

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)

DESK = "/zh/console"
HERE = f"{DESK}/agency/housing/inventory"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def add(person: Any, **fields: Any) -> str:
    """A new line by the form; its id."""
    answer = person.send(f"{HERE}/new", f"{HERE}/new", **fields)
    assert answer.status_code == 303, answer.text
    found = person.client.get("/api/v1/inventory?agency=housing").json()["results"]
    return str(next(line["id"] for line in found if line["title"] == fields["title"]))


def test_a_line_is_added_and_edited(office: Any, browser: Any) -> None:
    editor = browser("editor")
    assert HERE in editor.see(f"{DESK}/agency")
    line = add(editor, title="公租房", domain="livelihood", items="小区名称, C, 50\n建成日期，D\n套数, i")
    found = office.editor.get(f"/inventory/{line}").json()
    assert found["domain"] == "livelihood"
    assert found["items"] == [
        {"name": "小区名称", "type": "C", "length": 50},
        {"name": "建成日期", "type": "D", "length": None},
        {"name": "套数", "type": "I", "length": None},
    ]
    assert "share_type" in found["defaulted"]
    assert "项由系统填充" in editor.see(HERE)
    page = editor.see(f"{HERE}/{line}")
    assert "小区名称, C, 50" in page
    fields = {
        "title": "公共租赁住房", "abstract": "全市公租房。", "category": "306001", "resource_code": found["resource_code"],
        "format_class": "database", "format_type": "mysql", "share_type": "unconditional", "openness": "closed",
        "open_condition": "保守国家秘密法", "update_cycle": "yearly", "data_level": "L2", "domain": "livelihood",
        "region_code": "320600", "issued_on": "2026-03-01", "items": "小区名称, C, 50", "related_codes": "",
    }  # fmt: skip
    old = editor.hidden(f"{HERE}/{line}", f"{HERE}/{line}")
    assert editor.send(f"{HERE}/{line}", f"{HERE}/{line}", **fields).status_code == 303
    found = office.editor.get(f"/inventory/{line}").json()
    assert (found["title"], found["openness"], found["issued_on"]) == ("公共租赁住房", "closed", "2026-03-01")
    assert found["defaulted"] == []
    assert editor.post(f"{HERE}/{line}", {**old, **fields, "title": "覆盖"}).status_code == 412
    assert "公共租赁住房" in editor.see(f"{HERE}?q=租赁")
    assert "没有符合的条目" in editor.see(f"{HERE}?q=%25")


def test_a_wrong_line_is_told_by_field_and_nothing_typed_is_lost(office: Any, browser: Any) -> None:
    editor = browser("editor")
    refused = editor.send(
        f"{HERE}/new", f"{HERE}/new", title=f"留着{EVIL}", category="abc", openness="closed", items="名称, X"
    )
    assert refused.status_code == 422
    assert "第 1 行“名称, X”不是信息项" in refused.text
    refused = editor.send(f"{HERE}/new", f"{HERE}/new", title=f"留着{EVIL}", category="abc")
    assert 'aria-describedby="h-category e-category"' in refused.text
    refused = editor.send(f"{HERE}/new", f"{HERE}/new", title=f"留着{EVIL}", openness="closed")
    assert "不予开放须写明法律依据" in refused.text
    assert "留着" in refused.text
    assert "<img src=x" not in refused.text
    line = add(editor, title="甲")
    code = office.editor.get(f"/inventory/{line}").json()["resource_code"]
    taken = editor.send(f"{HERE}/new", f"{HERE}/new", title="乙", resource_code=code)
    assert "已被使用" in taken.text
    assert office.editor.get("/inventory?agency=housing").json()["total"] == 1


def test_other_bodies_lines_are_out_of_reach(office: Any, browser: Any) -> None:
    line = add(browser("editor"), title="本机构的")
    office.admin.post("/agencies", json={"name": "other", "title": "另一机构"})
    office.person("elsewhere", Role.EDITOR, Role.ADMIN, agency="other")
    other = browser("elsewhere")
    for path in (HERE, f"{HERE}/new", f"{HERE}/{line}"):
        assert other.get(path).status_code == 403, path
    assert other.get(f"{DESK}/agency/other/inventory/{line}").status_code == 404
    assert other.get(f"{DESK}/new?line={line}").status_code == 404
    token = other.hidden(DESK, "/zh/sign-out")
    assert other.post(f"{HERE}/{line}", {**token, "title": "改"}).status_code == 403
    assert other.post(f"{HERE}/new", {**token, "title": "加"}).status_code == 403
    dataset = other.new(title="别家的")
    chosen = other.send(f"{DESK}/dataset/{dataset}/lines", f"{DESK}/dataset/{dataset}/lines", lines=[line])
    assert chosen.status_code == 422
    assert "属于其他单位" in chosen.text


def test_lines_are_chosen_for_a_dataset(office: Any, browser: Any) -> None:
    editor = browser("editor")
    first, second = add(editor, title="清单甲"), add(editor, title="清单乙")
    add(editor, title="清单密", openness="closed", open_condition="保守国家秘密法")
    dataset = editor.new(title="数据集")
    here = f"{DESK}/dataset/{dataset}"
    assert f"{here}/lines" in editor.see(here)
    page = editor.see(f"{here}/lines?q=乙")
    assert "清单乙" in page
    assert "清单甲" not in page
    assert re.search(r"disabled> <span>清单密", editor.see(f"{here}/lines"))
    assert editor.send(f"{here}/lines", f"{here}/lines", lines=[first, second]).status_code == 303
    page = editor.see(f"{here}/lines?q=nothing")
    assert page.count("checked> ") == 2
    assert "清单乙" in editor.see(here)
    assert editor.send(f"{here}/lines", f"{here}/lines", lines=[second]).status_code == 303
    assert "清单甲" not in editor.see(here)
    assert "1 个数据集" in editor.see(HERE)
    stranger = office.person("reader", Role.CONTENT_REVIEWER)
    assert stranger
    assert browser("reader").get(f"{here}/lines").status_code == 403


def test_a_dataset_begins_with_the_words_of_its_line(
    office: Any, browser: Any, settle: Callable[[], None]
) -> None:
    editor = browser("editor")
    line = add(editor, title="公租房", abstract="全市公租房。", update_cycle="yearly")
    start = f"{DESK}/new?line={line}"
    assert f'href="{start}"' in editor.see(HERE)
    assert "全市公租房。" in editor.see(start)
    answer = editor.send(
        start, f"{DESK}/new", {"file": ("a.csv", b"a,b\n1,2\n")}, title="公租房", update_cycle="yearly"
    )
    assert answer.status_code == 303, answer.text
    dataset = re.search(r"[0-9a-f-]{36}", answer.headers["location"])
    assert dataset
    office.publish(dataset[0], settle)
    assert office.editor.get("/inventory?agency=housing").json()["total"] == 1
    assert "306001/000001" in editor.see(f"/zh/dataset/{dataset[0]}")


def test_a_link_is_added_changed_and_followed(office: Any, browser: Any, settle: Callable[[], None]) -> None:
    editor = browser("editor")
    dataset = editor.new(title="接口")
    here = f"{DESK}/dataset/{dataset}"
    for wrong in ("", "ftp://example.org/x", "javascript:alert(1)"):
        refused = editor.send(here, f"{here}/links", url=wrong, name="留着我", format="", description="")
        assert refused.status_code == 422, wrong
        assert "留着我" in refused.text
        assert 'href="#f-url"' in refused.text
    added = editor.send(
        here, f"{here}/links", url="https://example.org/a", name="", format="API", description="每分钟更新"
    )
    assert added.status_code == 303
    link = office.editor.get(f"/datasets/{dataset}").json()["draft"]["resources"][0]
    assert (link["url"], link["format"], link["file"]) == ("https://example.org/a", "API", None)
    action = f"{here}/links/{link['id']}"
    assert editor.send(here, action, url="nowhere", name="x").status_code == 422
    assert (
        editor.send(
            here, action, url="https://example.org/b", name="泊位接口", format="API", description=""
        ).status_code
        == 303
    )
    office.publish(dataset, settle)
    found = editor.client.get(f"/api/v1/resources/{link['id']}/download", follow_redirects=False)
    assert (found.status_code, found.headers["location"]) == (302, "https://example.org/b")
    assert "泊位接口" in browser().see(f"/zh/dataset/{dataset}")


def test_a_file_is_no_link(office: Any, browser: Any) -> None:
    editor = browser("editor")
    dataset = editor.new({"file": ("a.csv", b"a,b\n1,2\n")}, title="文件")
    resource = office.editor.get(f"/datasets/{dataset}").json()["draft"]["resources"][0]["id"]
    token = editor.hidden(DESK, "/zh/sign-out")
    action = f"{DESK}/dataset/{dataset}/links/{resource}"
    assert editor.post(action, {**token, "url": "https://example.org/"}).status_code == 404


def test_d09_the_line_s_form_asks_for_them(office: Any, browser: Any) -> None:
    keeper = office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    choices = [{"code": "gis", "label": "地理信息"}]
    fields = [
        {"name": "source_system", "label": "来源系统", "kind": "code", "scope": "line", "choices": choices},
        {"name": "volume_mb", "label": "数据量", "kind": "number", "scope": "line"},
        {"name": "service_window", "label": "服务窗口", "kind": "text"},
    ]
    assert keeper.put("/metadata-profile", json={"fields": fields, "note": "x"}).status_code == 200
    clerk = browser("editor")
    here = "/zh/console/agency/housing/inventory/new"
    form = {
        "title": "地名", "openness": "unconditional", "share_type": "unconditional", "lead_unit": "市政府办公室",
        "responsible_unit": "测绘科", "city_fields.source_system": "gis", "city_fields.volume_mb": "much",
    }  # fmt: skip
    page = clerk.see(here)
    assert 'name="city_fields.source_system"' in page
    assert 'name="city_fields.service_window"' not in page
    refused = clerk.send(here, here, **form)
    assert refused.status_code == 422
    assert 'id="f-city_fields.volume_mb"' in refused.text
    sent = clerk.send(here, here, **form | {"city_fields.volume_mb": "12"})
    assert sent.status_code == 303, sent.text[:500]
    found = office.client.get("/api/v1/inventory?q=地名").json()["results"][0]
    assert found["city_fields"] == {"source_system": "gis", "volume_mb": 12}
    assert (found["lead_unit"], found["responsible_unit"]) == ("市政府办公室", "测绘科")
    public = clerk.see(f"/zh/inventory/{found['id']}")
    assert "来源系统" in public
    assert "地理信息" in public
