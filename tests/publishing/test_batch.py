"""Many datasets in one call: each by itself, few statements for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from statements import statements

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
OF_EACH = 10
"""Statements of a dataset with three links, its savepoint among them."""


def entry(number: int, **more: Any) -> dict[str, Any]:
    links = [{"url": f"https://example.org/{number}-{n}.csv", "name": f"第 {n} 部分"} for n in range(3)]
    return {
        "agency": "housing", "title": f"住房租赁企业名单（{number}）", "name": f"list-{number}", "source_id": f"s{number}",
        "resources": links, **more,
    }  # fmt: skip


def sent(person: Any, datasets: list[Any], query: str = "", *, submit: bool = False) -> dict[str, Any]:
    answer = person.post(f"/datasets/batch{query}", json={"datasets": datasets, "submit": submit})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_each_is_made_as_if_it_had_been_sent_alone(office: Any) -> None:
    told = sent(office.editor, [entry(number) for number in range(3)])
    assert (told["made"], told["refused"], told["dry_run"]) == (3, 0, False)
    for number, outcome in enumerate(told["outcomes"]):
        made = office.editor.get(f"/datasets/{outcome['dataset']['id']}").json()
        assert (outcome["index"], outcome["status"], outcome["dataset"]["state"]) == (number, 201, "draft")
        assert made["name"] == outcome["dataset"]["name"] == f"list-{number}"
        assert [r["url"] for r in made["resources"]] == [r["url"] for r in entry(number)["resources"]]
    alone = office.draft(title="住房租赁企业名单（0）")
    whole = office.editor.get(f"/datasets/{told['outcomes'][0]['dataset']['id']}").json()
    assert whole["draft"]["defaulted"] == alone["draft"]["defaulted"]


def test_a_wrong_one_leaves_the_others_alone(office: Any) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "市水务局"})
    told = sent(
        office.editor,
        [
            entry(0),
            entry(1, title="", region="x", resources=[{"url": "https://x.org"}, {"url": "ftp://x.org"}]),
            entry(2, name="list-0"),
            entry(3, agency="water"),
            entry(4, agency="nobody"),
            entry(5, source_id="s0"),
            entry(6, inventory=["306001/999999"]),
            7,
            entry(8),
        ],
    )
    assert [outcome["status"] for outcome in told["outcomes"]] == [
        201,
        422,
        409,
        403,
        404,
        409,
        422,
        422,
        201,
    ]
    assert (told["made"], told["refused"]) == (2, 7)
    fields = {error["field"] for error in told["outcomes"][1]["problem"]["errors"]}
    assert fields == {"title", "region", "resources.1.url"}
    assert told["outcomes"][2]["problem"]["code"] == "name_taken"
    assert told["outcomes"][6]["problem"]["errors"][0]["field"] == "inventory"
    there = [office.editor.get(f"/datasets/list-{number}").status_code for number in range(9)]
    assert [number for number, status in enumerate(there) if status == 200] == [0, 8]
    audit = office.admin.get("/audit?action=dataset.created").json()["results"]
    assert {line["details"]["name"] for line in audit} == {"list-0", "list-8"}


def test_a_refused_one_is_told_in_the_language_of_its_reader(office: Any) -> None:
    answer = office.editor.post(
        "/datasets/batch", json={"datasets": [{"title": "x"}]}, headers={"Accept-Language": "zh"}
    )
    (error,) = answer.json()["outcomes"][0]["problem"]["errors"]
    assert (error["field"], error["detail"][:2]) == ("agency", "此项")


@light
def test_a_dry_run_keeps_nothing(office: Any) -> None:
    told = sent(office.editor, [entry(0), entry(1, title="")], "?dry_run=true", submit=True)
    assert [outcome["status"] for outcome in told["outcomes"]] == [201, 422]
    assert told["dry_run"] is True
    assert office.editor.get("/datasets/list-0").status_code == 404
    assert office.admin.get("/audit?action=dataset.created").json()["results"] == []


def test_what_is_handed_in_at_once_goes_out_by_the_policy(office: Any, settle: Callable[[], None]) -> None:
    told = sent(office.editor, [entry(0), entry(1, resources=[])], submit=True)
    assert [outcome["status"] for outcome in told["outcomes"]] == [201, 422]
    assert told["outcomes"][0]["dataset"]["state"] == "in_review"
    settle()
    made = office.editor.get(f"/datasets/{told['outcomes'][0]['dataset']['id']}").json()
    assert made["draft"]["release_state"] == "in_review"
    assert office.client.get("/api/v1/datasets").json()["total"] == 0


@light
def test_bounds(office: Any, client: Any) -> None:
    assert office.editor.post("/datasets/batch", json={"datasets": []}).status_code == 422
    many = {"datasets": [{"agency": "housing", "title": "x"}] * 1001}
    assert office.editor.post("/datasets/batch", json=many).status_code == 422
    links = [{"url": "https://example.org"}] * 1001
    assert [o["status"] for o in sent(office.editor, [entry(0, resources=links)])["outcomes"]] == [422]
    assert client.post("/api/v1/datasets/batch", json={"datasets": [entry(0)]}).status_code == 401


@light
def test_another_dataset_costs_few_statements(office: Any) -> None:
    def counted(many: int, begin: int) -> int:
        with statements(office.app.place._writing) as found:
            assert sent(office.editor, [entry(begin + n) for n in range(many)])["made"] == many
        return len(found)

    one, twenty = counted(1, 0), counted(21, 100)
    assert twenty - one <= 20 * OF_EACH, (twenty - one) / 20
