"""CKAN's `datastore_search` arguments."""

from __future__ import annotations

from typing import Any

import pytest

from opendata.core.errors import BadQuery
from opendata.ports.table_store.port import Column, ColumnType, Condition, Op, Order, Select
from opendata.tables.datastore import ckan_type, parse_datastore

COLUMNS = [
    Column("name", ColumnType.STRING),
    Column("n", ColumnType.INTEGER),
    Column("street, no", ColumnType.STRING),
]


@pytest.mark.parametrize(
    "params",
    [
        {
            "resource_id": "r",
            "filters": {"name": ["a", "b"], "n": 5},
            "fields": ["n", "name"],
            "sort": 'n desc nulls last, "street, no" asc',
            "limit": 7,
            "offset": "3",
        },
        {
            "filters": '{"name": ["a", "b"], "n": 5}',
            "fields": "n, name",
            "sort": 'n DESC,"street, no"',
            "limit": "7",
            "offset": 3,
        },
    ],
)
def test_json_and_text_say_the_same(params: dict[str, Any]) -> None:
    assert parse_datastore(params, COLUMNS) == Select(
        columns=("n", "name"),
        where=(Condition("name", Op.IN, ("a", "b")), Condition("n", Op.IN, ("5",))),
        order=(Order("n", True), Order("street, no")),
        limit=7,
        offset=3,
    )


def test_q_over_all_columns_or_in_one() -> None:
    assert parse_datastore({"q": "街道 x"}, COLUMNS).search == "街道 x"
    by_column = parse_datastore({"q": '{"name": "a b"}'}, COLUMNS)
    assert by_column.where == (Condition("name", Op.CONTAINS, "a"), Condition("name", Op.CONTAINS, "b"))
    assert by_column.search is None


def test_null_true_and_a_large_limit() -> None:
    query = parse_datastore(
        {"filters": {"n": None, "name": True}, "limit": 10**6, "include_total": "false"}, COLUMNS
    )
    assert query.where == (Condition("n", Op.IS_NULL, "true"), Condition("name", Op.IN, ("true",)))
    assert (query.limit, query.count) == (32_000, False)


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"filters": "{"}, {"filters": "not_json"}),
        ({"filters": "[1]"}, {"filters": "not_an_object"}),
        ({"filters": {"nam": 1, "n": {"a": 1}}}, {"filters.nam": "unknown_column", "filters.n": "not_a_value"}),
        ({"fields": "name,zz", "sort": "y desc"}, {"fields": "unknown_column", "sort": "unknown_column"}),
        ({"limit": "x", "offset": -1, "distinct": "?"}, {"limit": "not_a_number", "offset": "out_of_range", "distinct": "not_yes_or_no"}),
        ({"distinct": True, "fields": ["n"], "sort": "name"}, {"sort": "order_not_selected"}),
        ({"distinct": True, "sort": "_id"}, {"sort": "order_not_selected"}),
        ({"sql": "SELECT 1"}, {"sql": "unknown_parameter"}),
        ({"q": ["a"]}, {"q": "not_a_value"}),
        ({"fields": {"a": 1}}, {"fields": "not_a_list"}),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(params: dict[str, Any], wrong: dict[str, str]) -> None:
    with pytest.raises(BadQuery) as caught:
        parse_datastore(params, COLUMNS)
    assert {field.path: field.code for field in caught.value.fields} == wrong


def test_types_by_ckans_names() -> None:
    assert [ckan_type(Column("x", kind)) for kind in ColumnType] == [
        "text", "int8", "numeric", "bool", "date", "timestamp", "time",
    ]  # fmt: skip
    assert ckan_type(Column("_id", ColumnType.INTEGER)) == "int"
