"""Scheduled publication: approved before its time, out at its time and not before, past a restart, past the negative list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opendata.application import do_due
from opendata.core.clock import FixedClock

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TIME = "2026-12-01T09:00:00+08:00"
Settle = Callable[[], None]


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(NOW)
    return app.place.clock


def scheduled(office: Any, settle: Settle) -> tuple[str, dict[str, Any]]:
    """A release that both reviewers approved and whose time has not come."""
    dataset = office.draft(title="门诊量")["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    release = office.submit(dataset)
    settle()
    here = f"/releases/{release['id']}/schedule"
    assert office.editor.put(here, json={"publish_at": TIME}).status_code == 200
    for kind in ("content", "secrecy"):
        assert office.decide(release, kind).status_code == 201
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "scheduled"
    return dataset, release


def is_public(office: Any, dataset: str) -> bool:
    return bool(office.client.get(f"/api/v1/datasets/{dataset}").status_code == 200)


def test_a_scheduled_release_goes_out_at_its_time(clock: FixedClock, office: Any, settle: Settle) -> None:
    dataset, _release = scheduled(office, settle)
    clock.at = datetime(2026, 12, 1, 0, 59, 59, tzinfo=UTC)
    settle()
    assert not is_public(office, dataset)
    clock.advance(seconds=1)
    settle()
    settle()
    assert is_public(office, dataset)


def test_what_became_due_while_no_server_ran_goes_out(clock: FixedClock, office: Any, settle: Settle) -> None:
    """Nothing but the database remembers it: the next turn of any server's clock finds it."""
    dataset, _release = scheduled(office, settle)
    clock.at = NOW + timedelta(days=30)
    do_due(office.app)
    settle()
    assert is_public(office, dataset)


def test_d13_the_negative_list_is_asked_again_at_that_time(
    clock: FixedClock, office: Any, settle: Settle
) -> None:
    dataset, release = scheduled(office, settle)
    entry = {
        "subject": "就诊", "ground": "personal_privacy", "basis": "法", "approved_by": "组", "review_on": "2099-01-01",
        "keywords": ["门诊"],
    }  # fmt: skip
    assert office.admin.post("/negative-list", json=entry).status_code == 201
    clock.at = NOW + timedelta(days=30)
    settle()
    settle()
    assert not is_public(office, dataset)
    told = office.editor.get(f"/releases/{release['id']}").json()
    assert (told["state"], told["rounds"][0]["result"]) == ("returned", "returned")
    assert list(office.app.stores.public.objects()) == []


def test_an_approved_time_can_only_be_put_off(clock: FixedClock, office: Any, settle: Settle) -> None:
    dataset, release = scheduled(office, settle)
    here = f"/releases/{release['id']}/schedule"
    for earlier in ("2026-11-30T09:00:00+08:00", None):
        answer = office.editor.put(here, json={"publish_at": earlier})
        assert (answer.status_code, answer.json()["code"]) == (409, "schedule_only_later")
    assert office.editor.put(here, json={"publish_at": "2026-12-02T09:00:00+08:00"}).status_code == 200
    clock.at = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    settle()
    assert not is_public(office, dataset)
    assert office.content.put(here, json={"publish_at": TIME}).status_code == 403
    clock.at = datetime(2026, 12, 2, 1, 0, tzinfo=UTC)
    settle()
    settle()
    assert is_public(office, dataset)
    assert office.editor.put(here, json={"publish_at": None}).json()["code"] == "schedule_over"


@pytest.mark.parametrize(
    "at", ["2026-11-23T10:00:00+08:00", "2029-01-01T00:00:00Z", "2026-12-01T09:00:00", "x"]
)
def test_a_time_lies_in_the_future_and_has_an_offset(
    clock: FixedClock, office: Any, settle: Settle, at: str
) -> None:
    dataset = office.draft()["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    release = office.submit(dataset)
    answer = office.editor.put(f"/releases/{release['id']}/schedule", json={"publish_at": at})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "publish_at"


def test_an_edit_of_a_scheduled_release_needs_both_reviews_again(
    clock: FixedClock, office: Any, settle: Settle
) -> None:
    dataset, release = scheduled(office, settle)
    office.editor.patch(f"/datasets/{dataset}", json={"title": "改过"})
    clock.at = NOW + timedelta(days=30)
    settle()
    settle()
    assert not is_public(office, dataset)
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "draft"
