"""Rows that are public as soon as they are written (policy `direct`) are held against the negative list and screened first:
what is found refuses the batch, in CKAN's shape, naming column, rule and remedy. Under `reviewed` they are screened as the
draft's file, before the reviewers see it."""

from __future__ import annotations

from typing import Any

import pytest

from opendata.review.models import RowWaiver
from opendata.tables.rows.models import RowChange
from opendata.work.actor import SYSTEM, Role

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
direct = pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
PERSON = {"name": "王小明", "card": "11010519491231002X"}
FIELDS = [
    {"id": "name", "type": "text", "info": {"label": "姓名"}},
    {"id": "card", "type": "text", "info": {"label": "证件号码"}},
]
NEGATIVE = {
    "subject": "病历", "ground": "personal_privacy", "basis": "《个人信息保护法》第二十八条", "items": ["诊断结果"],
    "approved_by": "市政务公开办", "review_on": "2030-01-01",
}  # fmt: skip


def opened(callers: Any, **args: Any) -> dict[str, Any]:
    callers.create("cards", title="Cards", notes="n", license_id="cc-by-4.0")
    return {"resource": {"package_id": "cards", "name": "t"}, "fields": FIELDS, **args}


def made(callers: Any, **args: Any) -> str:
    resource: str = callers.editor.ok("datastore_create", **opened(callers, **args))["resource_id"]
    callers.settle()
    return resource


def total(callers: Any, resource: str) -> int:
    found: int = callers.public.ok("datastore_search", resource_id=resource, limit=0)["total"]
    return found


def parts(office: Any) -> int:
    with office.app.place.reading(SYSTEM) as work:
        found: int = work.session.query(RowChange).count()
        return found


@direct
def test_d14_a_batch_with_a_finding_is_refused_whole_and_says_what_to_do(callers: Any, office: Any) -> None:
    resource = made(callers)
    fine = [{"name": f"项目{n}", "card": f"X{n}"} for n in range(20)]
    error = callers.editor.fails(
        409, "datastore_upsert", resource_id=resource, method="insert", records=[*fine, PERSON]
    )
    assert error["__type"] == "Validation Error"
    told = {one["column"]: one for one in error["screening"]}
    assert told["card"]["rule"] == "resident_id"
    assert told["card"]["count"] == 1
    assert "11010519491231002X" not in str(error)
    assert f"/api/v1/resources/{resource}/row-waivers" in told["card"]["detail"]["zh"]
    assert any('"card"' in text and "ready schema" in text for text in error["records"])
    assert total(callers, resource) == 0
    assert callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=fine)
    assert total(callers, resource) == 20


@direct
@pytest.mark.parametrize("method", ["insert", "upsert", "update"])
def test_d14_no_way_of_writing_is_let_off(callers: Any, office: Any, method: str) -> None:
    resource = made(callers, records=[{"name": "甲", "card": "1"}], primary_key="name")
    before = parts(office)
    record = PERSON if method != "update" else {"name": "甲", "card": PERSON["card"]}
    for dry in (True, False):
        callers.editor.fails(
            409, "datastore_upsert", resource_id=resource, method=method, records=[record], dry_run=dry
        )
    callers.editor.fails(409, "datastore_create", resource_id=resource, records=[PERSON])
    assert parts(office) == before
    assert not list((office.app.settings.data_dir / "row-journal").rglob("2-*.parquet"))


@direct
def test_d14_creating_with_findings_leaves_nothing_behind(callers: Any) -> None:
    error = callers.editor.fails(409, "datastore_create", **opened(callers, records=[PERSON]))
    assert {one["column"] for one in error["screening"]} == {"name", "card"}
    assert callers.public.ok("package_show", id="cards")["resources"] == []


@direct
def test_d14_numbers_are_found_in_columns_of_numbers(callers: Any) -> None:
    fields = [{"id": "手机", "type": kind} for kind in ("int8",)] + [{"id": "家庭电话", "type": "numeric"}]
    resource = made(callers, fields=fields)
    error = callers.editor.fails(
        409,
        "datastore_upsert",
        resource_id=resource,
        method="insert",
        records=[{"手机": 13800138000 + n, "家庭电话": 13900139000 + n} for n in range(9)],
    )
    assert {one["column"] for one in error["screening"]} == {"手机", "家庭电话"}


@direct
def test_d14_a_row_alone_is_judged_beside_those_that_are_there(callers: Any) -> None:
    """One dated number in eleven passes the checksum by chance: beside others a batch of one row proves nothing by itself."""
    resource = made(callers, fields=[{"id": "flow", "type": "text"}])
    writing = {"resource_id": resource, "method": "insert"}
    passing = [{"flow": "110105194912310038"}]
    callers.editor.fails(409, "datastore_upsert", **writing, records=passing)
    others = [{"flow": f"1101051949123101{n:02d}"} for n in range(20)]
    callers.editor.ok("datastore_upsert", **writing, records=others)
    callers.editor.ok("datastore_upsert", **writing, records=passing)
    assert total(callers, resource) == 21


