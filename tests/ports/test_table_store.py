"""The contract of a table store, on a folder and on S3."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opendata.core.errors import Invalid, Limited, Unavailable
from opendata.ports.table_store.delta import DeltaTableStore
from opendata.ports.table_store.engine import Engine
from opendata.ports.table_store.location import parse_s3
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


def test_versions(store: DeltaTableStore, tmp_path: Path) -> None:
    first = store.replace("t", parquet(tmp_path, numbered(3)))
    second = store.replace("t", parquet(tmp_path, pa.table({"other": pa.array([datetime(2026, 1, 1)])})))
    empty = store.replace("t", parquet(tmp_path, numbered(0)))
    assert second.version > first.version
    assert (store.info("t").version, store.info("t").rows) == (empty.version, 0)
    assert store.page("t", offset=0, limit=5).rows == []
    assert store.select("t", Select(search="x")).total == 0
    assert store.page("t", offset=2, limit=5, version=first.version).rows == [
        {"_id": 3, "n": 2, "text": "row 2"}
    ]
    old = store.select("t", Select(where=(Condition("other", Op.IS_NULL, "false"),)), version=second.version)
    assert [row["other"] for row in old.rows] == ["2026-01-01T00:00:00"]
    assert store.vacuum("t", keep=2) == 1
    assert store.info("t", version=second.version).rows == 1
    with pytest.raises(TableMissing):
        store.page("t", offset=0, limit=1, version=first.version)


def test_drop_and_make_anew(store: DeltaTableStore, tmp_path: Path) -> None:
    other = DeltaTableStore("unused", s3=store._location.root, cache=tmp_path / "c2") if store._location.local is None else DeltaTableStore(store._location.root, cache=tmp_path / "c2")  # fmt: skip
    store.drop("t")
    assert list(store.tables()) == []
    store.replace("t", parquet(tmp_path, numbered(3)))
    assert (list(store.tables()), other.info("t").rows) == (["t"], 3)
    assert len(other.select("t", Select(search="row")).rows) == 3
    store.drop("t")
    assert list(other.tables()) == []
    for reader in (store, other):
        with pytest.raises(TableMissing):
            reader.page("t", offset=0, limit=1)
    store.replace("t", parquet(tmp_path, numbered(4)))
    assert len(other.page("t", offset=0, limit=9).rows) == 4


def test_readers_see_whole_versions_while_writers_race(store: DeltaTableStore, tmp_path: Path) -> None:
    sources = [parquet(tmp_path, pa.table({"n": pa.array([size] * size)})) for size in (40, 50)]
    store.replace("t", sources[0])
    wrong: list[object] = []
    done = threading.Event()

    def write(source: Path) -> None:
        try:
            for _ in range(4):
                store.replace("t", source)
        except Exception as error:
            wrong.append(error)

    def read() -> None:
        while not done.is_set():
            rows = store.page("t", offset=0, limit=100)
            if any(row["n"] != rows.total for row in rows.rows) or len(rows.rows) != rows.total:
                wrong.append(rows)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=[source]) for source in sources]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not wrong
    assert store.info("t").version == 8


KILLED = """
import os, signal, sys
from pathlib import Path
from opendata.ports.table_store import rowfiles, delta
store = delta.DeltaTableStore(sys.argv[1], cache=Path(sys.argv[3]))
write = delta.write_files
def dying(*args):
    for file in write(*args):
        if sys.argv[4] == "first file":
            os.kill(os.getpid(), signal.SIGKILL)
        yield file
    if sys.argv[4] == "before the log":
        os.kill(os.getpid(), signal.SIGKILL)
