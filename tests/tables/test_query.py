"""The row API's query string: what it means, and that every wrong place is named at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendata.core.errors import BadQuery
from opendata.ports.table_store.port import Column, ColumnType, Condition, Op, Order, Select
from opendata.tables.query import parse

COLUMNS = [
    Column("name", ColumnType.STRING),
    Column("population", ColumnType.INTEGER),
    Column("limit", ColumnType.INTEGER),
    Column('a, "b"', ColumnType.STRING),
    Column("odd__in", ColumnType.STRING),
    Column("街道 ", ColumnType.STRING),
]


def problems(*params: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(BadQuery) as caught:
        parse(list(params), COLUMNS)
    return {field.path: field.code for field in caught.value.fields}


def test_nothing_asks_for_the_first_hundred_rows() -> None:
    assert parse([], COLUMNS) == Select(limit=100)


def test_everything_at_once() -> None:
    query = parse(
        [
            ("limit", "10"),
            ("offset", "20"),
            ("order", "population desc, -name"),
            ("select", "name,population"),
            ("q", " 崇川 区 "),
            ("population__gte", "5"),
            ("name", "x"),
        ],
        COLUMNS,
    )
    assert query == Select(
        columns=("name", "population"),
        where=(Condition("population", Op.GE, "5"), Condition("name", Op.EQ, "x")),
        search="崇川 区",
        order=(Order("population", True), Order("name", True)),
        offset=20,
        limit=10,
    )


@pytest.mark.parametrize(
    ("name", "value", "condition"),
    [
        ("name__in", 'a,b,"c,d"', Condition("name", Op.IN, ("a", "b", "c,d"))),
        ("name__isnull", "", Condition("name", Op.IS_NULL, "")),
        ("name__contains", "x", Condition("name", Op.CONTAINS, "x")),
        ("limit__eq", "3", Condition("limit", Op.EQ, "3")),
        ("odd__in", "a,b", Condition("odd__in", Op.EQ, "a,b")),
        ("odd__in__in", "a,b", Condition("odd__in", Op.IN, ("a", "b"))),
        # a blank at the end of a header may be left out where the operator is written
        ("街道__eq", "x", Condition("街道 ", Op.EQ, "x")),
        ("_id__lt", "9", Condition("_id", Op.LT, "9")),
    ],
)
def test_filters(name: str, value: str, condition: Condition) -> None:
    assert parse([(name, value)], COLUMNS).where == (condition,)


@pytest.mark.parametrize("text", ['"a, ""b""" desc', '-"a, ""b"""'])
def test_a_quoted_name_in_the_order(text: str) -> None:
    assert parse([("order_by", f"name,{text}")], COLUMNS).order == (Order("name"), Order('a, "b"', True))


def test_all_wrong_places_are_named() -> None:
    assert problems(
        ("limit", "x"), ("offset", "-1"), ("nmae", "1"), ("order", "popul desc"), ("name__isnull", "maybe")
    ) == {
        "limit": "not_a_number",
        "offset": "out_of_range",
        "nmae": "unknown_parameter",
        "order": "unknown_column",
        "name__isnull": "not_yes_or_no",
    }
    assert problems(("limit", "10001"), ("q", "x" * 201), ("select", '"name')) == {
        "limit": "out_of_range",
        "q": "search_too_long",
        "select": "unclosed_quote",
    }
    assert problems(("q", "a"), ("_search", "b")) == {"_search": "repeated"}


def test_an_unknown_name_gets_the_nearest_ones() -> None:
    with pytest.raises(BadQuery) as caught:
        parse([("populaton__gt", "1"), ("lmit", "1")], COLUMNS)
    assert [field.params["known"].split(", ")[0] for field in caught.value.fields] == ["population", "limit"]


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=4))
def test_any_text_is_read_or_refused(params: list[tuple[str, str]]) -> None:
    try:
        query = parse(params, COLUMNS)
    except BadQuery:
        return
    assert {condition.column for condition in query.where} <= {"_id", *(column.name for column in COLUMNS)}
