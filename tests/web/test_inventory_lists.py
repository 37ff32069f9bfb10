"""Pages of the inventory: what everyone sees, and a list's way from upload to acceptance at the clerk's desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

LAW = "《中华人民共和国个人信息保护法》第二十八条"
HEAD = "信息资源代码,信息资源名称,信息资源摘要,信息资源格式分类,信息资源格式类型,信息项名称,信息项数据类型,共享类型,是否向社会开放,开放条件,更新周期,涉密属性,多余的列\n"
GOOD = "306001/000001,公园名录,全市公园,数据库,MySQL,名称,C,1,是,,每年,,x\n"
WRONG = "306001/000002,坏的一行,说明,数据库,MySQL,名称,C,1,否,,偶尔,,\n"
SECRET = "306001/000003,zqx绝密,说明,数据库,MySQL,名称,C,1,否,x,每年,涉密,\n"
LIST = "/zh/console/agency/housing/list"


@pytest.fixture
def clerk(office: Any, browser: Callable[..., Any]) -> Any:
    return browser("editor")


def upload(clerk: Any, text: str, name: str = "清单.csv") -> Any:
    return clerk.send(LIST, LIST, files={"file": (name, text.encode("utf-8-sig"))})


def test_d08_a_clerk_uploads_looks_and_accepts(clerk: Any, client: TestClient) -> None:
    answer = upload(clerk, HEAD + GOOD + WRONG)
    assert answer.status_code == 303, answer.text[:800]
    preview = answer.headers["location"]
    shown = clerk.see(preview)
    for told in ("公园名录", "更新周期", "偶尔", "不予开放须写明法律依据", "多余的列"):
        assert told in shown
    assert client.get("/api/v1/inventory").json()["total"] == 0
    marked = clerk.get(f"{preview}/marked")
    assert marked.status_code == 200
    assert marked.headers["cache-control"] == "private, no-store"
    assert marked.content.startswith(b"PK")
    accepted = clerk.send(preview, f"{preview}/accept")
    assert accepted.status_code == 303
    assert "清单已导入" in clerk.see(accepted.headers["location"])
    assert [found["title"] for found in client.get("/api/v1/inventory").json()["results"]] == ["公园名录"]
    again = clerk.post(f"{preview}/accept", {"csrf": clerk.hidden(LIST, LIST)["csrf"]})
    assert again.status_code == 409


def test_d14_a_secret_row_is_kept_nowhere(clerk: Any, app: Any) -> None:
    preview = upload(clerk, HEAD + GOOD + SECRET).headers["location"]
    shown = clerk.see(preview)
    assert "涉密条目一律不得录入" in shown
    assert "zqx" not in shown
    database = b"".join(path.read_bytes() for path in app.settings.data_dir.glob("opendata.db*"))
    assert "zqx绝密".encode() not in database


def test_d08_a_file_that_is_no_list_comes_back_with_the_reason(clerk: Any) -> None:
    answer = upload(clerk, "甲,乙\n1,2\n")
    assert answer.status_code == 422
    assert "信息资源名称" in answer.text
    assert clerk.send(LIST, LIST, files={"file": ("", b"", "application/octet-stream")}).status_code == 422


def test_d54_only_the_bodys_editors_come_to_its_lists(office: Any, browser: Callable[..., Any]) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
    assert browser("content").get(LIST).status_code == 403
    assert browser().get(LIST).status_code == 303
    assert browser("editor").get("/zh/console/agency/water/list").status_code == 403


@pytest.mark.parametrize("language", ["zh", "en"])
def test_d08_the_public_sees_what_is_not_open_and_why(office: Any, client: TestClient, language: str) -> None:
    body = {"agency": "housing", "title": "信访台账", "openness": "closed", "open_condition": LAW}
    made = office.editor.post("/inventory", json=body).json()
    for path in (
        f"/{language}/inventory",
        f"/{language}/inventory/{made['id']}",
        f"/{language}/agency/housing",
    ):
        shown = client.get(path)
        assert shown.status_code == 200, path
        assert "信访台账" in shown.text
        assert LAW in shown.text
    assert client.get(f"/{language}/inventory?openness=closed&agency=housing&q=信访").status_code == 200
    history = client.get(f"/{language}/agency/housing/inventory/versions")
    assert history.status_code == 200
    assert "信访台账" in history.text
    assert client.get(f"/{language}/agency/housing/inventory/versions?since=x").status_code == 400


def test_d08_the_form_of_a_line_opens_no_item_that_is_closed(office: Any, clerk: Any) -> None:
    items = [{"name": "经办人", "type": "C", "length": 20, "level": "L3", "openness": "closed"}]
    made = office.editor.post(
        "/inventory", json={"agency": "housing", "title": "许可", "items": items}
    ).json()
    page = f"/zh/console/agency/housing/inventory/{made['id']}"
    fields = {
        "title": "新名称",
        "items": "经办人, C, 30",
        "format_class": "spreadsheet",
        "openness": "unconditional",
    }
    assert clerk.send(page, page, **fields).status_code == 303
    found = office.client.get(f"/api/v1/inventory/{made['id']}").json()
    assert found["title"] == "新名称"
    assert found["items"] == [items[0] | {"length": 30}]


def test_d08_a_line_is_withheld_and_revealed_on_its_page(
    office: Any, browser: Callable[..., Any], client: TestClient
) -> None:
    body = {"agency": "housing", "title": "zqx", "openness": "closed", "open_condition": LAW}
    made = office.editor.post("/inventory", json=body).json()
    page = f"/zh/inventory/{made['id']}"
    assert "zqx" in client.get("/zh/agency/housing").text
    reviewer = browser("secrecy")
    assert reviewer.send(page, f"/zh/console/line/{made['id']}/withhold", ground="无").status_code == 422
    done = reviewer.send(page, f"/zh/console/line/{made['id']}/withhold", ground="存在即敏感")
    assert done.status_code == 303
    assert "存在即敏感" in reviewer.see(page)
    assert client.get(page).status_code == 404
    for path in ("/zh/inventory", "/zh/agency/housing", "/zh/agency/housing/inventory/versions"):
        shown = client.get(path).text
        assert "zqx" not in shown
        assert made["resource_code"] not in shown
    assert re.search(r"不予开放 <span class=\"count\">0</span>", client.get("/zh/inventory").text)
    editor = browser("editor")
    assert "zqx" in editor.see("/zh/console/agency/housing/list.csv")
    assert "zqx" not in client.get("/api/v1/inventory.csv").text
    assert editor.get("/zh/console/agency/housing/list.xlsx").content.startswith(b"PK")
    assert editor.get("/zh/console/agency/housing/list.pdf").status_code == 400
    assert "zqx" in editor.see("/zh/inventory")
    assert "/withhold" not in editor.see(page)
    assert reviewer.send(page, f"/zh/console/line/{made['id']}/reveal", reason="已解密").status_code == 303
    assert client.get(page).status_code == 200
