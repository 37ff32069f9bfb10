"""datastore_search_sql: what the subset gives, and that nothing else passes: files, settings, other tables, endless work."""

from __future__ import annotations

import time

import pytest
from ckan_callers import called
from places import furnished

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]


@furnished
def resource(office, settle):
    callers = called(office, settle)
    callers.create("streets")
    callers.create("hidden", private=True)
    made = callers.editor.ok(
        "datastore_create",
        resource={"package_id": "streets"},
        fields=[
            {"id": "name", "type": "text"}, {"id": "n", "type": "int"}, {"id": "day", "type": "timestamp"},
            {"id": "Up Case", "type": "text"},
        ],
        records=[{"name": f"street {i}", "n": i % 3, "day": f"2026-01-0{i + 1}", "Up Case": "x"} for i in range(6)],
        aliases="st",
    )  # fmt: skip
    callers.settle()
    return made["resource_id"]


def rows(callers, sql):
    return callers.public.ok("datastore_search_sql", sql=sql)["records"]


def test_one_select_over_public_tables(callers, resource):
    t = f'"{resource}"'
    found = callers.public.ok("datastore_search_sql", sql=f"SELECT * FROM {t} ORDER BY _id LIMIT 1")  # noqa: S608
    assert found["records"] == [
        {"_id": 1, "name": "street 0", "n": 0, "day": "2026-01-01T00:00:00", "Up Case": "x"}
    ]
    assert [(f["id"], f["type"]) for f in found["fields"]] == [
        ("_id", "int4"), ("name", "text"), ("n", "int4"), ("day", "timestamp"), ("Up Case", "text"),
    ]  # fmt: skip
    grouped = f"SELECT n, count(*), sum(n), max(day) FROM {t} GROUP BY n HAVING count(*) > 1 ORDER BY n DESC LIMIT 1"  # noqa: S608
    assert rows(callers, grouped) == [{"n": 2, "count": 2, "sum": 4, "max": "2026-01-06T00:00:00"}]
    assert rows(callers, "SELECT upper(\"Up Case\") u, n::text FROM st WHERE name ILIKE '%5'") == [
        {"u": "X", "n": "2"}
    ]
    assert rows(callers, "WITH a AS (SELECT n FROM st) SELECT DISTINCT n FROM a ORDER BY 1") == [
        {"n": 0}, {"n": 1}, {"n": 2},
    ]  # fmt: skip
    joined = (
        "SELECT a.name FROM st a JOIN st b ON a._id = b._id WHERE b.n = (SELECT max(n) FROM st) ORDER BY 1"
    )
    assert rows(callers, joined) == [{"name": "street 2"}, {"name": "street 5"}]
    callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=[{"name": "new"}])
    assert rows(callers, "SELECT count(*) AS c FROM st") == [{"c": 7}]


FORBIDDEN = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_settings",
    "SELECT current_setting('home_directory')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM json_execute_serialized_sql('x')",
    "SELECT ts_rewrite('a', 'b')",
    "SELECT query_to_xml('select 1', true, true, '')",
    "SELECT pg_sleep(100)",
    "SELECT repeat('a', 1000000000)",
    "SELECT * FROM generate_series(1, 10000000000)",
    "SELECT unnest(range(1000000000))",
    "SELECT * FROM pg_tables",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM main.st",
    "SELECT * FROM sqlite_master",
    "SELECT nextval('x')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM ogd_table_0",
]
REFUSED = [
    "",
    ";",
    "SELEC",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE st",
    "DROP TABLE st",
    "INSERT INTO st (n) VALUES (1)",
    "UPDATE st SET n = 1",
    "DELETE FROM st",
    "CREATE TABLE x AS SELECT 1",
    "COPY st TO '/tmp/x'",
    "ATTACH '/tmp/x' AS x",
    "PRAGMA database_list",
    "SET memory_limit = '100GB'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "EXPORT DATABASE '/tmp/x'",
    "CALL pragma_version()",
    "EXPLAIN SELECT 1",
    "SELECT * INTO x FROM st",
    "SELECT * FROM st FOR UPDATE",
    "WITH RECURSIVE a AS (SELECT 1 n UNION ALL SELECT n + 1 FROM a) SELECT * FROM a",
    "WITH d AS (DELETE FROM st RETURNING *) SELECT * FROM d",
    "SELECT * FROM st, LATERAL (SELECT 1) x",
    "VALUES (1)",
    "SELECT $1",
    "SELECT ?",
    "SELECT (" * 5000,
    "SELECT " + "(" * 80 + "1" + ")" * 80,
    "SELECT " + "+".join(["1"] * 3000),
    "SELECT '" + "a" * 20_000 + "'",
    "SELECT zz FROM st",
    "SELECT name + 1 FROM st",
    "SELECT n::regclass FROM st",
    "SELECT * FROM st a, st b, st c, st d, st e, st f",
]


@pytest.mark.parametrize("sql", [*FORBIDDEN, *REFUSED], ids=lambda sql: sql[:60] or "nothing")
def test_everything_else_is_refused_in_ckans_shape(callers, resource, sql):
    answer = callers.public.post("datastore_search_sql", sql=sql)
    assert answer.status_code in (403, 404, 409), answer.text
    error = answer.json()["error"]
    assert error["__type"] in ("Authorization Error", "Validation Error", "Not Found Error")
    assert "/etc" not in str(error).replace("/etc/passwd", "")
    assert ".parquet" not in answer.text


def test_tables_that_not_everybody_sees_are_not_there(callers, resource):
    hidden = callers.editor.ok(
        "datastore_create", resource={"package_id": "hidden"}, fields=[{"id": "a", "type": "int"}], records=[{"a": 1}]
    )["resource_id"]  # fmt: skip
    for caller in (callers.public, callers.stranger, callers.editor):
        for sql in (
            f'SELECT * FROM "{hidden}"',  # noqa: S608
            f'SELECT 1 FROM st WHERE EXISTS (SELECT 1 FROM "{hidden}")',  # noqa: S608
            f'WITH a AS (SELECT * FROM "{hidden}") SELECT count(*) FROM a',  # noqa: S608
            f'SELECT n FROM st UNION SELECT a FROM "{hidden}"',  # noqa: S608
        ):
            caller.fails(404, "datastore_search_sql", sql=sql)


def test_a_cross_join_ends_in_time(callers, monkeypatch):
    """In less time than others have: it would count for days either way."""
    callers.create("streets")
    records = [{"n": number} for number in range(4000)]
    callers.editor.ok(
        "datastore_create", resource={"package_id": "streets"}, fields=[{"id": "n", "type": "int"}], records=records,
        aliases="many",
    )  # fmt: skip
    callers.settle()
    began = time.monotonic()
    sql = "SELECT count(*) FROM many a, many b, many c, many d WHERE a.n + b.n + c.n + d.n = 7"
    with monkeypatch.context() as patch:
        patch.setattr("opendata.tables.sandboxed.relation.SECONDS", 2.0)
        assert callers.public.fails(409, "datastore_search_sql", sql=sql)["query"] == ["Query took too long"]
    assert time.monotonic() - began < 60
    wide = "SELECT a.n, b.n AS m FROM many a, many b"
    found = callers.public.ok("datastore_search_sql", sql=wide)
    assert (len(found["records"]), found["records_truncated"]) == (32_000, True)
