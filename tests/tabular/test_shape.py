"""Where the table lies in files as people really make them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.layout import Layout, layout
from opendata.tabular.stream import frames
from opendata.tabular.tasks import to_parquet


def read(path: Path, **options: Any) -> tuple[Layout, list[tuple[str, ...]]]:
    found = layout(path, path.name, options)
    return found, [row for frame in frames(path, found) for row in frame.rows()]


def notes(found: Layout) -> dict[str, dict[str, Any]]:
    return {note["code"]: {k: v for k, v in note.items() if k != "code"} for note in found.notes}


@pytest.fixture
def csv(tmp_path: Path) -> Any:
    def write(text: str | bytes, name: str = "a.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def book(tmp_path: Path) -> Any:
    def write(*rows: list[Any], merged: tuple[str, ...] = (), **hidden: Any) -> Path:
        made = openpyxl.Workbook()
        sheet = made.active
        for row in rows:
            sheet.append(row)
        for span in merged:
            sheet.merge_cells(span)
        for number in hidden.get("rows", ()):
            sheet.row_dimensions[number].hidden = True
        for letter in hidden.get("columns", ()):
            sheet.column_dimensions[letter].hidden = True
        path = tmp_path / "book.xlsx"
        made.save(path)
        return path

    return write


class TestHeader:
    def test_a_title_and_who_made_it(self, csv: Any) -> None:
        found, rows = read(
            csv(
                "行政许可一览表,,,\n制表单位：住建局,,日期：2026-01-01,\n\n编号,名称,日期,机关\n1,甲,2026-01-01,住建局\n2,乙,2026-01-02,住建局\n"
            )
        )
        assert (found.header_row, notes(found)["title_rows"]) == (4, {"rows": 3})
        assert rows == [("1", "甲", "2026-01-01", "住建局"), ("2", "乙", "2026-01-02", "住建局")]

    def test_a_title_above_two_columns(self, csv: Any) -> None:
        found, rows = read(csv("各区人口\n区,人口\n崇川区,1\n通州区,2\n海门区,3\n"))
        assert (found.header_row, found.columns, len(rows)) == (2, ("区", "人口"), 3)

    @pytest.mark.parametrize("text", ["a,\n1,1\n2,2\n3,3\n", "a,b\n1,2,3,4\n1,2,3,4\n1,2,3,4\n"])
    def test_a_header_that_lacks_names_is_one(self, csv: Any, text: str) -> None:
        assert read(csv(text))[0].header_row == 1

    def test_two_levels(self, csv: Any) -> None:
        text = "区,2023年,,2024年,\n,人数,金额,人数,金额\n崇川,1,2,3,4\n通州,5,6,7,8\n"
        found, rows = read(csv(text))
        assert found.columns == ("区", "2023年 人数", "2023年 金额", "2024年 人数", "2024年 金额")
        assert (found.header_row, found.header_rows, found.header_end) == (1, 2, 2)
        assert rows == [("崇川", "1", "2", "3", "4"), ("通州", "5", "6", "7", "8")]
        assert notes(found)["two_header_rows"] == {"row": 1}

    def test_two_levels_below_a_title_in_a_workbook(self, book: Any) -> None:
        path = book(
            ["站点一览"],
            ["编号", "站名", "坐标", None],
            [None, None, "经度", "纬度"],
            [1, "北站", 120.5, 32.1],
            merged=("A1:D1", "A2:A3", "B2:B3", "C2:D2"),
        )
        found, rows = read(path)
        assert (found.header_row, found.columns) == (2, ("编号", "站名", "坐标 经度", "坐标 纬度"))
        assert rows == [("1", "北站", "120.5", "32.1")]

    @pytest.mark.parametrize(
        "text",
        [
            "名称,,地址\n甲,x,乙\n丙,y,丁\n",
            "a,,c\n1,2,3\n4,5,6\n",
            "编号,名称,备注,\n1,甲,,\n2,乙,好,\n",
        ],
    )
    def test_a_blank_in_a_header_makes_no_second_level(self, csv: Any, text: str) -> None:
        assert read(csv(text))[0].header_rows == 1

    def test_levels_by_word_of_the_publisher(self, csv: Any) -> None:
        path = csv("人数,金额\n全市,全市\n1,2\n")
        assert read(path)[0].header_rows == 1
        found, rows = read(path, header_rows=2)
        assert (found.columns, rows) == (("人数 全市", "金额 全市"), [("1", "2")])


class TestFooter:
    BODY = "编号,名称,金额\n1,甲,10\n2,乙,20\n"

    def test_footnotes_are_no_rows(self, csv: Any) -> None:
        found, rows = read(csv(self.BODY + "\n注：1.金额单位为万元\n2.含下属单位\n数据来源：统计局,,\n"))
        assert (found.last_row, notes(found)["footnotes"]) == (3, {"rows": 4, "last_row": 3})
        assert len(rows) == 2

    def test_a_total_stays_until_somebody_sets_it_aside(self, csv: Any) -> None:
        path = csv(self.BODY + "合  计,,30\n")
        found, rows = read(path)
        assert (len(rows), notes(found)["total_row"]) == (3, {"row": 4})
        for options in ({"last_row": 3}, {"without_total": True}, {"without_total": "true"}):
            assert len(read(path, **options)[1]) == 2

    def test_a_total_above_a_footnote(self, csv: Any) -> None:
        found, rows = read(csv(self.BODY + "总计,,30\n备注：初步统计,,\n"))
        assert (found.last_row, len(rows), notes(found)["total_row"]) == (4, 3, {"row": 4})

    @pytest.mark.parametrize("end", ["3,注册公司,1\n", "4,合计公司,3\n", "总部,,\n", "1. 甲,,\n"])
    def test_rows_that_only_look_so_stay(self, csv: Any, end: str) -> None:
        found, rows = read(csv(self.BODY + end))
        assert (len(rows), found.last_row) == (3, None)

    def test_in_a_workbook(self, book: Any) -> None:
        found, rows = read(book(["a", "b", "c"], [1, 2, 3], ["合计", None, 3], ["Note: provisional"]))
        assert (found.last_row, len(rows)) == (3, 2)

    def test_a_last_row_above_the_data(self, csv: Any) -> None:
        with pytest.raises(TaskError, match="option_wrong"):
            read(csv(self.BODY), last_row=1)


class TestText:
    def test_mixed_line_ends(self, csv: Any) -> None:
        assert read(csv("a,b\r\n1,2\n3,4\r5,6\n"))[1] == [("1", "2"), ("3", "4"), ("5", "6")]

    def test_what_excel_reads_in_a_first_line(self, csv: Any) -> None:
        found, rows = read(csv("sep=;\na;b;c\n1;2,5;3\n"))
        assert (found.delimiter, found.columns, rows) == (";", ("a", "b", "c"), [("1", "2,5", "3")])

    def test_a_stray_quote_does_not_swallow_the_rest(self, csv: Any) -> None:
        text = "a,b,c\n" + "1,2,3\n" * 5 + '4,"开口,6\n' + "7,8,9\n" * 20
        found, rows = read(csv(text))
        assert (found.quote, len(rows), rows[5]) == ("", 26, ("4", '"开口', "6"))
        assert "quotes_kept" in notes(found)

    def test_columns_aligned_by_blanks(self, csv: Any) -> None:
        text = 'code   area    price\n3206   1200.5  77\n 320602 13  \t 1\n320612 "a  b" 3\n'
        found, rows = read(csv(text))
        assert (found.delimiter, found.columns) == (" ", ("code", "area", "price"))
        assert rows == [("3206", "1200.5", "77"), ("320602", "13", "1"), ("320612", "a  b", "3")]

    @pytest.mark.parametrize(
        "text",
        ["name name\nJohn Smith\nJane Doe\nJoe Bloggs\n", "a b c\n1 2 3\n4 5 6\n7 8 9\n10 11 12\n13 14\n"],
        ids=["two words", "not all alike"],
    )
    def test_what_blanks_may_keep_apart_is_proposed_first(self, csv: Any, text: str) -> None:
        found, _ = read(csv(text))
        assert (len(found.columns), "blanks_between" in notes(found)) == (1, True)
        found, rows = read(csv(text), delimiter=" ")
        assert (len(found.columns), "blanks_between" in notes(found)) == (
            len(text.split("\n")[0].split()),
            False,
        )
        assert rows[0] == tuple(text.split("\n")[1].split())

    def test_a_long_quoted_text_keeps_nothing_apart(self, csv: Any) -> None:
        found, rows = read(csv("a\n" + f'"{"x" * 200_000} y"\n' * 3))
        assert (len(found.columns), len(rows)) == (1, 3)

    def test_texts_are_not_taken_apart(self, csv: Any) -> None:
        found, rows = read(csv("说明\n请在 2026 年底前 办理\n无\n见附件\n"))
        assert (len(found.columns), len(rows), len(found.notes)) == (1, 3, 0)

    def test_quotes_by_word_of_the_publisher(self, csv: Any) -> None:
        assert read(csv('a,b\n"1","2"\n'), quote="none")[1] == [('"1"', '"2"')]

    def test_sound_quotes_stay_quotes(self, csv: Any) -> None:
        assert read(csv('a,b\n"1,5","x\ny"\n"2,5",z\n'))[0].quote == '"'


def test_what_is_hidden_is_read_and_said(book: Any) -> None:
    found, rows = read(book(["a", "b", "c"], [1, 2, 3], [4, 5, 6], [7, 8, 9], rows=(3, 4), columns=("B",)))
    assert len(rows) == 3
    assert notes(found) == {"hidden_rows": {"rows": 2, "first": 3}, "hidden_columns": {"columns": [2]}}


def zipped(path: Path, **members: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return path


class TestZip:
    def test_the_largest_table_or_the_one_that_is_named(self, tmp_path: Path) -> None:
        path = zipped(
            tmp_path / "a.zip",
            small__csv="x,y\n1,2\n",
            大表__csv="区,数\n崇川,1\n通州,2\n海门,3\n",
            readme__pdf=b"%PDF",
        )
        found, rows = read(path)
        assert (found.member, found.members, found.format) == ("大表.csv", ("small.csv", "大表.csv"), "csv")
        assert (len(rows), notes(found)) == (3, {"other_members": {"read": "大表.csv", "members": 2}})
        for member in ("small.csv", 1, "1"):
            assert read(path, member=member)[1] == [("1", "2")]
        with pytest.raises(TaskError, match="member_missing"):
            read(path, member="none.csv")
        (tmp_path / "out").mkdir()
        assert to_parquet(str(path), "a.zip", {"member": 1}, {}, str(tmp_path / "out"))["rows"] == 1

    def test_names_in_gbk(self, tmp_path: Path) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("AAAA.csv", "a,b\n1,2\n")
        path = tmp_path / "a.zip"
        path.write_bytes(made.getvalue().replace(b"AAAA.csv", "区划.csv".encode("gb18030")))
        found, rows = read(path)
        assert (found.member, rows) == ("区划.csv", [("1", "2")])

    def test_a_workbook_in_it(self, tmp_path: Path, book: Any) -> None:
        path = zipped(tmp_path / "a.zip", b__xlsx=book(["a", "b"], [1, 2]).read_bytes())
        assert read(path)[1] == [("1", "2")]

    def test_without_tables_it_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(TaskError, match="not_a_table"):
            read(zipped(tmp_path / "a.zip", a__pdf=b"%PDF"))

    def test_a_bomb(self, tmp_path: Path) -> None:
        with pytest.raises(TaskError, match="archive_refused"):
            read(zipped(tmp_path / "a.zip", a__csv=b"0" * (40 << 20)))


def test_quotes_around_a_delimiter_are_no_stray_ones(tmp_path: Path) -> None:
    """A table of one column, each cell in quotes: the comma inside one is no second column."""
    path = tmp_path / "one.csv"
    path.write_text('code\n"12"\n"1,200.50"\n"3.5万"\n"1,200 元"\n', encoding="utf-8")
    found = layout(path, path.name, {})
    assert (found.columns, found.quote, found.notes) == (("code",), '"', ())


def test_a_cell_of_several_lines_is_no_stray_quote(tmp_path: Path) -> None:
    """Its quote is closed where the cell ends, however odd the rows of a small file are."""
    path = tmp_path / "odd.csv"
    path.write_text('f0,f1\nabc,1\n1,"a\nb",x\n2,3\n', encoding="utf-8")
    found = layout(path, path.name, {})
    assert (found.quote, found.notes) == ('"', ())
