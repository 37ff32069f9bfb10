"""Rectification orders (D17): evidence and a second person close them, what is late raises an alert, the daily check finds
breaches once, and takes what is put right as evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from town import line, open_dataset

from opendata.core.clock import FixedClock
from opendata.supervision import schedule
from opendata.supervision.rectification.inspection import is_basis

ORDER = {
    "agency": "housing", "cause": "not_opened", "subject": "公租房分配结果", "demand": "依法应当公开，请开放。", "deadline": "2026-06-30",
}  # fmt: skip


def issued(town: Any, **fields: Any) -> dict[str, Any]:
    answer = town.people["watch"].post("/rectifications", json=ORDER | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def decide(town: Any, order: dict[str, Any], outcome: str, who: str = "watch", reason: str = "") -> Any:
    body = {"outcome": outcome, "reason": reason}
    return town.people[who].post(f"/rectifications/{order['number']}/decisions", json=body)


def orders(town: Any, query: str = "", who: str = "watch", language: str = "zh") -> list[dict[str, Any]]:
    answer = town.people[who].get(f"/rectifications{query}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def alerts(town: Any, who: str = "editor") -> list[tuple[str, str]]:
    return [(alert["kind"], alert["due_on"]) for alert in town.people[who].get("/alerts").json()]


def test_d17_an_order_is_closed_with_evidence_by_a_second_person(town: Any) -> None:
    order = issued(town)
    assert (order["number"], order["state"], order["overdue"]) == ("ZG-2026-001", "open", False)
    assert decide(town, order, "close").json()["code"] == "evidence_missing"
    wordless = town.editor.post(f"/rectifications/{order['number']}/evidence", json={"text": " ", "url": "x"})
    assert [(e["field"], e["code"]) for e in wordless.json()["errors"]] == [
        ("text", "missing"),
        ("url", "not_web_address"),
    ]
    evidence = {"text": "已于 6 月 5 日开放", "url": "https://example.org/dataset/gzf"}
    answered = town.editor.post(f"/rectifications/{order['number']}/evidence", json=evidence).json()
    assert answered["state"] == "answered"
    assert decide(town, order, "return").status_code == 422
    assert decide(town, order, "return", reason="链接打不开").json()["state"] == "open"
    town.editor.post(f"/rectifications/{order['number']}/evidence", json=evidence)
    closed = decide(town, order, "close").json()
    assert (closed["state"], [step["act"] for step in closed["steps"]]) == (
        "closed",
        ["issued", "evidence", "returned", "evidence", "closed"],
    )
    assert decide(town, order, "close").json()["code"] == "rectification_settled"
    assert town.editor.post(f"/rectifications/{order['number']}/evidence", json=evidence).status_code == 409


def test_d17_who_gave_evidence_does_not_close(town: Any) -> None:
    """A sysadmin may do either; not both for one order."""
    order = issued(town)
    evidence = {"text": "已开放"}
    assert town.admin.post(f"/rectifications/{order['id']}/evidence", json=evidence).status_code == 200
    town.editor.post(f"/rectifications/{order['id']}/evidence", json={"text": "补充材料"})
    refused = decide(town, order, "close", "root")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")
    assert decide(town, order, "close").status_code == 200


def test_d17_an_overdue_order_raises_an_alert_once(
    town: Any, clock: FixedClock, nightly: Callable[[], None]
) -> None:
    order = issued(town)
    clock.at = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)  # 23:59 in Beijing
    nightly()
    assert alerts(town) == []
    clock.at = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    nightly()
    schedule.inspect(town.app.place)
    assert alerts(town) == alerts(town, "watch") == [("rectification_overdue", "2026-06-30")]
    assert alerts(town, "stranger") == []
    assert [o["overdue"] for o in orders(town, "?overdue=true", "editor")] == [True]
    raised = town.admin.get("/audit?action=alert.raised").json()["results"]
    assert len(raised) == 1
    later = {"deadline": "2026-07-31", "reason": "系统改造"}
    extended = town.people["watch"].patch(f"/rectifications/{order['id']}", json=later).json()
    assert (extended["deadline"], extended["overdue"], alerts(town)) == ("2026-07-31", False, [])
    clock.advance(days=40)
    nightly()
    assert alerts(town) == [("rectification_overdue", "2026-07-31")]
    town.editor.post(f"/rectifications/{order['id']}/evidence", json={"text": "已开放"})
    assert alerts(town) == []


def test_d17_only_supervisors_order_and_only_those_concerned_read(town: Any) -> None:
    order = issued(town)
    for who in ("editor", "judge", "stranger", "content"):
        assert town.people[who].post("/rectifications", json=ORDER).json()["code"] == "supervisors_order"
    for who, status in (("editor", 200), ("content", 200), ("judge", 200), ("watch", 200), ("stranger", 404)):
        assert town.people[who].get(f"/rectifications/{order['id']}").status_code == status, who
    assert town.client.get("/api/v1/rectifications").status_code == 401
    assert orders(town, who="stranger") == []
    assert (
        town.people["judge"].post(f"/rectifications/{order['id']}/evidence", json={"text": "x"}).status_code
        == 403
    )
    assert decide(town, order, "withdraw", "judge", "x").status_code == 403
    assert decide(town, order, "withdraw", reason="重复下发").json()["state"] == "withdrawn"


def test_d17_wrong_orders_are_refused_with_every_field(town: Any) -> None:
    body = ORDER | {"subject": " ", "demand": "", "deadline": "2026-06-01"}
    answer = town.people["watch"].post("/rectifications", json=body, headers={"Accept-Language": "zh"})
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
        ("subject", "missing"),
        ("demand", "missing"),
        ("deadline", "deadline_is_past"),
    ]
    assert "2026-06-01" in answer.json()["errors"][2]["detail"]


def test_d17_the_daily_check_finds_what_was_planned_and_is_not_open(
    town: Any, clock: FixedClock, nightly: Callable[[], None], settle: Callable[[], None]
) -> None:
    one = line(town)
    item = town.editor.post(
        "/plans", json={"line": one["id"], "year": 2026, "planned_on": "2026-06-10"}
    ).json()["id"]
    nightly()
    assert orders(town) == []
    clock.advance(days=10)
    nightly()
    clock.advance(days=1)
    nightly()
    [order] = orders(town)
    assert (order["cause"], order["automatic"], order["state"]) == ("planned_not_opened", True, "open")
    assert order["demand"] == f"“公租房信息”（{one['resource_code']}）计划于 2026-06-10 前开放，至今未开放。"
    assert "was to be opened by 2026-06-10" in orders(town, language="en")[0]["demand"]
    delay = {"delayed_to": "2026-06-20", "reason": "系统升级"}
    assert town.editor.patch(f"/plans/{item}", json=delay).status_code == 200
    clock.advance(days=1)
    nightly()
    [order] = orders(town)
    assert (order["state"], order["steps"][-1]["actor"]) == ("answered", "system")
    assert "不再逾期" in order["steps"][-1]["text"]
    assert decide(town, order, "close").status_code == 200
    clock.advance(days=10)
    nightly()
    assert orders(town)[0]["state"] == "open", "the new promise too"
    assert len(orders(town)) == 2


def test_d17_the_daily_check_finds_a_missed_update(
    town: Any, clock: FixedClock, nightly: Callable[[], None], settle: Callable[[], None]
) -> None:
    made = open_dataset(town, settle, title="周报", update_cycle="weekly")
    open_dataset(town, settle, title="不定期", update_cycle="irregular")
    clock.advance(days=9)
    nightly()
    assert orders(town) == []
    clock.advance(days=1)
    nightly()
    [order] = orders(town, who="editor")
    assert (
        order["demand"]
        == "数据集“周报”承诺的更新周期为每周，上次更新在 2026-06-01，最迟应于 2026-06-10 更新。"
    )
    town.editor.patch(f"/datasets/{made['id']}", json={"description": "改一个字"})
    town.publish(made["id"], settle)
    clock.advance(days=1)
    nightly()
    assert orders(town)[0]["state"] == "open", "words are no data"
    resource = town.client.get(f"/api/v1/datasets/{made['id']}").json()["resources"][0]["id"]
    answer = town.editor.put(f"/resources/{resource}/file", files={"file": ("rows.csv", b"a,b\n1,2\n")})
    assert answer.status_code == 200, answer.text
    town.publish(made["id"], settle)
    clock.advance(days=1)
    nightly()
    assert orders(town)[0]["state"] == "answered"


def test_d17_the_daily_check_finds_a_refusal_without_basis(
    town: Any, clock: FixedClock, nightly: Callable[[], None]
) -> None:
    line(town, "甲", openness="closed", open_condition="《政府信息公开条例》第十五条")
    bare = line(town, "乙", openness="closed", open_condition="领导要求不公开")
    hidden = line(town, "丙", openness="closed", open_condition="领导要求不公开")
    assert town.secrecy.put(f"/inventory/{hidden['id']}/withheld", json={"ground": "x"}).status_code == 200
    nightly()
    [order] = orders(town)
    assert (order["cause"], order["subject"]) == ("closed_without_basis", "乙")
    assert "领导要求不公开" in order["demand"]
    town.editor.patch(f"/inventory/{bare['id']}", json={"open_condition": "《个人信息保护法》第二十八条"})
    clock.advance(days=1)
    nightly()
    assert orders(town)[0]["state"] == "answered"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("《政府信息公开条例》第十五条", True),
        ("依据第十五条", True),
        ("Data Security Law, article 21", True),
        ("负面清单 FM-2026-001", True),
        ("FM-2026-002", False),
        ("《保密法》，FM-2026-002", False),
        ("FM-2026-0011", False),
        ("不宜公开", False),
        ("", False),
    ],
)
def test_d17_a_basis_names_a_law_or_an_entry_in_force(text: str, holds: bool) -> None:
    assert is_basis(text, ["FM-2026-001"], ["FM-2026-002"]) is holds


@pytest.mark.parametrize("settings", ["light"], indirect=True)
def test_d17_the_days_job_exists_once(app: Any, town: Any, clock: FixedClock) -> None:
    runs = []
    app.queue.start({schedule.JOB: lambda: runs.append(1)}, lambda *_: None)
    schedule.ask(app.place)
    today = schedule.ask(app.place)
    app.queue.drain()
    assert schedule.ask(app.place, today) == today
    assert runs == [1]
    clock.advance(days=1)
    assert schedule.ask(app.place, today) != today
    app.queue.drain()
    assert runs == [1, 1]


def test_d17_every_step_is_in_the_audit_trail(town: Any) -> None:
    order = issued(town)
    town.editor.post(f"/rectifications/{order['id']}/evidence", json={"text": "已开放"})
    decide(town, order, "close")
    found = town.admin.get(f"/audit?subject={order['id']}").json()["results"]
    told = [(entry["action"], entry["actor_name"]) for entry in reversed(found)]
    assert told == [
        ("rectification.issued", "watch"),
        ("rectification.evidence", "editor"),
        ("rectification.closed", "watch"),
    ]
