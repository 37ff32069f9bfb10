"""`opendata validate`: what an agency checks at home."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from opendata.cli import cli
from opendata.web.library.plain import width

NAMES = ("线路编号", "方向", "站序", "站点编号", "站点名称", "行政区划代码")


@pytest.fixture
def stops(tmp_path: Path) -> Path:
    path = tmp_path / "stops.csv"
    path.write_text(
        ",".join(NAMES) + "\nNT001,上行,1,S1,火车站,320613\nNT001,上行,2,S2,汽车站,320602\n",
        encoding="utf-8",
    )
    return path


def test_a_wrong_file_is_told_by_column_and_ends_with_one(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", "bus_stop", "--language", "zh"])
    assert ran.exit_code == 1
    assert "现用代码 320613" in ran.output
    lines = [line for line in ran.output.splitlines() if line.startswith(("列 ", "行政区划代码"))]
    head, row = lines
    assert width(head[: head.index("次数")]) == width(row[: row.index(" 1 ") + 1])


def test_a_right_file_ends_with_nought_and_its_schema_is_proposed(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--language", "en"])
    assert ran.exit_code == 0
    assert "bus_stop" in ran.output


def test_json_is_what_the_api_answers(stops: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(
        json.dumps({"fields": [{"name": name, "type": "string"} for name in NAMES]}), encoding="utf-8"
    )
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", str(own), "--json"])
    answer = json.loads(ran.output)
    assert (answer["schema_name"], answer["valid"], ran.exit_code) == (None, True, 0)


def test_a_schema_that_is_not_there(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", "no_such"])
    assert ran.exit_code == 1
    assert ran.exception is not None


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{", "quotes, commas"), (b"[" * 100_000, "nested"), (b"[]", "schema"), (b'{"a": "\xff"}', "UTF-8")],
)
def test_a_schema_that_is_none(stops: Path, tmp_path: Path, content: bytes, code: str) -> None:
    own = tmp_path / "own.json"
    own.write_bytes(content)
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", str(own), "--language", "en"])
    assert (ran.exit_code, code in ran.output, ran.exception.__class__) == (1, True, SystemExit), ran.output


def test_a_schema_as_an_editor_saves_it(stops: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    fields = [{"name": name, "type": "string"} for name in NAMES]
    own.write_text(json.dumps({"fields": fields}), encoding="utf-8-sig")
    assert CliRunner().invoke(cli, ["validate", str(stops), "--schema", str(own)]).exit_code == 0


def test_refusals_are_in_the_language_asked_for(stops: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--schema", "no_such", "--language", "zh"])
    assert "没有表结构" in ran.output


@pytest.mark.parametrize("name", ["stops.csv", "other.csv", "no-such-folder/out.xlsx"])
def test_the_marked_file_takes_nobody_s_place(stops: Path, tmp_path: Path, name: str) -> None:
    before = stops.read_bytes()
    ran = CliRunner().invoke(cli, ["validate", str(stops), "--annotate", str(tmp_path / name)])
    assert ran.exit_code != 0
    assert "--annotate" in str(ran.exception) + ran.output
    assert (stops.read_bytes(), sorted(tmp_path.iterdir())) == (before, [stops])


@pytest.fixture
def book(stops: Path, tmp_path: Path) -> Path:
    """A cover sheet, and the data behind it."""
    workbook = openpyxl.Workbook()
    workbook.active.title = "封面"
    workbook.active["A1"] = "填报说明：本表由各单位填写"
    sheet = workbook.create_sheet("数据")
    for line in stops.read_text(encoding="utf-8").splitlines():
        sheet.append(line.split(","))
    workbook.save(tmp_path / "stops.xlsx")
    return tmp_path / "stops.xlsx"


def test_a_cover_sheet_is_passed_over_and_said(book: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(book), "--schema", "bus_stop", "--language", "zh"])
    assert (ran.exit_code, "现用代码 320613" in ran.output) == (1, True)
    assert "文件有 2 个表，读取的是“数据”。" in ran.output
    assert "已校验 2 行" in ran.output


def test_a_sheet_can_be_named_and_without_rows_is_not_called_good(book: Path) -> None:
    ran = CliRunner().invoke(cli, ["validate", str(book), "--sheet", "封面", "--language", "zh"])
    assert "没有数据行" in ran.output
    assert "校验通过" not in ran.output


def test_the_marked_file_is_marked_on_the_sheet_that_was_read(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    CliRunner().invoke(cli, ["validate", str(book), "--schema", "bus_stop", "--annotate", str(out)])
    marked = openpyxl.load_workbook(out)
    assert [sheet.title for sheet in marked if any(c.comment for row in sheet.rows for c in row)] == ["数据"]
