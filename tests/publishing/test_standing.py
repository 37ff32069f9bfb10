"""D14, D15: a standing authority lets equal updates out by themselves, and any finding stops and suspends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from places import furnished
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from opendata.core.clock import FixedClock

pytestmark = pytest.mark.usefixtures("clock")
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Settle = Callable[[], None]


def rows(count: int, names: str = "站") -> bytes:
    return ("编号,名称\n" + "".join(f"{n:04d},{names}{n}\n" for n in range(count))).encode()


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(MONDAY)
    return app.place.clock


@furnished
def daily(office: Any, settle: Settle) -> tuple[str, str]:
    """A public dataset with a file of 100 rows, under an inventory line; its id and the resource's."""
    if not isinstance(office.app.place.clock, FixedClock):  # the test's own, where this is done for each test
        office.app.place.clock = FixedClock(MONDAY)
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "监测"}).json()
    dataset = office.draft(title="监测数据", inventory=[line["id"]])["id"]
    resource = office.upload(dataset, rows(100))["id"]
    office.publish(dataset, settle)
    return dataset, resource


def propose(office: Any, dataset: str, **changed: Any) -> Any:
    body = {
        "dataset": dataset, "source": "editor", "rows_drift": 10, "filled_drift": 5, "expires_on": "2027-06-30",
        "reason": "每日更新",
    }  # fmt: skip
    return office.editor.post("/standing-authorities", json=body | changed)


def approve(office: Any, row: dict[str, Any], *kinds: str) -> list[int]:
    here = f"/standing-authorities/{row['id']}/decisions"
    body = {"outcome": "approve", "terms_hash": row["terms_hash"]}
    return [office.people[kind].post(here, json=body | {"kind": kind}).status_code for kind in kinds]


@pytest.fixture
def authority(office: Any, daily: tuple[str, str]) -> dict[str, Any]:
    made = propose(office, daily[0])
    assert made.status_code == 201, made.text
    row: dict[str, Any] = made.json()
    assert approve(office, row, "content", "secrecy") == [200, 200]
    return row


def update(office: Any, settle: Settle, daily: tuple[str, str], data: bytes) -> dict[str, Any]:
    """The source delivers a file and submits it; the release afterwards."""
    dataset, resource = daily
    sent = office.editor.put(f"/resources/{resource}/file?name=rows.csv", content=data)
    assert sent.status_code == 200, sent.text
    release = office.submit(dataset)
    settle()
    found: dict[str, Any] = office.editor.get(f"/releases/{release['id']}").json()
    return found


def state(office: Any, authority: dict[str, Any]) -> tuple[str, list[str]]:
    told = office.editor.get(f"/standing-authorities/{authority['id']}").json()
    return told["state"], told["stopped_by"]


def test_d15_nothing_passes_before_both_have_approved(
    office: Any, daily: tuple[str, str], settle: Settle
) -> None:
    row = propose(office, daily[0]).json()
    assert approve(office, row, "content") == [200]
    assert update(office, settle, daily, rows(101))["state"] == "in_review"
    assert approve(office, row, "content") == [409]
    assert office.secrecy.get("/notices").json()["results"][-1]["occasion"] in (
        "review_waits",
        "standing_waits",
    )


def test_d15_an_update_in_bounds_goes_out_alone(
    office: Any, daily: tuple[str, str], authority: dict[str, Any], settle: Settle
) -> None:
    for count in (101, 105, 95):
        release = update(office, settle, daily, rows(count))
        assert (release["state"], release["policy"], release["decisions"]) == ("published", "standing", [])
    assert state(office, authority) == ("active", [])
    answer = office.client.get(f"/api/v1/resources/{daily[1]}/rows")
    assert answer.json()["total_count"] == 95
    lines = office.admin.get("/audit?action=standing.passed").json()["results"]
    assert len(lines) == 3
    assert lines[0]["details"]["authority"] == authority["id"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (rows(111), "行数由 100 变为 111"),
        (rows(89), "行数由 100 变为 89"),
        (rows(100).replace("名称".encode(), "称谓".encode()), "列名、列类型"),
        (("编号,名称\n" + "".join(f"{n:04d},{'' if n % 10 == 0 else n}\n" for n in range(100))).encode(), ""),
        (rows(99) + b"9999,13812345678\n", ""),
    ],
    ids=["more rows", "fewer rows", "another column", "emptier", "a mobile number"],
)
def test_d14_what_is_out_of_bounds_is_stopped_and_suspends(
    office: Any, daily: tuple[str, str], authority: dict[str, Any], settle: Settle, data: bytes, told: str
) -> None:
    release = update(office, settle, daily, data)
    assert release["state"] in ("in_review", "returned")
    answer = office.editor.get(
        f"/standing-authorities/{authority['id']}", headers={"Accept-Language": "zh"}
    ).json()
    assert answer["state"] == "suspended"
    assert answer["approvals"] == []
    assert told in answer["stopped_by"][0]
    assert "standing_stopped" in [n["occasion"] for n in office.secrecy.get("/notices").json()["results"]]
    assert office.client.get(f"/api/v1/resources/{daily[1]}/rows").json()["total_count"] == 100


