"""Columns at fixed places: read where the whole file proves them, else one column, and that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opendata.tabular.removal import keys
from opendata.tabular.removal.tasks import remove
from opendata.tabular.tasks import profile
from opendata.validation.judging import validate_file

STATIONS = """\
station      name              opened               depth
A001         Harbour Road 5    2020-01-02 08:00:00    1.5
A002                           2020-01-03 09:30:00   12.5
A003 old     Mill Lane                              130.0

A004         5 North           2021-11-30 00:00:00
"""
ROWS = [
    ["A001", "Harbour Road 5", "2020-01-02 08:00:00", "1.5"],
    ["A002", "", "2020-01-03 09:30:00", "12.5"],
    ["A003 old", "Mill Lane", "", "130.0"],
    ["A004", "5 North", "2021-11-30 00:00:00", ""],
]
"""Of which one is blank, and no row."""
CHINESE = """\
代码    名称        备注
320602  崇川区      “中心”城区
320612  通州
320623              沿海 县
"""


def read(folder: Path, text: str | bytes, name: str = "a.txt", **options: Any) -> tuple[dict[str, Any], Any]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = profile(str(path), name, options)
    return found["layout"], found["sample"]


def codes(found: dict[str, Any]) -> list[str]:
    return [note["code"] for note in found["notes"]]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cells_hold_blanks_or_nothing(tmp_path: Path, end: str) -> None:
    found, rows = read(tmp_path, STATIONS.replace("\n", end))
    assert (found["columns"], rows) == (["station", "name", "opened", "depth"], ROWS)
    assert (found["places"], codes(found)) == ({"starts": [0, 13, 31, 52], "wide": ""}, [])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_chinese_is_as_wide_as_two(tmp_path: Path, encoding: str) -> None:
    text = CHINESE.replace("“", "(").replace("”", ")")
    found, rows = read(tmp_path, text.encode(encoding))
    assert found["columns"] == ["代码", "名称", "备注"]
    assert rows == [["320602", "崇川区", "(中心)城区"], ["320612", "通州", ""], ["320623", "", "沿海 县"]]


def test_signs_that_are_wide_in_chinese_texts_only(tmp_path: Path) -> None:
    text = "名称      级别  备注\n“一”村  二级  无\n乙村      一级  有\n丙        一级\n"
    found, rows = read(tmp_path, text)
    assert (found["places"]["wide"], rows[0]) == ("WFA", ["“一”村", "二级", "无"])


def test_the_blank_of_chinese_texts(tmp_path: Path) -> None:
    text = (
        "代码    名称        备注\n320602  崇川区\u3000\u3000\u3000无\n320612  通州\n320623              有\n"
    )
    assert read(tmp_path, text)[1][0] == ["320602", "崇川区", "无"]
    counted = "code    name    note\n320602  某\u3000市     1\n320612  通州      2\n320623          3\n"
    assert read(tmp_path, counted)[1][0] == ["320602", "某\u3000市", "1"]


def test_a_sign_in_few_lines_is_no_delimiter(tmp_path: Path) -> None:
    text = STATIONS.replace("Mill Lane ", "Mill, Lane")
    assert read(tmp_path, text)[1][2] == ["A003 old", "Mill, Lane", "", "130.0"]


def test_a_column_without_cells(tmp_path: Path) -> None:
    text = "code    name     remarks  kind\n1       A                 x\n2       B                 y z\n3                         z\n"
    found, rows = read(tmp_path, text)
    assert (found["columns"], rows[0]) == (["code", "name", "remarks", "kind"], ["1", "A", "", "x"])


def test_where_words_cut_the_same_columns_later_gaps_shift_nothing(tmp_path: Path) -> None:
    lines = [f"{n:<6}{'x' * (n % 5 + 1):<8}{n * 2:>6}\n" for n in range(1, 400)]
    lines[300] = "301           " + f"{602:>6}\n"
    path = tmp_path / "a.txt"
    path.write_text("id    name     value\n" + "".join(lines))
    found = profile(str(path), "a.txt")
    assert found["ragged_rows"] == {"short": 0, "long": 0}
    assert found["columns"][1]["missing"] == 1


def test_judged_by_the_same_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(STATIONS.replace("\n\n", "\n").replace("12.5", "12,5"))
    fields = [{"name": name, "type": "string"} for name in ("station", "name", "opened")]
    schema = {"fields": [*fields, {"name": "depth", "type": "number"}]}
    (task,) = validate_file(path, "a.txt", None, schema)["tasks"]
    assert [(error["rowNumber"], error["cell"]) for error in task["errors"]] == [(3, "12,5")]


def test_rows_go_into_a_csv(tmp_path: Path) -> None:
    """The rest may no longer prove where its columns stand."""
    path, key = tmp_path / "a.txt", keys.subkey(b"secret", "dataset")
    path.write_text(STATIONS)
    orders = [{"id": "1", "columns": ["station"], "digests": [keys.digest(key, ["station"], ["A002"])]}]
    answer = remove(str(path), "a.txt", {}, None, orders, key.hex(), "2026-01-01", str(tmp_path))
    assert (answer["suffix"], answer["options"]) == ("csv", None)
    left = profile(str(tmp_path / answer["file"]), "a.csv")
    assert left["sample"] == [ROWS[0], *ROWS[2:]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A004         5 North", "A004         5 North upon the hill"),
        ("A004         5 North        ", "A004         5   North      "),
        ("A004 ", "A004\t"),
        ("Mill Lane", '"Mill L"'),
        ("station      name", "station          "),
        ("station      name", "Stations of the town\nstation      name"),
        ("\n\n", "\nAll of them are named after streets near by, and were opened by the mayor.\n"),
        ("\n\n", f"\n{'-' * 10}   {'-' * 16}  {'-' * 19}  {'-' * 5}\n"),
        ("Mill Lane ", "  Mill    "),
    ],
    ids=[
        "crossing",
        "torn",
        "tab",
        "quotes",
        "no name",
        "title",
        "prose",
        "rule",
        "centred",
    ],
)
def test_what_is_not_proved_is_one_column(tmp_path: Path, old: str, new: str) -> None:
    text = STATIONS.replace(old, new)
    assert text != STATIONS
    found, _ = read(tmp_path, text)
    assert (found["places"], len(found["columns"])) == (None, 1)


def test_one_line_far_below_and_it_is_said(tmp_path: Path) -> None:
    text = STATIONS + STATIONS.partition("\n")[2] * 100
    assert len(read(tmp_path, text)[0]["columns"]) == 4
    found, _ = read(tmp_path, text + "A005     Harbour Road 5, at the corner of Mill Lane   1.5\n")
    assert (len(found["columns"]), codes(found)) == (1, ["places_unproved"])


@pytest.mark.parametrize(
    "text",
    [
        "The harbour  was   built in\nthe year of 1899  by  two\nbrothers   who came from\nthe north with  their\nfamilies  and  stayed.\n",
        "Left column of a page      right column of a page\nwhere the text goes on     and here it ends or it\nand on line by line        goes on the next page\nuntil it ends.             of the same paper.\n",
        "Options\n  -v, --verbose   says more\n  -q              says less\n  -o FILE         writes there\n",
        "code  area\n1 2   3 4\n5 6   7 8\n9 0   1 2\n3     4 5\n",
        "a b c\n1 2\n3   4\n  5 6\n7 8 9\n",
        "说明\n　　一、请在  2026  年底前办理。\n　　二、逾期  不予  受理。\n　　三、联系  电话  见附件。\n",
    ],
    ids=["prose", "newspaper", "options", "two columns", "one blank", "paragraphs"],
)
def test_texts_are_no_tables(tmp_path: Path, text: str) -> None:
    found, _ = read(tmp_path, text)
    assert (found["places"], len(found["columns"])) == (None, 1)


class TestWords:
    """Columns of one word each, under a header that lacks a name or is none."""

    PRINTED = "        size  share\nnorth   12    0.5\nsouth   7     0.25\nupper_east 3   0.25\n"

    @pytest.mark.parametrize("options", [{}, {"delimiter": " "}], ids=["found", "told"])
    def test_rows_with_names_under_a_corner(self, tmp_path: Path, options: dict[str, Any]) -> None:
        found, rows = read(tmp_path, self.PRINTED, **options)
        assert (found["columns"], codes(found)) == (["", "size", "share"], ["blank_header"])
        assert rows[2] == ["upper_east", "3", "0.25"]

    @pytest.mark.parametrize(
        ("old", "new"),
        [("        size", "size"), ("south   7", "south   7 8"), ("south", " south")],
        ids=["not indented", "uneven", "an indented row"],
    )
    def test_else_nobody_knows_which_name_is_lacking(self, tmp_path: Path, old: str, new: str) -> None:
        found, _ = read(tmp_path, self.PRINTED.replace(old, new))
        assert len(found["columns"]) == 1

    def test_pairs_of_numbers(self, tmp_path: Path) -> None:
        found, rows = read(tmp_path, "-0.003 0.083\n1.5 12\n2e-3 0.1\n")
        assert (found["columns"], rows) == (["-0.003", "0.083"], [["1.5", "12"], ["2e-3", "0.1"]])

    @pytest.mark.parametrize(
        "text", ["1 200\n2 300\n12 500.5\n", "1.5 a\n2.5 b\n3.5 c\n", "x y\n1.5 2.5\n3.5 4.5\n"]
    )
    def test_thousands_and_words_are_asked_about(self, tmp_path: Path, text: str) -> None:
        found, _ = read(tmp_path, text)
        assert (len(found["columns"]), "blanks_between" in codes(found)) == (1, True)

    def test_a_word_that_lacks_far_below_moves_none(self, tmp_path: Path) -> None:
        lines = [f"{n} a{n} {n * 2} b" for n in range(400)]
        even = "\n".join(["id name value kind", *lines, "", ""])
        assert len(read(tmp_path, even)[0]["columns"]) == 4
        found, _ = read(tmp_path, even.replace("\n300 a300 ", "\n300 "))
        assert (len(found["columns"]), codes(found)) == (1, ["blanks_between"])
