"""The catalogue to a platform that has its own fields, codes and identifiers (a recorded shape): what it gets, what it refuses,
what happens when it is busy, gone or mute."""

from __future__ import annotations

from typing import Any

import pytest

from opendata.harvest.models import HarvestSource, HeldRecord
from opendata.reporting import difference, queries
from opendata.work.actor import SYSTEM
from tests.reporting.conftest import Reporting, counted, lines
from tests.support.province import TOKEN, Call, Province

light = pytest.mark.parametrize("settings", ["light"], indirect=True)


def test_in_its_fields_with_a_receipt_of_each(reporting: Reporting, above: Province) -> None:
    """Both shapes: the difference is SQL over the public catalogue."""
    first, second = reporting.publish("公园", "街道", description="全市名录")
    done = reporting.push()
    assert (done["status"], counted(done)) == ("done", {"created": 2}), done
    park = above.in_force()["公园"]
    assert park["cata_id"] == first
    assert (park["share_type"], park["dept_name"], park["org_path"]) == (
        "1",
        "市住房和城乡建设局",
        "江苏省/南通市",
    )
    assert [one["resource_id"] for one in park["resource_groups"]["file"]]
    line = lines(done)["公园"]
    assert above.records[line["receipt"]] == park
    assert (line["state"], line["status"], line["attempts"]) == ("done", 200, 1)
    assert line["sent_at"]

    asked = len(above.calls)
    assert counted(reporting.push()) == {"unchanged": 2}
    assert len(above.calls) == asked, "what has not changed costs no request"

    reporting.edit(second, description="各街道名录")
    changed = reporting.push()
    assert counted(changed) == {"updated": 1, "unchanged": 1}
    assert above.in_force()["街道"]["abstract"] == "各街道名录"
    assert len(above.records) == 2
    assert changed["counts_before"]["unchanged"] == 2

    reporting.withdraw(first)
    gone = reporting.push()
    assert counted(gone) == {"withdrawn": 1, "unchanged": 1}
    assert set(above.in_force()) == {"街道"}
    assert reporting.office.admin.get(reporting.path).json()["held"] == 1

    reporting.edit(first, description="又开放")
    assert counted(reporting.push()) == {"created": 1, "unchanged": 1}
    assert set(above.in_force()) == {"公园", "街道"}


@light
def test_a_dry_run_shows_the_difference_and_sends_nothing(reporting: Reporting, above: Province) -> None:
    reporting.publish("公园")
    plan = reporting.push(dry_run=True)
    assert (plan["status"], counted(plan)) == ("planned", {"created": 1})
    assert lines(plan)["公园"]["state"] == "planned"
    assert above.calls == []
    assert counted(reporting.push()) == {"created": 1}


@light
def test_only_what_is_public_is_ever_sent(reporting: Reporting, above: Province) -> None:
    reporting.office.link(title="草稿")
    (public,) = reporting.publish("公园")
    answer = reporting.office.editor.patch(f"/datasets/{public}", json={"description": "未审"})
    assert answer.status_code == 200
    assert counted(reporting.push()) == {"created": 1}
    assert "未审" not in str(above.calls)
    assert "草稿" not in str(above.calls)


@light
def test_what_is_withdrawn_before_its_turn_is_not_sent(reporting: Reporting, above: Province) -> None:
    _first, second = reporting.publish("公园", "街道")

    def before(call: Call) -> None:
        above.before = lambda _call: None
        reporting.withdraw(second)

    above.before = before
    done = reporting.push()
    assert counted(done) == {"created": 1, "left": 1}
    assert lines(done)["街道"]["told"] == [
        "It is not public now, so it was not sent. Nothing has to be done."
    ]
    assert set(above.in_force()) == {"公园"}


