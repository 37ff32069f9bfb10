"""Pages around the two reviews: reasons beside their fields, deadlines, the printed form, delegation, notices, a set time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from opendata.core.clock import FixedClock
from opendata.work.actor import Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Browsers = Callable[..., Any]
Settle = Callable[[], None]


def remarks(page: str) -> list[str]:
    """What stands beside fields, in the order of the page."""
    return re.findall(r'class="remark">内容审查意见（content）：([^<]*)<', page)


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(MONDAY)
    return app.place.clock


@pytest.fixture
def waiting(clock: FixedClock, office: Any, settle: Settle) -> tuple[str, str, str]:
    """A release in review: (dataset, release, resource)."""
    dataset = office.draft(title="街道代码")["id"]
    resource = office.upload(dataset, b"a,b\n1,2\n")["id"]
    release = office.submit(dataset)
    settle()
    return dataset, release["id"], resource


def test_d15_reasons_stand_beside_their_fields_and_the_difference_beside_the_old(
    waiting: tuple[str, str, str], office: Any, browser: Browsers, settle: Settle
) -> None:
    dataset, release, resource = waiting
    reviewer, clerk = browser("content"), browser("editor")
    here = f"/zh/console/reviews/{release}"
    said = {
        "kind": "content", "outcome": "reject", "reason": "", "field_0": "title", "why_0": "应写明年份", "field_1": "domain",
        "why_1": "领域有误", "field_2": f"resources.{resource}", "why_2": "缺少列说明",
    }  # fmt: skip
    refused = reviewer.send(here, here, **said | {"why_0": ""})
    assert refused.status_code == 422
    assert 'id="f-fields"' in refused.text
    assert "领域有误" in refused.text, "what was typed is still there"
    assert reviewer.send(here, here, **said).status_code == 303
    draft = clerk.see(f"/zh/console/dataset/{dataset}")
    assert remarks(draft) == ["缺少列说明", "应写明年份", "领域有误"]
    edit = clerk.see(f"/zh/console/dataset/{dataset}/edit")
    assert 'id="m-title"' in edit
    assert remarks(edit) == ["应写明年份", "领域有误"]
    office.editor.patch(f"/datasets/{dataset}", json={"title": "街道代码（2026）"})
    office.submit(dataset)
    settle()
    again = reviewer.see(here)
    assert "退回后修改了什么" in again
    assert "街道代码（2026）" in again
    assert remarks(clerk.see(f"/zh/console/dataset/{dataset}")) == []


def test_d15_the_queue_marks_what_is_late_and_names_who_can_decide(
    waiting: tuple[str, str, str], clock: FixedClock, office: Any, browser: Browsers, settle: Settle
) -> None:
    queue = browser("content").see("/zh/console/reviews")
    assert "期限 2026年11月30日，还有 5 个工作日" in queue
    assert "HOUSING-2026-0001" in queue
    clock.at = datetime(2026, 12, 2, 2, tzinfo=UTC)
    settle()
    late = browser("content")
    assert "已逾期 2 个工作日" in late.see("/zh/console/reviews")
    assert "Overdue by 2 working days" in late.see("/en/console/reviews")
    told = late.see("/zh/console/notices")
    assert "已逾期，期限为 2026-11-30" in told
    assert late.send("/zh/console/notices", "/zh/console/notices").status_code == 303
    assert "条未读" not in late.see("/zh/console/notices")


def test_d15_the_approval_form_holds_both_decisions(
    waiting: tuple[str, str, str], office: Any, browser: Browsers, settle: Settle
) -> None:
    _dataset, release, _resource = waiting
    form = f"/zh/console/reviews/{release}/form"
    clerk = browser("editor")
    assert clerk.see(form).count("尚未作出决定") == 2
    content_hash = office.editor.get(f"/releases/{release}").json()["content_hash"]
    for kind in ("content", "secrecy"):
        body = {"kind": kind, "outcome": "approve", "content_hash": content_hash, "reason": f"同意{kind}"}
        assert office.people[kind].post(f"/releases/{release}/decisions", json=body).status_code == 201
    settle()
    page = clerk.see(form)
    for told in (
        "HOUSING-2026-0001",
        "街道代码",
        "同意content",
        "同意secrecy",
        content_hash,
        "已批准",
        "sha256",
    ):
        assert told in page
    assert "Approval form" in clerk.see(form.replace("/zh/", "/en/"))
    assert clerk.get(f"{form}?number=HOUSING-2026-0009").status_code == 404
    assert browser().get(form).status_code == 303


def test_d15_a_delegation_is_entered_and_ended_on_its_page(
    waiting: tuple[str, str, str], office: Any, browser: Browsers
) -> None:
    office.person("deputy", Role.EDITOR)
    absent, here = browser("secrecy"), "/zh/console/delegations"
    fields = {
        "agency": "housing", "absent": "secrecy", "delegate": "deputy", "first_day": "2026-11-23", "last_day": "2026-11-24",
        "reason": "出差",
    }  # fmt: skip
    refused = absent.send(here, here, **fields | {"delegate": "nobody", "last_day": "x"})
    assert refused.status_code == 422
    for field in ("delegate", "last_day"):
        assert f'href="#f-{field}"' in refused.text
    assert absent.send(here, here, **fields).status_code == 303
    deputy = browser("deputy")
    assert "您受委托代 secrecy 审查" in deputy.see(f"/zh/console/reviews/{waiting[1]}")
    assert "代 secrecy 办理" in deputy.see("/zh/console/notices")
    [row] = office.secrecy.get("/delegations").json()
    assert absent.send(here, f"{here}/{row['id']}/end").status_code == 303
    assert "您受委托" not in deputy.see(f"/zh/console/reviews/{waiting[1]}")
    assert "已结束" in absent.see(here)


def test_a_clerk_sets_the_time_of_publication(
    waiting: tuple[str, str, str], clock: FixedClock, office: Any, browser: Browsers, settle: Settle
) -> None:
    dataset, release, _resource = waiting
    clerk, here = browser("editor"), f"/zh/console/dataset/{dataset}"
    refused = clerk.send(here, f"{here}/schedule", publish_at="2020-01-01T09:00")
    assert refused.status_code == 422
    assert 'id="e-publish_at"' in refused.text
    assert clerk.send(here, f"{here}/schedule", publish_at="2026-12-01T09:00").status_code == 303
    assert 'value="2026-12-01T09:00"' in clerk.see(here)
    assert "2026年12月1日 09:00" in browser("content").see(f"/zh/console/reviews/{release}")
    content_hash = office.editor.get(f"/releases/{release}").json()["content_hash"]
    for kind in ("content", "secrecy"):
        body = {"kind": kind, "outcome": "approve", "content_hash": content_hash}
        office.people[kind].post(f"/releases/{release}/decisions", json=body)
    settle()
    assert "已批准，将于 2026年12月1日 09:00 公开。" in clerk.see(here)


def test_d15_a_standing_authority_is_proposed_approved_and_ended_on_its_page(
    clock: FixedClock, office: Any, browser: Browsers, settle: Settle
) -> None:
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "监测"}).json()
    dataset = office.draft(title="监测数据", inventory=[line["id"]])["id"]
    office.upload(dataset, "编号,名称\n0001,站甲\n0002,站乙\n".encode())
    office.publish(dataset, settle)
    clerk, here = browser("editor"), "/zh/console/standing"
    assert f"/console/standing?dataset={dataset}" in clerk.see(f"/zh/console/dataset/{dataset}")
    fields = {
        "dataset": dataset, "source": "editor", "rows_drift": "10", "filled_drift": "5", "expires_on": "2027-06-30",
        "reason": "每日更新",
    }  # fmt: skip
    refused = clerk.send(
        here, here, **fields | {"rows_drift": "x", "source": "nobody", "expires_on": "", "reason": ""}
    )
    assert refused.status_code == 422
    for field in ("rows_drift", "source", "expires_on", "reason"):
        assert f'href="#f-{field}"' in refused.text
    assert clerk.send(here, here, **fields).status_code == 303
    [row] = office.editor.get("/standing-authorities").json()
    one = f"{here}/{row['id']}"
    assert 'value="approve"' not in clerk.see(here), "an editor does not approve"
    for kind in ("content", "secrecy"):
        assert browser(kind).send(here, one, outcome="approve", reason="同意").status_code == 303
    page = clerk.see(here)
    assert "生效中" in page
    assert "行数变化不超过 10%" in page
    assert clerk.send(here, one, outcome="end").status_code == 303
    assert office.editor.get("/standing-authorities").json()[0]["state"] == "ended"


def test_d15_the_page_offers_the_light_path_and_marks_the_words_that_differ(
    office: Any, settle: Settle, browser: Browsers
) -> None:
    public = office.link(title="住房租赁企业名单")
    office.publish(public, settle)
    clerk, reviewer = browser("editor"), browser("content")
    office.editor.patch(f"/datasets/{public}", json={"title": "住房租赁企业名录"})
    here = f"/zh/console/dataset/{public}"
    assert 'name="correction"' in clerk.see(here)
    assert clerk.send(here, f"{here}/submit", correction="1").status_code == 303
    settle()
    waiting = office.content.get("/reviews").json()[0]["release"]["id"]
    page = reviewer.see(f"/zh/console/reviews/{waiting}")
    assert "一人审查通过即发布" in page
    assert "住房租赁企业名<del>单</del>" in page
    assert "住房租赁企业名<ins>录</ins>" in page
    office.editor.patch(f"/datasets/{public}", json={"openness": "conditional", "open_condition": "x"})
    assert 'name="correction"' not in clerk.see(here)
