"""Scores (D20, D49, D50): rules are versioned data, a score can be computed again from its snapshot, openness weighs 4 % at
least, evaluators read and take the evidence along, and write nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from town import line, open_dataset

from opendata.core.clock import FixedClock
from opendata.supervision import schedule
from opendata.supervision.scores.quarter import Quarter
from opendata.supervision.scores.rules import RuleSet, evaluate
from opendata.work.actor import SYSTEM

RULE = {
    "id": "lines",
    "title": "条目",
    "part": "disclosure",
    "weight": 60,
    "share": "opened_lines",
    "of": "openable_lines",
}
OTHER = {
    "id": "plan",
    "title": "计划",
    "part": "disclosure",
    "weight": 40,
    "share": "planned_in_time",
    "of": "planned_due",
}
RULES: dict[str, Any] = {"openness_weight": 4, "rules": [RULE, OTHER], "reason": "试行"}
JULY = datetime(2026, 7, 1, 4, tzinfo=UTC)


def scores(town: Any, quarter: str = "2026Q2", who: str | None = None) -> dict[str, dict[str, Any]]:
    path = f"/supervision/scores?quarter={quarter}"
    answer = town.people[who].get(path) if who else town.client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return {score["agency"]: score for score in answer.json()["results"]}


def change(town: Any, who: str = "watch", **fields: Any) -> Any:
    return town.people[who].post("/supervision/rules", json=RULES | fields)


@pytest.fixture
def quarter(town: Any, clock: FixedClock, settle: Callable[[], None], nightly: Callable[[], None]) -> Any:
    """The second quarter is over: one planned line was opened in time, one was not, a third is not planned."""
    first, second, _third = (line(town, title) for title in ("甲", "乙", "丙"))
    for one in (first, second):
        town.editor.post("/plans", json={"line": one["id"], "year": 2026, "planned_on": "2026-06-20"})
    open_dataset(town, settle, inventory=[first["resource_code"]])
    nightly()
    clock.at = JULY
    nightly()
    return town


def test_d20_a_score_counts_what_happened_and_is_public_after_its_quarter(quarter: Any) -> None:
    found = scores(quarter)
    housing = found["housing"]
    assert (housing["final"], housing["rules_version"], housing["quarter"]) == (True, 1, "2026Q2")
    facts = housing["facts"]
    assert (facts["lines"], facts["opened_lines"], facts["planned_due"], facts["planned_in_time"]) == (
        3,
        1,
        2,
        1,
    )
    assert (facts["decided"], facts["decided_in_time"], facts["datasets"], facts["judged_files"]) == (
        2,
        2,
        1,
        1,
    )
    results = {result["rule"]: result["share"] for result in housing["results"]}
    assert (results["plan"], results["coverage"], results["response"]) == (0.5, 0.3333, 1.0)
    assert results["rectification"] is None, "nothing was due"
    assert sum(r["points"] or 0 for r in housing["results"]) == pytest.approx(housing["points"], abs=0.05)
    assert found["water"]["points"] < housing["points"]
    assert scores(quarter, "2026Q3") == {}, "the running quarter is nobody else's"
    assert set(scores(quarter, "2026Q3", "editor")) == {"housing"}
    assert set(scores(quarter, "2026Q3", "judge")) == {"housing", "water"}


def test_d20_of_a_quarter_in_which_the_platform_was_not_there_nothing_is_told(
    town: Any, clock: FixedClock, nightly: Callable[[], None]
) -> None:
    nightly()
    assert scores(town, "2026Q1", "judge") == {}
    assert set(scores(town, "2026Q2", "judge")) == {"housing", "water"}
    town.admin.post("/agencies", json={"name": "parks", "title": "市园林局"})
    clock.at = JULY
    nightly()
    assert set(scores(town)) == {"housing", "water"}, "nor of a body that was not"


def test_d49_a_score_is_reproducible_from_its_snapshot(
    quarter: Any, clock: FixedClock, nightly: Callable[[], None]
) -> None:
    before = scores(quarter)["housing"]
    assert before["recomputed"] == before["points"]
    assert change(quarter).status_code == 201
    line(quarter, "丁")
    clock.advance(days=1)
    nightly()
    after = quarter.client.get(f"/api/v1/supervision/scores/{before['id']}").json()
    assert after == before, "neither new rules nor new facts reach what is final"
    version = quarter.client.get("/api/v1/supervision/rules/1").json()
    rules = RuleSet(openness_weight=version["openness_weight"], rules=version["rules"])
    assert evaluate(rules, after["facts"])[0] / 100 == before["points"]
    assert scores(quarter, "2026Q3", "judge")["housing"]["rules_version"] == 2
    told = {name: after[name] for name in ("quarter", "rules_version", "facts")}
    agency = quarter.client.get("/api/v1/agencies/housing").json()["id"]
    canonical = {**told, "agency_id": agency, "hundredths": round(after["points"] * 100)}
    text_ = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text_.encode()).hexdigest() == after["hash"]


def test_d49_openness_weighs_four_percent_at_least(town: Any) -> None:
    refused = change(town, openness_weight=3.9)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "openness_weight")
    assert change(town, openness_weight=4).status_code == 201
    assert town.client.get("/api/v1/supervision/rules").json()["openness_weight"] == 4


def test_d20_a_change_of_rules_is_a_version(town: Any) -> None:
    assert town.client.get("/api/v1/supervision/rules").json()["version"] == 1
    for wrong, code in (
        ({"rules": [RULE]}, "weights_not_hundred"),
        ({"rules": [RULE, OTHER | {"id": "lines"}]}, "rule_id_twice"),
        ({"rules": [RULE, OTHER | {"share": "luck"}]}, "enum"),
        ({"reason": " "}, "missing"),
    ):
        answer = change(town, **wrong)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    made = change(town).json()
    assert (made["version"], [rule["id"] for rule in made["rules"]]) == (2, ["lines", "plan"])
    [entry, _delivered] = town.admin.get("/audit?action=score_rules.added&actor=watch").json()["results"]
    assert entry["details"]["reason"] == "试行"
    for who in ("judge", "editor", "stranger"):
        assert change(town, who).json()["code"] == "supervisors_order"


def test_d20_the_database_keeps_versions_and_final_scores(quarter: Any) -> None:
    for statement in (
        "UPDATE score SET hundredths = 10000 WHERE quarter = '2026Q2'",
        "DELETE FROM score WHERE quarter = '2026Q2'",
        "UPDATE score_rules SET reason = 'x'",
        "DELETE FROM score_rules",
    ):
        with pytest.raises(DBAPIError, match="only grows"), quarter.app.place.writing(SYSTEM) as work:
            work.session.execute(text(statement))


def test_d50_an_evaluator_takes_the_evidence_along_and_writes_nothing(quarter: Any) -> None:
    answer = quarter.people["judge"].get("/supervision/evidence?quarter=2026Q2")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["sha256"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert json.loads(files["scores.json"]) == list(scores(quarter).values())
    rows = list(csv.DictReader(io.StringIO(files["rectifications.csv"].decode("utf-8-sig"))))
    assert [(row["agency"], row["cause"], row["subject"]) for row in rows] == [
        ("housing", "planned_not_opened", "乙")
    ]
    for who, status in (("watch", 200), ("editor", 403), ("stranger", 403)):
        assert quarter.people[who].get("/supervision/evidence").status_code == status, who


@pytest.mark.parametrize("overrides", [{"supervision": False}])
def test_d20_a_small_town_can_switch_it_off(
    town: Any, clock: FixedClock, app: Any, nightly: Callable[[], None]
) -> None:
    nightly()
    assert town.client.get("/api/v1/supervision/scores").json()["code"] == "supervision_off"
    assert town.client.get("/zh/scores").status_code == 404
    assert "/zh/scores" not in town.client.get("/zh/").text
    assert town.client.get("/zh/usage").status_code == 200
    with app.place.reading(SYSTEM) as work:
        assert work.session.execute(text("SELECT count(*) FROM score")).scalar_one() == 0


def test_d16_an_overdue_review_shows_in_the_score(
    town: Any, clock: FixedClock, settle: Callable[[], None]
) -> None:
    open_dataset(town, settle, update_cycle="daily")
    clock.advance(days=100)
    schedule.inspect(town.app.place, town.app.scoring)
    running = str(Quarter.of(date(2026, 9, 9)))
    found = {r["rule"]: r["share"] for r in scores(town, running, "judge")["housing"]["results"]}
    assert found["review"] == 0.0


@pytest.mark.parametrize(
    ("day", "written", "last"),
    [
        (date(2026, 1, 1), "2026Q1", date(2026, 3, 31)),
        (date(2026, 6, 30), "2026Q2", date(2026, 6, 30)),
        (date(2026, 12, 31), "2026Q4", date(2026, 12, 31)),
    ],
)
def test_quarters(day: date, written: str, last: date) -> None:
    quarter = Quarter.of(day)
    assert (str(quarter), quarter.last, Quarter.parse(written)) == (written, last, quarter)


def test_weights_that_are_no_binary_fractions_are_a_hundred() -> None:
    rules = [RULE | {"id": str(n), "weight": w} for n, w in enumerate((33.3, 33.3, 33.4))]
    assert (
        evaluate(RuleSet(openness_weight=4, rules=rules), {"opened_lines": 1, "openable_lines": 3})[0] == 3333
    )
