"""Rows that clients write: made, changed, searched, dumped, asked by SQL; and what is refused."""

from __future__ import annotations

from typing import Any

from ckan_diff.calls import Call, call, get, sent

_NEW = {"package_id": "places", "name": "rows"}
_FIELDS = [
    {"id": "code", "type": "text", "info": {"label": "Code", "notes": "its code"}},
    {"id": "n", "type": "int"},
    {"id": "x", "type": "numeric"},
    {"id": "day", "type": "date"},
    {"id": "at", "type": "timestamp"},
    {"id": "zone", "type": "timestamptz"},
    {"id": "yes", "type": "bool"},
    {"id": "j", "type": "json"},
    {"id": "l", "type": "text[]"},
    {"id": "t", "type": "time"},
    {"id": "f", "type": "float8"},
    {"id": "Up Case", "type": "text"},
]
_FULL = {
    "code": "a", "n": 1, "x": 1.10, "day": "2026-01-02", "at": "2026-01-02 10:11:12.345", "zone": "2026-01-02T10:11:12+08:00",
    "yes": True, "j": {"a": [1, "b"]}, "l": ["p", "q"], "t": "08:30", "f": 2, "Up Case": 'say "hi", all',
}  # fmt: skip
_ROWS = [
    _FULL,
    {"code": "b", "n": 2, "x": "2.50", "yes": "f", "Up Case": "Running dogs", "day": "02/03/2026"},
    {"code": "c", "n": "3", "f": 0.5, "Up Case": "", "at": "2026-03-04T05:06:07"},
    {"code": "d", "n": "", "Up Case": None, "j": [1, None], "l": []},
    {"code": "e", "n": 2, "x": 10, "Up Case": "running late", "yes": False},
]
_RID = "${rows.resource_id}"
_ORIG = ("error.info", "error.query")
_KEYS = ("error.records", "error.key", "error.constraints", "error.info")


def _made(action: str, keep: str = "", **args: Any) -> Call:
    """What other areas look at."""
    return sent(action, "editor", args, keep=keep, as_type=("result",))


def _search(**args: Any) -> Call:
    return sent("datastore_search", "public", {"resource_id": _RID, **args}, as_type=_ORIG)


def _create(by: str = "editor", **args: Any) -> Call:
    return sent("datastore_create", by, {"resource": _NEW, **args}, as_type=("error.info",))


def _upsert(method: str, *records: Any, **args: Any) -> Call:
    given = {"resource_id": _RID, "method": method, "records": list(records), **args}
    return sent("datastore_upsert", "editor", given, as_type=_KEYS if method == "update" else ())


def _sql(text: str, by: str = "public") -> Call:
    return sent(
        "datastore_search_sql",
        by,
        {"sql": text.replace("TABLE", f'"{_RID}"')},
        as_type=("error.query", "error.info"),
    )


def _dump(query: str = "", by: str = "public") -> Call:
    return sent("dump", by, {}, how="get", path=f"/datastore/dump/{_RID}{query}", headers=("content-type",))


