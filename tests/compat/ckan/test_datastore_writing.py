"""Rows that clients write: columns, inserting, changing by key, deleting; what is wrong with them; what is left of them when
parts are made one and folded into the table's files. Expected answers were taken from CKAN 2.12."""

from __future__ import annotations

import pytest

from opendata.tables.rows import fold, service
from opendata.tables.rows.models import RowChange, RowTable
from opendata.work.actor import SYSTEM

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
FIELDS = [
    {"id": "code", "type": "text", "info": {"label": "Code"}},
    {"id": "n", "type": "int"},
    {"id": "x", "type": "numeric"},
    {"id": "day", "type": "date"},
    {"id": "at", "type": "timestamp"},
    {"id": "zone", "type": "timestamptz"},
    {"id": "yes", "type": "bool"},
    {"id": "j", "type": "json"},
    {"id": "l", "type": "text[]"},
    {"id": "t", "type": "time"},
]
FULL = {
    "code": "a", "n": 1, "x": 1.10, "day": "2026-01-02", "at": "2026-01-02 10:11:12.345", "zone": "2026-01-02T10:11:12+08:00",
    "yes": True, "j": {"a": [1, "é"]}, "l": ["p", "q"], "t": "08:30",
}  # fmt: skip


@pytest.fixture
def table(callers):
    """Makes a resource with rows; returns its id."""
    callers.create("streets", title="Streets", notes="n", license_id="cc-by")

    def make(**args):
        args.setdefault("fields", FIELDS)
        made = callers.editor.ok("datastore_create", resource={"package_id": "streets", "name": "t"}, **args)
        callers.settle()
        return made["resource_id"]

    return make


def rows(callers, resource, **args):
    return callers.public.ok("datastore_search", resource_id=resource, **args)["records"]


def test_created_rows_are_public_at_once_in_every_type(callers, table):
    resource = table(records=[FULL], primary_key="code", aliases="st1, st2")
    found = callers.public.ok("datastore_search", resource_id=resource)
    assert found["records"] == [
        {"_id": 1, "code": "a", "n": 1, "x": 1.1, "day": "2026-01-02", "at": "2026-01-02T10:11:12.345",
         "zone": "2026-01-02T02:11:12+00:00", "yes": True, "j": {"a": [1, "é"]}, "l": ["p", "q"], "t": "08:30:00"}
    ]  # fmt: skip
    assert [(f["id"], f["type"]) for f in found["fields"]] == [
        ("_id", "int"), ("code", "text"), ("n", "int4"), ("x", "numeric"), ("day", "date"), ("at", "timestamp"),
        ("zone", "timestamptz"), ("yes", "bool"), ("j", "json"), ("l", "_text"), ("t", "time"),
    ]  # fmt: skip
    assert found["fields"][1]["info"] == {"label": "Code"}
    assert found["total"] == 1
    assert callers.public.ok("datastore_search", resource_id="st2")["records"] == found["records"]
    shown = callers.public.ok("resource_show", id=resource)
    assert (shown["url_type"], shown["datastore_active"]) == ("datastore", True)
    assert shown["url"].endswith(f"/datastore/dump/{resource}")


def test_a_first_record_tells_the_types(callers, table):
    record = {"a": 1, "b": 1.5, "c": "2026-01-01", "d": {"k": 1}, "f": "12", "g": "1.5", "h": None, "i": [1]}
    resource = table(fields=[], records=[record])
    found = callers.public.ok("datastore_search", resource_id=resource)
    kinds = ["int", "int4", "float8", "timestamp", "json", "int4", "numeric", "text", "json"]
    assert [field["type"] for field in found["fields"]] == kinds
    assert found["records"] == [
        {"_id": 1, "a": 1, "b": 1.5, "c": "2026-01-01T00:00:00.000", "d": {"k": 1}, "f": 12, "g": 1.5, "h": None,
         "i": [1]}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"n": "x"}, 'invalid input syntax for type integer: "x"'),
        ({"n": True}, 'column "n" is of type integer but expression is of type boolean'),
        ({"n": 99_999_999_999}, "integer out of range"),
        ({"x": "abc"}, 'invalid input syntax for type numeric: "abc"'),
        ({"yes": "maybe"}, 'invalid input syntax for type boolean: "maybe"'),
        ({"yes": 1}, 'column "yes" is of type boolean but expression is of type integer'),
        ({"day": "hello"}, 'invalid input syntax for type date: "hello"'),
        ({"at": "2026-13-01"}, 'date/time field value out of range: "2026-13-01"'),
        ({"code": {"a": 1}}, "can't adapt type 'dict'"),
        ({"l": "abc"}, 'malformed array literal: "abc"'),
    ],
    ids=lambda value: str(value)[:30].replace("::", ""),
)
def test_a_cell_that_does_not_fit_is_named_and_nothing_is_written(callers, table, record, text):
    resource = table(records=[FULL])
    for method in ("insert",):
        error = callers.editor.fails(
            409, "datastore_upsert", resource_id=resource, method=method, records=[{"code": "ok"}, record]
        )
        assert error == {"__type": "Validation Error", "records": [text], "records_row": 1}
    assert [row["code"] for row in rows(callers, resource)] == ["a"]