delta.write_files = dying
store.replace("t", Path(sys.argv[2]))
"""


@pytest.mark.parametrize("moment", ["first file", "before the log"])
def test_a_killed_writer_leaves_the_old_version(local: DeltaTableStore, tmp_path: Path, moment: str) -> None:
    local.replace("t", parquet(tmp_path, numbered(3)))
    source = parquet(tmp_path, numbered(ROW_GROUP * GROUPS_PER_FILE + 5))
    args = [str(tmp_path / "tables"), str(source), str(tmp_path / "cache"), moment]
    ended = subprocess.run([sys.executable, "-c", KILLED, *args], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (local.info("t").version, local.info("t").rows) == (0, 3)
    left = list((tmp_path / "tables" / "t").glob("*.parquet"))
    assert len(left) > 1
    for path in left:
        os.utime(path, (0, 0))
    assert local.vacuum("t", keep=1) == len(left) - 1
    assert len(local.page("t", offset=0, limit=9).rows) == 3
    assert local.replace("t", source).rows == ROW_GROUP * GROUPS_PER_FILE + 5


def test_a_failed_replace_leaves_nothing(store: DeltaTableStore, tmp_path: Path) -> None:
    nested = parquet(tmp_path, pa.table({"a": [1], "list": [[1]]}))
    with pytest.raises(Invalid) as caught:
        store.replace("t", nested)
    assert caught.value.params == {"column": "list"}
    cut = parquet(tmp_path, numbered(50_000))
    cut.write_bytes(cut.read_bytes()[:-2000])
    with pytest.raises((OSError, ValueError)):
        store.replace("t", cut)
    assert list(store.tables()) == []
    with pytest.raises(ValueError, match="table id"):
        store.replace("../t", nested)


def test_too_heavy_is_said_so(tmp_path: Path) -> None:
    rows = 300_000
    source = parquet(tmp_path, pa.table({"t": pa.array([f"{i * 7919 % rows:060d}" for i in range(rows)])}))
    folder = tmp_path / "tables"
    DeltaTableStore(folder, cache=tmp_path).replace("t", source)
    query = Select(distinct=True, limit=200_000)
    with pytest.raises(Limited) as slow:
        DeltaTableStore(folder, cache=tmp_path, seconds=0.0).select("t", query)
    with pytest.raises(Limited) as large:
        DeltaTableStore(folder, cache=tmp_path, memory_limit=20 << 20).select("t", query)
    assert slow.value.code == large.value.code == "query_too_heavy"
    with pytest.raises(Limited):
        DeltaTableStore(folder, cache=tmp_path).select("t", Select(search="a " * 17))


def test_a_long_query_is_interrupted(tmp_path: Path) -> None:
    engine = Engine(tmp_path, memory=100 << 20, seconds=0.3)
    sql = "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.range * b.range % 7 = 3"
    with engine.session() as session, pytest.raises(Limited):
        session.rows(sql, [])
    with engine.session() as session:
        assert session.rows("SELECT 1", []) == [(1,)]


def test_the_fence(tmp_path: Path) -> None:
    """DuckDB reads its folder and nothing else, and cannot be talked into more."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        pq.write_table(numbered(1), folder / "t.parquet")
    engine = Engine(inside, memory=100 << 20, seconds=10)
    with engine.session() as session:
        assert session.rows("SELECT n FROM read_parquet(?)", [[str(inside / "t.parquet")]]) == [(0,)]
        for sql in (
            f"SELECT * FROM read_parquet('{outside}/t.parquet')",  # noqa: S608
            f"SELECT * FROM read_parquet('{inside}/../out/t.parquet')",  # noqa: S608
            f"SELECT * FROM read_parquet('{inside}extra/t.parquet')",  # noqa: S608
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM glob('/etc/*')",
            f"COPY (SELECT 1) TO '{outside}/x.csv'",
            f"ATTACH '{outside}/x.db'",
            "SET memory_limit = '64GB'",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM session",
        ):
            with pytest.raises(Unavailable) as caught:
                session.rows(sql, [])
            assert str(outside) not in str(caught.value)
            assert caught.value.__cause__ is None
    assert sorted(path.name for path in outside.iterdir()) == ["t.parquet"]


