"""The tasks as the server calls them: in the sandbox, on real files where they are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow.parquet as pq
import pytest

from opendata.ports.sandbox.port import LimitExceeded, Limits, TaskError, TaskFailed
from opendata.ports.sandbox.process import ProcessSandbox
from opendata.tabular.tasks import profile

REAL = Path(__file__).parents[2].parent / "shared" / "data"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessSandbox]:
    made = ProcessSandbox(tmp_path_factory.mktemp("scratch"), workers=1)
    yield made
    made.close()


@pytest.fixture
def call(sandbox: ProcessSandbox, tmp_path: Path) -> Call:
    def run(task: str, path: Path, limits: Limits | None = None, **args: Any) -> Any:
        output = tmp_path if task == "to_parquet" else None
        args = {"name": path.name, "options": {}, **args}
        return sandbox.run(
            f"opendata.tabular.tasks:{task}",
            args=args,
            inputs={"path": path},
            output=output,
            limits=limits or Limits(),
        )

    return run


def real(name: str) -> Path:
    path = REAL / name
    if not path.exists():
        pytest.skip("the real files of ../shared/data are not at hand")
    return path


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def types(profile: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: column["type"] for column in profile["columns"]}


class TestReal:
    def test_both_encodings_give_one_table(self, call: Call, tmp_path: Path) -> None:
        tables = []
        for name in ("admin_areas.csv", "admin_areas_gb18030.csv"):
            profile = call("profile", real(name))
            assert (profile["rows"], set(types(profile).values())) == (2978, {"string"})
            call("to_parquet", real(name), schema=profile["schema"])
            tables.append(pl.read_parquet(tmp_path / "table.parquet"))
        assert tables[0].equals(tables[1])
        assert tables[0].row(0) == ("110101", "东城区", "1101", "11")

    def test_codes_of_a_workbook_are_text(self, call: Call, tmp_path: Path) -> None:
        profile = call("profile", real("nantong_areas.xls"))
        assert types(profile) == {"区划代码": "string", "区划名称": "string", "启用日期": "date"}
        assert profile["sample"][1] == ["320613", "崇川区", "2020-01-02"]
        call("to_parquet", real("nantong_areas.xls"), schema=profile["schema"])
        assert pl.read_parquet(tmp_path / "table.parquet").row(1) == ("320613", "崇川区", date(2020, 1, 2))

    def test_streets(self, call: Call) -> None:
        profile = call("profile", real("admin_streets.csv"))
        assert profile["rows"] == 41352
        assert {types(profile)[name] for name in ("code", "areaCode", "provinceCode", "cityCode")} == {
            "string"
        }

    def test_industries(self, call: Call) -> None:
        profile = call("profile", real("gbt4754_2017_industry.csv"))
        assert types(profile)["code"] == "string"


class TestProfile:
    def test_all_of_it(self, call: Call, tmp_path: Path) -> None:
        text = "代码,n,备注\n" + "".join(f"{i:03d},{i},{'长' * (i % 5)}\n" for i in range(30)) + ",,\n1,2\n"
        profile = call("profile", csv(tmp_path, text))
        assert profile["rows"] == 31
        assert profile["columns"] == [
            {"name": "代码", "type": "string", "filled": 31, "missing": 0, "longest": 3},
            {"name": "n", "type": "integer", "filled": 31, "missing": 0, "longest": 2},
            {"name": "备注", "type": "string", "filled": 24, "missing": 7, "longest": 4},
        ]
        assert (len(profile["sample"]), profile["sample"][2]) == (20, ["002", "2", "长长"])
        assert (profile["blank_rows"], profile["ragged_rows"]) == (1, {"short": 1, "long": 0})
        assert profile["layout"]["delimiter"] == ","

    def test_a_header_alone(self, call: Call, tmp_path: Path) -> None:
        path = csv(tmp_path, "a,b\n")
        assert call("profile", path)["rows"] == 0
        answer = call("to_parquet", path, schema={"fields": [{"name": "a", "type": "date"}]})
        assert answer["columns"] == [{"name": "a", "type": "date"}, {"name": "b", "type": "string"}]
        assert pl.read_parquet(tmp_path / "table.parquet").shape == (0, 2)

    def test_what_is_no_table(self, call: Call, tmp_path: Path) -> None:
        for name, code in (("a.pdf", "not_a_table"), ("a.csv", "not_as_named")):
            path = tmp_path / name
            path.write_bytes(b"%PDF-1.7")
            with pytest.raises(TaskFailed) as caught:
                call("profile", path)
            assert (caught.value.code, caught.value.params["found"]) == (code, "pdf")

    def test_preview(self, call: Call, tmp_path: Path) -> None:
        answer = call("preview", csv(tmp_path, "a,b\n1,2\n3,4\n5,6\n"), limit=2)
        assert (answer["layout"]["columns"], answer["rows"]) == (["a", "b"], [["1", "2"], ["3", "4"]])

    def test_a_sparse_sheet_that_claims_the_whole_grid(self, call: Call, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active["A1"] = "a"
        book.active["XFD1048576"] = "z"
        book.save(tmp_path / "grid.xlsx")
        with pytest.raises((LimitExceeded, TaskFailed)):
            call("profile", tmp_path / "grid.xlsx", limits=Limits(memory=400 << 20, wall_seconds=60))
        assert call("profile", csv(tmp_path, "a,b\n1,2\n"))["rows"] == 1


class TestParquet:
    def test_every_type(self, call: Call, tmp_path: Path) -> None:
        kinds = [
            "string",
            "integer",
            "number",
            "boolean",
            "date",
            "datetime",
            "time",
            "year",
            "duration",
            "any",
        ]
        good = [
            "01",
            "-5",
            "2.50",
            "TRUE",
            "2026-11-03",
            "2026-11-03T10:20:30",
            "10:20:30",
            "2026",
            "P1D",
            "x",
        ]
        bad = ["", "x", "1.2.3", "yes", "2026-02-30", "noon", "25:00:00", "MMXX", "", ""]
        text = "\n".join(",".join(line) for line in (kinds, good, bad, [""] * 9 + ["y"])) + "\n"
        schema = {"fields": [{"name": kind, "type": kind} for kind in kinds]}
        answer = call("to_parquet", csv(tmp_path, text), schema=schema)
        assert [column["type"] for column in answer["columns"]] == [*kinds[:7], "integer", "string", "string"]
        assert answer["nulled"] == dict.fromkeys(
            ["integer", "number", "boolean", "date", "datetime", "time", "year"], 1
        )
        table = pl.read_parquet(tmp_path / "table.parquet")
        assert table.row(0) == (
            "01", -5, 2.5, True, date(2026, 11, 3), datetime(2026, 11, 3, 10, 20, 30), time(10, 20, 30), 2026, "P1D", "x",
        )  # fmt: skip
        assert table.row(1) == (None,) * 10
        assert answer["rows"] == table.height == 3

    def test_formats_and_missing_values(self, call: Call, tmp_path: Path) -> None:
        text = 'd,n,i,b,t\n2026年11月3日,"1.234,5",￥7元,是,2026-11-03T01:00:00+08:00\n—,NaN,—,否,2026-11-03 01:00:00Z\n'
        schema = {
            "missingValues": ["", "—"],
            "fields": [
                {"name": "d", "type": "date", "format": "%Y年%m月%d日"},
                {"name": "n", "type": "number", "groupChar": ".", "decimalChar": ","},
                {"name": "i", "type": "integer", "bareNumber": False},
                {"name": "b", "type": "boolean", "trueValues": ["是"], "falseValues": ["否"]},
                {"name": "t", "type": "datetime"},
            ],
        }
        answer = call("to_parquet", csv(tmp_path, text), schema=schema)
        assert answer["nulled"] == {"n": 1}
        assert pl.read_parquet(tmp_path / "table.parquet").rows() == [
            (date(2026, 11, 3), 1234.5, 7, True, datetime(2026, 11, 2, 17)),
            (None, None, None, False, datetime(2026, 11, 3, 1)),
        ]

    def test_row_groups_of_16384_in_the_order_of_the_file(self, call: Call, tmp_path: Path) -> None:
        text = "n,s\n" + "".join(f"{n},x{n}\n" for n in range(70_000))
        call("to_parquet", csv(tmp_path, text), schema={"fields": [{"name": "n", "type": "integer"}]})
        with pq.ParquetFile(tmp_path / "table.parquet") as file:
            groups = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]
        assert groups == [16384] * 4 + [70_000 - 4 * 16384]
        assert pl.read_parquet(tmp_path / "table.parquet")["n"].to_list() == list(range(70_000))

    def test_a_wide_table_still_has_whole_row_groups(self, call: Call, tmp_path: Path) -> None:
        header = ",".join(f"c{n}" for n in range(300))
        call("to_parquet", csv(tmp_path, header + "\n" + ("1," * 299 + "1\n") * 17_000), schema={})
        with pq.ParquetFile(tmp_path / "table.parquet") as file:
            assert [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)] == [
                16384,
                616,
            ]

    @pytest.mark.parametrize(
        ("header", "names"), [("a,,c", ["a", "field2", "c"]), ("a,field3,a", ["a", "field3", "field3_"])]
    )
    def test_columns_without_a_name_of_their_own(
        self, call: Call, tmp_path: Path, header: str, names: list[str]
    ) -> None:
        path = csv(tmp_path, header + "\n1,2,3\n")
        for schema in ({}, call("profile", path)["schema"]):
            answer = call("to_parquet", path, schema=schema)
            assert [column["name"] for column in answer["columns"]] == names

    def test_a_schema_by_place_names_the_columns(self, call: Call, tmp_path: Path) -> None:
        schema = {"fields": [{"name": "x", "type": "integer"}, {"name": "y", "type": "string"}]}
        answer = call("to_parquet", csv(tmp_path, "甲,乙\n1,2\n"), schema=schema)
        assert answer["columns"] == [{"name": "x", "type": "integer"}, {"name": "y", "type": "string"}]


@pytest.mark.parametrize(
    ("name", "text", "line", "key"),
    [
        ("a.json", '[\n {"a": 1},\n {"a": 2,\n  "a": 3}]', 3, "a"),
        ("a.json", '{"data": [\n {"a": {\n "b": 1, "b": 1}}]}', 2, "b"),
        ("a.ndjson", '{"a": 1}\n{"b": 1, "b": 2}\n', 2, "b"),
    ],
)
def test_a_repeated_key_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, line: int, key: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(TaskError) as caught:
        profile(str(path), name)
    assert (caught.value.code, caught.value.params) == ("json_key_repeated", {"key": key, "line": line})


def test_coordinates_of_points_are_numbers_even_when_all_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    feature = '{"type":"Feature","properties":{"n":7},"geometry":{"type":"Point","coordinates":[120,32,5]}}'
    path.write_text('{"type":"FeatureCollection","features":[' + feature + "]}")
    types = {c["name"]: c["type"] for c in profile(str(path), "a.geojson")["columns"]}
    assert (types["n"], types["lon"], types["lat"]) == ("integer", "number", "number")