@light
def test_what_it_refuses_is_told_and_not_repeated_until_it_changes(
    reporting: Reporting, above: Province
) -> None:
    long = "全市住房租赁企业备案情况及信用评价结果一览表"
    (dataset,) = reporting.publish(long)
    reporting.publish("公园")
    done = reporting.push()
    assert (done["status"], counted(done)) == ("done", {"created": 1, "refused": 1})
    line = lines(done)[long]
    assert (line["state"], line["status"], line["message"]) == (
        "refused",
        400,
        "参数值校验不通过 title 不超过 20 字",
    )
    asked = len(above.calls)
    again = reporting.push()
    assert counted(again) == {"still_refused": 1, "unchanged": 1}
    assert "title 不超过 20 字" in lines(again)[long]["told"][0]
    assert len(above.calls) == asked
    assert counted(reporting.push(again=True)) == {"refused": 1, "unchanged": 1}
    reporting.edit(dataset, title="租赁企业名单")
    assert counted(reporting.push()) == {"created": 1, "unchanged": 1}
    notices = reporting.office.admin.get("/notices").json()["results"]
    assert {one["path"].rpartition("/")[2] for one in notices} >= {done["id"]}


@light
def test_what_its_map_has_no_word_for_is_refused_here(reporting: Reporting, above: Province) -> None:
    reporting.publish("公园")
    assert reporting.office.admin.patch("/agencies/housing", json={"uscc": None}).status_code == 200
    lacking = reporting.push()
    assert counted(lacking) == {"refused": 1}
    assert lines(lacking)["公园"]["told"][0].startswith("agency_uscc: ")
    assert above.calls == []


@light
def test_busy_it_is_asked_again_when_it_says(reporting: Reporting, above: Province) -> None:
    reporting.publish("公园", "街道")
    above.before = lambda _call: (429, {"description": "请稍候"}, {"Retry-After": "120"})
    waiting = reporting.push()
    assert waiting["status"] == "sending"
    line = lines(waiting)["公园"]
    assert (line["state"], line["status"], line["attempts"], line["message"]) == (
        "under_way",
        429,
        1,
        "请稍候",
    )
    reporting.later(60)
    reporting.settle()
    assert len(above.calls) == 1, "not before its time"
    above.before = lambda _call: None
    reporting.later(61)
    reporting.settle()
    done = reporting.report(waiting["id"])
    assert (done["status"], counted(done)) == ("done", {"created": 2})
    assert lines(done)["公园"]["attempts"] == 2
    assert len(above.records) == 2


@light
def test_what_cannot_be_brought_is_left_for_the_next_push(reporting: Reporting, above: Province) -> None:
    reporting.publish("公园", "街道")
    above.before = lambda call: (
        (503, {"description": "故障"}, {}) if call.body and call.body["title"] == "公园" else None
    )
    push = reporting.push()["id"]
    for _ in range(5):
        reporting.later(301)
        reporting.settle()
    done = reporting.report(push)
    assert (done["status"], counted(done)) == ("done", {"created": 1, "failed": 1})
    assert lines(done)["公园"]["attempts"] == 5
    above.before = lambda _call: None
    assert counted(reporting.push()) == {"created": 1, "unchanged": 1}


@light
def test_one_that_is_down_ends_the_push(reporting: Reporting, above: Province) -> None:
    reporting.publish("甲", "乙", "丙", "丁")
    above.before = lambda _call: (502, {}, {})
    push = reporting.push()["id"]
    for _ in range(20):
        reporting.later(301)
        reporting.settle()
    failed = reporting.report(push)
    assert (failed["status"], failed["failure_code"]) == ("failed", "report_down")
    assert counted(failed) == {"failed": 3, "left": 1}
    above.before = lambda _call: (503, {}, {"Retry-After": "86400"})
    assert reporting.push()["failure_code"] == "report_asked_to_wait"


@light
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "report_not_let_in"),
        (403, "report_not_let_in"),
        (404, "report_wrong_address"),
        (302, "report_wrong_address"),
    ],
)
def test_what_is_wrong_with_all_of_it_ends_the_push(
    reporting: Reporting, above: Province, status: int, code: str
) -> None:
    reporting.publish("公园", "街道")
    above.before = lambda _call: (status, {}, {"Location": "http://127.0.0.1:1/"})
    failed = reporting.push()
    assert (failed["status"], failed["failure_code"], counted(failed)) == ("failed", code, {"left": 2})
    assert len(above.calls) == 1
    assert TOKEN not in str(failed)
    above.before = lambda _call: None
    assert counted(reporting.push()) == {"created": 2}


