"""What the table store suites share: stores, a small table, Parquet files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.ports.table_store.delta import DeltaTableStore
from opendata.ports.table_store.port import (
    Select,
)
from opendata.ports.table_store.rowfiles import ROW_GROUP

S3_URL = os.environ.get("OPENDATA_TEST_S3_URL", "")


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeltaTableStore]:
    location = str(tmp_path / "表 格's tables")
    if request.param == "s3":
        if not S3_URL:
            pytest.skip("OPENDATA_TEST_S3_URL is not set")
        location = f"{S3_URL.rstrip('/')}-{uuid.uuid4().hex[:8]}"
    made = DeltaTableStore(location, cache=tmp_path / "cache")
    yield made
    for table in made.tables():
        made.drop(table)
    made.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[DeltaTableStore]:
    made = DeltaTableStore(tmp_path / "tables", cache=tmp_path / "cache")
    yield made
    made.close()


def parquet(folder: Path, table: pa.Table, row_group: int = ROW_GROUP) -> Path:
    path = folder / f"{uuid.uuid4().hex}.parquet"
    pq.write_table(table, path, row_group_size=row_group)
    return path


def numbered(rows: int) -> pa.Table:
    return pa.table({"n": pa.array(range(rows)), "text": pa.array([f"row {i}" for i in range(rows)])})


PLACES = pa.table(
    {
        "name": ["崇川区", "Haimen Street", None, "启东市", "haimen port"],
        "people": pa.array([10, 7, None, 7, 2**60 + 1], pa.int64()),
        "share": pa.array([0.5, float("nan"), float("inf"), None, 1e300]),
        "rural": pa.array([False, True, None, True, False]),
        "since": pa.array([date(1949, 10, 1), None, date(2020, 2, 29), date(1990, 1, 1), date(1, 1, 1)]),
        "seen": pa.array(
            [datetime(2026, 1, 1, 8, 30), None, datetime(2026, 1, 1, 8, 30, 0, 250000)] + [None] * 2
        ),
        "sent": pa.array(
            [datetime(2026, 1, 1, 8, tzinfo=UTC)] + [None] * 4, pa.timestamp("us", tz="Asia/Shanghai")
        ),
        "opens": pa.array(
            [time(8, 30), time(8, 30, 0, 250000), None, None, time(23, 59, 59)], pa.time64("us")
        ),
        "price": pa.array([Decimal("1.50"), None, None, Decimal("2"), None], pa.decimal128(10, 2)),
    }
)


@pytest.fixture
def places(store: DeltaTableStore, tmp_path: Path) -> DeltaTableStore:
    store.replace("places", parquet(tmp_path, PLACES))
    return store


def ids(store: DeltaTableStore, table: str = "places", **query: Any) -> list[int]:
    rows = store.select(table, Select(columns=("_id",), **query))
    assert rows.total is None or rows.total >= len(rows.rows)
    return [row["_id"] for row in rows.rows]
