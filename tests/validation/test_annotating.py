"""The clerk's own file back with its wrong cells coloured and commented."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from openpyxl.styles import Font
from starlette.testclient import TestClient

from opendata.cli import cli
from opendata.tabular.workbooks import marking
from opendata.validation import trial
from opendata.validation.telling import annotating

API = "/api/v1"
HEADER = ["线路编号", "方向", "站序", "站点编号", "站点名称", "行政区划代码"]
GOOD = ["NT001", "上行", 1, "S1", "火车站", "320613"]
BAD = ["NT001", "左", "x", "S2", "汽车站", "320602"]
STOPS = "\n".join(",".join(map(str, row)) for row in (HEADER, GOOD, BAD)) + "\n"
SCHEMA = {"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]}
light = pytest.mark.parametrize("settings", ["light"], indirect=True)


def workbook(left: int = 0, above: int = 0) -> bytes:
    """Stops, with titles above, blank columns on the left, a formula, a format, a merged title and a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "站点"
    for number in range(above):
        sheet.cell(number + 1, left + 1, "公交站点一览")
    if above:
        sheet.merge_cells(start_row=1, end_row=1, start_column=left + 1, end_column=left + 6)
    for r, row in enumerate((HEADER, GOOD, BAD), start=above + 1):
        for c, value in enumerate(row, start=left + 1):
            sheet.cell(r, c, value)
    sheet.cell(above + 2, left + 1).font = Font(bold=True)
    sheet.column_dimensions["B"].width = 33
    book.create_sheet("说明")["A1"] = "=1+1"
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def ods(rows: list[list[Any]]) -> bytes:
    """The least that an office program opens."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>'
            for c in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{names}:office:1.0" xmlns:table="{names}:table:1.0" '
        f'xmlns:text="{names}:text:1.0" office:version="1.3"><office:body><office:spreadsheet>'
        f'<table:table table:name="a">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return made.getvalue()


def marked(client: TestClient, data: bytes | str, name: str, **fields: Any) -> Any:
    body = data.encode() if isinstance(data, str) else data
    fields = fields or {"schema_name": "bus_stop"}
    answer = client.post(f"{API}/validate?annotate=true", files={"file": (name, body)}, data=fields)
    assert answer.status_code == 200, answer.text
    return answer


def opened(answer: Any) -> Any:
    return openpyxl.load_workbook(io.BytesIO(answer.content))


def comments(sheet: Any) -> dict[str, str]:
    return {c.coordinate: c.comment.text for row in sheet.iter_rows() for c in row if c.comment}


def red(sheet: Any) -> set[str]:
    return {
        c.coordinate for row in sheet.iter_rows() for c in row if c.fill.start_color.rgb == marking._COLOUR
    }


@light
class TestWorkbooks:
    @pytest.mark.parametrize(("left", "above", "cells"), [(0, 0, "B3 C3 F3"), (2, 2, "D5 E5 H5")])
    def test_a_workbook_stays_as_it_is_with_its_wrong_cells_marked(
        self, client: TestClient, left: int, above: int, cells: str
    ) -> None:
        answer = marked(client, workbook(left, above), "站点.xlsx")
        book = opened(answer)
        sheet = book["站点"]
        assert " ".join(comments(sheet)) == cells
        assert red(sheet) == set(cells.split())
        told = comments(sheet)[cells.split()[2]]
        assert "320613" in told.split("\n")[0]
        assert "today's: 320613" in told.split("\n")[1]
        assert book.sheetnames == ["站点", "说明", marking.NOTES]
        assert book["说明"]["A1"].value == "=1+1"
        assert sheet.cell(above + 2, left + 1).font.bold
        assert sheet.column_dimensions["B"].width == 33
        assert [str(m) for m in sheet.merged_cells.ranges] == (["C1:H1"] if above else [])
        assert answer.headers["x-validation-valid"] == "false"
        assert answer.headers["x-validation-errors"] == "3"
        assert "filename*=UTF-8''%E7%AB%99%E7%82%B9-" in answer.headers["content-disposition"]

    def test_the_notes_tell_it_by_column_and_value(self, client: TestClient) -> None:
        notes = opened(marked(client, workbook(), "站点.xlsx"))[marking.NOTES]
        rows = [[cell.value for cell in row] for row in notes.iter_rows()]
        assert rows[0][0] == "校验结果 Validation"
        assert "3" in rows[2][0]
        by_column = {row[0]: row for row in rows[4:]}
        assert by_column["方向"][3:] == ["1", "左 ×1 (3)"]

    def test_a_file_marked_twice_has_the_marks_of_the_second_time(self, client: TestClient) -> None:
        book = opened(marked(client, workbook(), "站点.xlsx"))
        book["站点"]["B3"], book["站点"]["C3"] = "下行", 2
        mended = io.BytesIO()
        book.save(mended)
        again = opened(marked(client, mended.getvalue(), "站点.xlsx"))
        assert list(comments(again["站点"])) == ["F3"]
        assert red(again["站点"]) == {"F3"}
        assert again.sheetnames.count(marking.NOTES) == 1

    def test_other_files_come_as_a_copy_of_their_rows(self, client: TestClient) -> None:
        for name, data in (
            ("站.csv", STOPS.encode("gb18030")),
            ("站.tsv", STOPS.replace(",", "\t").encode()),
        ):
            sheet = opened(marked(client, data, name)).worksheets[0]
            assert list(comments(sheet)) == ["B3", "C3", "F3"]
            assert [cell.value for cell in sheet[3]] == ["NT001", "左", "x", "S2", "汽车站", "320602"]

    def test_an_ods_comes_as_a_workbook(self, client: TestClient) -> None:
        sheet = opened(marked(client, ods([HEADER, GOOD, BAD]), "站.ods")).worksheets[0]
        assert list(comments(sheet)) == ["B3", "C3", "F3"]
        assert sheet["F3"].value == "320602"

    def test_a_right_file_says_so(self, client: TestClient) -> None:
        answer = marked(client, ",".join(HEADER) + "\n" + ",".join(map(str, GOOD)) + "\n", "站.csv")
        book = opened(answer)
        assert comments(book.worksheets[0]) == {}
        assert "没有发现问题" in book[marking.NOTES]["A3"].value
        assert answer.headers["x-validation-valid"] == "true"

    def test_rows_and_headers_that_are_wrong(self, client: TestClient) -> None:
        needed = {"name": "b", "constraints": {"required": True}}
        schema = {"fields": [{"name": "a"}, needed, {"name": "c"}], "checks": ["total_row"]}
        sheet = opened(marked(client, "a,x,c\n合计,1,\n", "t.csv", schema=json.dumps(schema))).worksheets[0]
        assert red(sheet) >= {"A2", "B2", "C2"}
        assert "合计行" in comments(sheet)["A2"]
        assert any(where.endswith("1") for where in comments(sheet))

    def test_beyond_the_limits_the_first_rows_are_there_and_it_says_so(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(marking, "MOST_ROWS", 2)
        answer = marked(client, STOPS, "站.csv")
        assert answer.headers["x-validation-whole"] == "false"
        book = opened(answer)
        assert book.worksheets[0].max_row == 2
        assert any("2" in str(row[0].value) and "太大" in str(row[0].value) for row in book[marking.NOTES])
        monkeypatch.setattr(marking, "MOST_BYTES", 10)
        assert opened(marked(client, workbook(), "站点.xlsx")).sheetnames == ["数据", marking.NOTES]

    def test_what_cannot_be_read_is_said(self, client: TestClient) -> None:
        answer = client.post(f"{API}/validate?annotate=true", files={"file": ("a.xlsx", b"%PDF-1.7")})
        assert (answer.status_code, answer.json()["code"]) == (422, "not_as_named")
        unknown = client.post(
            f"{API}/validate?annotate=true", files={"file": ("a.csv", b"a\n1\n")}, data={"schema_name": "no"}
        )
        assert unknown.json()["errors"][0]["code"] == "unknown_schema"

    def test_who_accepts_workbooks_gets_one(self, client: TestClient) -> None:
        answer = client.post(
            f"{API}/validate",
            files={"file": ("站.csv", STOPS.encode())},
            data={"schema_name": "bus_stop"},
            headers={"Accept": annotating.MEDIA_TYPE},
        )
        assert answer.headers["content-type"] == annotating.MEDIA_TYPE

    def test_formulas_of_strangers_stay_texts(self, client: TestClient) -> None:
        schema = {"fields": [{"name": "a", "type": "integer"}]}
        sheet = opened(
            marked(client, 'a\n"=HYPERLINK(""http://x"")"\n', "t.csv", schema=json.dumps(schema))
        ).worksheets[0]
        assert sheet["A2"].data_type == "s"
        assert list(comments(sheet)) == ["A2"]

    def test_the_page_gives_the_file_back(self, client: TestClient) -> None:
        answer = client.post(
            "/zh/validate",
            files={"file": ("站.csv", STOPS.encode())},
            data={"schema_name": "bus_stop", "annotate": "1"},
        )
        assert list(comments(opened(answer).worksheets[0])) == ["B3", "C3", "F3"]
        assert 'name="annotate"' in client.get("/zh/validate").text


@light
class TestResources:
    def test_a_draft_is_marked_for_its_people_alone(
        self, office: Any, client: TestClient, settle: Callable[[], None]
    ) -> None:
        draft = office.draft()
        resource = office.upload(draft["id"], b"a,b\nx,1\n")["id"]
        office.editor.patch(f"/resources/{resource}", json={"schema": SCHEMA})
        settle()
        path = f"/resources/{resource}/report.xlsx"
        answer = office.editor.get(path + "?draft=true")
        assert list(comments(opened(answer).worksheets[0])) == ["A2"]
        assert answer.headers["cache-control"] == "private, no-store"
        assert client.get(API + path).status_code == 404
        assert client.get(API + path + "?draft=true").status_code == 404

    def test_the_published_file_is_marked_for_everybody_as_it_is_public(
        self, office: Any, client: TestClient, settle: Callable[[], None]
    ) -> None:
        draft = office.draft()
        resource = office.upload(draft["id"], b"a,b\n1,2\n")["id"]
        office.publish(draft["id"], settle)
        office.editor.put(f"/resources/{resource}/file", files={"file": ("rows.csv", b"a,b\nhidden,1\n")})
        settle()
        path = f"{API}/resources/{resource}/report.xlsx"
        sheet = opened(client.get(path)).worksheets[0]
        assert [[c.value for c in row] for row in sheet.iter_rows()] == [["a", "b"], ["1", "2"]]
        other = (
            opened(client.get(path + "?draft=true"))
            if client.get(path + "?draft=true").status_code == 200
            else None
        )
        assert other is None or other.worksheets[0]["A2"].value == "1"
        mine = office.editor.get(f"/resources/{resource}/report.xlsx?draft=true")
        assert opened(mine).worksheets[0]["A2"].value == "hidden"

    def test_one_at_a_time(self, office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        resource = office.upload(office.draft()["id"], b"a,b\nx,1\n")["id"]
        monkeypatch.setattr(trial, "WAIT_SECONDS", 0.01)
        with trial._places:
            answer = office.editor.get(f"/resources/{resource}/report.xlsx?draft=true")
        assert (answer.status_code, answer.json()["code"]) == (503, "trial_busy")


def test_the_command_writes_it_in_the_real_sandbox(tmp_path: Path) -> None:
    source, out = tmp_path / "站点.xlsx", tmp_path / "out.xlsx"
    source.write_bytes(workbook())
    ran = CliRunner().invoke(
        cli, ["validate", str(source), "--schema", "bus_stop", "--annotate", str(out), "--json"]
    )
    assert ran.exit_code == 1
    assert json.loads(ran.output)["findings"]["listed"] == 3
    assert list(comments(openpyxl.load_workbook(out)["站点"])) == ["B3", "C3", "F3"]