def test_error_texts_have_no_paths(local: DeltaTableStore, tmp_path: Path) -> None:
    local.replace("t", parquet(tmp_path, numbered(3)))
    for path in (tmp_path / "tables" / "t").glob("*.parquet"):
        path.write_bytes(b"PAR1 broken PAR1")
    for read in (lambda: local.page("t", offset=0, limit=1), lambda: local.select("t", Select(search="x"))):
        with pytest.raises(Unavailable) as caught:
            read()
        assert str(tmp_path) not in repr(caught.value)


def test_the_cache_is_bounded(store: DeltaTableStore, tmp_path: Path) -> None:
    if store._location.local:
        pytest.skip("a folder needs no copies")
    sizes = []
    for table in ("a", "b", "c"):
        store.replace(table, parquet(tmp_path, numbered(20_000)))
        store.page(table, offset=0, limit=1)
        sizes.append(sum(path.stat().st_size for path in (tmp_path / "cache" / table).iterdir()))
    small = DeltaTableStore(
        "x", s3=store._location.root, cache=tmp_path / "small", cache_bytes=sum(sizes) - 1
    )
    for table in ("a", "b", "a", "c"):
        assert small.page(table, offset=7, limit=1).rows[0]["n"] == 7
    assert sorted(path.name for path in (tmp_path / "small").iterdir() if any(path.iterdir())) == ["a", "c"]
    tiny = DeltaTableStore("x", s3=store._location.root, cache=tmp_path / "tiny", cache_bytes=10)
    with pytest.raises(Limited):
        tiny.page("a", offset=0, limit=1)
    store.drop("a")
    assert not (tmp_path / "cache" / "a").exists()
    shutil.rmtree(tmp_path / "cache")
    assert store.page("b", offset=0, limit=1).rows[0]["n"] == 0


def test_s3_addresses() -> None:
    options = parse_s3("s3+http://k%2F:s%40@127.0.0.1:9000/city")
    assert options is not None
    assert (options.endpoint, options.key, options.secret) == ("http://127.0.0.1:9000", "k/", "s@")
    assert (options.bucket, "s@" in repr(options)) == ("city-tables", False)
    assert parse_s3("/srv/tables") is None
    with pytest.raises(ValueError, match="reads") as caught:
        parse_s3("s3+https://key:hunter2@host")
    assert "hunter2" not in str(caught.value)


def test_a_store_that_does_not_answer(tmp_path: Path) -> None:
    lost = DeltaTableStore("s3+http://key:hunter2@127.0.0.1:9/x", cache=tmp_path)
    with pytest.raises(Unavailable) as caught:
        lost.info("t")
    assert caught.value.code == "tables_unavailable"


CELLS = {
    pa.string(): st.text(st.characters(codec="utf-8"), max_size=6),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False, allow_infinity=False),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("us", tz="UTC"): st.datetimes(timezones=st.just(UTC)),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(0, 30))
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    cells = [
        pa.array(draw(st.lists(st.none() | CELLS[kind], min_size=rows, max_size=rows)), kind)
        for kind in kinds
    ]
    names = [draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)) for _ in kinds]
    return pa.Table.from_arrays(cells, names=names)


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date | timedelta) else value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), offset=st.integers(0, 31), limit=st.integers(0, 31))
def test_page_is_select_is_the_source(
    local: DeltaTableStore, tmp_path: Path, table: pa.Table, offset: int, limit: int
) -> None:
    local.replace("t", parquet(tmp_path, table, row_group=7))
    page = local.page("t", offset=offset, limit=limit)
    assert local.select("t", Select(offset=offset, limit=limit)).rows == page.rows
    by_engine = local.select("t", Select(order=(Order("_id"),), offset=offset, limit=limit))
    assert by_engine == page
    columns = [[as_json(value) for value in column.to_pylist()] for column in table.columns]
    source = [[place, *row] for place, row in enumerate(zip(*columns, strict=True), start=1)]
    assert [list(row.values()) for row in page.rows] == source[offset : offset + limit]