def test_what_postgresql_takes_is_taken(callers, table):
    resource = table(primary_key="code")
    records = [
        {"code": 5, "n": "12", "x": "1.50", "yes": "t", "day": "02/03/2026"},
        {"code": True, "n": 2.5, "yes": "", "day": "2026/1/2"},
        {"code": "é\n", "n": "", "at": "2026-01-02T03:04:05Z", "zone": "2026-01-02 03:04:05"},
    ]
    callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=records)
    found = rows(callers, resource, fields="code,n,x,yes,day,at,zone")
    assert [list(row.values()) for row in found] == [
        ["5", 12, 1.5, True, "2026-02-03", None, None],
        ["true", 2, None, None, "2026-01-02", None, None],
        ["é\n", None, None, None, None, "2026-01-02T03:04:05.000", "2026-01-02T03:04:05+00:00"],
    ]


def test_upsert_update_and_insert_by_key_and_id(callers, table):
    resource = table(primary_key="code", records=[FULL, {"code": "b", "n": 2}])

    def put(method, *records, **more):
        return callers.editor.ok(
            "datastore_upsert", resource_id=resource, method=method, records=list(records), **more
        )

    def fails(method, *records):
        return callers.editor.fails(
            409, "datastore_upsert", resource_id=resource, method=method, records=list(records)
        )

    put("upsert", {"code": "a", "n": 5}, {"code": "c", "n": 3}, {"code": "c", "x": 9})
    put("update", {"code": "b", "n": None})
    put("upsert", {"_id": 2, "x": 7}, {"_id": 50, "code": "fifty"})
    put("upsert", {"code": None, "n": 1}, {"code": None, "n": 2})
    found = [list(row.values()) for row in rows(callers, resource, fields="_id,code,n,x,l")]
    assert found == [
        [1, "a", 5, 1.1, ["p", "q"]], [2, "b", None, 7, None], [3, "c", 3, 9, None], [50, "fifty", None, None, None],
        [51, None, 1, None, None], [52, None, 2, None, None],
    ]  # fmt: skip
    assert callers.public.ok("datastore_search", resource_id=resource, limit=0)["total"] == 6
    duplicate = 'duplicate key value violates unique constraint "primary_key"'
    assert fails("insert", {"code": "a"})["records"] == [duplicate]
    assert fails("insert", {"code": "n"}, {"code": "n"}) == {
        "__type": "Validation Error", "records": [duplicate], "records_row": 1,
    }  # fmt: skip
    assert fails("upsert", {"_id": 2, "code": "a"})["records"] == [duplicate]
    assert fails("upsert", {"n": 1})["key"] == ['fields "code" are missing but needed as key']
    assert fails("update", {"code": "zz"})["key"] == ['key "zz" not found']
    assert fails("upsert", {"code": "a", "qq": 1})["fields"] == ['fields "qq" do not exist']
    assert fails("insert", {"code": "y", "qq": 1})["records"] == ['row "1" has extra keys "qq"']
    assert fails("insert", "x")["records"] == ['row "0" is not a json object']
    assert fails("bogus", {})["method"] == ["Value must be one of ['upsert', 'insert', 'update']"]
    shown = put("upsert", {"code": "a", "n": 6}, include_records=True)["records"]
    assert [(row["_id"], row["n"]) for row in shown] == [(1, 6)]
    put("insert", {"code": "dry"}, dry_run=True)
    assert [row["code"] for row in rows(callers, resource, filters={"code": "dry"})] == []
    assert len(rows(callers, resource)) == 6


