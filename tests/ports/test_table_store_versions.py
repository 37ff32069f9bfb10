"""Versions, races, kills, limits and the fence of the table store."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_bench import numbered, parquet

from opendata.core.errors import Invalid, Limited, Unavailable
from opendata.ports.table_store.delta import DeltaTableStore
from opendata.ports.table_store.engine import Engine
from opendata.ports.table_store.location import parse_s3
from opendata.ports.table_store.port import (
    Condition,
    Op,
    Order,
    Select,
    TableMissing,
)
from opendata.ports.table_store.rowfiles import GROUPS_PER_FILE, ROW_GROUP

S3_URL = os.environ.get("OPENDATA_TEST_S3_URL", "")


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


def _another(store: DeltaTableStore, folder: Path) -> DeltaTableStore:
    """Another process's store of the same place."""
    root = store._location.root
    if isinstance(root, Path):
        return DeltaTableStore(root, cache=folder / "c2")
    return DeltaTableStore("unused", s3=root, cache=folder / "c2")


def test_drop_and_make_anew(store: DeltaTableStore, tmp_path: Path) -> None:
    other = _another(store, tmp_path)
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


def test_a_page_of_a_known_version_asks_for_its_own_log_entry_alone(
    store: DeltaTableStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On S3 each question is a request, and one for what is not there is two. What another process drops is gone at once
    all the same."""
    location = store._location
    other = _another(store, tmp_path)
    number = store.replace("t", parquet(tmp_path, numbered(3))).version
    store.page("t", offset=0, limit=1, version=number)
    asked: list[str] = []
    stat = location.stat

    def noted(paths: Sequence[str]) -> list[tuple[int, int] | None]:
        asked.extend(paths)
        return stat(paths)

    monkeypatch.setattr(location, "stat", noted)
    assert len(store.page("t", offset=0, limit=9, version=number).rows) == 3
    assert len(asked) == 1
    assert len(store.page("t", offset=0, limit=9).rows) == 3
    assert len(asked) == 3
    other.drop("t")
    with pytest.raises(TableMissing):
        store.page("t", offset=0, limit=1, version=number)


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
