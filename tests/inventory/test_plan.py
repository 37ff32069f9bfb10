"""The yearly opening plan (D10, D07): promises, delays with their reasons, what is late, and counters that move one at a time."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from frictionless import Resource, Schema

from opendata.core.clock import FixedClock
from opendata.work.actor import Role

YEAR = 2026
TEMPLATE = Path(__file__).parents[2] / "catalog_schemas" / "tables" / "platform" / "opening_plan@1.0.0.json"


@pytest.fixture
def clock(app: Any) -> Iterator[FixedClock]:
    """The middle of the year, at noon in Beijing."""
    kept, app.place.clock = app.place.clock, FixedClock(datetime(2026, 6, 1, 4, tzinfo=UTC))
    yield app.place.clock
    app.place.clock = kept


@pytest.fixture
def town(office: Any, clock: FixedClock) -> Any:
    office.admin.post("/agencies", json={"name": "water", "title": "市水利局"})
    office.person("stranger", Role.EDITOR, agency="water")
    return office


def line(office: Any, title: str = "公租房信息", **fields: Any) -> dict[str, Any]:
    body = {"agency": "housing", "title": title, "domain": "livelihood", **fields}
    answer = office.editor.post("/inventory", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def plan(office: Any, of: dict[str, Any], planned_on: str = "2026-06-30", **fields: Any) -> Any:
    body = {"line": of["resource_code"], "year": YEAR, "planned_on": planned_on, **fields}
    return office.editor.post("/plans", json=body)


def listed(office: Any, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.client.get(f"/api/v1/plans?year={YEAR}{query}").json()["results"]
    return found


def counters(office: Any) -> dict[str, int]:
    """Every number of the progress, by its path."""
    found = office.client.get(f"/api/v1/plans/progress?year={YEAR}").json()
    rows = {"total": found["total"]}
    for kind in ("agencies", "domains"):
        rows |= {f"{kind}.{name}": counts for name, counts in found[kind].items()}
    return {f"{row}.{name}": n for row, counts in rows.items() for name, n in counts.items()}


def moved(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - n for name, n in before.items() if after[name] != n}


def publish(office: Any, settle: Callable[[], None], *lines: dict[str, Any]) -> str:
    made = office.draft(title="公租房", inventory=[one["resource_code"] for one in lines])
    office.editor.post(f"/datasets/{made['id']}/resources", json={"url": "https://example.org/a.csv"})
    office.publish(made["id"], settle)
    found: str = made["id"]
    return found


def test_d10_a_plan_item_says_who_opens_what_by_when(town: Any) -> None:
    one = line(town)
    answer = plan(town, one, responsible_unit="市住房保障中心")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["resource_code"], made["agency"], made["status"]) == (
        one["resource_code"],
        "housing",
        "not_started",
    )
    assert (made["lead_unit"], made["responsible_unit"]) == ("市住房和城乡建设局", "市住房保障中心")
    assert (made["planned_on"], made["due_on"], made["actual_on"]) == ("2026-06-30", "2026-06-30", None)
    assert listed(town) == [made] == [town.client.get(answer.headers["location"]).json()]
    assert plan(town, one).json()["code"] == "already_planned"
    closed = line(town, "名单", openness="closed", open_condition="《政府信息公开条例》第十五条")
    assert plan(town, closed).json()["code"] == "line_closed_for_plan"
    late = plan(town, line(town, "x"), "2027-01-01")
    assert (late.status_code, late.json()["errors"][0]["code"]) == (422, "not_in_plan_year")


def test_d10_an_overdue_item_is_listed_the_day_after(town: Any, clock: FixedClock) -> None:
    plan(town, line(town), "2026-06-30")
    clock.at = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)  # 23:59 in Beijing
    assert [item["overdue"] for item in listed(town)] == [False]
    assert listed(town, "&overdue=true") == []
    clock.at = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    assert [item["overdue"] for item in listed(town, "&overdue=true")] == [True]
    assert "逾期" in town.client.get(f"/zh/plan?year={YEAR}").text


def test_d10_a_delay_without_reason_is_refused(town: Any, clock: FixedClock) -> None:
    item = plan(town, line(town)).json()["id"]
    bare = town.editor.patch(
        f"/plans/{item}", json={"delayed_to": "2026-09-30"}, headers={"Accept-Language": "zh"}
    )
    assert bare.status_code == 422
    assert [(e["field"], e["code"]) for e in bare.json()["errors"]] == [("reason", "delay_needs_reason")]
    assert "原因" in bare.json()["errors"][0]["detail"]
    later = town.editor.patch(f"/plans/{item}", json={"planned_on": "2026-09-30"})
    assert later.json()["errors"][0]["code"] == "delay_is_recorded"
    told = {"delayed_to": "2026-09-30", "reason": "系统升级"}
    delayed = town.editor.patch(f"/plans/{item}", json=told).json()
    assert (delayed["status"], delayed["planned_on"], delayed["due_on"]) == (
        "delayed",
        "2026-06-30",
        "2026-09-30",
    )
    clock.at = datetime(2026, 7, 2, tzinfo=UTC)
    assert listed(town)[0]["overdue"] is False
    clock.at = datetime(2026, 10, 2, tzinfo=UTC)
    assert listed(town)[0]["overdue"] is True
    assert town.editor.patch(f"/plans/{item}", json={"reason": ""}).status_code == 422
    assert (
        town.editor.patch(f"/plans/{item}", json={"status": "opened"}).json()["errors"][0]["code"]
        == "opened_by_publishing"
    )
    earlier = town.editor.patch(f"/plans/{item}", json={"planned_on": "2026-05-30"})
    assert earlier.status_code == 200


def test_d10_a_cancelled_item_needs_a_reason_and_counts_no_more(town: Any) -> None:
    item = plan(town, line(town)).json()["id"]
    before = counters(town)
    assert town.editor.patch(f"/plans/{item}", json={"status": "cancelled"}).status_code == 422
    done = town.editor.patch(f"/plans/{item}", json={"status": "cancelled", "reason": "职能划转"})
    assert done.json()["status"] == "cancelled"
    assert set(moved(before, counters(town)).values()) == {-1}


@pytest.mark.parametrize(
    ("who", "status"), [("editor", 200), ("content", 403), ("stranger", 403), ("root", 200)]
)
def test_d10_only_the_body_writes_its_plan(town: Any, who: str, status: int) -> None:
    item = plan(town, line(town)).json()
    answer = town.people[who].patch(f"/plans/{item['id']}", json={"status": "in_progress"})
    assert answer.status_code == status
    assert town.client.patch(f"/api/v1/plans/{item['id']}", json={}).status_code == 401
    stale = town.editor.patch(f"/plans/{item['id']}", json={}, headers={"If-Match": '"99"'})
    assert stale.status_code == 412


def test_d07_opening_one_planned_dataset_moves_exactly_one_counter(
    town: Any, settle: Callable[[], None], clock: FixedClock
) -> None:
    one, other = line(town), line(town, "物业企业", domain="market_supervision")
    plan(town, one)
    plan(town, other)
    before = counters(town)
    dataset = publish(town, settle, one)
    # One counter, `opened`, in each of the three views of the same board.
    once = {"total.opened": 1, "agencies.housing.opened": 1, "domains.livelihood.opened": 1}
    assert moved(before, counters(town)) == once
    assert [(i["status"], i["actual_on"]) for i in listed(town, "&status=opened")] == [
        ("opened", "2026-06-01")
    ]
    assert town.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "有误"}).status_code == 200
    settle()
    assert moved(before, counters(town)) == {}
    assert [i["status"] for i in listed(town)] == ["not_started"] * 2


def test_d07_a_line_stays_open_while_another_dataset_opens_it(town: Any, settle: Callable[[], None]) -> None:
    one, other = line(town), line(town, "物业企业")
    plan(town, one)
    plan(town, other)
    first, second = publish(town, settle, one), publish(town, settle, one)
    town.editor.post(f"/datasets/{first}/withdraw", json={"reason": "重复"})
    assert counters(town)["total.opened"] == 1
    assert plan(town, one, year=2027, planned_on="2027-01-01").json()["code"] == "line_open_already"
    town.editor.patch(f"/datasets/{second}", json={"inventory": [other["resource_code"]]})
    assert [i["resource_code"] for i in listed(town, "&status=opened")] == [other["resource_code"]]


def test_d10_the_csv_fits_the_template_and_no_cell_is_a_formula(town: Any) -> None:
    plan(town, line(town, "=HYPERLINK(1)"), responsible_unit="+86")
    text = town.client.get(f"/api/v1/plans.csv?year={YEAR}").content.decode("utf-8-sig")
    [row] = list(csv.DictReader(io.StringIO(text)))
    assert (row["name"], row["responsible_unit"], row["domain"], row["status"]) == (
        "'=HYPERLINK(1)",
        "'+86",
        "民生保障",
        "未开始",
    )
    template = json.loads(TEMPLATE.read_text())
    template.pop("foreignKeys", None)  # to the inventory, which is another file
    names = [field["name"] for field in template["fields"]]
    assert list(row)[: len(names)] == names
    row["agency_uscc"] = "113206000143000121"  # the body of the test has none
    schema = Schema.from_descriptor(template)
    data = [names, [row[name] for name in names]]
    report = Resource(data=data, schema=schema).validate()
    assert report.valid, report.flatten(["message"])


@pytest.mark.parametrize("settings", ["light"], indirect=True)
@pytest.mark.parametrize("overrides", [{"plan": False}])
def test_d10_a_small_town_can_switch_it_off(office: Any, client: Any) -> None:
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "清单"}).json()
    planned = office.editor.post(
        "/plans", json={"line": line["id"], "year": YEAR, "planned_on": "2026-12-01"}
    )
    assert (planned.status_code, planned.json()["code"]) == (404, "plan_off")
    for path in (
        "/api/v1/plans",
        "/api/v1/plans.csv",
        "/api/v1/plans/progress",
        "/zh/plan",
        "/zh/console/plan",
    ):
        assert client.get(path, follow_redirects=False).status_code in (404, 303), path
    for page in ("/zh/", "/zh/agency/housing"):
        told = client.get(page).text
        assert "/zh/plan" not in told, page
    assert client.get("/zh/inventory").status_code == 200
