"""A table of an agency's own database: what goes out, when it goes out again, and what is never asked of it."""

from __future__ import annotations

import os
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from databases import own_database

from opendata.harvest.asking import Remote
from opendata.harvest.record import Record, SourceBroken
from opendata.harvest.remotes.kinds import KINDS

OPTIONS = {
    "columns": ["code", "name", "opened", "area", "open"],
    "watermark": "changed_at",
    "title": "公园",
    "keywords": ["公园"],
    "update_cycle": "daily",
    "titles": {"code": "编号"},
}
ROWS = [("p1", "城东, 公园", "2020-01-01", 1.5, True, "秘密", "2026-03-01 10:00:00"), ("p2", None, "2021-01-01", 2, False, "秘密", "2026-03-02 10:00:00")]  # fmt: skip
CREATE = 'CREATE TABLE "park" (code VARCHAR(9), name VARCHAR(99), opened DATE, area NUMERIC(9,2), "open" BOOLEAN, owner_phone VARCHAR(20), changed_at TIMESTAMP)'  # fmt: skip


@pytest.fixture
def park(dropped: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(dropped / "agency.db")
    connection.execute(CREATE)
    connection.executemany("INSERT INTO park VALUES (?, ?, ?, ?, ?, ?, ?)", ROWS)
    connection.commit()
    yield connection
    connection.close()


SECRET = "sqlite:///agency.db"


def one(asking: Remote) -> Record:
    [found] = KINDS["database"].gather(asking)
    assert isinstance(found, Record)
    return found


def rows_of(asking: Remote, record: Record) -> tuple[str, str]:
    opened, body = KINDS["database"].open, bytearray()
    assert opened is not None
    name = opened(asking, record.resources[0].content, body.extend)
    return name, body.decode()


def broken(
    ask: Callable[..., Remote], address: str = "park", secret: str = SECRET, **options: Any
) -> SourceBroken:
    with pytest.raises(SourceBroken) as caught:
        one(ask("database", address, secret=secret, **{**OPTIONS, **options}))
    return caught.value


@pytest.mark.usefixtures("park")
def test_a_table_is_a_dataset_with_a_file(ask: Callable[..., Remote]) -> None:
    asking = ask("database", "park", secret=SECRET, **OPTIONS)
    found = one(asking)
    assert found.identifier == "park"
    assert dict(found.fields) == {"title": "公园", "keywords": ["公园"], "update_cycle": "daily", "data_updated_on": "2026-03-02"}  # fmt: skip
    assert dict(found.resources[0].fields) == {
        "name": "公园",
        "format": "CSV",
        "media_type": "text/csv",
        "schema": {
            "fields": [
                {"name": "code", "type": "string", "title": "编号"},
                {"name": "name", "type": "string"},
                {"name": "opened", "type": "date"},
                {"name": "area", "type": "number"},
                {"name": "open", "type": "boolean"},
            ]
        },
    }
    name, text = rows_of(asking, found)
    assert name == "park.csv"
    assert text.splitlines() == [
        "code,name,opened,area,open",
        'p1,"城东, 公园",2020-01-01,1.5,true',
        "p2,,2021-01-01,2,false",
    ]
    assert "秘密" not in text


def test_the_file_is_new_when_the_watermark_has_moved(
    park: sqlite3.Connection, ask: Callable[..., Remote]
) -> None:
    asking = ask("database", "park", secret=SECRET, **OPTIONS)
    first = one(asking)
    assert one(asking) == first
    park.execute("UPDATE park SET name = 'x', changed_at = '2026-03-03 09:00:00' WHERE code = 'p2'")
    park.commit()
    moved = one(asking)
    assert moved.resources[0].content != first.resources[0].content
    park.execute("DELETE FROM park WHERE code = 'p1'")
    park.commit()
    assert one(asking).resources[0].content != moved.resources[0].content


@pytest.mark.usefixtures("park")
def test_names_are_looked_up_and_never_run(park: sqlite3.Connection, ask: Callable[..., Remote]) -> None:
    for hostile in ("code; DROP TABLE park", 'code" FROM park; --', "(SELECT owner_phone)", "1"):
        assert broken(ask, columns=[hostile]).code == "harvest_no_column"
        assert broken(ask, watermark=hostile).code == "harvest_no_column"
    for address in ("park; DROP TABLE park", "park WHERE 1=1", "(SELECT 1)", "none", "sqlite_master"):
        assert broken(ask, address).code in ("harvest_no_table", "harvest_no_column", "harvest_database")
    assert park.execute("SELECT count(*) FROM park").fetchone() == (2,)


def test_what_cannot_be_opened(park: sqlite3.Connection, ask: Callable[..., Remote], tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "ours.db").execute(CREATE)
    for secret in (
        "",
        "no address",
        "nosuch://x",
        "sqlite://",
        f"sqlite:///{tmp_path}/ours.db",
        "sqlite:///../ours.db",
    ):
        assert broken(ask, secret=secret).code == "harvest_database_address", secret
    unreachable = broken(ask, secret="postgresql+psycopg://u:hunter2@127.0.0.1:1/x")
    assert unreachable.code == "harvest_database"
    assert "hunter2" not in str(unreachable.params)
    assert broken(ask, most_rows=1).code == "harvest_too_many_rows"
    park.execute("DELETE FROM park")
    park.commit()
    assert broken(ask).code == "harvest_empty"


def test_many_rows_take_little_memory(park: sqlite3.Connection, ask: Callable[..., Remote]) -> None:
    rows = (("p", "名" * 50, "2020-01-01", 1, 1, "", f"2026-03-03 09:{n % 60:02}:00") for n in range(100_000))
    park.executemany("INSERT INTO park VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    park.commit()
    asking = ask("database", "park", secret=SECRET, **OPTIONS)
    opened, sizes = KINDS["database"].open, list[int]()
    assert opened is not None
    opened(asking, "", lambda chunk: sizes.append(len(chunk)))  # what SQLAlchemy and the dialect load once
    sizes.clear()
    tracemalloc.start()
    opened(asking, "", lambda chunk: sizes.append(len(chunk)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) > 16_000_000
    assert peak < 4_000_000


@pytest.mark.services
@pytest.mark.skipif(not os.environ.get("OPENDATA_TEST_POSTGRES_URL"), reason="needs real services: OPENDATA_TEST_POSTGRES_URL not set")  # fmt: skip
def test_a_view_in_a_schema_of_postgresql(ask: Callable[..., Remote], migrated: str) -> None:
    with own_database(migrated) as database:
        engine = sa.create_engine(database)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA gis")
            connection.exec_driver_sql(CREATE.replace('"park"', "gis.park_all"))
            connection.exec_driver_sql("INSERT INTO gis.park_all VALUES (%s, %s, %s, %s, %s, %s, %s)", ROWS)
            connection.exec_driver_sql("CREATE VIEW gis.park AS SELECT * FROM gis.park_all WHERE code = 'p1'")
        engine.dispose()
        asking = ask("database", "gis.park", secret=database, **OPTIONS)
        found = one(asking)
        assert found.fields["data_updated_on"] == "2026-03-01"
        assert rows_of(asking, found)[1].splitlines()[1:] == ['p1,"城东, 公园",2020-01-01,1.50,true']
        assert broken(ask, "gis.nothing", database).code == "harvest_no_table"