CALLS: list[Call] = [
    _made("package_create", name="places", owner_org="parks"),
    _made("package_create", name="hidden", owner_org="parks", private=True),
    sent(
        "datastore_create",
        "editor",
        {
            "resource": _NEW,
            "fields": _FIELDS,
            "primary_key": "code",
            "records": _ROWS,
            "aliases": "rows_a,rows_b",
            "indexes": ["n"],
        },
        keep="rows",
    ),
    _made("resource_create", "link", package_id="places", url="http://example.org/a.csv"),
    sent(
        "datastore_create",
        "editor",
        {"resource": {"package_id": "hidden"}, "fields": [{"id": "a", "type": "int"}], "records": [{"a": 1}]},
        keep="secret",
    ),
    # searched
    _search(),
    call("datastore_search", resource_id="rows_a", records_format="lists"),
    _search(records_format="csv"),
    _search(records_format="tsv", fields="code,Up Case,x"),
    _search(records_format="objects", limit=0),
    get("datastore_search", resource_id=_RID, limit=2),
    get("datastore_search", resource_id=_RID, filters={"n": [1, 2]}, fields="_id,n"),
    get("datastore_search", id=_RID, limit=1, fields="_id"),
    _search(fields=["_id", "n"], filters={"n": 2}),
    _search(fields=["_id", "n"], filters={"n": [1, 3]}),
    _search(fields="_id,n", filters={"n": {"gt": 1}}),
    _search(fields="_id,n", filters={"n": {"gte": 1, "lt": 3}}),
    _search(fields="_id", filters={"n": [{"lt": 2}, 3]}),
    _search(fields="_id", filters={"$or": [{"n": 1}, {"code": "c"}]}),
    _search(fields="_id", filters={"$and": [{"n": 2}, {"code": {"gt": "b"}}]}),
    _search(fields="_id", filters=[{"n": 1}, {"code": "d"}]),
    _search(fields="_id", filters={"$or": [{"$and": [{"n": 2}, {"x": 10}]}, {"code": "a"}]}),
    _search(fields="_id", filters={"n": None}),
    _search(fields="_id", filters={"n": []}),
    _search(fields="_id", filters={"code": 5}),
    _search(fields="_id", filters={"yes": True}),
    _search(fields="_id", filters={"yes": "f"}),
    _search(fields="_id", filters={"day": {"gte": "2026-01-03"}}),
    _search(fields="_id", filters={"at": "2026-03-04T05:06:07"}),
    _search(fields="_id", filters={"n": "2"}),
    _search(fields="_id", filters={"n": {"in": [1]}}),
    _search(fields="_id", filters='{"n":1}'),
    _search(filters={"zz": 1}),
    _search(filters="abc"),
    _search(filters=5),
    _search(filters={"n": {"foo": 1}}),
    _search(filters={"$xor": []}),
    _search(filters={"$or": {}}),
    _search(filters={"n": "abc"}),
    _search(filters={"n": ""}),
    _search(q="dogs", fields="_id"),
    _search(q="DOGS running", fields="_id"),
    _search(q="nothing", fields="_id"),
    _search(q="nothing"),
    _search(q="running & !dogs", plain=False, fields="_id"),
    _search(q="dogs | hi", plain=False, fields="_id"),
    _search(q="runn:*", plain=False, fields="_id"),
    _search(q="running &", plain=False),
    _search(q={"code": "b"}, fields="_id"),
    _search(q={"zz": "b"}),
    _search(full_text="late", fields=["_id", "code"]),
    _search(sort="n desc, code", fields="_id,n"),
    _search(sort="n", fields="_id,n"),
    _search(sort='"Up Case" desc nulls last', fields="_id"),
    _search(sort="Up Case desc", fields="_id"),
    _search(sort=["x asc"], fields="_id,x"),
    _search(sort="zz"),
    _search(sort="n sideways"),
    _search(sort=5),
    _search(fields="zz"),
    _search(fields=5),
    _search(fields=[]),
    _search(limit=2, offset=1, fields="_id"),
    _search(limit=-1),
    _search(limit="many"),
    _search(limit=100_000, fields="_id"),
    _search(offset="x"),
    _search(offset=-1),
    _search(offset=4, fields="_id"),
    _search(distinct=True, fields="n", sort="n"),
    _search(distinct=True, fields="n,yes", sort="n desc, yes"),
    _search(distinct=True, fields="n", sort="x"),
    _search(include_total=False, fields="_id"),
    _search(include_total="no", fields="_id"),
    _search(include_next_page=True, limit=2, fields="_id"),
    _search(include_next_page=True, limit=2, sort="_id desc", fields="_id"),
    _search(include_next_page=True, limit=2, sort="n", fields="_id"),
    _search(records_format="bad"),
    _search(total_estimation_threshold=5, fields="_id"),
    _search(junk=1),
    call("datastore_search"),
    call("datastore_search", resource_id="nope"),
    call("datastore_search", resource_id="${link.id}"),
    call("datastore_search", "editor", resource_id="${secret.resource_id}"),
    call("datastore_search", "stranger", resource_id="${secret.resource_id}"),
    call("datastore_search", resource_id="${secret.resource_id}"),
    sent(
        "datastore_info",
        "public",
        {"id": _RID},
        as_type=("result.meta.size", "result.meta.db_size", "result.meta.idx_size"),
        unordered=("result.meta.aliases",),
    ),
    call("datastore_info", resource_id="rows_b", include_meta=False, include_fields_schema=False),
    call("datastore_info", id="nope"),
    call("datastore_info"),
    sent("resource_show", "public", {"id": _RID}, as_type=("result.description", "result.last_modified")),
    # dumped
    _dump(),
    _dump("?format=tsv&fields=code,n"),
    _dump("?format=json&limit=2"),
    _dump("?format=xml&fields=_id,code,n,j,l,yes"),
    _dump("?bom=true&limit=1&fields=code"),
    _dump("?limit=2&offset=3&fields=_id"),
    _dump("?filters=%7B%22n%22%3A2%7D&fields=_id,n&sort=_id desc"),
    _dump("?q=running&fields=_id"),
    # by SQL
    _sql("SELECT _id, code, n, x, day, yes FROM TABLE ORDER BY _id LIMIT 2"),
    _sql("SELECT n, count(*), sum(x) AS s, max(at) FROM TABLE GROUP BY n ORDER BY n"),
    _sql(
        """SELECT upper("Up Case") u, n * 2 AS y, n > 1 AS b FROM TABLE WHERE code IN ('a', 'b') ORDER BY code"""
    ),
    _sql("""SELECT code FROM TABLE WHERE "Up Case" ILIKE 'RUN%' OR n BETWEEN 3 AND 4 ORDER BY code"""),
    _sql("WITH a AS (SELECT n FROM TABLE) SELECT DISTINCT n FROM a WHERE n IS NOT NULL ORDER BY n DESC"),
    _sql("SELECT a.code FROM TABLE a JOIN TABLE b ON a._id = b._id ORDER BY 1 LIMIT 1"),
    _sql("SELECT code FROM TABLE WHERE n = (SELECT max(n) FROM TABLE)"),
    _sql("SELECT 1"),
    _sql("SELECT 1; SELECT 2"),
    _sql(""),
    _sql("SELECT * FROM nope"),
    _sql("SELECT zz FROM TABLE"),
    _sql("SELECT pg_sleep(1)"),
    _sql("SELECT * FROM pg_tables"),
    _sql("SELECT * FROM information_schema.tables"),
    _sql('SELECT * FROM "${secret.resource_id}"'),
    _sql('SELECT * FROM "${secret.resource_id}"', "stranger"),
    # changed
    _upsert("insert", {"code": "a", "n": 2}),
    _upsert("insert", {"code": "k", "n": "x"}),
    _upsert("insert", {"code": "k", "zz": 1}),
    _upsert("insert", "x"),
    _upsert("insert", {"code": "k", "n": True}),
    _upsert("insert", {"code": {"a": 1}}),
    _upsert("insert", {"code": "k", "n": 99_999_999_999}),
    _upsert("insert", {"code": "k", "day": "hello"}),
    _upsert("insert", {"code": "k", "at": "2026-13-01"}),
    _upsert("insert", {"code": "k", "yes": 1}),
    _upsert("insert", {"code": "k", "yes": "maybe"}),
    _upsert("insert", {"code": "k", "l": "abc"}),
    _upsert("insert", {"code": "k", "x": "abc"}),
    _upsert("upsert", {"code": "a", "n": 5}),
    _upsert("upsert", {"n": 5}),
    _upsert("upsert", {"code": "q", "n": 7, "qq": 1}),
    _upsert("upsert", {"code": "b", "n": 3.7}),
    _upsert("update", {"code": "zz", "n": 1}),
    _upsert("update", {"code": "a", "n": None}),
    _upsert("upsert", {"_id": 1, "n": 77}),
    _upsert("upsert", {"code": None, "n": 1}),
    _upsert("bogus", {"code": "a"}),
    _upsert("upsert"),
    _upsert("insert", {"code": "dry"}, dry_run=True),
    call("datastore_upsert", "editor", resource_id=_RID, records=[], junk=1),
    call("datastore_upsert", "editor", records=[]),
    call("datastore_upsert", "editor", resource_id="nope", records=[]),
    sent(
        "datastore_upsert",
        "public",
        {"resource_id": _RID, "records": [{"code": "x"}]},
        as_type=("error.message",),
    ),
    sent(
        "datastore_upsert",
        "stranger",
        {"resource_id": _RID, "records": [{"code": "x"}]},
        as_type=("error.message",),
    ),
    sent(
        "datastore_upsert",
        "member",
        {"resource_id": _RID, "records": [{"code": "x"}]},
        as_type=("error.message",),
    ),
    _search(fields="code,n"),
    # shaped
    call("datastore_create", "editor"),
    call("datastore_create", "editor", resource={"package_id": "places"}, resource_id="x"),
    call("datastore_create", "editor", resource_id="nope"),
    call("datastore_create", "editor", resource={"package_id": "nope"}),
    call("datastore_create", "editor", resource={"package_id": "places", "url": "http://x/y.csv"}),
    _create(fields=[{"id": "a", "type": "bogus"}]),
    _create(fields=[{"id": "_a", "type": "text"}]),
    _create(fields=[{"id": 'a"b', "type": "text"}]),
    _create(fields=[{"id": "", "type": "text"}]),
    _create(fields=[{"type": "text"}]),
    _create(fields=[{"id": "a"}]),
    _create(fields=[{"id": "x" * 70, "type": "text"}]),
    _create(fields=[{"id": "a", "type": "text"}, {"id": "a", "type": "int"}]),
    _create(fields="abc"),
    _create(fields=[{"id": "a", "type": "text"}], records=["x"]),
    _create(fields=[{"id": "a", "type": "int"}], records=[{"a": "x"}]),
    _create(fields=[{"id": "a", "type": "int"}], primary_key="zz"),
    _create(fields=[{"id": "a", "type": "int"}], indexes="zz"),
    _create(fields=[{"id": "a", "type": "int"}], aliases="a%b"),
    _create(fields=[{"id": "a", "type": "int"}], aliases=5),
    _create(fields=[{"id": "a", "type": "int"}], aliases=["rows_a"]),
    sent("datastore_create", "public", {"resource_id": _RID, "fields": []}, as_type=("error.message",)),
    sent("datastore_create", "stranger", {"resource": _NEW}, as_type=("error.message",)),
    sent(
        "datastore_create",
        "editor",
        {
            "resource": _NEW,
            "fields": [{"id": "a"}],
            "records": [{"a": "5", "b": 1.5, "c": "2026-01-01", "d": {"k": 1}, "g": "1.5", "h": None}],
        },
        keep="guessed",
    ),
    call("datastore_search", resource_id="${guessed.resource_id}"),
    call(
        "datastore_create",
        "editor",
        resource_id="${guessed.resource_id}",
        fields=[{"id": "new", "type": "int"}],
    ),
    call(
        "datastore_create",
        "editor",
        resource_id="${guessed.resource_id}",
        fields=[{"id": "a", "info": {"label": "A"}}, {"id": "new", "type": "int"}],
        delete_fields=True,
    ),
    call("datastore_search", resource_id="${guessed.resource_id}"),
    call("datastore_create", "editor", resource_id="${link.id}", fields=[{"id": "a", "type": "int"}]),
    call(
        "datastore_create",
        "editor",
        resource_id="${link.id}",
        fields=[{"id": "a", "type": "int"}],
        force=True,
    ),
    # deleted
    call("datastore_delete", "editor"),
    call("datastore_delete", "editor", resource_id="nope"),
    call("datastore_delete", "editor", resource_id=_RID, filters={"code": "b"}),
    call("datastore_delete", "editor", resource_id=_RID, filters="x"),
    call("datastore_delete", "editor", resource_id=_RID, filters={"zz": 1}),
    sent("datastore_delete", "public", {"resource_id": _RID}, as_type=("error.message",)),
    call("datastore_records_delete", "editor", resource_id=_RID),
    call("datastore_records_delete", "editor", resource_id=_RID, filters="x"),
    call("datastore_records_delete", "editor", resource_id=_RID, filters={"code": {"gte": "d"}}),
    _search(fields="code"),
    call("datastore_records_delete", "editor", resource_id=_RID, filters={}),
    _search(fields="code"),
    call("datastore_delete", "editor", resource_id=_RID),
    call("datastore_delete", "editor", resource_id=_RID),
    _search(),
    _dump(),
    call("datastore_delete", "editor", resource_id="${link.id}"),
    call("datastore_delete", "editor", resource_id="${link.id}", force=True),
]
