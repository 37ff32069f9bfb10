"""The contract of a table store, on a folder and on S3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from table_bench import PLACES, ids, numbered, parquet

from opendata.ports.table_store.delta import DeltaTableStore
from opendata.ports.table_store.port import (
    Column,
    ColumnType,
    Condition,
    Op,
    Order,
    Select,
    TableMissing,
    UnknownColumn,
)
from opendata.ports.table_store.rowfiles import GROUPS_PER_FILE, ROW_GROUP


def test_values_are_json(places: DeltaTableStore) -> None:
    rows = places.page("places", offset=0, limit=10)
    assert rows.total == 5
    assert dict(rows.rows[0]) == {
        "_id": 1, "name": "崇川区", "people": 10, "share": 0.5, "rural": False, "since": "1949-10-01",
        "seen": "2026-01-01T08:30:00", "sent": "2026-01-01T08:00:00Z", "opens": "08:30:00", "price": 1.5,
    }  # fmt: skip
    assert [row["share"] for row in rows.rows] == [0.5, None, None, None, 1e300]
    assert [row["opens"] for row in rows.rows] == ["08:30:00", "08:30:00.25", None, None, "23:59:59"]
    assert rows.rows[2]["seen"] == "2026-01-01T08:30:00.250000"
    assert rows.rows[4]["people"] == 2**60 + 1
    assert rows.rows[4]["since"] == "0001-01-01"
    assert list(rows.rows[0]) == [column.name for column in rows.columns]
    assert places.select("places", Select(order=(Order("_id"),))).rows == rows.rows
    assert places.info("places").columns[7] == Column("opens", ColumnType.TIME)


@pytest.mark.parametrize(
    ("column", "op", "value", "expected"),
    [
        ("people", Op.EQ, "7", [2, 4]),
        ("people", Op.EQ, "7.0", [2, 4]),
        ("people", Op.NE, "7", [1, 5]),
        ("people", Op.EQ, str(2**60 + 1), [5]),
        ("people", Op.EQ, str(2**60), []),
        ("people", Op.GT, "seven", []),
        ("people", Op.EQ, "7.5", []),
        ("people", Op.NE, "x", []),
        ("people", Op.LE, "10", [1, 2, 4]),
        ("people", Op.IN, ("7", "x", "10"), [1, 2, 4]),
        ("people", Op.IN, ("x",), []),
        ("people", Op.IN, (), []),
        ("people", Op.IS_NULL, "true", [3]),
        ("people", Op.IS_NULL, "false", [1, 2, 4, 5]),
        ("share", Op.IS_NULL, "1", [2, 3, 4]),
        ("share", Op.LT, "1e299", [1]),
        ("price", Op.EQ, "1.5", [1]),
        ("rural", Op.EQ, "TRUE", [2, 4]),
        ("rural", Op.EQ, "perhaps", []),
        ("since", Op.GE, "1990-01-01", [3, 4]),
        ("since", Op.EQ, "2020-02-30", []),
        ("seen", Op.EQ, "2026-01-01T08:30:00", [1]),
        ("seen", Op.GT, "2026-01-01", [1, 3]),
        ("seen", Op.EQ, "2026-01-01T08:30:00Z", []),
        ("sent", Op.EQ, "2026-01-01T16:00:00+08:00", [1]),
        ("opens", Op.EQ, "08:30:00.250", [2]),
        ("opens", Op.LT, "08:30:01", [1, 2]),
        ("name", Op.CONTAINS, "HAIMEN", [2, 5]),
        ("name", Op.CONTAINS, "区", [1]),
        ("name", Op.CONTAINS, "%", []),
        ("name", Op.EQ, "haimen port", [5]),
        ("name", Op.EQ, "' OR 1=1 --", []),
        ("since", Op.CONTAINS, "2020-02", [3]),
        ("_id", Op.GT, "3", [4, 5]),
    ],
)
def test_conditions(
    local: DeltaTableStore, tmp_path: Path, column: str, op: Op, value: Any, expected: list[int]
) -> None:
    local.replace("places", parquet(tmp_path, PLACES))
    found = local.select("places", Select(columns=("_id",), where=(Condition(column, op, value),)))
    assert ([row["_id"] for row in found.rows], found.total) == (expected, len(expected))


def test_search_order_distinct_and_count(places: DeltaTableStore) -> None:
    assert ids(places, search="haimen") == [2, 5]
    assert ids(places, search="port HAI") == [5]
    assert ids(places, search="nothing here") == []
    assert ids(places, order=(Order("people", True),)) == [5, 1, 2, 4, 3]
    assert ids(places, order=(Order("people"), Order("_id", True))) == [4, 2, 1, 5, 3]
    assert ids(places, order=(Order("people"),), offset=1, limit=2) == [4, 1]
    page = places.select("places", Select(order=(Order("people"),), offset=1, limit=2))
    assert (page.total, page.columns[0].name) == (5, "_id")
    past = places.select("places", Select(order=(Order("people"),), offset=9, limit=2))
    assert (past.total, list(past.rows)) == (5, [])
    assert places.select("places", Select(search="haimen", count=False)).total is None
    kinds = places.select(
        "places", Select(columns=("people",), distinct=True, order=(Order("people", True),), limit=2)
    )
    assert ([row["people"] for row in kinds.rows], kinds.total) == ([2**60 + 1, 10], 4)
    assert [
        dict(row) for row in places.select("places", Select(columns=("rural", "_id"), search="崇")).rows
    ] == [{"_id": 1, "rural": False}]


def test_unknown_names(places: DeltaTableStore) -> None:
    for query in (
        Select(columns=("x",)),
        Select(where=(Condition('name" OR true --', Op.EQ, "1"),)),
        Select(order=(Order("NAME"),)),
        Select(distinct=True, columns=("name",), order=(Order("people"),)),
    ):
        with pytest.raises(UnknownColumn):
            places.select("places", query)
    with pytest.raises(UnknownColumn):
        places.page("places", offset=0, limit=1, columns=["x"])
    for table in ("nowhere", "../places", "", "a/b"):
        with pytest.raises(TableMissing):
            places.page(table, offset=0, limit=1)
    with pytest.raises(TableMissing):
        places.info("places", version=7)


def test_headers_of_any_kind(store: DeltaTableStore, tmp_path: Path) -> None:
    names = ['名称 "x"', "a.b", "a", "select", "_id", "_ID", "_id_", "Name", "name", "NAME", "dup", "dup", "tail ", "", "x" * 500, "$1", "K", "\u212a"]  # fmt: skip
    table = pa.Table.from_arrays([pa.array([f"{i}", "x"]) for i in range(len(names))], names=names)
    info = store.replace("odd", parquet(tmp_path, table))
    seen = [column.name for column in info.columns]
    assert seen[:4] == names[:4]
    assert (seen[4], seen[5], seen[6]) == ("_id_", "_ID", "_id__2")
    assert seen[7:12] == ["Name", "name", "NAME", "dup", "dup_2"]
    assert len(set(seen)) == len(names)
    assert list(store.page("odd", offset=0, limit=1).rows[0].values()) == [1, *map(str, range(len(names)))]
    for place, name in enumerate(seen):
        found = store.select("odd", Select(columns=(name,), where=(Condition(name, Op.EQ, str(place)),)))
        assert [dict(row) for row in found.rows] == [{name: str(place)}]


def test_order_is_kept_over_many_files(store: DeltaTableStore, tmp_path: Path) -> None:
    rows = 2 * ROW_GROUP * GROUPS_PER_FILE + 1234
    table = numbered(rows)
    assert store.replace("many", parquet(tmp_path, table, row_group=10_007)).rows == rows
    file_rows = ROW_GROUP * GROUPS_PER_FILE
    for offset in (0, ROW_GROUP - 3, file_rows - 3, 2 * file_rows - 5, rows - 7, rows, rows + 5):
        page = store.page("many", offset=offset, limit=10, columns=["n", "_id"])
        assert [dict(row) for row in page.rows] == [
            {"_id": n + 1, "n": n} for n in range(offset, min(offset + 10, rows))
        ]
    long = store.page("many", offset=file_rows - 9000, limit=20_000, columns=["n"])
    assert [row["n"] for row in long.rows] == list(range(file_rows - 9000, file_rows + 11_000))
    last = store.select("many", Select(order=(Order("n", True),), limit=2))
    assert ([row["_id"] for row in last.rows], last.total) == ([rows, rows - 1], rows)
    hit = store.select("many", Select(where=(Condition("text", Op.EQ, f"row {file_rows}"),)))
    assert [dict(row) for row in hit.rows] == [
        {"_id": file_rows + 1, "n": file_rows, "text": f"row {file_rows}"}
    ]


def test_a_million_rows_in_order(local: DeltaTableStore, tmp_path: Path) -> None:
    local.replace("million", parquet(tmp_path, pa.table({"n": pa.array(range(1_000_000))}), row_group=16_384))
    seen = 0
    for offset in range(0, 1_000_000, 200_000):
        page = local.page("million", offset=offset, limit=200_000)
        assert all(
            row["n"] == offset + place and row["_id"] == row["n"] + 1 for place, row in enumerate(page.rows)
        )
        seen += len(page.rows)
    assert seen == 1_000_000
