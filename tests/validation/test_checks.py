"""The checks that a schema names: national test vectors, what spreadsheets do to files, and how they are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frictionless import Check, Report

from opendata.validation.checks.plugin import CHECKS
from opendata.validation.judging import validate_file
from opendata.validation.schemas import check_schema

Found = list[tuple[int, str, str]]
Judge = Callable[..., Found]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """(row, check, reason) of what the checks find in the cells of one column, or in the rows of a table."""

    def run(cells: list[str] | str, *checks: Any, kind: str = "string", **schema: Any) -> Found:
        column = isinstance(cells, list)
        text = "code\n" + "\n".join(f'"{c}"' for c in cells) if isinstance(cells, list) else cells
        path = tmp_path / "table.csv"
        path.write_text(text + "\n", encoding="utf-8")
        header = text.partition("\n")[0].split(",")
        fields: list[dict[str, Any]] = [{"name": name, "type": kind} for name in header]
        if column:
            fields[0]["checks"] = list(checks)
        else:
            schema["checks"] = list(checks)
        described = {"fields": fields, **schema}
        assert check_schema(described) == []
        report = validate_file(path, path.name, {}, described)
        Report.from_descriptor(report)
        return [
            (e["rowNumber"], e["type"], e["reason"])
            for e in report["tasks"][0]["errors"]
            if e["type"] in CHECKS
        ]

    return run


VECTORS = {
    "uscc": (
        ["91350100M000100Y43", "91110000600037341L", "91320600MA1MABCD6F", "113206000143000121", "12320600467000012G", "52320600509100012A", "N2320612MF0000001B", "A1110000MC0000001P"],
        {"91350100M000100Y4Z": "form", "91350100M000100Y4A": "checksum", "91350100I000100Y43": "form", "91350100M000100Y4": "form", "９１３５０１００M000100Y43": "full_width", "9.13501E+17": "scientific"},
    ),
    "resident_id": (
        ["11010519491231002X", "440524188001010014", "360426199101010071", "320602198501011231", "320613202101011230", "320602196501011232", "11010519491231002x", "320***********1231"],
        {"320602199002300017": "date", "320602198501011232": "checksum", "32060219850101123": "form", "３２０６０２１９８５０１０１１２３１": "full_width", "3.20602E+17": "scientific", "3206021985****1231": "form", "320602209901011231": "date"},
    ),
    "gb11714": (["D2143569-X", "60003734-1", "MA1MABCD6"], {"D2143569-1": "checksum", "D214356": "form"}),
    "cn_phone": (
        ["13812345678", "19912345678", "0513-85098000", "051385098000", "0513-85098000-812", "12345", "400-820-8820", "+86-13812345678", "0513-85098000、85098001"],
        {"12812345678": "form", "1381234567x": "form", "０５１３-85098000": "full_width", "1.38123E+10": "scientific"},
    ),
    "plate": (
        ["苏F12345", "苏FD12345", "苏F12345D", "苏F1234学", "粤Z1234港"],
        {"苏FI2345": "form", "苏f12345": "form", "苏F1234": "form", "苏Ｆ12345": "full_width"},
    ),
    "gbt2260": (
        ["320613", "320600", "320000", "320671", "320613001", "320613001001", "110101"],
        {"320602": "replaced", "320684": "replaced", "320621": "replaced", "320601": "retired", "320699": "unknown", "32061": "form", "320613.0": "form", "３２０６１３": "full_width"},
    ),
    "gbt4754": (
        ["A", "01", "011", "0111", "A0111", "8053", "C13"],
        {"1": "leading_zero_lost", "11 ": "form", "159": "leading_zero_lost", "0000": "unknown", "Z": "form", "99": "unknown"},
    ),
    "scientific_notation_id": (["320602198501011231", "E12", "12"], {"3.20602E+17": "rounded", "1E+15": "rounded"}),
    "full_width": (["320613", "Ⅲ类", "㎡", "，"[:0] or "a"], {"３２": "full_width", "（a）": "full_width", "a　b": "full_width"}),
    "unit_in_cell": (
        ["12", "1,200.50", "-3.5", "1.2E+5", "2026-01-01", "abc"],
        {"3.5万": "unit", "12亿元": "unit", "15％": "unit", "15%": "unit", "1,200 元": "unit", "５万元": "unit"},
    ),
    "placeholder_missing": (["0", "无锡", "a/b"], {"—": "mark", "-": "mark", "无": "mark", "/": "mark", "NULL": "mark"}),
}  # fmt: skip


@pytest.mark.parametrize("check", VECTORS)
def test_the_vectors_of_the_standards(judge: Judge, check: str) -> None:
    right, wrong = VECTORS[check]
    found = judge([*right, *wrong], check)
    assert found == [(len(right) + place, check, reason) for place, reason in enumerate(wrong.values(), 2)]


def test_options_of_the_code_checks(judge: Judge) -> None:
    assert judge(["320602", "320684"], {"type": "gbt2260", "retired": True}) == []
    assert judge(["32", "3206"], {"type": "gbt2260", "digits": 4}) == [(2, "gbt2260", "form")]
    assert judge(["01", "A", "011"], {"type": "gbt4754", "levels": [2]}) == [
        (3, "gbt4754", "unknown"),
        (4, "gbt4754", "unknown"),
    ]
    assert judge(["320***********1231"], {"type": "resident_id", "masked": False}) == [
        (2, "resident_id", "masked")
    ]
    assert judge(["01", "1", "001", "a"], {"type": "leading_zero_lost", "digits": 2}) == [
        (3, "leading_zero_lost", "lost")
    ]


def test_a_retired_code_is_told_with_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n320602\n320601\n")
    report = validate_file(path, path.name, {}, {"fields": [{"name": "a", "checks": ["gbt2260"]}]})
    first, second = report["tasks"][0]["errors"]
    assert first["params"] == {"name": "崇川区", "until": "2020", "successor": "320613"}
    assert "320613" in first["message"]
    assert second["params"] == {"name": "市辖区"}


def test_dates_of_one_column_are_written_in_one_way(judge: Judge) -> None:
    cells = ["2026-11-03", "2026/11/3", "20261103", "2026年11月3日", "2026.11.03", "46327", "10/08/2026", "2026年13月1日", "昨天", "2026-11-04"]  # fmt: skip
    assert judge(cells, "mixed_date") == [
        *((row, "mixed_date", "mixed") for row in (3, 4, 5, 6)),
        (7, "mixed_date", "serial"),
        (8, "mixed_date", "ambiguous"),
        (9, "mixed_date", "impossible"),
        (10, "mixed_date", "not_a_date"),
    ]
    assert judge(["2026年1月3日", "2026年11月13日", "2026-01-03"], "mixed_date") == [
        (4, "mixed_date", "mixed")
    ]


def test_a_declared_missing_value_is_right(judge: Judge) -> None:
    assert judge(["—", "无"], "placeholder_missing", missingValues=["", "—"]) == [
        (3, "placeholder_missing", "mark")
    ]
    assert judge(["—", ""], "uscc", missingValues=["", "—"]) == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("120.8943,31.9802,CGCS2000", None),
        (",,", None),
        ("31.9802,120.8943,CGCS2000", "swapped"),
        ("0,0,CGCS2000", "zero"),
        ("116.404,39.915,CGCS2000", "outside"),
        ("120.8943,31.9802,", "undeclared"),
        ("120.8943,31.9802,北京54", "undeclared"),
        ("120.8943,,CGCS2000", "alone"),
        ("120°53′39″,31.9802,CGCS2000", "dms"),
        ("东经120,31.9802,CGCS2000", "form"),
    ],
)
def test_a_coordinate_lies_where_it_should(judge: Judge, row: str, reason: str | None) -> None:
    check = {"type": "coordinate", "longitude": "x", "latitude": "y", "datum": "d", "region": [119.9, 31.6, 122.0, 32.8]}  # fmt: skip
    assert judge(f"x,y,d\n{row}", check) == ([(2, "coordinate", reason)] if reason else [])


def test_the_reference_system_of_a_whole_file(judge: Judge) -> None:
    check = {"type": "coordinate", "longitude": "x", "latitude": "y", "datum": "GCJ02"}
    assert judge("x,y\n120.8,31.9\n116.4,39.9\n2.3,48.8", check) == [(4, "coordinate", "outside")]
    assert judge("x,y\n120.8,31.9", {**check, "datum": "other"}) == [(2, "coordinate", "undeclared")]


def test_rows_that_are_no_data(judge: Judge) -> None:
    table = "区,名称,数量\n01,崇川,1\n合计,,1\n区,名称,数量\n注：统计截至月底,,\n第二部分,,\n,合 计：,9\n02,合计办,3"
    assert judge(table, "total_row", "title_row", "repeated_header") == [
        (3, "total_row", "total"),
        (4, "repeated_header", "header"),
        (5, "title_row", "note"),
        (6, "title_row", "title"),
        (7, "total_row", "total"),
    ]


def test_a_table_of_two_columns_may_have_half_empty_rows(judge: Judge) -> None:
    assert judge("a,b\nx,\ny,1", "title_row", "repeated_header") == []


def test_every_check_is_tried_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in CHECKS if f'"{name}"' not in text} == set()


def test_a_check_of_a_column_that_is_not_there_leaves_it_to_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("b\n1\n")
    report = validate_file(path, path.name, {}, {"fields": [{"name": "a", "checks": ["uscc"]}]})
    assert "task-error" not in {error["type"] for error in report["tasks"][0]["errors"]}


def test_frictionless_knows_them_by_name() -> None:
    for name in CHECKS:
        options = {"digits": 4} if name == "leading_zero_lost" else {}
        where = {"longitude": "x", "latitude": "y"} if name == "coordinate" else {"field": "a"}
        check = Check.from_descriptor(
            {"type": name, **options, **(where if "row" not in name and "header" not in name else {})}
        )
        assert type(check) is CHECKS[name]
        assert check.to_descriptor()["type"] == name


@pytest.mark.parametrize(
    ("schema", "path", "code"),
    [
        ({"checks": "uscc"}, "checks", "check_wrong"),
        ({"checks": [1]}, "checks.0", "check_wrong"),
        ({"checks": ["total_row", "no_such"]}, "checks.1", "check_unknown"),
        ({"checks": ["table-dimensions"]}, "checks.0", "check_unknown"),
        ({"checks": ["uscc"]}, "checks.0", "check_wrong"),
        ({"checks": [{"type": "uscc", "field": "z"}]}, "checks.0", "check_wrong"),
        ({"checks": [{"type": "row-constraint"}]}, "checks.0", "check_wrong"),
        ({"checks": ["total_row"] * 501}, "checks", "too_many_checks"),
    ],
)
def test_what_is_wrong_with_the_checks_of_a_schema(schema: dict[str, Any], path: str, code: str) -> None:
    found = check_schema({"fields": [{"name": "a", "type": "string"}], **schema})
    assert {finding[:2] for finding in found} == {(path, code)}


def test_a_wrong_check_of_a_field_is_named_there() -> None:
    schema = {"fields": [{"name": "a", "type": "string", "checks": [{"type": "gbt2260", "digits": 5}]}]}
    assert {finding[:2] for finding in check_schema(schema)} == {("fields.0.checks.0", "check_wrong")}