@direct
def test_d14_a_waiver_of_a_secrecy_reviewer_lets_pass_and_can_be_ended(callers: Any, office: Any) -> None:
    resource = made(callers)
    here = f"/resources/{resource}/row-waivers"
    asked = {"column": "card", "rule": "resident_id", "reason": "双公示名单，依法公开"}
    assert office.editor.post(here, json=asked).status_code == 403
    assert office.secrecy.post(here, json={**asked, "reason": " "}).status_code == 422
    waiver = office.secrecy.post(here, json=asked)
    assert waiver.status_code == 201, waiver.text
    assert office.secrecy.post(here, json=asked).json()["id"] == waiver.json()["id"]
    error = callers.editor.fails(
        409, "datastore_upsert", resource_id=resource, method="insert", records=[PERSON]
    )
    assert [one["column"] for one in error["screening"]] == ["name"]
    assert office.secrecy.post(here, json={**asked, "column": "name", "rule": "person"}).status_code == 201
    assert callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=[PERSON])
    assert total(callers, resource) == 1
    assert office.secrecy.delete(f"{here}/{waiver.json()['id']}").status_code == 204
    assert office.secrecy.delete(f"{here}/{waiver.json()['id']}").status_code == 404
    callers.editor.fails(409, "datastore_upsert", resource_id=resource, method="insert", records=[PERSON])
    told = office.editor.get(here).json()
    assert [(one["column"], bool(one["ended_at"])) for one in told] == [("name", False), ("card", True)]
    actions = [entry["action"] for entry in office.admin.get(f"/audit?subject={resource}").json()["results"]]
    assert [action for action in actions if "waive" in action] == [
        "rows.waiver_ended",
        "rows.waived",
        "rows.waived",
    ]


@direct
def test_d14_nobody_waives_the_own_rows(callers: Any, office: Any) -> None:
    both = office.person("both", Role.EDITOR, Role.SECRECY_REVIEWER, Role.ADMIN)
    resource = made(callers)
    for column, rule in (("card", "resident_id"), ("name", "person")):
        asked = {"column": column, "rule": rule, "reason": "依法公开"}
        assert both.post(f"/resources/{resource}/row-waivers", json=asked).status_code == 201
    writing = {"resource_id": resource, "method": "insert", "records": [PERSON]}
    caller = type(callers.editor)(callers.editor.client, both.token)
    caller.fails(409, "datastore_upsert", **writing)
    callers.editor.ok("datastore_upsert", **writing)


@direct
def test_d14_a_waiver_cannot_be_rewritten(callers: Any, office: Any) -> None:
    resource = made(callers)
    asked = {"column": "card", "rule": "resident_id", "reason": "依法公开"}
    office.secrecy.post(f"/resources/{resource}/row-waivers", json=asked)
    for change in ("UPDATE row_waiver SET reason = 'x'", "DELETE FROM row_waiver"):
        with pytest.raises(Exception, match="guard"), office.app.place.writing(SYSTEM) as work:
            work.session.connection().exec_driver_sql(change)
    with office.app.place.reading(SYSTEM) as work:
        assert work.session.query(RowWaiver).one().reason == "依法公开"


@direct
def test_d29_a_ready_schema_with_a_legal_basis_lets_its_numbers_pass(callers: Any, office: Any) -> None:
    fields = [{"id": "姓名", "type": "text"}, {"id": "联系电话", "type": "text"}]
    resource = made(callers, fields=fields)
    people = [
        {"姓名": name, "联系电话": f"1380013{n:04d}"} for n, name in enumerate(("王小明", "李建国", "张三"))
    ]
    writing = {"resource_id": resource, "method": "insert", "records": people}
    error = callers.editor.fails(409, "datastore_upsert", **writing)
    assert ("联系电话", "mobile") in {(one["column"], one["rule"]) for one in error["screening"]}
    named = office.editor.patch(f"/resources/{resource}", json={"schema_name": "medical_institution"})
    assert named.status_code == 200, named.text
    callers.editor.ok("datastore_upsert", **writing)


@direct
def test_d13_the_negative_list_bars_columns_and_bodies(callers: Any, office: Any) -> None:
    resource = made(callers)
    entry = office.admin.post("/negative-list", json=NEGATIVE).json()["number"]
    column = {"id": "zd", "type": "text", "info": {"label": "诊断结果"}}
    error = callers.editor.fails(409, "datastore_create", resource_id=resource, fields=[*FIELDS, column])
    assert entry in error["fields"][0]
    assert error["fields"][0].startswith("zd: ")
    assert callers.editor.ok(
        "datastore_upsert", resource_id=resource, method="insert", records=[{"name": "a"}]
    )
    whole = {**NEGATIVE, "subject": "全部", "agency": "housing", "items": []}
    assert office.admin.post("/negative-list", json=whole).status_code == 201
    callers.editor.fails(
        409, "datastore_upsert", resource_id=resource, method="insert", records=[{"name": "b"}]
    )
    assert total(callers, resource) == 1


@direct
def test_d14_what_is_told_of_a_column_is_screened_too(callers: Any) -> None:
    resource = made(callers)
    noted = {"id": "n", "type": "text", "info": {"notes": "有疑问请联系王小明 11010519491231002X"}}
    error = callers.editor.fails(409, "datastore_create", resource_id=resource, fields=[*FIELDS, noted])
    assert [(one["column"], one["rule"]) for one in error["screening"]] == [("n", "resident_id")]


def test_d14_rows_of_a_draft_are_screened_before_the_reviewers_see_them(callers: Any, office: Any) -> None:
    resource = made(callers, records=[PERSON])
    callers.editor.ok("dataset_submit", id="cards")
    callers.settle()
    dataset = office.editor.get("/datasets/cards").json()
    release = office.editor.get(f"/releases/{dataset['draft']['release']['id']}").json()
    assert release["state"] == "returned"
    found = {(one["resource"], one["place"], one["rule"]) for one in release["screening"] if one["blocks"]}
    assert found == {(resource, "card", "resident_id")}
    assert [one["id"] for one in office.secrecy.get("/reviews").json()] == []
