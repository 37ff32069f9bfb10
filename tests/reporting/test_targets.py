"""Platforms above: who keeps them, what is refused, one push at a time, by the clock, cancelled, deleted and taken up again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from opendata.application import do_due
from opendata.reporting.jobs import Reporter
from opendata.reporting.models import ReportPush, ReportTarget
from opendata.work.actor import SYSTEM, SiteRole
from tests.reporting.conftest import Reporting, Settle, counted
from tests.support.province import TOKEN, Province

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
pytestmark = light
MAP: dict[str, Any] = {
    "title": "x",
    "repeatable": True,
    "create": {"method": "PUT", "path": "/x", "body": {"a": "{title}"}},
}


def test_only_administrators_keep_them_and_supervisors_read(reporting: Reporting) -> None:
    office = reporting.office
    overseer = office.person("overseer", site_roles=[SiteRole.SUPERVISOR])
    keeper = office.person("keeper")
    assert overseer.get(reporting.path).status_code == 200
    assert [one["name"] for one in overseer.get("/reporting/maps").json()] == ["opendata", "sszd"]
    for person in (overseer, office.editor, keeper):
        assert person.post(f"{reporting.path}/pushes", json={}).status_code == 403
        assert person.patch(reporting.path, json={"pause": 1}).status_code == 403
        assert person.delete(reporting.path).status_code == 403
    assert office.editor.get(reporting.path).status_code == 403
    assert office.client.get(f"/api/v1{reporting.path}").status_code == 401
    trail = office.admin.get("/audit", params={"limit": 100}).json()["results"]
    mine = [line for line in trail if line["action"].startswith("report.")]
    assert [line["action"] for line in mine] == ["report.target_edited", "report.target_added"], "the token"
    assert TOKEN not in str(mine)
    shown = office.admin.get(reporting.path).json()
    assert (shown["has_secret"], TOKEN in str(shown)) == (True, False)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"url": "ftp://x"}, {"url"}),
        ({"map": "none"}, {"map"}),
        ({"map": ""}, {"map"}),
        ({"own_map": MAP}, {"map"}),
        ({"options": {}}, {"options.org_path"}),
        ({"schedule": "often"}, {"schedule"}),
        ({"map": "", "own_map": {**MAP, "repeatable": False}}, {"own_map"}),
        ({"map": "", "own_map": {**MAP, "required": ["nothing"]}}, {"own_map"}),
        ({"map": "", "own_map": {**MAP, "create": {"method": "PUT", "path": "/x", "body": {"a": "{nothing}"}}}}, {"own_map"}),
        ({"map": "", "own_map": {**MAP, "create": {"method": "PUT", "path": "/{secret}"}}}, {"own_map"}),
        ({"map": "", "own_map": {**MAP, "create": {"method": "PUT", "path": "https://x"}}}, {"own_map.create"}),
        ({"map": "", "own_map": {**MAP, "withdraw": {"method": "PUT", "path": "/", "body": {"a": "{title}"}}}}, {"own_map"}),
    ],
)  # fmt: skip
def test_one_that_is_set_up_wrong_is_refused(
    office: Any, target_in: dict[str, Any], change: dict[str, Any], fields: set[str]
) -> None:
    answer = office.admin.post("/reporting/targets", json={**target_in, **change})
    assert answer.status_code == 422, answer.text
    assert {one["field"] for one in answer.json()["errors"]} == fields


def test_one_push_at_a_time_and_a_name_once(reporting: Reporting, target_in: dict[str, Any]) -> None:
    admin = reporting.office.admin
    asked = reporting.ask()
    second = admin.post(f"{reporting.path}/pushes", json={})
    assert (second.status_code, second.json()["code"]) == (409, "report_push_live")
    assert admin.get(reporting.path).json()["live_push"] == asked
    assert admin.delete(reporting.path).status_code == 409
    again = admin.post("/reporting/targets", json=target_in)
    assert (again.status_code, again.json()["code"]) == (409, "report_target_taken")
    reporting.settle()
    assert reporting.report(asked)["status"] == "done"


def test_cancelled_before_and_in_the_middle(reporting: Reporting, above: Province) -> None:
    admin = reporting.office.admin
    reporting.publish("公园", "街道", "学校")
    asked = reporting.ask()
    assert admin.post(f"/reporting/pushes/{asked}/cancel").json()["status"] == "cancelled"
    reporting.settle()
    assert above.calls == []
    asked = reporting.ask()

    def before(_call: Any) -> None:
        above.before = lambda _call: None
        assert admin.post(f"/reporting/pushes/{asked}/cancel").status_code == 200

    above.before = before
    reporting.settle()
    stopped = reporting.report(asked)
    assert (stopped["status"], counted(stopped)) == ("cancelled", {"created": 1, "left": 2})
    over = admin.post(f"/reporting/pushes/{asked}/cancel")
    assert (over.status_code, over.json()["code"]) == (409, "report_push_over")
    assert counted(reporting.push()) == {"created": 2, "unchanged": 1}


def test_cancelled_in_the_moment_in_which_it_begins(
    reporting: Reporting, above: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the push and the lock on it: it stays cancelled, and the target is free."""
    reporting.publish("公园")
    begin = Reporter._begin

    def late(reporter: Reporter, push: ReportPush) -> bool:
        monkeypatch.setattr(Reporter, "_begin", begin)
        told = reporting.office.admin.post(f"/reporting/pushes/{push.id}/cancel").json()
        assert told["status"] == "cancelled"
        return begin(reporter, push)

    monkeypatch.setattr(Reporter, "_begin", late)
    asked = reporting.ask()
    reporting.settle()
    assert (reporting.report(asked)["status"], above.calls) == ("cancelled", [])
    assert counted(reporting.push()) == {"created": 1}


