"""Reports of files as they come. That they are frictionless' own: test_differential.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from opendata.tabular.tasks import profile
from opendata.validation.engine import classify
from opendata.validation.judging import validate_file

REAL = Path(__file__).parents[2].parent / "shared" / "data"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(data: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return made


def schema(*fields: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"fields": list(fields), **rest}


def field(name: str, kind: str = "string", **constraints: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "constraints": constraints}


def judge(path: Path, described: dict[str, Any] | None, **options: Any) -> dict[str, Any]:
    return validate_file(path, path.name, options, described)


def errors(report: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    listed = report["tasks"][0]["errors"]
    return [
        (error["type"], error.get("rowNumber"), error.get("fieldName", error.get("label")))
        for error in listed
    ]


class TestReports:
    def test_an_error_has_its_place(self, write: Write) -> None:
        path = write("code,n\n01,1\n02,x\n03\n\n05,5,6\n")
        report = judge(path, schema(field("code"), field("n", "integer")))
        assert errors(report) == [
            ("type-error", 3, "n"),
            ("missing-cell", 4, "n"),
            ("blank-row", 5, None),
            ("extra-cell", 6, ""),
        ]
        first = report["tasks"][0]["errors"][0]
        assert (first["cell"], first["fieldNumber"], first["cells"]) == ("x", 2, ["02", "x"])
        assert "integer" in first["note"]
        assert "row" in first["message"]
        assert report["tasks"][0]["place"] == "table.csv"
        assert classify(report) == {
            "structural": False,
            "valid": False,
            "errors": 4,
            "by_type": {"type-error": 1, "missing-cell": 1, "blank-row": 1, "extra-cell": 1},
        }

    @pytest.mark.parametrize(
        ("header", "kind"),
        [
            ("a", "missing-label"),
            ("a,b,c", "extra-label"),
            ("a,x", "incorrect-label"),
            ("a,", "blank-label"),
            ("a,a", "duplicate-label"),
        ],
    )
    def test_a_wrong_header_is_structural(self, write: Write, header: str, kind: str) -> None:
        width = header.count(",") + 1
        report = judge(write(f"{header}\n{','.join('1' * width)}\n"), schema(field("a"), field("b")))
        verdict = classify(report)
        assert verdict["structural"]
        assert kind in verdict["by_type"]

    @pytest.mark.parametrize(
        ("data", "kind", "code"),
        [
            ("区划,名称\n".encode() + b"\xff\xff\n", "encoding-error", "encoding_unknown"),
            (b"", "source-error", "file_empty"),
            (b"%PDF-1.7", "format-error", "not_as_named"),
        ],
    )
    def test_what_cannot_be_read_is_a_report_too(
        self, write: Write, data: bytes, kind: str, code: str
    ) -> None:
        report = judge(write(data), schema(field("a")))
        assert classify(report) == {"structural": True, "valid": False, "errors": 1, "by_type": {kind: 1}}
        assert report["tasks"][0]["errors"][0]["code"] == code

    @pytest.mark.parametrize(
        ("described", "cell"),
        [
            (schema(field("a", "number", minimum=1)), "sNaN"),
            (schema(field("a", "datetime", minimum="2020-01-01T00:00:00Z")), "2021-01-01T00:00:00"),
            (schema(field("a", "object", unique=True)), '"{""k"": 1}"'),
        ],
    )
    def test_a_crash_of_the_checker_is_an_error_of_the_report(
        self, write: Write, described: Any, cell: str
    ) -> None:
        report = judge(write(f"a\n{cell}\n"), described)
        verdict = classify(report)
        assert (verdict["valid"], verdict["structural"], verdict["errors"]) == (False, False, 1)
        assert verdict["by_type"] == {"task-error": 1}

    def test_a_schema_that_is_none(self, write: Write) -> None:
        assert classify(judge(write("a\n1\n"), {"fields": [{"name": "a", "type": "colour"}]}))["structural"]

    def test_the_limit_of_errors(self, write: Write) -> None:
        path = write("a\n" + "x\n" * 50)
        report = validate_file(path, path.name, {}, schema(field("a", "integer")), limit_errors=7)
        assert classify(report)["errors"] == 7
        assert report["tasks"][0]["warnings"] == ["reached error limit: 7"]

    def test_without_a_schema_the_inferred_one_holds(self, write: Write) -> None:
        assert judge(write("代码,n\n01,1\n02,2.5\n"), None)["valid"]

    def test_a_report_is_json(self, write: Write) -> None:
        path = write("a,d\nx,2020-13-01\n")
        report = judge(
            path, schema(field("a", "number", maximum=3), field("d", "date", minimum="2020-01-01"))
        )
        assert json.loads(json.dumps(report, allow_nan=False)) == report


class TestReading:
    def test_encoding_and_dialect_are_those_of_the_layout(self, write: Write) -> None:
        text = "代码;名称\r\n01;崇川区\r\n02; 海门区\r\n"
        described = schema(field("代码", pattern="[0-9]{2}"), field("名称", pattern="[^ ]+"))
        for codec in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
            report = judge(write(text.encode(codec), f"{codec}.csv"), described)
            assert errors(report) == [("constraint-error", 3, "名称")]
            assert report["tasks"][0]["labels"] == ["代码", "名称"]

    def test_rows_above_the_header(self, write: Write) -> None:
        path = write("公示表,,\n单位:元,,\na,b,c\n1,2,3\n1,x,3\n")
        described = schema(field("a"), field("b", "integer"), field("c"))
        assert errors(judge(path, described)) == [("type-error", 5, "b")]
        assert errors(judge(path, described, header_row=3)) == [("type-error", 5, "b")]

    def test_sheet_and_header_row_of_a_workbook(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.append(["other"])
        sheet = book.create_sheet("数据")
        for row in (["标题"], [], ["代码", "日期", "n"], [320613, date(2026, 1, 2), 1], [320614, "soon", 2]):
            sheet.append(row)
        path = tmp_path / "book.xlsx"
        book.save(path)
        described = schema(field("代码", pattern="[0-9]{6}"), field("日期", "date"), field("n", "integer"))
        report = judge(path, described, sheet="数据")
        assert errors(report) == [("type-error", 5, "日期")]
        assert report["tasks"][0]["stats"]["bytes"] == path.stat().st_size

    def test_records(self, write: Write) -> None:
        path = write('[{"a": "01", "n": 1}, {"a": "02", "n": "x"}]', "a.json")
        assert errors(judge(path, schema(field("a"), field("n", "integer")))) == [("type-error", 3, "n")]

    @pytest.mark.parametrize(
        "name",
        [
            "admin_areas.csv",
            "admin_areas_gb18030.csv",
            "admin_streets.csv",
            "nantong_areas.xls",
            "gb3304_ethnic.csv",
        ],
    )
    def test_real_files_fit_their_profile(self, name: str) -> None:
        path = REAL / name
        if not path.exists():
            pytest.skip("the real files of ../shared/data are not at hand")
        seen = profile(str(path), name)
        report = validate_file(path, name, {}, seen["schema"])
        assert report["valid"]
        assert report["tasks"][0]["stats"]["rows"] == seen["rows"]


def test_a_formula_without_a_stored_result_is_a_finding_of_its_cell(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["名称", "合计"], ["甲", "=1+1"], ["乙", 2]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    report = validate_file(tmp_path / "a.xlsx", "a.xlsx", None, None)
    (error,) = report["tasks"][0]["errors"]
    assert (error["type"], error["rowNumber"], error["fieldName"], error["cell"]) == (
        "formula-value", 2, "合计", "B2",
    )  # fmt: skip
    assert classify(report) == {
        "structural": False, "valid": False, "errors": 1, "by_type": {"formula-value": 1},
    }  # fmt: skip