@light
def test_what_arrived_unanswered_is_found_again_and_not_made_twice(
    reporting: Reporting, above: Province
) -> None:
    reporting.publish("公园")
    above.mute = 1
    push = reporting.push()["id"]
    assert len(above.records) == 1
    reporting.later(3)
    reporting.settle()
    done = reporting.report(push)
    assert (done["status"], counted(done)) == ("done", {"created": 1})
    assert len(above.records) == 1
    assert lines(done)["公园"]["receipt"] in above.records
    assert [call.method for call in above.calls] == ["POST", "GET", "PUT"]


@light
def test_what_it_lost_is_created_anew(reporting: Reporting, above: Province) -> None:
    (dataset,) = reporting.publish("公园")
    reporting.push()
    above.records.clear()
    reporting.edit(dataset, description="新")
    assert counted(reporting.push()) == {"updated": 1}
    assert above.in_force()["公园"]["abstract"] == "新"
    above.records.clear()
    reporting.withdraw(dataset)
    assert counted(reporting.push()) == {"withdrawn": 1}


@light
def test_many_withdrawals_need_somebody_who_says_so(reporting: Reporting, above: Province) -> None:
    made = reporting.publish(*(f"名录{number}" for number in range(7)))
    reporting.push()
    for dataset in made[:6]:
        reporting.withdraw(dataset)
    asked = len(above.calls)
    held = reporting.push()
    assert (held["status"], held["failure_code"]) == ("failed", "report_much_withdrawn")
    assert len(above.calls) == asked
    assert counted(reporting.push(withdrawals=True)) == {"withdrawn": 6, "unchanged": 1}
    assert len(above.in_force()) == 1


@light
def test_what_came_from_there_is_not_sent_back(reporting: Reporting, above: Province) -> None:
    """What only mentions the target in its address did not come from there."""
    harvested, own, other = reporting.publish("公园", "街道", "水质")
    with reporting.office.app.place.writing(SYSTEM) as work:
        body = reporting.office.app.directory.id_of(work, "housing")
        source = HarvestSource(
            id="s", name="s", kind="ckan", url="https://other.example.org", agency_id=body, options={}, limits={},
            created_at=work.now, updated_at=work.now,
        )  # fmt: skip
        work.session.add(source)
        work.session.flush()
        for dataset, origin in (
            (harvested, f"{above.place.upper()}/catalog/1"),
            (other, f"other.example.org/?from={above.place}"),
        ):
            work.session.add(
                HeldRecord(
                    source_id="s",
                    identifier=dataset,
                    dataset_id=dataset,
                    hash="",
                    fields={},
                    resources=[],
                    first_run_id="",
                    changed_run_id="",
                    origin=origin,
                    page="https://other.example.org/1",
                    missing_runs=0,
                )
            )
    done = reporting.push()
    assert counted(done) == {"theirs": 1, "created": 2}
    assert {one["cata_id"] for one in above.records.values()} == {own, other}


@light
def test_the_difference_is_the_same_piece_by_piece(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(difference, "_AT_ONCE", 2)
    monkeypatch.setattr(queries, "_AT_ONCE", 2)
    made = reporting.publish(*(f"数据 {number}" for number in range(7)))
    assert counted(reporting.push()) == {"created": 7}
    for dataset in made[:5]:
        reporting.withdraw(dataset)
    reporting.edit(made[6], title="新数据")
    assert counted(reporting.push(dry_run=True)) == {"withdrawn": 5, "updated": 1, "unchanged": 1}
    assert counted(reporting.push()) == {"withdrawn": 5, "updated": 1, "unchanged": 1}
    assert counted(reporting.push()) == {"unchanged": 2}


@light
def test_a_body_and_those_below(reporting: Reporting, above: Province) -> None:
    admin = reporting.office.admin
    for name, parent in (("below", "housing"), ("beside", None)):
        body: dict[str, Any] = {
            "name": name,
            "title": name,
            "parent": parent,
            "contact_email": "a@example.org",
        }
        assert admin.post("/agencies", json=body).status_code == 201, body
    reporting.set(agency="beside")
    reporting.publish("公园")
    assert counted(reporting.push()) == {}
    reporting.set(agency="housing")
    assert counted(reporting.push()) == {"created": 1}
    reporting.set(agency=None)
    assert counted(reporting.push()) == {"unchanged": 1}
    reporting.set(agency="below")
    assert counted(reporting.push()) == {"withdrawn": 1}
