"""D15: somebody reviews for an absent reviewer, on those days, bound by what binds either of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from opendata.core.clock import FixedClock
from opendata.work.actor import Role

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
AWAY = {
    "agency": "housing",
    "delegate": "deputy",
    "first_day": "2026-11-24",
    "last_day": "2026-11-25",
    "reason": "出差",
}
Settle = Callable[[], None]


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(MONDAY)
    return app.place.clock


@pytest.fixture
def deputy(clock: FixedClock, office: Any) -> Any:
    """Works for the body, and reviews nothing of their own."""
    return office.person("deputy", Role.EDITOR)


def in_review(office: Any, settle: Settle) -> dict[str, Any]:
    dataset = office.draft()["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    release: dict[str, Any] = office.submit(dataset)
    settle()
    return release


def decide(person: Any, release: dict[str, Any], kind: str) -> Any:
    body = {"kind": kind, "outcome": "approve", "content_hash": release["content_hash"]}
    return person.post(f"/releases/{release['id']}/decisions", json=body)


def test_d15_a_delegate_decides_on_these_days_and_on_no_others(
    clock: FixedClock, office: Any, deputy: Any, settle: Settle
) -> None:
    release = in_review(office, settle)
    made = office.secrecy.post("/delegations", json=AWAY)
    assert made.status_code == 201, made.text
    assert decide(deputy, release, "secrecy").status_code == 403, "a day early"
    clock.advance(days=1)
    [entry] = deputy.get("/reviews").json()
    assert (entry["for_me"], entry["reviewers"]["secrecy"]) == (["secrecy"], ["deputy", "secrecy"])
    assert decide(deputy, release, "content").status_code == 403, "the other decision was not delegated"
    answer = decide(deputy, release, "secrecy").json()
    assert (answer["reviewer"], answer["on_behalf_of"]) == ("deputy", "secrecy")
    assert office.decide(release, "content").status_code == 201
    settle()
    assert office.client.get("/api/v1/datasets").json()["total"] == 1
    other = in_review(office, settle)
    clock.advance(days=2)
    assert decide(deputy, other, "secrecy").status_code == 403, "a day late"
    lines = office.admin.get("/audit?action=delegation.").json()["results"]
    assert [(line["action"], line["details"]["absent"]) for line in lines] == [("delegation.made", "secrecy")]


def test_d15_a_delegate_who_wrote_it_does_not_review_it(
    clock: FixedClock, office: Any, deputy: Any, settle: Settle
) -> None:
    dataset = office.draft()["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    assert deputy.patch(f"/datasets/{dataset}", json={"title": "副职改过"}).status_code == 200
    release = office.submit(dataset)
    settle()
    office.secrecy.post("/delegations", json=AWAY | {"first_day": "2026-11-23"})
    assert decide(deputy, release, "secrecy").json()["code"] == "reviewer_is_author"


def test_d15_one_person_does_not_decide_both_by_a_delegate(
    clock: FixedClock, office: Any, deputy: Any, settle: Settle
) -> None:
    both = office.person("both", Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)
    release = in_review(office, settle)
    assert decide(both, release, "content").status_code == 201
    both.post("/delegations", json=AWAY | {"first_day": "2026-11-23"})
    assert decide(deputy, release, "secrecy").json()["code"] == "same_reviewer_twice"
    away = AWAY | {"first_day": "2026-11-23", "last_day": "2026-11-23"}
    assert office.secrecy.post("/delegations", json=away | {"delegate": "content"}).status_code == 201


def test_d15_the_database_counts_the_absent_person_too(
    clock: FixedClock, office: Any, deputy: Any, settle: Settle
) -> None:
    release = in_review(office, settle)
    content = office.content.get("/me").json()["id"]
    assert office.decide(release, "content").status_code == 201
    insert = (
        "INSERT INTO decision (id, release_id, kind, outcome, content_hash, reason, reviewer_id, on_behalf_of,"
        " decided_at) VALUES ('x', :release, 'secrecy', 'approve', :hash, '', :reviewer, :absent, '2026-11-23 00:00:00')"
    )
    values = {"release": release["id"], "hash": release["content_hash"]}
    publish = text("UPDATE release SET state = 'published' WHERE id = :release")
    reviewer = deputy.get("/me").json()["id"]
    with Session(office.app.place._writing) as session:
        session.execute(text(insert), values | {"reviewer": reviewer, "absent": content})
        with pytest.raises(DBAPIError, match="guard: publication needs two"):
            session.execute(publish, {"release": release["id"]})
    author = office.editor.get("/me").json()["id"]
    with (
        Session(office.app.place._writing) as session,
        pytest.raises(DBAPIError, match="guard: nobody reviews"),
    ):
        session.execute(text(insert), values | {"reviewer": reviewer, "absent": author})


def test_d15_delegated_roles_are_not_handed_on(
    clock: FixedClock, office: Any, deputy: Any, settle: Settle
) -> None:
    office.secrecy.post("/delegations", json=AWAY | {"first_day": "2026-11-23"})
    third = office.person("third", Role.EDITOR)
    answer = deputy.post("/delegations", json=AWAY | {"first_day": "2026-11-23", "delegate": "third"})
    assert answer.json()["errors"][0]["code"] == "absent_no_reviewer"
    assert decide(third, in_review(office, settle), "secrecy").status_code == 403


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"delegate": "secrecy"}, "delegate", "delegate_is_absent"),
        ({"delegate": "stranger"}, "delegate", "delegate_outside"),
        ({"last_day": "2026-11-23"}, "last_day", "day_before_first"),
        ({"first_day": "2026-11-20", "last_day": "2026-11-22"}, "last_day", "day_in_past"),
        ({"last_day": "2028-11-23"}, "last_day", "delegation_too_long"),
        ({"reason": " "}, "reason", "missing"),
    ],
)
def test_what_is_wrong_is_named(
    office: Any, deputy: Any, changed: dict[str, str], field: str, code: str
) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
    office.person("stranger", *Role, agency="water")
    answer = office.secrecy.post("/delegations", json=AWAY | changed)
    assert answer.status_code == 422, answer.text
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)


def test_who_may_delegate_and_end_it(clock: FixedClock, office: Any, deputy: Any, settle: Settle) -> None:
    boss = office.person("boss", Role.ADMIN)
    refused = office.content.post("/delegations", json=AWAY | {"absent": "secrecy"})
    assert refused.json()["code"] == "delegation_not_yours"
    made = boss.post("/delegations", json=AWAY | {"absent": "secrecy", "first_day": "2026-11-23"}).json()
    assert made["in_force"]
    assert office.secrecy.post("/delegations", json=AWAY).json()["code"] == "delegation_overlaps"
    for person, count in ((office.secrecy, 1), (deputy, 1), (boss, 1), (office.content, 0)):
        assert len(person.get("/delegations").json()) == count
    here = f"/delegations/{made['id']}"
    assert office.content.delete(here).status_code == 404
    assert deputy.delete(here).status_code == 403
    release = in_review(office, settle)
    assert office.secrecy.delete(here).status_code == 204
    assert decide(deputy, release, "secrecy").status_code == 403
    assert office.secrecy.delete(here).json()["code"] == "delegation_over"
    told = deputy.get("/notices", headers={"Accept-Language": "zh"}).json()["results"]
    assert {n["occasion"] for n in told} == {"delegated", "review_waits", "delegation_ended"}
