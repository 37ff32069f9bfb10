"""Periodic review (D16): every public dataset is due again by a day; what is late is on the body's board and in an alert."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from town import open_dataset

from opendata.core.clock import FixedClock
from opendata.supervision.periodic import calendar


def due(town: Any, who: str = "content", query: str = "") -> list[tuple[str, str, bool]]:
    answer = town.people[who].get(f"/periodic-reviews{query}")
    assert answer.status_code == 200, answer.text
    return [(one["title"], one["due_on"], one["overdue"]) for one in answer.json()["results"]]


@pytest.mark.parametrize(
    ("day", "cycle", "expected"),
    [
        (date(2026, 6, 1), "yearly", date(2027, 6, 1)),
        (date(2026, 6, 1), "never", date(2027, 6, 1)),
        (date(2026, 8, 31), "monthly", date(2027, 2, 28)),
        (date(2026, 11, 30), "daily", date(2027, 2, 28)),
        (date(2024, 2, 29), "irregular", date(2025, 2, 28)),
    ],
)
def test_d16_twelve_months_and_sooner_by_cycle(day: date, cycle: str, expected: date) -> None:
    assert calendar.after(day, cycle) == expected


def test_d16_a_review_is_due_and_closing_it_moves_the_day(
    town: Any, clock: FixedClock, settle: Callable[[], None]
) -> None:
    made = open_dataset(town, settle, title="名单", update_cycle="daily")
    town.draft(title="草稿")
    assert due(town) == [("名单", "2026-09-01", False)]
    clock.advance(days=93)
    assert due(town, query="?overdue=true") == [("名单", "2026-09-01", True)]
    refused = town.editor.post(f"/datasets/{made['id']}/periodic-reviews", json={"outcome": "keep"})
    assert (refused.status_code, refused.json()["code"]) == (403, "body_reviewer_only")
    wrong = {"outcome": "restrict", "next_on": "2027-09-02"}
    answer = town.content.post(f"/datasets/{made['id']}/periodic-reviews", json=wrong)
    assert [e["code"] for e in answer.json()["errors"]] == ["outcome_needs_note", "review_day_outside"]
    done = town.content.post(
        f"/datasets/{made['name']}/periodic-reviews", json={"outcome": "keep", "note": "内容仍然准确"}
    )
    assert done.status_code == 201, done.text
    assert (done.json()["due_on"], done.json()["next_on"]) == ("2026-09-01", "2026-12-02")
    assert due(town) == [("名单", "2026-12-02", False)]
    [entry] = town.admin.get("/audit?action=dataset.reviewed").json()["results"]
    assert (entry["actor_name"], entry["details"]["outcome"]) == ("content", "keep")
    clock.advance(days=1)
    sooner = {"outcome": "update", "note": "补充字段", "next_on": "2026-10-01"}
    assert town.secrecy.post(f"/datasets/{made['id']}/periodic-reviews", json=sooner).status_code == 201
    assert due(town) == [("名单", "2026-10-01", False)]


def test_d16_an_overdue_review_raises_an_alert(
    town: Any, clock: FixedClock, settle: Callable[[], None], nightly: Callable[[], None]
) -> None:
    made = open_dataset(town, settle, title="名单")
    clock.advance(days=366)
    nightly()
    [alert] = town.content.get("/alerts").json()
    assert (alert["kind"], alert["title"], alert["due_on"]) == ("review_overdue", "名单", "2027-06-01")
    town.content.post(f"/datasets/{made['id']}/periodic-reviews", json={"outcome": "keep"})
    assert town.content.get("/alerts").json() == []


def test_d16_who_sees_the_calendar(town: Any, settle: Callable[[], None]) -> None:
    made = open_dataset(town, settle, title="名单")
    assert len(due(town, "editor")) == len(due(town, "judge")) == len(due(town, "watch")) == 1
    assert due(town, "stranger") == []
    assert town.client.get("/api/v1/periodic-reviews").status_code == 401
    assert (
        town.people["stranger"]
        .post(f"/datasets/{made['id']}/periodic-reviews", json={"outcome": "keep"})
        .status_code
        == 403
    )
    draft = town.draft(title="草稿")
    hidden = town.content.post(f"/datasets/{draft['id']}/periodic-reviews", json={"outcome": "keep"})
    assert hidden.json()["code"] == "dataset_not_found"
