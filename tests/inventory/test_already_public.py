"""D13: a new entry of the negative list tells at once what is public and matches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opendata.supervision import schedule
from tests.support.town import open_dataset

ENTRY = {
    "subject": "信访人员信息", "keywords": ["信访人"], "ground": "personal_privacy",
    "basis": "《个人信息保护法》第二十八条", "approved_by": "市政务公开领导小组", "review_on": "2099-06-30",
}  # fmt: skip
Settle = Callable[[], None]


@pytest.fixture
def public(office: Any, settle: Settle) -> dict[str, Any]:
    open_dataset(office, settle, title="街道代码")
    return open_dataset(office, settle, title="信访人登记统计")


def test_d13_what_is_public_and_matches_is_on_the_answer_and_its_body_is_told(
    office: Any, public: dict[str, Any]
) -> None:
    made = office.admin.post("/negative-list", json=ENTRY)
    assert made.status_code == 201, made.text
    found = made.json()["already_public"]
    assert [(one["dataset"], one["agency"], one["field"], one["word"]) for one in found] == [
        (public["id"], "housing", "title", "信访人")
    ]
    assert office.client.get(f"/api/v1/datasets/{public['id']}").status_code == 200, "it is not withdrawn"
    for name in ("editor", "content", "secrecy"):
        told = office.people[name].get("/notices").json()["results"]
        mine = [one for one in told if one["occasion"] == "forbidden_yet_public"]
        assert len(mine) == 1, name
        assert "信访人员信息" in str(mine[0])
    # Another change of the entry is no news of the same dataset.
    again = office.admin.patch(f"/negative-list/{made.json()['number']}", json={"approved_by": "市保密局"})
    assert len(again.json()["already_public"]) == 1
    told = office.editor.get("/notices").json()["results"]
    assert len([one for one in told if one["occasion"] == "forbidden_yet_public"]) == 1
    # What the entry no longer forbids is not listed.
    narrower = office.admin.patch(f"/negative-list/{made.json()['number']}", json={"keywords": ["举报人"]})
    assert narrower.json()["already_public"] == []


def test_d13_columns_and_lines_are_looked_at_too(office: Any, public: dict[str, Any]) -> None:
    made = office.admin.post("/negative-list", json=ENTRY | {"keywords": [], "items": ["街道"]}).json()
    assert {one["field"] for one in made["already_public"]} == {"resources.0.columns"}
    later = office.admin.post("/negative-list", json=ENTRY | {"valid_from": "2099-01-01"})
    assert later.json()["already_public"] == [], "it does not bind yet"


def test_d13_what_stays_public_becomes_an_order_and_its_withdrawal_answers_it(
    office: Any, public: dict[str, Any], settle: Settle
) -> None:
    office.admin.post("/negative-list", json=ENTRY)
    schedule.inspect(office.app.place)
    orders = office.admin.get("/rectifications").json()["results"]
    mine = [one for one in orders if one["cause"] == "forbidden_yet_public"]
    assert [(one["agency"], one["state"]) for one in mine] == [("housing", "open")]
    assert "信访人登记统计" in mine[0]["demand"]
    office.editor.post(f"/datasets/{public['id']}/withdraw", json={"reason": "负面清单"})
    settle()
    schedule.inspect(office.app.place)
    assert office.admin.get(f"/rectifications/{mine[0]['number']}").json()["state"] == "answered"
