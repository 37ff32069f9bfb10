"""Searching rows: dumps, keyset pages, bounded work, statements. What searches answer is held in `ckan_diff`'s datastore area."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from ckan_callers import called
from places import furnished
from sqlalchemy import Engine, event

from opendata.compat.ckan.datastore import dumping

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]


@furnished
def resource(office, settle):
    callers = called(office, settle)
    callers.create("streets")
    fields = [{"id": "a", "type": "int"}, {"id": "b", "type": "text"}]
    made = callers.editor.ok(
        "datastore_create", resource={"package_id": "streets"}, fields=fields, primary_key="a", aliases="st",
        records=[{"a": number, "b": f'x {number} "街"'} for number in range(25)],
    )  # fmt: skip
    callers.settle()
    return made["resource_id"]


@contextmanager
def statements():
    seen = []

    def count(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def test_statements_are_as_few_for_many_rows_and_parts(callers, resource):
    def of(action, caller=callers.editor, **args):
        with statements() as seen:
            caller.ok(action, resource_id=resource, **args)
        assert len(seen) < 25, seen
        return len(seen)

    writing = {"method": "upsert", "records": [{"a": 1, "b": "y"}]}
    of("datastore_upsert", **writing)
    one = of("datastore_upsert", **writing)
    searched = of("datastore_search", callers.public)
    many = {"method": "upsert", "records": [{"a": number, "b": "z"} for number in range(1000)]}
    assert of("datastore_upsert", **many) == one
    for _ in range(5):
        assert of("datastore_upsert", **writing) == one
    assert of("datastore_search", callers.public, limit=1000) == searched
    assert of("datastore_search", callers.public, filters={"a": {"gt": 5}}, q="z", sort="b") == searched


def test_dumps_page_by_page(callers, resource, monkeypatch):
    monkeypatch.setattr(dumping, "PAGE", 4)
    get = callers.public.client.get
    whole = get(f"/datastore/dump/{resource}")
    lines = ["_id,a,b\r", *(f'{n + 1},{n},"x {n} ""街"""' for n in range(25)), ""]
    assert whole.text == "\n".join(lines)
    assert whole.headers["content-disposition"] == f'attachment; filename="{resource}.csv"'
    assert len(get(f"/datastore/dump/{resource}?limit=10&format=json").json()["records"]) == 10
    assert get("/datastore/dump/st?offset=23&fields=a&bom=true").content == "\ufeffa\r\n23\n24\n".encode()
    assert get(f"/datastore/dump/{resource}?sort=a desc&limit=2&fields=a").text == "a\r\n24\n23\n"
    assert get(f"/datastore/dump/{resource}?format=xml").text.count("<row ") == 25
    for address, status in (
        (f"/datastore/dump/{resource}?format=exe", 400), (f"/datastore/dump/{resource}?filters=x", 400),
        (f"/datastore/dump/{resource}?offset=x", 400), (f"/datastore/dump/{resource}?sort=zz", 400),
        ("/datastore/dump/nothing", 404), ("/datastore/dump/01a21896-5d4c-7397-b322-cf45b9f789f1", 404),
    ):  # fmt: skip
        assert get(address).status_code == status, address


@pytest.mark.parametrize(
    "args",
    [
        {"filters": {"$or": [{"a": 1}] * 101}},
        {"filters": {"a": list(range(20_000))}},
        {"filters": {"a": {"gt": [1]}}},
        {"filters": {"a": {"gt": {"b": 1}}}},
        {"filters": [1]},
        {"filters": {"$or": [1]}},
        {"q": " ".join(f"word{number}" for number in range(100))},
        {"q": "(" * 100 + "x" + ")" * 100, "plain": False},
        {"q": {"a": "x", "zz": "y"}},
        {"q": "'", "plain": False},
        {"sort": "a;b"},
        {"fields": [["a"]]},
        {"limit": 1e30},
        {"offset": 1 << 70},
        {"records_format": {"a": 1}},
    ],
    ids=lambda args: str(args)[:40],
)
def test_odd_arguments_are_answered_in_ckans_shape(callers, resource, args):
    answer = callers.public.post("datastore_search", resource_id=resource, **args)
    assert answer.status_code == 409, answer.text
    assert answer.json()["error"]["__type"] == "Validation Error"


def test_deep_filters_are_refused(callers, resource):
    deep: object = {"a": 1}
    for _ in range(12):
        deep = {"$or": [deep, {"a": 2}]}
    error = callers.public.fails(409, "datastore_search", resource_id=resource, filters=deep)
    assert error["filters"] == ["Maximum nesting depth for filter operations reached"]
