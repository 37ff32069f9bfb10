"""A file whose header speaks otherwise than its schema: proposed, judged, accepted, kept, and loaded by the same names."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
LINES = "线路编号,线路名称,起点站\nK1,1路,北站\nK2,2路,南站\n".encode()


def reading(office: Any, resource: str) -> Any:
    answer = office.editor.get(f"/resources/{resource}/reading")
    assert answer.status_code == 200, answer.text
    return answer.json()


def own_schema(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"fields": [{"type": "string", **field} for field in fields]}


def test_a_chinese_header_in_another_order_is_no_error(office: Any, settle: Any) -> None:
    schema = own_schema(
        {"name": "route_name", "title": "线路名称"},
        {"name": "first_stop", "title": "首站", "x-aliases": ["起点站"]},
        {"name": "route_id", "title": "线路编号"},
    )
    dataset = office.draft()["id"]
    made = office.upload(dataset, LINES)["id"]
    office.editor.patch(f"/resources/{made}", json={"schema": schema})
    settle()
    report = office.editor.get(f"/resources/{made}/report?draft=true").json()
    assert (report["state"], report["valid"]) == ("done", True)
    proposal = reading(office, made)
    assert [(c["column"], c["field"], c["by"]) for c in proposal["columns"]] == [
        ("线路编号", "route_id", "title"),
        ("线路名称", "route_name", "title"),
        ("起点站", "first_stop", "alias"),
    ]
    office.publish(dataset, settle)
    rows = office.client.get(f"/api/v1/resources/{made}/rows").json()
    assert rows["results"][0] == {"_id": 1, "route_id": "K1", "route_name": "1路", "first_stop": "北站"}


def test_national_codes_of_a_ready_schema(office: Any, settle: Any) -> None:
    dataset = office.draft()["id"]
    header = "XK_XDR_MC,XK_XDR_SHXYM,没有的列"
    made = office.upload(dataset, f"{header}\n甲公司,,x\n".encode(), schema_name="admin_license_publicity")
    settle()
    proposal = reading(office, made["id"])
    found = {c["column"]: (c["field"], c["by"]) for c in proposal["columns"]}
    assert found["XK_XDR_MC"] == ("counterparty_name", "national_code")
    assert found["没有的列"] == (None, "")
    assert proposal["missing"]


def test_what_is_accepted_is_kept_for_the_next_delivery(office: Any, settle: Any) -> None:
    schema = own_schema({"name": "route_id", "title": "线路编号"}, {"name": "route_name"}, {"name": "stop"})
    dataset = office.draft()["id"]
    made = office.upload(dataset, LINES)["id"]
    office.editor.patch(f"/resources/{made}", json={"schema": schema})
    settle()
    assert office.editor.get(f"/resources/{made}/report?draft=true").json()["structural"]
    columns = {"线路编号": "route_id", "线路名称": "route_name", "起点站": "stop"}
    answer = office.editor.post(f"/resources/{made}/reading", json={"columns": columns})
    assert (answer.status_code, answer.json()["options"]["columns"]) == (200, columns)
    settle()
    assert office.editor.get(f"/resources/{made}/report?draft=true").json()["valid"]
    office.publish(dataset, settle)
    later = "起点站,线路名称,线路编号\n西站,3路,K3\n合计,,1\n".encode()
    office.editor.put(f"/resources/{made}/file", files={"file": ("next.csv", later)})
    settle()
    assert office.editor.get(f"/resources/{made}/report?draft=true").json()["valid"]
    proposal = reading(office, made)
    assert {c["by"] for c in proposal["columns"]} == {"accepted"}
    assert proposal["options"]["without_total"] is True
    assert office.editor.post(f"/resources/{made}/reading", json={}).status_code == 200
    office.publish(dataset, settle)
    rows = office.client.get(f"/api/v1/resources/{made}/rows").json()
    assert rows["results"] == [{"_id": 1, "stop": "西站", "route_name": "3路", "route_id": "K3"}]


def test_a_column_that_is_no_field_stays_one_of_its_own(office: Any, settle: Any) -> None:
    schema = own_schema({"name": "route_id", "title": "线路编号"}, {"name": "name", "title": "线路名称"})
    dataset = office.draft()["id"]
    made = office.upload(dataset, LINES)["id"]
    office.editor.patch(f"/resources/{made}", json={"schema": schema})
    settle()
    answer = office.editor.post(f"/resources/{made}/reading", json={"columns": {"线路名称": ""}})
    assert answer.status_code == 200, answer.text
    settle()
    found = {c["column"]: c["field"] for c in reading(office, made)["columns"]}
    assert found == {"线路编号": "route_id", "线路名称": None, "起点站": None}
    report = office.editor.get(f"/resources/{made}/report?draft=true").json()["report"]
    assert report["tasks"][0]["labels"] == ["线路编号", "线路名称", "起点站"]


def test_a_last_row_is_not_that_of_the_next_file(office: Any, settle: Any) -> None:
    made = office.upload(office.draft()["id"], LINES, last_row="2")["id"]
    settle()
    office.editor.put(f"/resources/{made}/file", files={"file": ("next.csv", LINES)})
    assert office.editor.get(f"/resources/{made}").json()["options"]["last_row"] is None


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"没有": "route_id"}, "unknown_column"),
        ({"线路编号": "nope"}, "unknown_schema_field"),
        ({"线路编号": "route_id", "线路名称": "route_id"}, "field_given_twice"),
    ],
)
def test_what_cannot_be_is_named(office: Any, settle: Any, columns: dict[str, str], code: str) -> None:
    made = office.upload(office.draft()["id"], LINES)["id"]
    office.editor.patch(f"/resources/{made}", json={"schema": own_schema({"name": "route_id"})})
    settle()
    answer = office.editor.post(f"/resources/{made}/reading", json={"columns": columns})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    assert "{" not in answer.json()["errors"][0]["detail"]


def test_before_it_is_read_there_is_no_proposal(office: Any) -> None:
    made = office.upload(office.draft()["id"], LINES)["id"]
    assert office.editor.get(f"/resources/{made}/reading").json()["code"] == "file_not_read"


def book() -> bytes:
    made = openpyxl.Workbook()
    for name in ("一月", "二月", "三月"):
        sheet = made.create_sheet(name)
        sheet.append(["区", "数"])
        sheet.append([name, 1])
    made.remove(made["Sheet"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("一月.csv", "区,数\n一月,1\n一月,1\n")
        made.writestr("表/二月.csv", "区,数\n二月,1\n")
    return out.getvalue()


@pytest.mark.parametrize(("data", "name", "months"), [(book(), "a.xlsx", 3), (archive(), "a.zip", 2)])
def test_one_resource_a_table(office: Any, settle: Any, data: bytes, name: str, months: int) -> None:
    dataset = office.draft()["id"]
    first = office.upload(dataset, data, name)["id"]
    settle()
    answer = office.editor.post(f"/resources/{first}/tables")
    assert answer.status_code == 201, answer.text
    ids = [first, *(made["id"] for made in answer.json())]
    assert len(ids) == months
    office.publish(dataset, settle)
    shown = [office.client.get(f"/api/v1/resources/{one}/rows").json()["results"][0]["区"] for one in ids]
    assert shown == ["一月", "二月", "三月"][:months]


def test_a_file_with_one_table_has_no_others(office: Any, settle: Any) -> None:
    made = office.upload(office.draft()["id"], LINES)["id"]
    settle()
    assert office.editor.post(f"/resources/{made}/tables").json()["code"] == "no_other_tables"


def test_without_a_draft_it_is_that_of_what_is_public(office: Any, client: Any, settle: Any) -> None:
    dataset = office.draft()["id"]
    made = office.upload(dataset, LINES)["id"]
    office.publish(dataset, settle)
    assert [c["column"] for c in reading(office, made)["columns"]] == ["线路编号", "线路名称", "起点站"]
    office.person("stranger")
    assert office.people["stranger"].get(f"/resources/{made}/reading").status_code == 404
    assert client.get(f"/api/v1/resources/{made}/reading").status_code == 401