def test_d15_a_suspended_one_needs_both_again(
    office: Any, daily: tuple[str, str], authority: dict[str, Any], settle: Settle
) -> None:
    assert update(office, settle, daily, rows(200))["state"] == "in_review"
    assert update(office, settle, daily, rows(101))["state"] == "in_review", "suspended: nothing passes"
    assert approve(office, authority, "content", "secrecy") == [200, 200]
    assert update(office, settle, daily, rows(102))["state"] == "published"


def test_d15_other_people_and_other_words_go_the_ordinary_way(
    office: Any, daily: tuple[str, str], authority: dict[str, Any], settle: Settle
) -> None:
    office.editor.patch(f"/datasets/{daily[0]}", json={"title": "另一名称"})
    release = office.submit(daily[0])
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "in_review"
    assert state(office, authority)[0] == "active", "it is no fault"


def test_d15_it_ends_at_its_last_day_and_when_it_is_ended(
    office: Any, clock: FixedClock, daily: tuple[str, str], authority: dict[str, Any], settle: Settle
) -> None:
    clock.at = datetime(2027, 6, 29, 16, tzinfo=UTC) + timedelta(hours=23)  # the last hour of the last day
    assert update(office, settle, daily, rows(101))["state"] == "published"
    clock.advance(hours=2)
    assert update(office, settle, daily, rows(102))["state"] == "in_review"
    assert "2027-06-30" in state(office, authority)[1][0]
    assert office.secrecy.delete(f"/standing-authorities/{authority['id']}").status_code == 204
    assert approve(office, authority, "content") == [409]


def test_d15_who_may_approve(office: Any, daily: tuple[str, str]) -> None:
    row = propose(office, daily[0], source="content").json()
    here = f"/standing-authorities/{row['id']}/decisions"
    body = {"kind": "content", "outcome": "approve", "terms_hash": row["terms_hash"]}
    assert office.content.post(here, json=body).json()["code"] == "reviewer_is_author", "the source"
    assert office.editor.post(here, json=body).json()["code"] == "reviewer_role_missing"
    assert (
        office.secrecy.post(here, json=body | {"kind": "secrecy", "terms_hash": "0" * 64}).status_code == 409
    )
    assert propose(office, daily[0]).json()["code"] == "standing_exists"
    assert (
        office.secrecy.post(here, json=body | {"kind": "secrecy", "outcome": "reject"}).json()["state"]
        == "ended"
    )
    errors = propose(office, daily[0], expires_on="2029-01-01", line="306001/99").json()["errors"]
    assert [e["code"] for e in errors] == ["standing_needs_line", "standing_expiry"]


def test_d14_the_database_asks_for_the_authority_too(
    office: Any, daily: tuple[str, str], authority: dict[str, Any], settle: Settle
) -> None:
    release = update(office, settle, daily, rows(300))
    publish = text("UPDATE release SET policy = 'standing', state = 'published' WHERE id = :release")
    passage = text(
        "INSERT INTO standing_passage (release_id, content_hash, authority_id, facts, passed_at)"
        " VALUES (:release, :hash, :authority, '{}', '2026-11-23 00:00:00')"
    )
    values = {"release": release["id"], "hash": release["content_hash"], "authority": authority["id"]}
    for before in ([], [passage]):
        with Session(office.app.place._writing) as session:
            for statement in before:
                session.execute(statement, values)
            with pytest.raises(DBAPIError, match="guard: publication needs two"):
                session.execute(publish, values)
    for statement in (
        "UPDATE standing_authority SET rows_drift = 100", "DELETE FROM standing_approval",
        "UPDATE standing_approval SET void_at = NULL", "DELETE FROM standing_authority",
    ):  # fmt: skip
        with Session(office.app.place._writing) as session, pytest.raises(DBAPIError, match="guard: "):
            session.execute(text(statement))
