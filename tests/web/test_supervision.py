"""Pages of supervision: an order from its issue to its close, and a body's board, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from town import open_dataset, site_person

from opendata.core.clock import FixedClock
from opendata.supervision import schedule
from opendata.supervision.reports import service as reports
from opendata.supervision.usage import counting
from opendata.work.actor import SiteRole

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
HERE = "/zh/console/rectifications"
BOARD = "/zh/console/agency/housing/board"
ORDER = {
    "agency": "housing", "cause": "not_opened", "subject": "公租房分配结果", "demand": "依法应当公开。\n请开放。", "deadline": "2099-06-30",
}  # fmt: skip


def test_d17_an_order_on_pages(office: Any, browser: Callable[..., Any]) -> None:
    site_person(office, "watch", SiteRole.SUPERVISOR)
    site_person(office, "judge", SiteRole.EVALUATOR)
    watch = browser("watch")
    assert f"{HERE}/new" in watch.see(HERE)
    refused = watch.send(f"{HERE}/new", f"{HERE}/new", **ORDER | {"agency": "", "deadline": "soon"})
    assert refused.status_code == 422
    refused = watch.send(f"{HERE}/new", f"{HERE}/new", **ORDER | {"subject": "", "deadline": "2020-01-01"})
    assert 'href="#f-subject"' in refused.text
    assert 'href="#f-deadline"' in refused.text
    issued = watch.send(f"{HERE}/new", f"{HERE}/new", **ORDER)
    assert issued.status_code == 303, issued.text
    one = issued.headers["location"].partition("?")[0]
    assert "公租房分配结果" in browser("editor").see(HERE)
    assert "目前只能撤销通知" in watch.see(one)
    clerk = browser("editor")
    assert clerk.send(one, f"{one}/evidence", text="").status_code == 422
    told = {"text": "已于 6 月 5 日开放", "url": "https://example.org/dataset/gzf"}
    assert clerk.send(one, f"{one}/evidence", **told).status_code == 303
    assert f"{one}/decision" not in clerk.see(one)
    judge = browser("judge").see(one)
    assert "https://example.org/dataset/gzf" in judge
    assert "<form" not in judge.partition("<main")[2].partition("</main>")[0]
    assert "Hand in evidence" in clerk.see(one.replace("/zh/", "/en/"))
    moved = watch.send(one, f"{one}/deadline", deadline="2099-07-31", why="")
    assert 'id="e-why"' in moved.text
    assert watch.send(one, f"{one}/deadline", deadline="2099-07-31", why="系统改造").status_code == 303
    stale = {**watch.hidden(one, f"{one}/decision"), "edition": "1", "outcome": "close"}
    assert watch.post(f"{one}/decision", stale).status_code == 412
    assert watch.send(one, f"{one}/decision", outcome="return", reason="").status_code == 422
    assert watch.send(one, f"{one}/decision", outcome="close").status_code == 303
    assert "已办结" in clerk.see(f"{HERE}?state=closed")
    assert "没有符合条件" in clerk.see(f"{HERE}?overdue=true")
    assert browser("editor").get(f"{HERE}/new").status_code == 403


def test_d16_what_is_overdue_is_on_the_board(
    office: Any, browser: Callable[..., Any], settle: Callable[[], None]
) -> None:
    office.app.place.clock = FixedClock(datetime.now(UTC))
    made = open_dataset(office, settle, title="名单", update_cycle="daily")
    assert "逾期" not in browser("content").see(BOARD).partition("定期审查</h2>")[0].partition("逾期提醒")[1]
    office.app.place.clock.advance(days=100)
    schedule.ask(office.app.place)
    settle()
    reviewer = browser("content")
    board = reviewer.see(BOARD)
    for told in ("定期审查逾期", "未按承诺更新", "名单", f"{BOARD}/{made['id']}"):
        assert told in board
    assert "已逾期" in reviewer.see("/zh/console")
    assert BOARD in reviewer.see("/zh/console/agency")
    form = f"{BOARD}/{made['id']}"
    wrong = reviewer.send(form, form, outcome="restrict", note="", next_on="morgen")
    assert 'id="e-next_on"' in wrong.text
    assert 'id="e-note"' in reviewer.send(form, form, outcome="restrict", note="", next_on="").text
    assert (
        reviewer.send(form, form, outcome="restrict", note="应改为有条件开放", next_on="").status_code == 303
    )
    assert "定期审查逾期" not in reviewer.see(BOARD)
    assert "Periodic reviews" in reviewer.see(BOARD.replace("/zh/", "/en/"))
    office.admin.post("/agencies", json={"name": "water", "title": "市水利局"})
    assert reviewer.get("/zh/console/agency/water/board").status_code == 404
    assert browser("editor").send(form, form, outcome="keep").status_code == 403


def test_d48_everybody_reads_what_is_used(
    office: Any, browser: Callable[..., Any], settle: Callable[[], None]
) -> None:
    made = open_dataset(office, settle, title="名单")
    reader = browser()
    for _ in range(3):
        reader.see(f"/zh/dataset/{made['name']}")
    counting.flush(office.app.place, office.app.journal)
    page = reader.see("/zh/usage")
    row = page.partition(f"/zh/dataset/{made['name']}")[2].partition("</tr>")[0]
    assert '<td class="num">3</td>' in row
    assert "Use of the data" in reader.see("/en/usage?agency=housing&since=2020-01-01")
    assert "没有使用记录" in reader.see("/zh/usage?since=2020-01-01&until=2020-01-02")
    wrong = reader.get("/zh/usage?since=gestern")
    assert wrong.status_code == 422
    assert 'href="#f-since"' in wrong.text
    assert reader.get("/zh/usage?since=2026-06-02&until=2026-06-01").status_code == 422
    assert "/zh/usage" in reader.see("/zh/")


def test_d50_scores_are_public_when_their_quarter_is_over(
    office: Any, browser: Callable[..., Any], settle: Callable[[], None]
) -> None:
    site_person(office, "judge", SiteRole.EVALUATOR)
    for day in (datetime(2026, 6, 30, 4, tzinfo=UTC), datetime(2026, 7, 1, 4, tzinfo=UTC)):
        office.app.place.clock = FixedClock(day)
        schedule.ask(office.app.place)
        settle()
    page = browser().see("/zh/scores?quarter=2026Q2")
    for told in ("市住房和城乡建设局", "清单开放率", "评分规则（第 1 版）", "不低于 4 %"):
        assert told in page
    assert "/zh/scores" in browser().see("/zh/")
    assert "还没有评分" in browser().see("/zh/scores?quarter=2026Q3")
    judge = browser("judge")
    assert "本季度暂计" in judge.see("/zh/scores?quarter=2026Q3")
    assert "Inventory coverage" in judge.see("/en/scores?quarter=2026Q2")
    evidence = judge.get("/zh/console/scores/evidence?quarter=2026Q2")
    assert evidence.headers["content-type"] == "application/zip"
    assert browser("editor").get("/zh/console/scores/evidence?quarter=2026Q2").status_code == 403
    assert browser().get("/zh/scores?quarter=spring").status_code == 400


def test_d47_a_report_on_pages(office: Any, browser: Callable[..., Any]) -> None:
    office.app.place.clock = FixedClock(datetime(2026, 1, 2, 4, tzinfo=UTC))
    reports.freeze(office.app.place)
    clerk = browser("editor")
    form = "/zh/console/reports/housing/2025"
    assert form in clerk.see(BOARD)
    words = {"summary": "开放 12 个数据集。", "problems": "更新不及时。", "plans": ""}
    assert clerk.send(form, form, **words, act="save").status_code == 303
    assert browser().get("/zh/reports/housing/2025").status_code == 404
    refused = clerk.send(form, form, **words, act="publish")
    assert 'id="e-plans"' in refused.text
    assert "开放 12 个数据集" in refused.text
    assert clerk.send(form, form, **words | {"plans": "建立自动更新。"}, act="publish").status_code == 303
    page = browser().see("/zh/reports/housing/2025")
    for told in ("建立自动更新。", "清单条目", "截至 2025 年 12 月 31 日"):
        assert told in page
    assert "不能再修改" in clerk.see(form)
    assert "/zh/reports/housing/2025" in browser().see("/zh/reports?year=2025")
    assert "未按期发布" not in browser().see("/zh/reports?year=2025")
    office.admin.post("/agencies", json={"name": "water", "title": "市水利局"})
    office.app.place.clock.advance(days=100)
    assert "1 个单位未按期发布" in browser().see("/zh/reports?year=2025")
    assert "/zh/reports" in browser().see("/zh/")
