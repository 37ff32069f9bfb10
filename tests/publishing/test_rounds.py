"""D15: the two reviews with their queue, deadlines, reminders, reasons by field, the difference of what comes back, and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from opendata.catalog.codes import ReviewDeadlines, codes
from opendata.core.clock import FixedClock
from opendata.review.rounds.models import ReviewRound
from opendata.work.actor import SYSTEM, Role

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten in the morning in Beijing."""
ROWS = b"a,b\n1,2\n"
Settle = Callable[[], None]


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(MONDAY)
    return app.place.clock


def in_review(office: Any, settle: Settle, **fields: Any) -> tuple[str, dict[str, Any]]:
    dataset = office.draft(**fields)["id"]
    office.upload(dataset, ROWS)
    release = office.submit(dataset)
    settle()
    return dataset, release


def notices(person: Any, **params: Any) -> list[str]:
    return [n["occasion"] for n in person.get("/notices", params=params).json()["results"]]


def test_d15_a_queue_knows_its_people_and_its_deadline(
    clock: FixedClock, office: Any, settle: Settle
) -> None:
    office.person("both", Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)
    _dataset, release = in_review(office, settle)
    [entry] = office.content.get("/reviews").json()
    assert entry["due_on"] == "2026-11-30"
    assert (entry["working_days_left"], entry["overdue"], entry["official_calendar"]) == (5, False, True)
    assert entry["reviewers"] == {"content": ["both", "content"], "secrecy": ["both", "secrecy"]}
    assert entry["number"] == "HOUSING-2026-0001"
    assert office.decide(release, "content").status_code == 201
    [entry] = office.secrecy.get("/reviews").json()
    assert entry["reviewers"] == {"secrecy": ["both", "secrecy"]}
    assert office.content.get("/reviews?mine=true").json() == []
    assert len(office.secrecy.get("/reviews?mine=true").json()) == 1
    assert office.secrecy.get("/reviews?overdue=true").json() == []


def test_d15_an_overdue_review_is_marked_and_its_reviewers_are_reminded(
    clock: FixedClock, office: Any, settle: Settle
) -> None:
    _dataset, release = in_review(office, settle, title="街道")
    assert notices(office.content) == ["review_waits"]
    assert office.decide(release, "content").status_code == 201
    clock.at = datetime(2026, 11, 29, 2, tzinfo=UTC)  # the day before it is due
    settle()
    settle()
    assert notices(office.secrecy) == ["review_soon", "review_waits"]
    clock.at = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)  # the last minute in Beijing
    settle()
    assert office.secrecy.get("/reviews?overdue=true").json() == []
    clock.at = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    settle()
    settle()
    [entry] = office.secrecy.get("/reviews?overdue=true").json()
    assert entry["working_days_left"] == -1
    assert notices(office.secrecy) == ["review_overdue", "review_soon", "review_waits"]
    assert notices(office.content, unread=True) == ["review_waits"], "who has decided is not reminded"
    [told] = office.secrecy.get("/notices?limit=1", headers={"Accept-Language": "zh"}).json()["results"]
    assert told["detail"].startswith("《街道》的保密审查已逾期，期限为 2026-11-30")
    assert office.decide(release, "secrecy").status_code == 201
    settle()
    assert notices(office.secrecy, unread=True) == [], "it is settled"
    assert notices(office.editor) == ["release_published"]


def test_notices_are_one_s_own(clock: FixedClock, office: Any, settle: Settle) -> None:
    in_review(office, settle)
    [notice] = office.content.get("/notices").json()["results"]
    assert office.secrecy.post("/notices/read", json={"notices": [notice["id"]]}).status_code == 204
    assert notices(office.content, unread=True) == ["review_waits"]
    assert office.content.post("/notices/read", json={"notices": [notice["id"]]}).status_code == 204
    assert notices(office.content, unread=True) == []
    assert office.client.get("/api/v1/notices").status_code == 401


