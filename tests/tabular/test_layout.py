from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import stream
from opendata.tabular.layout import Layout, layout
from opendata.tabular.plain import text
from opendata.tabular.stream import Tally, frames, write_csv


@pytest.fixture
def made(tmp_path: Path) -> Any:
    def write(data: str | bytes, name: str = "a.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def rows(path: Path, found: Layout, tally: Tally | None = None) -> list[tuple[str, ...]]:
    return [row for frame in frames(path, found, tally) for row in frame.rows()]


def refused(path: Path, options: dict[str, Any] | None = None) -> TaskError:
    with pytest.raises(TaskError) as caught:
        list(frames(path, layout(path, path.name, options)))
    return caught.value


def codes(found: Layout) -> list[str]:
    return [note["code"] for note in found.notes]


class TestDelimited:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("last", ["", "end"])
    def test_delimiters_and_line_ends(self, made: Any, delimiter: str, end: str, last: str) -> None:
        lines = [["代码", "名称", "x"], ["01", "a", ""], ["02", "", "c"]]
        path = made(end.join(delimiter.join(line) for line in lines) + (end if last else ""))
        found = layout(path, path.name)
        assert (found.delimiter, found.columns) == (delimiter, ("代码", "名称", "x"))
        assert rows(path, found) == [("01", "a", ""), ("02", "", "c")]

    def test_quotes_hold_delimiters_lines_and_quotes(self, made: Any) -> None:
        path = made('a,b\n"1,5","x\ny"\n"say ""hi""",z\n')
        assert rows(path, layout(path, "a.csv")) == [("1,5", "x\ny"), ('say "hi"', "z")]

    def test_a_delimiter_inside_most_texts_does_not_win(self, made: Any) -> None:
        path = made("name;note\nA;one, two\nB;three\nC;four, five, six\n")
        assert layout(path, "a.csv").delimiter == ";"

    def test_one_column(self, made: Any) -> None:
        path = made("名称\n南通\n崇川\n")
        assert rows(path, layout(path, "a.csv")) == [("南通",), ("崇川",)]

    def test_uneven_and_blank_rows_are_counted(self, made: Any) -> None:
        path = made("a,b,c\n1,2\n1,2,3,4\n\n,,\n5,6,7\n")
        tally = Tally()
        assert rows(path, layout(path, "a.csv"), tally) == [("1", "2", ""), ("1", "2", "3"), ("5", "6", "7")]
        assert tally == Tally(rows=3, blank=2, short=1, empty=1, long=1)

    def test_uneven_rows_that_add_up(self, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text, "BLOCK", 64)
        path = made("a,b,c\n" + "1,2,3\n" * 200 + "1,2\n1,2,3,4\n" + "5,6,7\n" * 3)
        tally = Tally()
        got = rows(path, layout(path, "a.csv"), tally)
        assert got == [("1", "2", "3")] * 200 + [("1", "2", ""), ("1", "2", "3")] + [("5", "6", "7")] * 3
        assert (tally.short, tally.long) == (1, 1)

    def test_blocks_cut_anywhere(self, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = "".join(f"{n},南通{n},{n % 7}\r\n" for n in range(500))
        path = made("id,名称,x\r\n" + lines)
        expected = [tuple(line.split(",")) for line in lines.split("\r\n")[:-1]]
        for block in (32, 33, 64, 1 << 20):
            monkeypatch.setattr(text, "BLOCK", block)
            monkeypatch.setattr(stream, "CELLS", block * 3)
            assert rows(path, layout(path, "a.csv")) == expected

    @pytest.mark.parametrize(
        "data", ["a,b\r1,2\r", "a,b\n1\r,2\n", "a,b\n1,2\n\n3,4\n", 'a,b\n1,"2"\n', "a,b\n1,2\r"]
    )
    def test_only_plain_files_take_the_short_way(self, made: Any, data: str) -> None:
        with pytest.raises(text.NotPlain):
            list(text.frames(made(data), "utf-8", ",", '"', ["c0", "c1"]))
        frames = text.frames(made("a,b\r\n1,2\r\n3,4"), "utf-8", ",", '"', ["c0", "c1"])
        assert [row for frame in frames for row in frame.rows()] == [("1", "2"), ("3", "4")]

    def test_title_rows_above_the_header(self, made: Any) -> None:
        path = made("南通市行政许可公示表,,\n,,\n名称,日期,文号\n甲,2026-01-01,1\n")
        found = layout(path, "a.csv")
        assert (found.header_row, codes(found)) == (3, ["title_rows"])
        assert rows(path, found) == [("甲", "2026-01-01", "1")]
        assert layout(path, "a.csv", {"header_row": "1"}).header_row == 1

    def test_names_are_reported_not_repaired(self, made: Any) -> None:
        found = layout(made("a,,a, b\n1,2,3,4\n"), "a.csv")
        assert found.columns == ("a", "", "a", " b")
        assert list(found.notes) == [
            {"code": "blank_header", "columns": [2]},
            {"code": "repeated_header", "names": ["a"]},
            {"code": "spaces_in_header", "names": [" b"]},
        ]

    def test_a_header_of_numbers_is_noted(self, made: Any) -> None:
        assert codes(layout(made("1,2.5\n3,4\n"), "a.csv")) == ["header_looks_like_data"]

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            ("", "file_empty"),
            ("\n\n\n", "file_empty"),
            ("a," * 2000 + "b\n", "too_many_columns"),
            ("a" * 1_100_000 + "\n1\n", "header_too_long"),
            ('a,b\n1,"' + "x" * 1_100_000 + '"\n', "cell_too_large"),
        ],
    )
    def test_limits(self, made: Any, data: str, code: str) -> None:
        assert refused(made(data)).code == code

    @pytest.mark.parametrize(
        "options",
        [
            {"delimiter": ",,"},
            {"header_row": 0},
            {"header_row": "x"},
            {"colour": 1},
            {"format": "pdf"},
            {"delimiter": "，"},
        ],
    )
    def test_wrong_options(self, made: Any, options: dict[str, Any]) -> None:
        assert refused(made("a,b\n1,2\n"), options).code == "option_wrong"

    def test_a_header_row_that_is_not_there(self, made: Any) -> None:
        assert refused(made("a,b\n1,2\n"), {"header_row": 9}).code == "header_missing"

    def test_a_header_row_far_down(self, made: Any) -> None:
        path = made("x\n" * 60 + "a,b\n1,2\n")
        found = layout(path, "a.csv", {"header_row": 61})
        assert (found.columns, rows(path, found)) == (("a", "b"), [("1", "2")])


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    first, second = made.active, made.create_sheet("第二")
    first.title = "第一"
    first.append(["编号", "日期", "时刻", "是否", "金额", "时长", None])
    first.append(
        [320613.0, date(2026, 11, 3), datetime(2026, 11, 3, 10, 20, 30), True, 1.5, timedelta(hours=30)]
    )
    first.append([None, None, None, None, None, None])
    first.append(["0012", None, time(9, 5), False, 1e20, None])
    second.append(["标题"])
    second.append([])
    second.append(["a", "b", "c"])
    second.append([1, 2, 3, 4])
    path = tmp_path / "book.xlsx"
    made.save(path)
    return path


