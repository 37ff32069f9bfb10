"""Drafts over HTTP: dry runs, the agency's own identifiers, files, links, the direct policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from opendata.work.audit import AuditRow, verify

API = "/api/v1"


def trail(office: Any) -> int:
    """How many lines the audit trail has; it holds together."""
    with office.app.place.reading() as work:
        assert list(verify(work.session)) == []
        return int(work.session.execute(select(func.count()).select_from(AuditRow)).scalar_one())


def test_a_dry_run_checks_and_shows_and_stores_nothing(office: Any) -> None:
    dataset = office.draft(title="旧")
    before, lines = office.editor.get(f"/datasets/{dataset['id']}").json(), trail(office)
    patch = office.editor.patch(
        f"/datasets/{dataset['id']}?dry_run=true", json={"title": "新", "keywords": ["a"]}
    )
    assert patch.status_code == 200
    assert {c["field"]: (c["old"], c["new"]) for c in patch.json()["changes"]} == {
        "title": ("旧", "新"),
        "keywords": (None, ["a"]),
    }
    made = office.editor.post(
        "/datasets?dry_run=true", json={"agency": "housing", "title": "x", "name": "planned"}
    )
    assert made.status_code == 200
    assert {"field": "name", "old": None, "new": "planned"} in made.json()["changes"]
    link = office.editor.post(
        f"/datasets/{dataset['id']}/resources?dry_run=true", json={"url": "https://example.org/x"}
    )
    assert [c["new"] for c in link.json()["changes"]] == ["https://example.org/x"]
    wrong = office.editor.patch(f"/datasets/{dataset['id']}?dry_run=true", json={"openness": "maybe"})
    assert wrong.status_code == 422
    assert office.editor.delete(f"/datasets/{dataset['id']}?dry_run=true").status_code == 200
    assert office.editor.get(f"/datasets/{dataset['id']}").json() == before
    assert office.editor.get("/datasets/planned").status_code == 404
    assert trail(office) == lines
    assert office.app.queue.idle()


def test_an_agency_puts_by_its_own_identifier(office: Any, settle: Callable[[], None]) -> None:
    url = "/datasets/by-source/housing/系统A/17"
    first = office.editor.put(url, json={"title": "一"})
    assert first.status_code == 201, first.text
    lines = trail(office)
    again = office.editor.put(url, json={"title": "一"})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert trail(office) == lines, "the same again changes nothing"
    changed = office.editor.put(url, json={"title": "二"}).json()
    assert changed["draft"]["title"] == "二"
    assert changed["source_id"] == "系统A/17"
    office.upload(changed["id"], b"a,b\n1,2\n")
    office.publish(changed["id"], settle)
    same = office.editor.put(url, json={"title": "二"}).json()
    assert same["draft"] is None, "no draft for an edit that changes nothing"
    other = office.editor.put(f"{url}?dry_run=true", json={"title": "三"}).json()
    assert [c["field"] for c in other["changes"]] == ["title"]


def test_a_file_comes_with_what_is_said_of_it(office: Any, settle: Callable[[], None]) -> None:
    dataset = office.draft()
    schema = {"fields": [{"name": "代码", "type": "string"}, {"name": "数", "type": "integer"}]}
    made = office.upload(
        dataset["id"],
        "说明\n代码;数\n01;5\n02;x\n".encode("gb18030"),
        "表.csv",
        name="表一",
        header_row="2",
        delimiter=";",
        encoding="gb18030",
        schema=json.dumps(schema),
        metadata=json.dumps({"description": "一句话"}),
    )
    assert made["name"] == "表一"
    assert made["format"] == "CSV"
    assert made["options"] == {
        "header_row": 2, "delimiter": ";", "encoding": "gb18030", "format": None, "sheet": None,
        "member": None, "header_rows": None, "last_row": None, "without_total": None, "quote": None, "columns": None,
    }  # fmt: skip
    settle()
    report = office.editor.get(f"/resources/{made['id']}/report", params={"draft": "true"}).json()
    assert (report["state"], report["valid"], report["structural"]) == ("done", False, False)
    assert report["error_count"] == 1
    release = office.submit(dataset["id"])
    settle()
    found = office.content.get(f"/releases/{release['id']}").json()
    assert found["state"] == "in_review"
    assert [v["error_count"] for v in found["validation"]] == [1]


def test_wrong_cells_are_published_by_decision_and_null_in_the_rows(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    schema = json.dumps({"fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "integer"}]})
    data = b"a,b\n01,5\n02,x\n"
    resource = office.upload(dataset["id"], data, schema=schema)["id"]
    office.publish(dataset["id"], settle)
    rows = client.get(f"{API}/resources/{resource}/rows").json()["results"]
    assert [(row["a"], row["b"]) for row in rows] == [("01", 5), ("02", None)]
    assert client.get(f"{API}/resources/{resource}/download").content == data
    assert client.get(f"{API}/resources/{resource}/report").json()["error_count"] == 1


def test_any_file_can_be_a_resource(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], b"%PDF-1.7 nothing", "a.pdf")["id"]
    office.publish(dataset["id"], settle)
    assert client.get(f"{API}/resources/{resource}/download").headers["content-type"] == "application/pdf"
    rows = client.get(f"{API}/resources/{resource}/rows")
    assert (rows.status_code, rows.json()["code"]) == (404, "no_rows")
    assert client.get(f"{API}/resources/{resource}/report").json()["state"] == "no_table"


def test_a_file_that_is_not_what_its_name_says_comes_back_with_a_sentence(
    office: Any, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], b"%PDF-1.7 nothing", "a.csv")["id"]
    release = office.submit(dataset["id"])
    settle()
    found = office.editor.get(f"/releases/{release['id']}", headers={"Accept-Language": "en"}).json()
    assert found["state"] == "returned"
    (judged,) = found["validation"]
    assert judged["problem"]["code"] == "not_as_named"
    assert "csv" in judged["problem"]["detail"]
    assert "pdf" in judged["problem"]["detail"]
    report = office.editor.get(f"/resources/{resource}/report?draft=true", headers={"Accept-Language": "zh"})
    assert (report.json()["state"], report.headers["Vary"]) == ("done", "Accept-Language")
    assert "内容却是 pdf" in report.json()["problem"]["detail"]


def test_a_draft_can_be_dropped_and_what_is_public_stays(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], b"a,b\n1,2\n")["id"]
    office.publish(dataset["id"], settle)
    office.editor.patch(f"/datasets/{dataset['id']}", json={"title": "别的"})
    assert office.editor.delete(f"/resources/{resource}").status_code == 204
    assert client.get(f"{API}/resources/{resource}").status_code == 200
    assert office.editor.delete(f"/datasets/{dataset['id']}/draft").status_code == 204
    found = office.editor.get(f"/datasets/{dataset['id']}").json()
    assert found["draft"] is None
    assert [r["id"] for r in found["resources"]] == [resource]


def test_a_closed_line_opens_nothing(office: Any) -> None:
    line = office.editor.post(
        "/inventory",
        json={"agency": "housing", "title": "x", "openness": "closed", "open_condition": "保密法第九条"},
    ).json()
    dataset = office.draft(inventory=[line["id"]], openness="unconditional")
    office.upload(dataset["id"], b"a,b\n1,2\n")
    answer = office.editor.post(f"/datasets/{dataset['id']}/releases")
    assert (answer.status_code, answer.json()["code"]) == (409, "line_closed")


@pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
def test_under_the_direct_policy_the_publisher_publishes_and_screening_still_blocks(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    office.upload(dataset["id"], b"a,b\n1,2\n")
    release = office.submit(dataset["id"])
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "published"
    assert client.get(f"{API}/datasets/{dataset['id']}").status_code == 200
    other = office.draft()
    office.upload(other["id"], "姓名,证件\n张三,11010519491231002X\n".encode())
    blocked = office.submit(other["id"])
    settle()
    assert office.editor.get(f"/releases/{blocked['id']}").json()["state"] == "returned"
    assert client.get(f"{API}/datasets/{other['id']}").status_code == 404
    with office.app.place.reading() as work:
        query = select(AuditRow.details).where(AuditRow.action == "policy.set")
        assert [d["after"] for d in work.session.execute(query).scalars()] == ["direct"]
    trail(office)


def test_where_when_and_what_it_belongs_to(office: Any) -> None:
    """空间范围, 数据更新时间, 关联资源代码: fields of the draft, filled in from the inventory line where that tells."""
    codes = ["306001/000002"]
    line = {
        "agency": "housing",
        "title": "清单",
        "resource_code": "306001/000001",
        "related_codes": codes,
    }
    assert office.editor.post("/inventory", json=line).status_code == 201
    draft = office.draft(
        inventory=["306001/000001"], bbox=[120, 31.5, 122, 32.75], data_updated_on="2026-03-01"
    )
    assert (draft["related_codes"], "related_codes" in draft["draft"]["defaulted"]) == (codes, True)
    assert (draft["bbox"], draft["data_updated_on"]) == ([120, 31.5, 122, 32.75], "2026-03-01")
    for bbox in ([1, 2, 3], [1, 2, 3, 4, 5], [122, 31, 120, 32], [120, 32, 122, 31], [0, 0, 181, 1], ["x"]):
        answer = office.editor.patch(f"/datasets/{draft['id']}", json={"bbox": bbox})
        assert answer.status_code == 422, bbox
        assert answer.json()["errors"][0]["field"].startswith("bbox")
    wrong = office.editor.patch(f"/datasets/{draft['id']}", json={"related_codes": ["a b"]})
    assert wrong.json()["errors"][0]["field"] == "related_codes.0"
    cleared = office.editor.patch(f"/datasets/{draft['id']}", json={"bbox": None, "related_codes": []})
    assert (cleared.json()["bbox"], cleared.json()["related_codes"]) == (None, [])
