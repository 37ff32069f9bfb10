"""The list in and out as a workbook: preview, wrong cells, the line as the atom (D08)."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from frictionless import Package, Resource, Schema
from openpyxl import Workbook, load_workbook
from starlette.testclient import TestClient

from opendata import wiring
from opendata.catalog.codes import codes
from opendata.cli import cli
from opendata.inventory.transfer import reading
from opendata.inventory.transfer.template import template
from opendata.work.actor import Role

API = "/api/v1"
LAW = "《中华人民共和国个人信息保护法》第二十八条"
GOOD: dict[str, Any] = {
    "信息资源代码": "306001/000001",
    "信息资源分类": "部门信息资源目录/市级部门/住建局",
    "信息资源名称": "商品房预售许可",
    "信息资源提供方": "市住房和城乡建设局",
    "信息资源摘要": "预售许可证发放信息",
    "信息资源格式分类": "数据库",
    "信息资源格式类型": "MySQL",
    "信息项名称": "许可证号",
    "信息项数据类型": "C",
    "信息项数据长度": 32,
    "共享类型": "1",
    "共享条件": None,
    "是否向社会开放": "是",
    "开放条件": "",
    "更新周期": "每日",
    "发布日期": "2026-10-01",
    "涉密属性": "非涉密",
    "数据分级": "L1",
}
HEADER = list(GOOD)


def row(**changes: Any) -> dict[str, Any]:
    return GOOD | changes


def xlsx(*rows: dict[str, Any], header: list[str] | None = None, title: str | None = None) -> bytes:
    """A workbook as a clerk makes it."""
    book = Workbook()
    sheet = book.active
    if title:
        sheet.append([title])
    sheet.append(header or HEADER)
    for cells in rows:
        sheet.append([cells.get(name) for name in HEADER])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def send(person: Any, data: bytes, name: str = "清单.xlsx", **query: Any) -> Any:
    params = {"agency": "housing"} | query
    return person.post("/inventory/import", params=params, files={"file": (name, data)})


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def counts(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    return answer["added"], answer["changed"], answer["unchanged"], answer["wrong"]


def lines(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{API}/inventory?limit=1000").json()["results"]
    return found


def problems(answer: dict[str, Any]) -> set[tuple[str, str, int]]:
    return {(p["column"]["zh"], p["rule"], row) for p in answer["problems"] for row in p["rows"]}


def test_d08_clerks_write_yes_and_no_and_leave_dates_empty(office: Any, client: TestClient) -> None:
    data = xlsx(
        row(),
        row(信息项名称="发证日期", 信息项数据类型="日期型", 信息项数据长度=None),
        row(信息资源代码=None, 信息资源名称="信访台账", 是否向社会开放="否", 开放条件=LAW, 发布日期=None),
    )
    answer = done(send(office.editor, data))
    assert counts(answer) == (2, 0, 0, 0)
    assert answer["workbook"] is None
    first, second = lines(client)
    assert first["title"] == "商品房预售许可"
    assert first["category_path"] == GOOD["信息资源分类"]
    assert (first["openness"], first["issued_on"], first["format_class"]) == (
        "unconditional",
        "2026-10-01",
        "database",
    )
    assert [(i["name"], i["type"], i["length"]) for i in first["items"]] == [
        ("许可证号", "C", 32),
        ("发证日期", "D", None),
    ]
    assert (second["openness"], second["open_condition"], second["issued_on"]) == ("closed", LAW, None)
    assert second["resource_code"] == "306001/000002"
    assert counts(done(send(office.editor, data))) == (0, 0, 2, 0)


def test_d08_a_wrong_line_blocks_no_other_and_never_half_applies(office: Any, client: TestClient) -> None:
    assert counts(done(send(office.editor, xlsx(row())))) == (1, 0, 0, 0)
    data = xlsx(
        row(信息资源名称="新的名称"),  # right, but its second item is not
        row(信息资源名称="新的名称", 信息项名称="面积", 信息项数据类型="平方米"),
        row(信息资源代码="306001/000002", 信息资源名称="好的一行"),
        row(信息资源代码="306001/000003", 信息资源名称="没有依据", 是否向社会开放="否", 更新周期="偶尔"),
        row(信息资源代码="306001/000004", 信息资源名称="没有依据二", 是否向社会开放="不公开"),
        row(信息资源代码="306001/000005", 信息资源名称="没有依据三", 是否向社会开放="不公开"),
    )
    answer = done(send(office.editor, data))
    assert counts(answer) == (1, 0, 0, 4)
    assert problems(answer) == {
        ("信息项数据类型", "unknown_value", 3),
        ("更新周期", "unknown_value", 5),
        ("开放条件", "closed_needs_basis", 5),
        ("是否向社会开放", "unknown_value", 6),
        ("是否向社会开放", "unknown_value", 7),
    }
    (group,) = [p for p in answer["problems"] if p["value"] == "不公开"]
    assert (group["count"], group["rows"]) == (2, [6, 7])
    assert "不公开" in group["detail"]["zh"]
    assert "不公开" in group["detail"]["en"]
    assert [found["title"] for found in lines(client)] == ["商品房预售许可", "好的一行"]


def test_d08_what_a_whole_line_breaks_is_told_at_its_cell(office: Any) -> None:
    data = xlsx(
        row(是否向社会开放="否"),
        row(信息资源代码="306001/000002", 共享类型="3", 是否向社会开放="是"),
        row(信息资源代码="306001/000003", 数据分级="L4"),
        row(信息资源代码="301001/000004", 信息资源分类="306001"),
        row(信息资源代码="306001/000005"),
        row(信息资源代码="306001/000005"),
    )
    assert problems(done(send(office.editor, data, dry_run=True))) == {
        ("开放条件", "closed_needs_basis", 2),
        ("共享类型", "open_not_shared", 3),
        ("共享条件", "share_needs_condition", 3),
        ("数据分级", "level_not_open", 4),
        ("信息资源代码", "code_of_other_category", 5),
        ("信息项名称", "item_repeated", 7),
    }


def with_widths(data: bytes) -> bytes:
    """As a clerk leaves it: something only the workbook itself can have."""
    book = load_workbook(io.BytesIO(data))
    book.worksheets[0].column_dimensions["A"].width = 47
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def test_d08_the_answer_brings_the_clerks_own_workbook_with_the_wrong_cells_marked(office: Any) -> None:
    data = with_widths(xlsx(row(), row(信息资源代码="306001/9", 更新周期="偶尔"), title="2026年数据资源清单"))
    answer = done(send(office.editor, data, dry_run=True))
    book = load_workbook(io.BytesIO(base64.b64decode(answer["workbook"]["base64"])))
    sheet = book.active
    assert sheet["A1"].value == "2026年数据资源清单"
    assert sheet.column_dimensions["A"].width == 47
    marked = [(c.row, HEADER[c.column - 1]) for r in sheet.iter_rows() for c in r if c.comment]
    assert marked == [(4, "更新周期")]
    cell = sheet.cell(4, HEADER.index("更新周期") + 1)
    assert cell.value == "偶尔"
    assert cell.fill.fill_type == "solid"
    assert "不在可选值中" in cell.comment.text
    assert "Choose one of" in cell.comment.text or "偶尔" in cell.comment.text


def test_d08_a_preview_changes_nothing(office: Any, client: TestClient) -> None:
    done(send(office.editor, xlsx(row())))
    data = xlsx(row(更新周期="每周"), row(信息资源代码="306001/000002", 信息资源名称="新的"))
    answer = done(send(office.editor, data, dry_run=True))
    assert (answer["dry_run"], counts(answer)) == (True, (1, 1, 0, 0))
    assert answer["lines"][0]["changes"] == [
        {"element": "update_cycle", "before": "daily", "after": "weekly"}
    ]
    assert [found["update_cycle"] for found in lines(client)] == ["daily"]
    assert done(send(office.editor, data))["lines"][0]["changes"] == answer["lines"][0]["changes"]
    assert [found["update_cycle"] for found in lines(client)] == ["weekly", "daily"]


def test_d08_headers_in_other_words_and_merged_cells_are_understood(office: Any, client: TestClient) -> None:
    other = {
        "信息资源代码": "资源代码",
        "信息资源名称": "数据资源名称（必填）",
        "信息项名称": "信息项",
        "更新周期": "更新频率",
        "信息资源摘要": " 摘 要 ",
    }
    below = dict.fromkeys(HEADER) | {
        "信息项名称": "面积",
        "信息项数据类型": "数值型",
        "信息项数据长度": "１０",
    }
    header = [other.get(name, name) for name in HEADER]
    answer = done(send(office.editor, xlsx(row(更新周期="按年"), below, header=header)))
    assert counts(answer) == (1, 0, 0, 0)
    (found,) = lines(client)
    assert found["update_cycle"] == "yearly"
    assert [(i["name"], i["type"], i["length"]) for i in found["items"]][1] == ("面积", "N", 10)


def test_d08_a_list_by_the_bare_template_opens_no_item_that_is_closed(
    office: Any, client: TestClient
) -> None:
    closed = {"name": "许可证号", "type": "C", "length": 32, "level": "L3", "openness": "closed"}
    body = {
        "agency": "housing",
        "title": "商品房预售许可",
        "resource_code": "306001/000001",
        "items": [closed],
    }
    assert office.editor.post("/inventory", json=body).status_code == 201
    assert counts(done(send(office.editor, xlsx(row(), row(信息项名称="面积"))))) == (0, 1, 0, 0)
    (found,) = lines(client)
    assert found["items"] == [
        closed,
        {"name": "面积", "type": "C", "length": 32},
    ]


def test_d08_rows_of_a_line_that_differ_are_told_where(office: Any) -> None:
    data = xlsx(row(), row(信息项名称="面积", 更新周期="每年"))
    assert problems(done(send(office.editor, data))) == {("更新周期", "differs_in_line", 3)}


def test_d08_a_gb18030_csv_comes_in_too(office: Any, client: TestClient) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerow(row(发布日期="2026年10月1日"))
    writer.writerow(row(信息资源代码="306001/000002", 信息资源名称="坏日期", 发布日期="10/08/2026"))
    answer = done(send(office.editor, text.getvalue().encode("gb18030"), "清单.csv"))
    assert problems(answer) == {("发布日期", "bad_day", 3)}
    assert [found["issued_on"] for found in lines(client)] == ["2026-10-01"]
    sheet = load_workbook(io.BytesIO(base64.b64decode(answer["workbook"]["base64"]))).active
    assert sheet.cell(3, HEADER.index("发布日期") + 1).comment is not None


def test_d08_odd_characters_break_nothing(office: Any, client: TestClient) -> None:
    """U+0000 behind the bytes that are looked at first; control characters in a cell that is marked; a title too long."""
    good = [f"306001/{n:06d},{'长' * 250}{n}\n" for n in range(1, 101)]
    odd = ["306001/900001,坏\0名录\n", "306001/900002," + "长" * 301 + "\n", "坏\x01码,名录甲\n"]
    text = "信息资源代码,信息资源名称\n" + "".join(good) + "".join(odd)
    answer = done(send(office.editor, text.encode(), "清单.csv"))
    assert counts(answer) == (101, 0, 0, 2)
    assert {p["rule"] for p in answer["problems"]} == {"string_too_long", "bad_resource_code"}
    assert client.get(f"{API}/inventory/306001/900001").json()["title"] == "坏名录"
    book = load_workbook(io.BytesIO(base64.b64decode(answer["workbook"]["base64"])))
    assert [c.row for r in book.active.iter_rows() for c in r if c.comment] == [103, 104]


def test_d14_a_secret_line_is_never_entered_and_nothing_of_it_comes_back(
    office: Any, client: TestClient
) -> None:
    data = xlsx(row(), row(信息资源代码="306001/000002", 信息资源名称="绝密名单zqx", 涉密属性="涉密"))
    answer = send(office.editor, data)
    assert counts(done(answer)) == (1, 0, 0, 1)
    assert problems(answer.json()) == {("涉密属性", "secret_never_entered", 3)}
    sheet = load_workbook(io.BytesIO(base64.b64decode(answer.json()["workbook"]["base64"]))).active
    assert [c.value for c in sheet[3] if c.value] == []
    assert "zqx" not in str(lines(client))


def test_d08_a_list_is_one_bodys(office: Any, client: TestClient) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "市水利局"})
    stranger = office.person("stranger", Role.EDITOR, agency="water")
    assert send(stranger, xlsx(row())).status_code == 403
    assert send(office.content, xlsx(row())).status_code == 403
    assert client.post(f"{API}/inventory/import?agency=housing", files={"file": b"x"}).status_code == 401
    done(send(office.editor, xlsx(row())))
    taken = done(send(stranger, xlsx(row(信息资源提供方="市水利局")), agency="water"))
    assert problems(taken) == {("信息资源代码", "resource_code_taken", 2)}
    other = done(send(stranger, xlsx(row(信息资源代码=None)), agency="water"))
    assert problems(other) == {("信息资源提供方", "other_provider", 2)}


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("清单.xlsx", b"PK\x03\x04 no workbook", "archive_broken"),
        ("清单.pdf", b"%PDF-1.7", "not_a_table"),
        ("清单.csv", "甲,乙\n1,2\n".encode(), "list_without_titles"),
        ("清单.csv", b"", "file_empty"),
    ],
)
def test_d08_a_file_that_is_no_list_is_refused_with_the_reason(
    office: Any, name: str, data: bytes, code: str
) -> None:
    answer = send(office.editor, data, name)
    assert answer.status_code == 422, answer.text
    told = {e["field"]: e["code"] for e in answer.json()["errors"]}
    assert told == {"file": code} or told.get("file") in (code, "not_as_named")


def test_d08_a_list_that_is_too_large_is_refused(office: Any) -> None:
    answer = send(office.editor, b"x" * (reading.LARGEST + (2 << 20)), "清单.csv")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_d08_what_goes_out_comes_in_again_unchanged(office: Any, client: TestClient, form: str) -> None:
    body = {
        "agency": "housing",
        "title": "=1+1",
        "abstract": "-说明\n第二行",
        "items": [
            {"name": "@甲", "level": "L2", "openness": "closed"},
            {"name": "乙", "type": "N", "length": 3},
        ],
        "openness": "conditional",
        "open_condition": "签订协议",
        "share_type": "conditional",
        "share_condition": "业务需要",
        "share_method": "共享平台",
        "related_codes": ["306001/9"],
        "issued_on": "2026-01-02",
        "lead_unit": "甲局",
        "responsible_unit": "乙科",
        "domain": "livelihood",
    }
    assert office.editor.post("/inventory", json=body).status_code == 201
    closed = {"agency": "housing", "title": "信访", "openness": "closed", "open_condition": LAW}
    assert office.editor.post("/inventory", json=closed).status_code == 201
    exported = client.get(f"{API}/inventory.{form}?agency=housing")
    assert exported.status_code == 200
    assert exported.headers["content-disposition"].startswith("attachment; ")
    answer = done(send(office.editor, exported.content, f"again.{form}"))
    assert counts(answer) == (0, 0, 2, 0), answer
    if form == "csv":
        assert "\n=" not in exported.text
        assert ",=1+1" not in exported.text
        assert "'=1+1" in exported.text
        assert "'@甲" in exported.text
    else:
        sheet = load_workbook(io.BytesIO(exported.content)).active
        found = next(c for r in sheet.iter_rows() for c in r if c.value == "=1+1")
        assert found.data_type == "s"


def test_d08_the_export_is_valid_by_the_table_schema(office: Any, client: TestClient, tmp_path: Path) -> None:
    office.admin.patch("/agencies/housing", json={"uscc": "113206000143000121"})
    done(send(office.editor, xlsx(row(), row(信息资源代码="306001/000002", 信息资源名称="乙"))))
    exported = client.get(f"{API}/inventory.csv?form=schema")
    path = tmp_path / "inventory.csv"
    path.write_bytes(exported.content)
    schema = Schema.from_descriptor(dict(codes().table_schemas["resource_inventory"]))
    assert [field.name for field in schema.fields] == list(template().columns)[:21]
    resource = Resource(path=path.name, basepath=str(tmp_path), schema=schema)
    report = Package(resources=[resource]).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "note"])


def test_d08_withheld_lines_are_in_no_export_but_the_bodys_own(office: Any, client: TestClient) -> None:
    closed = {"agency": "housing", "title": "zqx", "openness": "closed", "open_condition": LAW}
    made = office.editor.post("/inventory", json=closed).json()
    ground = {"ground": "存在即敏感"}
    assert office.secrecy.put(f"/inventory/{made['id']}/withheld", json=ground).status_code == 200
    for query in ("", "?form=schema", "?agency=housing&openness=closed"):
        assert "zqx" not in client.get(f"{API}/inventory.csv{query}").text
    assert "zqx" in office.editor.get("/inventory.csv").text


def test_d08_the_command_line_imports_a_list(
    office: Any, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "清单.xlsx"
    path.write_bytes(xlsx(row(), row(信息资源代码="306001/000002", 信息资源名称="坏的", 更新周期="偶尔")))
    marked = tmp_path / "marked.xlsx"
    runner, arguments = CliRunner(), ["inventory", "import", str(path), "--agency", "housing"]
    with monkeypatch.context() as patch:  # ends before the application does, which must close
        patch.setattr(wiring, "migrate", lambda settings: None)
        patch.setattr(wiring, "build", lambda settings: office.app)
        patch.setattr(office.app, "close", lambda: None)
        looked = runner.invoke(cli, [*arguments, "--dry-run"])
        assert lines(client) == []
        entered = runner.invoke(cli, [*arguments, "--marked", str(marked)])
    assert looked.exit_code == 1, looked.output
    assert "偶尔" in looked.output
    assert entered.exit_code == 1, entered.output
    assert [found["title"] for found in lines(client)] == ["商品房预售许可"]
    assert load_workbook(marked).active.max_row == 3