def test_rows_are_deleted_by_filters_and_the_table_whole(callers, table):
    fields = [{"id": "a", "type": "int"}, {"id": "b", "type": "text"}]
    resource = table(fields=fields, records=[{"a": i, "b": f"x{i}"} for i in range(6)])
    gone = callers.editor.ok(
        "datastore_delete", resource_id=resource, filters={"a": {"gte": 4}}, include_deleted_records=True
    )
    assert gone["deleted_records"] == [{"_id": 5, "a": 4, "b": "x4"}, {"_id": 6, "a": 5, "b": "x5"}]
    callers.editor.ok("datastore_records_delete", resource_id=resource, filters={"b": ["x0", "x1"]})
    assert [row["_id"] for row in rows(callers, resource)] == [3, 4]
    assert callers.public.ok("datastore_search", resource_id=resource)["total"] == 2
    assert callers.editor.fails(409, "datastore_records_delete", resource_id=resource)["filters"] == [
        "Missing value"
    ]
    assert callers.editor.fails(409, "datastore_delete", resource_id=resource, filters={"zz": 1})[
        "filters"
    ] == ["Unknown field: zz"]
    callers.editor.ok("datastore_records_delete", resource_id=resource, filters={})
    assert rows(callers, resource) == []
    callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=[{"a": 9}])
    assert [row["_id"] for row in rows(callers, resource)] == [7]
    callers.editor.ok("datastore_delete", resource_id=resource)
    for action in ("datastore_search", "datastore_info"):
        callers.public.fails(404, action, resource_id=resource)
    assert callers.editor.fails(404, "datastore_delete", resource_id=resource)["message"] == (
        f'Not found: Resource "{resource}" was not found.'
    )
    assert callers.public.ok("resource_show", id=resource)["datastore_active"] is False


def test_columns_come_and_go(callers, table):
    fields = [{"id": "a", "type": "int", "info": {"label": "A"}}, {"id": "b", "type": "text"}]
    resource = table(fields=fields, records=[{"a": 1, "b": "x"}, {"a": 1, "b": "y"}])

    def change(**args):
        return callers.editor.ok("datastore_create", resource_id=resource, **args)

    change(fields=[{"id": "c", "type": "int"}])
    assert rows(callers, resource) == [
        {"_id": 1, "a": 1, "b": "x", "c": None}, {"_id": 2, "a": 1, "b": "y", "c": None},
    ]  # fmt: skip
    change(fields=[{"id": "a", "type": "text", "info": {"label": "AA"}}], delete_fields=True)
    found = callers.public.ok("datastore_search", resource_id=resource)
    assert found["records"] == [{"_id": 1, "a": 1}, {"_id": 2, "a": 1}]
    assert found["fields"][1] == {"id": "a", "type": "int4", "info": {"label": "AA"}}
    # A column that comes back with another type has none of the old one's cells.
    change(records=[{"a": 5, "b": 7}])
    assert [row["b"] for row in rows(callers, resource)] == [None, None, 7]
    assert callers.editor.fails(409, "datastore_create", resource_id=resource, primary_key=["a"])[
        "constraints"
    ]
    change(primary_key=["b"])
    assert callers.editor.fails(409, "datastore_upsert", resource_id=resource, records=[{"a": 1}])["key"]
    change(fields=[{"id": "a"}, {"id": "d", "type": "int"}], delete_fields=True)  # a key goes with its column
    callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=[{"a": 5, "d": 1}])
    assert [row["d"] for row in rows(callers, resource)] == [None, None, None, 1]
    assert callers.editor.fails(409, "datastore_create", resource_id=resource, primary_key=["zz"])[
        "index"
    ] == ["The field \"['zz']\" is not a valid column name."]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"fields": [{"id": "a", "type": "bogus"}]}, {"fields": ['"bogus" is not a valid field type']}),
        ({"fields": [{"id": "_a", "type": "text"}]}, {"fields": [{"id": ['"_a" is not a valid field name']}]}),
        ({"fields": [{"id": "", "type": "text"}]}, {"fields": [{"id": ["Missing value"]}]}),
        ({"fields": [{"id": "a"}]}, {"fields": ['"a" type not guessable']}),
        ({"fields": [{"id": "a", "type": "text"}, {"id": "a", "type": "int"}]},
         {"field": ["Duplicate column names are not supported"]}),
        ({"fields": [{"id": "x" * 64, "type": "text"}]},
         {"fields": [f'Column heading "{"x" * 64}" exceeds limit of 63 characters.']}),
        ({"fields": [{"id": "a", "type": "text"}], "records": ["x"]}, {"records": ["The first row is not a json object"]}),
        ({"fields": [{"id": "a", "type": "int"}], "indexes": "zz"},
         {"index": ['The field "zz" is not a valid column name.']}),
        ({"fields": [{"id": "a", "type": "int"}], "aliases": "a%b"}, {"alias": ['"a%b" is not a valid alias name']}),
        ({"fields": [{"id": "a", "type": "int"}], "aliases": 5}, {"aliases": ["Not a list"]}),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_and_leaves_no_resource(callers, args, error):
    made = callers.create("streets")
    answer = callers.editor.fails(409, "datastore_create", resource={"package_id": "streets"}, **args)
    assert answer == {"__type": "Validation Error", **error}
    assert callers.editor.ok("package_show", id=made["id"])["resources"] == []