def test_by_the_clock(reporting: Reporting, settle: Settle) -> None:
    reporting.set(schedule="daily 11:00")
    app = reporting.office.app
    do_due(app)
    path = f"{reporting.path}/pushes"
    assert reporting.office.admin.get(path).json()["total"] == 0
    reporting.later(3600 + 1)
    do_due(app)
    settle()
    told = reporting.office.admin.get(path).json()
    assert [one["status"] for one in told["results"]] == ["done"]
    do_due(app)
    assert reporting.office.admin.get(path).json()["total"] == 1
    assert reporting.office.admin.get(reporting.path).json()["next_push_at"] == "2026-11-24T03:00:00Z"


def test_deleted_and_taken_up_again(reporting: Reporting, above: Province, target_in: dict[str, Any]) -> None:
    admin = reporting.office.admin
    reporting.publish("公园")
    reporting.push()
    assert admin.delete(reporting.path).status_code == 204
    assert admin.get(reporting.path).status_code == 404
    with reporting.office.app.place.reading(SYSTEM) as work:
        assert work.session.execute(select(ReportTarget.secret)).scalar_one() == ""
    reporting.target = admin.post("/reporting/targets", json=target_in).json()
    assert reporting.target["held"] == 1
    assert counted(reporting.push()) == {"unchanged": 1}
    assert len(above.records) == 1


def test_a_map_that_is_gone_ends_the_push(reporting: Reporting) -> None:
    with reporting.office.app.place.writing(SYSTEM) as work:
        row = work.session.get(ReportTarget, reporting.target["id"])
        row.map = "gone"
    failed = reporting.push()
    assert (failed["status"], failed["failure_code"]) == ("failed", "report_no_map")
    assert "gone.json" in failed["failure"]


def test_a_push_that_broke_says_so_and_its_owner_is_told_once_a_day(reporting: Reporting) -> None:
    app = reporting.office.app
    for _ in range(2):
        asked = reporting.ask()
        app._failed("reporting.push", {"push_id": asked, "part": 0}, ValueError("unforeseen"))
        reporting.settle()
        failed = reporting.report(asked)
        assert (failed["status"], failed["failure_code"]) == ("failed", "report_push_broke")
    notices = reporting.office.admin.get("/notices").json()["results"]
    told = [one for one in notices if one["path"].startswith("/console/reporting/pushes/")]
    assert len(told) == 1
