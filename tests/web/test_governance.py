"""Pages of the plan, the negative list and the audit trail: read by everybody, written by those who may, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opendata.work.actor import SiteRole

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
ENTRY = {
    "subject": "个人就诊记录", "ground": "personal_privacy", "basis": "《政府信息公开条例》第十五条", "approved_by": "领导小组",
    "valid_from": "2026-01-01", "review_on": "2099-01-01", "keywords": "就诊，病历", "agency": "", "themes": ["HEAL"],
}  # fmt: skip


def test_d10_an_editor_plans_delays_and_the_public_reads_why(
    office: Any, browser: Callable[..., Any]
) -> None:
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "公租房信息"}).json()
    clerk = browser("editor")
    assert f"{line['resource_code']} 公租房信息" in clerk.see("/zh/console/plan?year=2026")
    here = "/zh/console/plan"
    wrong = clerk.send(here, here, line="", year="2026", planned_on="30.6.")
    assert wrong.status_code == 422
    assert 'href="#f-planned_on"' in wrong.text
    other = clerk.send(
        here, here, line=line["resource_code"], year="2026", planned_on="2027-06-30", open_method="download"
    )
    assert "2026 年内" in other.text
    done = clerk.send(
        here, here, line=f"{line['resource_code']} 公租房信息", year="2026", planned_on="2026-06-30",
        open_method="download", responsible_unit="住房保障中心",
    )  # fmt: skip
    assert done.status_code == 303, done.text
    item = office.client.get("/api/v1/plans?year=2026").json()["results"][0]["id"]
    form = f"/zh/console/plan/{item}"
    fields = {
        "status": "delayed", "planned_on": "2026-06-30", "delayed_to": "2099-12-31", "reason": "", "lead_unit": "住建局",
        "responsible_unit": "住房保障中心", "open_method": "api",
    }  # fmt: skip
    refused = clerk.send(form, form, **fields)
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    assert clerk.send(form, form, **fields | {"reason": "系统升级"}).status_code == 303
    public = browser().see("/zh/plan?year=2026&agency=housing")
    for told in ("公租房信息", "系统升级", "住房保障中心", "延期", "2099年12月31日"):
        assert told in public
    assert "/zh/plan?agency=housing" in browser().see("/zh/agency/housing")
    assert "/zh/plan" in browser().see("/zh/")
    assert "Opening plan 2026" in browser().see("/en/plan?year=2026&overdue=true&status=opened&domain=other")
    assert browser("content").get(form).status_code == 403


def test_d13_a_city_administrator_enters_and_lifts_on_pages(office: Any, browser: Callable[..., Any]) -> None:
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    keeper = browser("keeper")
    new = "/zh/console/negative-list/new"
    refused = keeper.send(new, new, **ENTRY | {"keywords": "", "themes": [], "review_on": "x"})
    assert refused.status_code == 422
    assert 'href="#f-review_on"' in refused.text
    assert keeper.send(new, new, **ENTRY).status_code == 303
    [entry] = office.editor.get("/negative-list").json()["results"]
    assert (entry["keywords"], entry["themes"]) == (["就诊", "病历"], ["HEAL"])
    form = f"/zh/console/negative-list/{entry['number']}"
    assert "就诊, 病历" in keeper.see(form)
    assert keeper.send(form, form, **ENTRY | {"status": "lifted", "lift_reason": ""}).status_code == 422
    assert (
        keeper.send(form, form, **ENTRY | {"status": "lifted", "lift_reason": "法规修改"}).status_code == 303
    )
    assert "法规修改" in browser().see("/zh/negative-list")
    assert "“就诊”" in keeper.see("/zh/console/negative-list")
    assert browser("editor").get(new).status_code == 403


def test_d13_the_entry_s_page_lists_what_is_public_already(
    office: Any, browser: Callable[..., Any], settle: Callable[[], None]
) -> None:
    dataset = office.link(title="就诊人次")
    office.publish(dataset, settle)
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    keeper = browser("keeper")
    new = "/zh/console/negative-list/new"
    made = keeper.send(new, new, **ENTRY | {"themes": []})
    assert made.status_code == 303
    page = keeper.see(made.headers["location"].partition("?")[0])
    assert "就诊人次" in page
    assert "已公开且命中本条目的数据集" in page


def test_d13_the_clerk_reads_which_entry_and_which_field(
    office: Any, browser: Callable[..., Any], settle: Callable[[], None]
) -> None:
    dataset = office.draft(title="门诊量")["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    release = office.submit(dataset)
    settle()
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    body = {name: ENTRY[name] for name in ("subject", "ground", "basis", "approved_by", "review_on")}
    number = (
        office.people["keeper"].post("/negative-list", json=body | {"keywords": ["门诊"]}).json()["number"]
    )
    for kind in ("content", "secrecy"):
        office.decide(release, kind)
    settle()
    page = browser("editor").see(f"/zh/console/dataset/{dataset}")
    for told in (number, "《政府信息公开条例》第十五条", "“门诊”"):
        assert told in page
    assert "已退回：标题 命中负面清单条目" in page
    assert "Returned: Title is" in browser("editor").see(f"/en/console/dataset/{dataset}")
    answer = browser("editor").send(f"/zh/console/dataset/{dataset}", f"/zh/console/dataset/{dataset}/submit")
    assert answer.status_code == 422
    assert number in answer.text


def test_d52_a_supervisor_searches_and_takes_the_trail_along(
    office: Any, browser: Callable[..., Any]
) -> None:
    office.person("watch", site_roles=[SiteRole.SUPERVISOR])
    dataset = office.draft()["id"]
    watcher = browser("watch")
    page = watcher.see(f"/zh/console/audit?subject={dataset}&since=2020-01-01")
    assert "dataset.created" in page
    assert "account.created" not in page
    assert watcher.get("/zh/console/audit?since=gestern").status_code == 422
    export = watcher.get("/zh/console/audit/export?format=csv&action=dataset.")
    assert export.headers["content-type"].startswith("text/csv")
    assert dataset in export.text
    assert "/console/audit" in page
    for who in ("editor", "content"):
        assert browser(who).get("/zh/console/audit").status_code == 403
        assert "/console/audit" not in browser(who).see("/zh/console")
    assert browser().get("/zh/console/audit").status_code == 303


def test_d09_the_console_adds_a_field_and_a_clerk_fills_it_in(
    office: Any, browser: Callable[..., Any]
) -> None:
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    here = "/zh/console/metadata-profile"
    admin = browser("keeper")
    assert here in admin.see("/zh/console/account")
    refused = admin.send(f"{here}/new", f"{here}/new", name="service_window", label="", kind="code", note="")
    assert refused.status_code == 422
    assert 'id="e-label"' in refused.text
    choices = "hall | 政务大厅 | Service hall\nonline | 网上办理"
    fields = {
        "name": "service_window",
        "label": "服务窗口",
        "kind": "code",
        "choices": choices,
        "note": "市办要求",
    }
    done = admin.send(f"{here}/new", f"{here}/new", **fields, facet="on", required="on")
    assert done.status_code == 303, done.text
    again = f"{here}/service_window"
    assert "hall | 政务大厅 | Service hall" in admin.see(again)
    lost = admin.send(again, again, **fields | {"choices": "hall | 大厅"}, required="on")
    assert "online" in lost.text
    assert browser("editor").get(here).status_code == 403
    dataset = office.draft()["id"]
    clerk, form = browser("editor"), f"/zh/console/dataset/{dataset}/edit"
    assert "服务窗口：" in clerk.see(f"/zh/console/dataset/{dataset}")
    assert "网上办理" in clerk.see(form)
    assert clerk.send(form, form, **{"title": "x", "city_fields.service_window": "roof"}).status_code == 422
    assert clerk.send(form, form, **{"title": "x", "city_fields.service_window": "online"}).status_code == 303
    assert office.editor.get(f"/datasets/{dataset}").json()["draft"]["city_fields"] == {
        "service_window": "online"
    }