class TestSheets:
    def test_cells_as_text(self, book: Path) -> None:
        found = layout(book, book.name)
        assert (found.sheet, found.sheets, codes(found)) == ("第一", ("第一", "第二"), ["other_sheets"])
        assert rows(book, found) == [
            ("320613", "2026-11-03", "2026-11-03T10:20:30", "true", "1.5", "30:00:00"),
            ("0012", "", "09:05:00", "false", "1e+20", ""),
        ]

    @pytest.mark.parametrize("sheet", ["第二", 2, "2"])
    def test_choosing_a_sheet(self, book: Path, sheet: str | int) -> None:
        found = layout(book, book.name, {"sheet": sheet})
        tally = Tally()
        assert (found.sheet, found.header_row, found.columns) == ("第二", 3, ("a", "b", "c"))
        assert (rows(book, found, tally), tally.long) == ([("1", "2", "3")], 1)

    def test_a_sheet_that_is_not_there(self, book: Path) -> None:
        assert refused(book, {"sheet": "third"}).params == {"sheet": "third", "sheets": ["第一", "第二"]}

    def test_canonical_csv(self, book: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.csv"
        found = layout(book, book.name, {"sheet": 2})
        write_csv(book, found, out)
        assert out.read_text() == "a,b,c\n1,2,3\n"
        write_csv(book, found, out, keep_lines=True)
        assert [line.split(",")[0] for line in out.read_text().splitlines()] == ["-", "-", "a", "1"]


class TestRecords:
    def test_json_keeps_keys_and_values(self, made: Any) -> None:
        data = '{"total": 2, "data": [{"a": "01", "n": 1.50, "x": {"k": [1, null]}}, {"b": true, "a": null, "n": 12345678901234567890}]}'
        path = made(data, "a.json")
        found = layout(path, "a.json")
        assert found.columns == ("a", "n", "x", "b")
        assert rows(path, found) == [
            ("01", "1.5", '{"k":[1,null]}', ""),
            ("", "12345678901234567890", "", "true"),
        ]

    def test_ndjson_names_the_broken_line(self, made: Any) -> None:
        path = made('{"a": 1}\n\n{"b": "x"}\n', "a.ndjson")
        assert rows(path, layout(path, "a.ndjson")) == [("1", ""), ("", "x")]
        error = refused(made('{"a": 1}\n{"a": \n', "b.ndjson"))
        assert (error.code, error.params) == ("json_broken", {"line": 2})

    def test_geojson(self, made: Any) -> None:
        path = made(
            '{"type":"FeatureCollection","features":[{"type":"Feature","id":7,"properties":{"name":"站"},'
            '"geometry":{"type":"Point","coordinates":[120.9,31.98]}},{"type":"Feature","properties":null,"geometry":null}]}',
            "a.geojson",
        )
        found = layout(path, "a.geojson")
        assert found.columns == ("name", "id", "lon", "lat", "geometry")
        tally = Tally()
        assert rows(path, found, tally) == [
            ("站", "7", "120.9", "31.98", '{"type":"Point","coordinates":[120.9,31.98]}')
        ]
        assert tally.blank == 1

    def test_gb18030_json(self, made: Any) -> None:
        path = made('[{"名称": "崇川区"}]'.encode("gb18030"), "a.json")
        assert rows(path, layout(path, "a.json")) == [("崇川区",)]

    def test_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        pl.DataFrame(
            {
                "n": [1, None, 3],
                "f": [1.5, 2.0, None],
                "d": [date(2026, 1, 2), None, None],
                "t": [datetime(2026, 1, 2, 3, 4), None, None],
                "s": ["01", "x,y", None],
                "l": [[1, 2], None, []],
                "b": [True, False, None],
            }
        ).write_parquet(path)
        assert rows(path, layout(path, path.name)) == [
            ("1", "1.5", "2026-01-02", "2026-01-02T03:04:00", "01", "[1,2]", "true"),
            ("", "2", "", "", "x,y", "", "false"),
            ("3", "", "", "", "", "[]", ""),
        ]

    def test_broken_parquet(self, made: Any) -> None:
        assert refused(made(b"PAR1" + b"x" * 100, "a.parquet")).code == "parquet_broken"


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name.startswith("hidden"):
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


TABLE: list[list[object]] = [["编号", "名称", "数量"], *([f"{n:03d}", f"站{n}", n] for n in range(30))]


def test_a_cover_names_the_sheets_and_the_likely_one(tmp_path: Path) -> None:
    cover: list[list[object]] = [["填报说明"], ["一、请填写数据表"], ["单位", "某局"]]
    path = workbook(tmp_path / "a.xlsx", 说明=cover, hidden=TABLE, 数据=TABLE)
    found = layout(path, "a.xlsx")
    assert (found.sheet, found.sheets, found.hidden) == ("说明", ("说明", "hidden", "数据"), ("hidden",))
    assert {"code": "other_sheets", "read": "说明", "sheets": 3, "likely": "数据"} in found.notes
    chosen = layout(path, "a.xlsx", {"sheet": "数据"})
    assert chosen.columns == ("编号", "名称", "数量")
    assert [note["code"] for note in chosen.notes] == []


def test_a_table_before_a_note_is_left_alone_and_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", hidden=TABLE, 数据=TABLE, 说明=[["说明"]])
    found = layout(path, "a.xlsx")
    assert found.sheet == "数据"
    assert {"code": "other_sheets", "read": "数据", "sheets": 3, "likely": None} in found.notes


def test_an_empty_first_sheet_is_told_with_the_others(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet1=[], 数据=TABLE)
    with pytest.raises(TaskError) as caught:
        layout(path, "a.xlsx")
    assert caught.value.code == "sheet_empty"
    assert caught.value.params == {"sheet": "Sheet1", "sheets": ["Sheet1", "数据"], "likely": "数据"}


def test_formulas_without_a_stored_result_are_told_by_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Sheet=[["a", "b"], [1, "=A2*2"], [2, '=IF(A3<5,"<","")'], [3, 4]])
    (note,) = layout(path, "a.xlsx").notes
    assert note == {"code": "formula_without_value", "total": 2, "cells": [[2, 2, "B2"], [2, 3, "B3"]]}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["a,b\n1,2\n", "编号,名称\n01,一二三\n02,上下\n", "café;naïve\n1;2\n"])
def test_utf_16_without_a_mark_is_read(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    found = layout(path, "a.csv")
    assert found.encoding == encoding
    assert list(found.columns) == re.split("[,;]", text.partition("\n")[0])


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 40, b"\0" * 100, b"a,b\n1,\0 2\n" * 9, b"\x7fx\0\1" * 50]
)
def test_bytes_are_not_taken_for_utf_16(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(TaskError) as caught:
        layout(path, "a.csv")
    assert caught.value.code == "not_as_named"