def test_who_may_write_and_what_is_read_only(callers, table):
    resource = table(records=[FULL])
    link = callers.editor.ok("resource_create", package_id="streets", url="http://example.org/x.csv")["id"]
    callers.settle()
    for caller in (callers.public, callers.stranger):
        for action, args in (
            ("datastore_create", {"fields": []}),
            ("datastore_upsert", {"records": [{"code": "z"}], "method": "insert"}),
            ("datastore_delete", {}),
            ("datastore_records_delete", {"filters": {}}),
        ):
            caller.fails(403, action, resource_id=resource, **args)
    assert "read-only" in callers.editor.fails(
        409, "datastore_create", resource_id=link, fields=[{"id": "a", "type": "int"}]
    )
    callers.editor.ok("datastore_create", resource_id=link, fields=[{"id": "a", "type": "int"}], force=True)
    assert "read-only" in callers.editor.fails(409, "datastore_upsert", resource_id=link, records=[{"a": 1}])
    callers.editor.ok("datastore_upsert", resource_id=link, records=[{"a": 1}], method="insert", force=True)
    assert rows(callers, link) == [{"_id": 1, "a": 1}]
    callers.editor.fails(409, "datastore_create", resource_id="nope")
    callers.editor.fails(404, "datastore_upsert", resource_id="nope", records=[])
    callers.editor.fails(404, "datastore_create", resource={"package_id": "nope"})
    callers.editor.fails(400, "datastore_create", resource={"package_id": "streets"}, fields="abc")


def test_aliases_are_one_resources_alone(callers, table):
    first = table(records=[FULL], aliases=["one", "two"])
    error = callers.editor.fails(409, "datastore_create", resource={"package_id": "streets"}, aliases=["two"])
    assert error["alias"] == ['The alias "two" already exists.']
    callers.editor.ok("datastore_create", resource_id=first, aliases=["three"])
    callers.public.fails(404, "datastore_search", resource_id="one")
    assert callers.public.ok("datastore_info", id="three")["meta"]["aliases"] == ["three"]


def _table_of(app, resource):
    with app.place.reading(SYSTEM) as work:
        found = service.find(work, resource, draft=False)
        changes = work.session.query(RowChange).filter(RowChange.table_id == found.id).all()
        return found, changes


def test_many_small_changes_stay_few_parts(callers, table, office, monkeypatch):
    monkeypatch.setattr(service, "MOST_PARTS", 4)
    resource = table(fields=[{"id": "a", "type": "int"}], primary_key="a", records=[{"a": 0}])
    for number in range(1, 24):
        args = {"method": "upsert", "records": [{"a": number}, {"a": 0}]}
        callers.editor.ok("datastore_upsert", resource_id=resource, **args)
        if number % 5 == 0:
            callers.editor.ok("datastore_delete", resource_id=resource, filters={"a": number - 1})
    _, changes = _table_of(office.app, resource)
    assert len(changes) <= 5
    kept = [0, *(n for n in range(1, 24) if n % 5 != 4 or n > 19)]
    assert [row["a"] for row in rows(callers, resource)] == kept
    assert callers.public.ok("datastore_search", resource_id=resource)["total"] == len(kept)