def test_d15_a_rejection_names_fields_and_what_comes_back_shows_what_changed(
    clock: FixedClock, office: Any, settle: Settle
) -> None:
    dataset, release = in_review(office, settle, title="街道")
    resource = office.editor.get(f"/releases/{release['id']}").json()["validation"][0]["resource"]
    here = f"/releases/{release['id']}"
    body = {"kind": "content", "outcome": "reject", "content_hash": release["content_hash"]}
    assert office.content.post(f"{here}/decisions", json=body).json()["errors"][0]["field"] == "reason"
    wrong = {"fields": [{"field": "titel", "reason": "x"}, {"field": "title", "reason": " "}]}
    errors = office.content.post(f"{here}/decisions", json=body | wrong).json()["errors"]
    assert [(e["field"], e["code"]) for e in errors] == [
        ("fields.0.field", "unknown_place"),
        ("fields.1.reason", "missing"),
    ]
    said = [
        {"field": "title", "reason": "应写明年份"},
        {"field": f"resources.{resource}.name", "reason": "文件名不清"},
    ]
    assert office.content.post(f"{here}/decisions", json=body | {"fields": said}).status_code == 201
    told = office.editor.get(here).json()
    assert (told["state"], told["decisions"][0]["fields"]) == ("returned", said)
    assert "应写明年份; 文件名不清" in told["sentence"]
    assert notices(office.editor) == ["release_returned"]
    office.editor.patch(f"/datasets/{dataset}", json={"title": "街道（2026年）"})
    again = office.submit(dataset)
    settle()
    told = office.content.get(here).json()
    assert told["changed_since_return"] == [{"field": "title", "old": "街道", "new": "街道（2026年）"}]
    assert [r["result"] for r in told["rounds"]] == ["returned", "open"]
    assert [r["number"] for r in told["rounds"]] == ["HOUSING-2026-0001", "HOUSING-2026-0002"]
    for kind in ("content", "secrecy"):
        assert office.decide(again, kind).status_code == 201
    settle()
    assert office.editor.get(here).json()["rounds"][-1]["result"] == "approved"


def test_d15_an_edit_takes_the_round_back(clock: FixedClock, office: Any, settle: Settle) -> None:
    dataset, release = in_review(office, settle)
    office.editor.patch(f"/datasets/{dataset}", json={"title": "改过"})
    [row] = office.editor.get(f"/releases/{release['id']}").json()["rounds"]
    assert row["result"] == "taken_back"
    assert notices(office.content, unread=True) == []


def test_d15_numbers_are_unique_and_rounds_are_kept(clock: FixedClock, office: Any, settle: Settle) -> None:
    office.admin.post(
        "/agencies", json={"name": "water", "title": "水利局", "contact_email": "w@example.org"}
    )
    for _n in range(2):
        in_review(office, settle)
    clock.at = datetime(2027, 1, 4, 2, tzinfo=UTC)
    _dataset, release = in_review(office, settle)
    with office.app.place.reading(SYSTEM) as work:
        numbers = work.session.execute(select(ReviewRound.number).order_by(ReviewRound.opened_at)).scalars()
        assert list(numbers) == ["HOUSING-2026-0001", "HOUSING-2026-0002", "HOUSING-2027-0001"]
    assert office.content.get(f"/releases/{release['id']}").json()["rounds"][0]["official_calendar"] is False
    for statement in ("UPDATE review_round SET due_on = '2099-01-01'", "DELETE FROM review_round"):
        with Session(office.app.place._writing) as session, pytest.raises(DBAPIError, match="guard: a round"):
            session.execute(text(statement))


@pytest.mark.parametrize("settings", ["light"], indirect=True)
@pytest.mark.parametrize("overrides", [{"mail_url": "out", "mail_sender": "opendata@example.org"}])
def test_a_notice_goes_out_by_e_mail_once(
    clock: FixedClock, office: Any, settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    in_review(office, settle, title="街道")
    for _turn in range(3):
        settle()
    mails = sorted((tmp_path / "out").iterdir())
    assert len(mails) == 2, "one to each reviewer"
    whole = b"".join(mail.read_bytes() for mail in mails)
    assert b"To: content@example.org" in whole
    assert b"To: secrecy@example.org" in whole


def test_d15_the_deadline_is_the_site_s_or_the_body_s_own(
    office: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    office.app.place.clock = FixedClock(datetime(2026, 11, 23, 2, tzinfo=UTC))  # a Monday

    def due(**told: Any) -> str:
        changed = replace(codes(), review_deadlines=ReviewDeadlines(**told))
        monkeypatch.setattr("opendata.review.rounds.service.codes", lambda: changed)
        release = office.submit(office.link())
        settle()
        found: str = office.editor.get(f"/releases/{release['id']}").json()["rounds"][0]["due_on"]
        return found

    assert codes().review_deadlines.days("housing") == 5
    assert due(working_days=5, bodies={}) == "2026-11-30"
    assert due(working_days=3, bodies={"another": 9}) == "2026-11-26"
    assert due(working_days=3, bodies={"housing": 10}) == "2026-12-07"
    with pytest.raises(ValueError, match="working days"):
        ReviewDeadlines(0, {})
