from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opendata.tabular.infer import INTEGER, NUMBER, Inference, code_like, plain_numbers


def kind(*cells: str, header: str = "x", frame: int = 2) -> str:
    inference = Inference([header])
    for start in range(0, len(cells), frame):
        inference.feed(pl.DataFrame({"c0": list(cells[start : start + frame])}))
    return inference.columns[0].type


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("1", "22", "-3", ""), "integer"),
        (("1", "2.5", "-.5", "1e3"), "number"),
        (("1.0", "2.50"), "number"),
        (("true", "FALSE", ""), "boolean"),
        (("2026-11-03", "2024-02-29"), "date"),
        (("2026-11-03", "2023-02-29"), "string"),
        (("2026-1-3",), "string"),
        (("2026-11-03T10:00:00", "2026-11-03 10:00:00.5", "2026-11-03T10:00:00+08:00"), "datetime"),
        (("2026-11-03T25:00:00",), "string"),
        (("20261103", "20261104"), "string"),  # one fixed width of 4 and more
        (("1234", "12345"), "integer"),
        (("12", "34"), "integer"),
        (("1", "2", "03"), "string"),
        (("0.5", "00.5"), "string"),
        (("0", "10"), "integer"),
        (("1", "2", "x"), "string"),
        (("1", "9" * 19), "string"),
        (("1", "9" * 18), "integer"),
        ((" 1", "2"), "string"),
        (("", ""), "string"),
        (("１", "２"), "string"),
        (("1", "2\n"), "string"),
        (("true", "1"), "string"),
    ],
)
def test_types(cells: tuple[str, ...], expected: str) -> None:
    assert kind(*cells) == expected
    assert kind(*reversed(cells), frame=1) == expected


@pytest.mark.parametrize(
    "header",
    [
        "区划代码",
        "统一社会信用代码",
        "行业编码",
        "编号",
        "code",
        "Code",
        "cityCode",
        "area_id",
        "area_code",
        "CODE",
        "联系电话",
        "code_number",
    ],
)
def test_code_like_headers_keep_text(header: str) -> None:
    assert code_like(header)
    assert kind("1", "22", header=header) == "string"


@pytest.mark.parametrize("header", ["id", "数量", "decode", "encoder", "barcodes", "Codex", "idea", "paid"])
def test_other_headers(header: str) -> None:
    assert not code_like(header)
    assert kind("1", "22", header=header) == "integer"


def test_dates_under_a_code_like_header_are_dates() -> None:
    assert kind("2026-11-03", header="编号日期") == "date"


def test_a_late_cell_decides() -> None:
    assert kind(*[str(n) for n in range(1000)], "x", frame=100) == "string"
    assert kind(*[str(n) for n in range(1000)], "007", frame=100) == "string"


def test_names_of_the_schema_are_unique_and_the_headers_stay_as_titles() -> None:
    inference = Inference(["a", "", "a"])
    inference.feed(pl.DataFrame({"c0": ["1"], "c1": ["x"], "c2": ["2.5"]}))
    assert inference.schema() == {
        "fields": [
            {"name": "a", "type": "integer"},
            {"name": "field2", "type": "string", "title": ""},
            {"name": "field3", "type": "number", "title": "a"},
        ],
        "missingValues": [""],
    }


@pytest.mark.parametrize("kind", ["integer", "number"])
@given(cells=st.lists(st.text("0123456789.eE+-_ infaN٣", min_size=1, max_size=20), min_size=1, max_size=3))
@example(cells=["1", "23", "456"])
@example(cells=["1.5", "2.", "3e10"])
@example(cells=["1e0007"])
@example(cells=["1e-5000"])
@example(cells=["1e999"])
@example(cells=["9" * 18])
@example(cells=["1", "nan"])
@example(cells=["1", "007"])
def test_numbers_that_are_told_at_a_glance_are_such(kind: str, cells: list[str]) -> None:
    """Against the forms that say it cell by cell."""
    values = plain_numbers(pl.Series(cells), kind, max(len(cell.encode()) for cell in cells))
    form = INTEGER if kind == "integer" else NUMBER
    if values is not None:
        assert all(re.search(form, cell, re.ASCII) for cell in cells)
        assert not any(re.match("[+-]?0[0-9]", cell) for cell in cells)
        assert values.to_list() == [float(cell) for cell in cells]


def test_most_numbers_are_told_at_a_glance() -> None:
    for kind, cells in (("integer", ["1", "23", "456"]), ("number", ["1.5", "2.25", "31"])):
        assert plain_numbers(pl.Series(cells), kind, 4) is not None