def test_folding_changes_nothing_that_is_read(callers, table, office):
    fields = [{"id": "a", "type": "int"}, {"id": "b", "type": "text"}, {"id": "at", "type": "timestamp"}]
    start = [{"a": i, "b": f"x{i}", "at": "2026-01-02"} for i in range(50)]
    resource = table(fields=fields, primary_key="a", records=start)
    callers.settle()
    steps = [
        (
            "datastore_upsert",
            {"method": "upsert", "records": [{"a": 3, "b": "new"}, {"a": 100, "b": "more"}]},
        ),
        ("datastore_delete", {"filters": {"a": {"lt": 2}}}),
        ("datastore_create", {"fields": [{"id": "c", "type": "text"}]}),
        ("datastore_upsert", {"method": "update", "records": [{"a": 49, "c": "last"}]}),
        ("datastore_create", {"fields": [{"id": "a"}, {"id": "c"}], "delete_fields": True}),
        ("datastore_records_delete", {"filters": {"c": "last"}}),
    ]
    for action, args in steps:
        callers.editor.ok(action, resource_id=resource, **args)
        before = callers.public.ok("datastore_search", resource_id=resource, limit=1000)
        callers.settle()
        found, changes = _table_of(office.app, resource)
        assert changes == []
        assert found.waiting == 0
        assert callers.public.ok("datastore_search", resource_id=resource, limit=1000) == before
        # The platform's own rows are the same, without CKAN's types.
        shown = callers.public.client.get(f"/api/v1/resources/{resource}/rows?limit=1000").json()
        assert [row["_id"] for row in shown["results"]] == [row["_id"] for row in before["records"]]
        assert shown["total_count"] == before["total"]
    page = callers.public.client.get(f"/api/v1/resources/{resource}/rows?limit=3&offset=40").json()
    assert [row["_id"] for row in page["results"]] == [43, 44, 45]


def test_a_fold_that_died_half_way_is_done_again(callers, table, office, monkeypatch):
    resource = table(fields=[{"id": "a", "type": "int"}], records=[{"a": i} for i in range(5)])
    callers.settle()
    callers.editor.ok("datastore_upsert", resource_id=resource, method="insert", records=[{"a": 9}])
    with monkeypatch.context() as broken:

        def die(place):
            raise RuntimeError(place)

        broken.setattr(fold, "reach", die)
        found, _ = _table_of(office.app, resource)
        with pytest.raises(RuntimeError):
            fold.fold(office.app.place, office.app.rows, table_id=found.id)
    assert [row["a"] for row in rows(callers, resource)] == [0, 1, 2, 3, 4, 9]
    callers.editor.ok("datastore_delete", resource_id=resource, filters={"a": 0})
    callers.settle()
    assert [row["a"] for row in rows(callers, resource)] == [1, 2, 3, 4, 9]
    shown = callers.public.client.get(f"/api/v1/resources/{resource}/rows").json()
    assert [row["a"] for row in shown["results"]] == [1, 2, 3, 4, 9]


def test_withdrawn_rows_are_nobodys_and_come_back(callers, table, office):
    resource = table(records=[FULL])
    callers.settle()
    callers.editor.ok("package_patch", id="streets", private=True)
    callers.settle()
    callers.public.fails(404, "datastore_search", resource_id=resource)
    callers.stranger.fails(404, "datastore_search", resource_id=resource)
    assert [
        row["code"] for row in callers.editor.ok("datastore_search", resource_id=resource)["records"]
    ] == ["a"]
    callers.editor.ok("package_patch", id="streets", private=False)
    callers.settle()
    assert [row["code"] for row in rows(callers, resource)] == ["a"]
    callers.root.ok("dataset_purge", id="streets")
    callers.settle()
    with office.app.place.reading(SYSTEM) as work:
        assert work.session.query(RowTable).count() == 0


def test_rows_of_a_file_can_be_changed_by_force_until_the_next_file(callers, client, office):
    made = callers.create("streets", title="Streets", notes="n", license_id="cc-by")
    send = lambda action, text, **args: client.post(  # noqa: E731
        f"/api/3/action/{action}",
        headers=callers.editor.headers,
        data=args,
        files={"upload": ("x.csv", text)},
    ).json()["result"]["id"]
    resource = send("resource_create", b"name,n\na,1\nb,2\n", package_id=made["id"], name="x")
    callers.settle()
    assert rows(callers, resource) == [{"_id": 1, "name": "a", "n": 1}, {"_id": 2, "name": "b", "n": 2}]
    callers.editor.ok(
        "datastore_upsert", resource_id=resource, method="insert", records=[{"name": "c"}], force=True
    )
    assert [row["name"] for row in rows(callers, resource)] == ["a", "b", "c"]
    callers.editor.ok("package_patch", id="streets", title="Other words")
    callers.settle()
    assert [row["name"] for row in rows(callers, resource)] == ["a", "b", "c"]
    send("resource_update", b"name,n\nz,26\n", id=resource, name="x")
    callers.settle()
    assert [row["name"] for row in rows(callers, resource)] == ["z"]
