"""The data dictionary of an uploaded table, as CKAN's page of it writes it: words that go out with a release."""

from __future__ import annotations

from typing import Any

import pytest
from ckan_reviewing import approve

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
ROWS = b"code,length,day\n01,1.5,2026-01-02\n02,2.5,2026-01-03\n"
DIRECT = pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
LABELS = {
    "code": {"label": "代码", "notes": "of the street"},
    "length": {"label": "长度", "notes": "", "unit": "m"},
}


def upload(
    callers: Any, package: str, content: bytes = ROWS, action: str = "resource_create", **more: Any
) -> Any:
    told = {"package_id": package, "name": "table", **more}
    answer = callers.editor.client.post(
        f"/api/3/action/{action}",
        data=told,
        files={"upload": ("streets.csv", content)},
        headers=callers.editor.headers,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def fields(caller: Any, resource_id: str) -> dict[str, Any]:
    """{name: (type, info)} of datastore_info, which datastore_search agrees with."""
    found = caller.ok("datastore_info", id=resource_id)["fields"]
    told = {field["id"]: (field["type"], field.get("info")) for field in found}
    searched = caller.ok("datastore_search", resource_id=resource_id)["fields"]
    assert {f["id"]: f.get("info") for f in searched if f["id"] != "_id"} == {
        n: i for n, (_t, i) in told.items()
    }
    return told


def write(caller: Any, resource_id: str, infos: dict[str, Any]) -> Any:
    """As CKAN's page sends it: every column that there is, with its type."""
    now = caller.ok("datastore_info", id=resource_id)["fields"]
    told = [{"id": f["id"], "type": f["type"], "info": infos.get(f["id"], {})} for f in now]
    return caller.ok("datastore_create", resource_id=resource_id, force=True, fields=told)


@DIRECT
def test_words_and_types_of_the_schema_are_the_dictionary(callers: Any, office: Any) -> None:
    made = callers.create("streets", title="Streets", notes="n")
    table = upload(callers, made["id"])
    schema = {
        "fields": [
            {"name": "code", "type": "string", "title": "代码", "description": "of the street"},
            {"name": "length", "type": "number"},
            {"name": "day", "type": "date", "title": "日期"},
        ]
    }
    callers.editor.ok("resource_patch", id=table["id"], schema=schema)
    callers.settle()
    assert fields(callers.public, table["id"]) == {
        "code": ("text", {"label": "代码", "notes": "of the street"}),
        "length": ("numeric", None),
        "day": ("date", {"label": "日期"}),
    }


@DIRECT
def test_a_dictionary_is_written_and_stays_with_the_resource(callers: Any, client: Any) -> None:
    made = callers.create("streets", title="Streets", notes="n")
    table = upload(callers, made["id"])
    callers.settle()
    before = callers.public.ok("datastore_search", resource_id=table["id"])
    answer = write(callers.editor, table["id"], LABELS)
    assert answer["fields"][0]["info"] == LABELS["code"]
    callers.settle()
    expected = {**LABELS, "day": None}
    assert {name: info for name, (_type, info) in fields(callers.public, table["id"]).items()} == expected
    assert callers.public.ok("datastore_search", resource_id=table["id"])["records"] == before["records"]
    shown = callers.public.ok("package_show", id="streets")["resources"][0]
    assert (shown["url_type"], shown["hash"]) == ("upload", table["hash"])
    rows = client.get(f"/api/v1/resources/{table['id']}/rows").json()
    assert [column.get("title") for column in rows["columns"][1:]] == ["代码", "长度", None]
    page = client.get(f"/zh/dataset/streets/resource/{table['id']}").text
    assert "长度" in page
    # CKAN's clients send packages and resources back without it, and new files.
    callers.editor.ok("package_update", **callers.editor.ok("package_show", id="streets"))
    callers.editor.ok("resource_update", **callers.editor.ok("resource_show", id=table["id"]))
    upload(callers, made["id"], ROWS + b"03,4.5,2026-01-04\n", "resource_update", id=table["id"])
    callers.settle()
    assert {name: info for name, (_type, info) in fields(callers.public, table["id"]).items()} == expected
    assert callers.public.ok("datastore_search", resource_id=table["id"])["total"] == 3
    write(callers.editor, table["id"], {**LABELS, "code": {"label": "C", "notes": ""}})
    callers.settle()
    assert fields(callers.public, table["id"])["code"][1] == {"label": "C", "notes": ""}


@DIRECT
def test_what_is_sent_back_as_it_was_is_no_change(callers: Any) -> None:
    made = callers.create("streets", title="Streets", notes="n")
    table = upload(callers, made["id"])
    callers.settle()
    write(callers.editor, table["id"], LABELS)
    callers.settle()
    count = len(callers.editor.ok("package_activity_list", id="streets"))
    told = [
        {"id": f["id"], "info": f["info"]}
        for f in callers.public.ok("datastore_info", id=table["id"])["fields"]
        if "info" in f
    ]
    callers.editor.ok("datastore_create", resource_id=table["id"], force=True, fields=told)
    callers.settle()
    assert len(callers.editor.ok("package_activity_list", id="streets")) == count


@DIRECT
def test_it_takes_force_and_the_right_to_edit(callers: Any) -> None:
    made = callers.create("streets", title="Streets", notes="n")
    table = upload(callers, made["id"])
    callers.settle()
    told = [{"id": "code", "info": {"label": "L"}}]
    assert "read-only" in callers.editor.fails(409, "datastore_create", resource_id=table["id"], fields=told)
    for caller in (callers.stranger, callers.public):
        caller.fails(403, "datastore_create", resource_id=table["id"], fields=told, force=True)
    assert fields(callers.public, table["id"])["code"][1] is None


def test_under_reviews_it_waits_for_them_and_the_file_stays(callers: Any, office: Any) -> None:
    made = callers.create("streets", title="Streets", notes="n", resources=[])
    table = upload(callers, made["id"])
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    callers.settle()
    assert fields(callers.public, table["id"])["code"] == ("text", None)
    write(callers.editor, table["id"], LABELS)
    callers.settle()
    assert fields(callers.public, table["id"])["code"] == ("text", None)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    callers.settle()
    assert fields(callers.public, table["id"])["code"] == ("text", LABELS["code"])
    shown = callers.public.ok("resource_show", id=table["id"])
    assert (shown["hash"], shown["url"].rpartition("/")[2]) == (table["hash"], "streets.csv")
