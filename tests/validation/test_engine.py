"""Reports are frictionless' own; a proof never changes what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.tabular.layout import layout
from opendata.tabular.tasks import profile
from opendata.validation.clean import prove
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
        for proof in (True, False):
            report = validate_file(path, name, {}, seen["schema"], proof=proof)
            assert report["valid"]
            assert report["tasks"][0]["stats"]["rows"] == seen["rows"]


FIELDS = schema(
    {**field("id", "integer", required=True, minimum=0, maximum=10**17), "x-unit": "个"},
    field("code", required=True, pattern="[0-9]{6}|[A-Z]{2}", maxLength=6),
    field("name", minLength=1, enum=["甲", "乙", "丙,丁"]),
    field("amount", "number", minimum=0, maximum=99.5),
    field("day", "date", minimum="2020-01-01"),
    field("at", "datetime"),
    field("open", "boolean"),
    primaryKey=["id", "code"],
    missingValues=["", "-"],
)
GOOD = ["1", "320613", "甲", "2.50", "2026-11-03", "2026-11-03T10:00:00", "true"]
KEYLESS = {key: value for key, value in FIELDS.items() if key != "primaryKey"}
ODD = [
    "", "-", " ", "0", "-0", "+1", " 1", "007", "1_000", "１", "1e5", ".5", "5.", "NaN", "INF", "99.5", "99.51", "-0.0",
    "100000000000000001", "99.500000000000001", "2020-1-1", "2019-12-31", "2026-02-30", "0000-01-01", "2026-11-03 10:00:00",
    "2026-11-03T10:00", "2026-11-03T24:00:00", "TRUE", "tRuE", "yes", "丙,丁", "320613\n", "AB", "ab", "320613AB", "x\ny", "XXAB", "\u2028",
]  # fmt: skip


def table(rows: list[list[str]]) -> bytes:
    quote = lambda cell: '"' + cell + '"' if set(cell) & set(',\n"') else cell  # noqa: E731
    names = [f["name"] for f in FIELDS["fields"]]
    return "".join(",".join(map(quote, row)) + "\n" for row in [names, *rows]).encode()


def without_time(report: dict[str, Any]) -> dict[str, Any]:
    for part in (report, report["tasks"][0]):
        part["stats"]["seconds"] = 0
    return report


def doubtful(path: Path, described: dict[str, Any]) -> list[int] | None:
    proof = prove(path, layout(path, path.name), described)
    return None if proof is None else [number for number, _ in proof.doubtful]


def proof_holds(path: Path, described: dict[str, Any]) -> bool:
    """Whether there is a proof; if so, frictionless over the whole file must say the very same."""
    if doubtful(path, described) is None:
        return False
    proved, plain = (
        without_time(validate_file(path, path.name, {}, described, proof=proof)) for proof in (True, False)
    )
    assert proved == plain
    return True


class TestProof:
    def test_a_clean_file_is_proved(self, write: Write) -> None:
        rows = [GOOD, ["2", "AB", "", "-", "", "-", "0"], ["2", "320613", "丙,丁", "99.5", "-", "", ""]]
        path = write(table(rows))
        assert proof_holds(path, FIELDS)
        assert doubtful(path, FIELDS) == []
        assert validate_file(path, path.name, {}, FIELDS)["valid"]

    @pytest.mark.parametrize("place", range(7))
    def test_one_odd_cell(self, write: Write, place: int) -> None:
        proved = 0
        for cell in ODD:
            odd = [*GOOD[:place], cell, *GOOD[place + 1 :]]
            first = ["2", *GOOD[1:]]
            proved += proof_holds(write(table([first, odd])), FIELDS)
        assert 0 < proved < len(ODD)

    @given(
        st.lists(st.tuples(*(st.sampled_from([good, good, *ODD]) for good in GOOD)), min_size=1, max_size=4)
    )
    @settings(max_examples=60, deadline=None)
    def test_any_rows(self, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]) -> None:
        path = tmp_path_factory.mktemp("any") / "table.csv"
        path.write_bytes(table([list(row) for row in rows]))
        proof_holds(path, FIELDS)
        assert proof_holds(path, KEYLESS)

    def test_doubtful_rows_keep_their_numbers(self, write: Write) -> None:
        rows = [[str(n), *GOOD[1:]] for n in range(50)]
        rows[7][0], rows[30], rows[49][3] = "x", [""] * 7, "999"
        path = write(table(rows))
        assert doubtful(path, KEYLESS) == [9, 32, 51]
        assert proof_holds(path, KEYLESS)
        assert {row for _, row, _ in errors(validate_file(path, path.name, {}, KEYLESS))} == {9, 32, 51}
        assert doubtful(path, FIELDS) is None

    def test_doubtful_rows_below_a_title_and_of_a_workbook(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for row in (["标题"], [], ["a", "n", "s"], ["x", 1, "y"], ["x", "?", "y"], [None] * 3, ["x", 3, "y"]):
            book.active.append(row)
        path = tmp_path / "book.xlsx"
        book.save(path)
        described = schema(field("a"), field("n", "integer"), field("s"))
        assert doubtful(path, described) == [5, 6]
        assert proof_holds(path, described)

    def test_the_limit_is_reached_among_doubtful_rows(self, write: Write) -> None:
        path = write("a,b\n" + "1,x\n?,x\n" * 30)
        described = schema(field("a", "integer"), field("b"))
        for limit in (1, 7, 29, 30, 31):
            proved, plain = (
                without_time(validate_file(path, path.name, {}, described, limit, proof=proof))
                for proof in (True, False)
            )
            assert proved == plain

    @pytest.mark.parametrize(
        "described",
        [
            schema(field("a"), primaryKey="a"),
            schema(field("a", unique=True)),
            schema(field("a", "integer", unique=True)),
            schema({"name": "a", "type": "string", "format": "email"}),
            schema({"name": "a", "type": "integer", "bareNumber": False}),
            schema(field("a", "year")),
            schema(field("a", "number", unique=True)),
            schema(field("a", pattern=r"\w")),
            schema(field("a", pattern="a|1")),
            schema(
                field("a"), foreignKeys=[{"fields": ["a"], "reference": {"resource": "", "fields": ["a"]}}]
            ),
            schema(field("a"), fieldsMatch=["subset"]),
            schema(field("b")),
            schema(field("a"), missingValues=[]),
            schema(field("a", required=True), missingValues=["", "1"]),
            schema(field("a", "integer", enum=["1", "2"])),
        ],
    )
    def test_other_schemas(self, write: Write, described: dict[str, Any]) -> None:
        cells = ["1\n1\n", "1\n2\n", "1.0\n1\n", "1\n\n2\n", "", "2026\n", "1\n", "a\nb1\n", '""\n1\n']
        proved = {text for text in cells if proof_holds(write("a\n" + text), described)}
        assert len(proved) < len(cells)

    def test_a_doubt_in_a_late_frame(self, write: Write) -> None:
        path = write("a,b\n" + "".join(f"{n},x\n" for n in range(250_000)) + "7,x\n")
        assert doubtful(path, schema(field("a", "integer"), field("b"))) == []
        assert doubtful(path, schema(field("a", "integer", unique=True), field("b"))) is None
        assert doubtful(path, schema(field("a", "integer", maximum=249_998), field("b"))) == [250_001]
