"""Under `reviewed` rows go to the open draft: nobody else meets them by any door before two people have approved the file that
they became."""

from __future__ import annotations

import pytest
from ckan_callers import called
from ckan_reviewing import approve, pass_quiet_time
from places import furnished

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
FIELDS = [
    {"id": "code", "type": "text", "info": {"label": "Code"}},
    {"id": "n", "type": "int"},
    {"id": "j", "type": "json"},
    {"id": "at", "type": "timestamp"},
    {"id": "yes", "type": "bool"},
]
ROW = {"code": "zebra", "n": 1, "j": {"a": [1, "é"]}, "at": "2026-01-02 10:11:12", "yes": True}
SHOWN = {
    "_id": 1,
    "code": "zebra",
    "n": 1,
    "j": {"a": [1, "é"]},
    "at": "2026-01-02T10:11:12.000",
    "yes": True,
}


@furnished
def published(office, settle):
    """A resource with one row that everybody sees; the dataset."""
    callers = called(office, settle)
    made = callers.create("streets", title="Streets", notes="n", license_id="cc-by-4.0")
    resource = callers.editor.ok(
        "datastore_create", resource={"package_id": "streets", "name": "t"}, fields=FIELDS, records=[ROW], primary_key="code",
        aliases="st",
    )["resource_id"]  # fmt: skip
    for caller in (callers.public, callers.stranger):
        caller.fails(404, "datastore_search", resource_id=resource)
    callers.settle()
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    return made, resource


def found(caller, resource):
    return caller.ok("datastore_search", resource_id=resource)["records"]


def test_rows_are_seen_by_their_body_then_by_everybody(callers, office, published):
    _, resource = published
    assert found(callers.public, resource) == [SHOWN]
    shown = callers.public.ok("datastore_search", resource_id="st")
    assert [(f["id"], f["type"]) for f in shown["fields"]] == [
        ("_id", "int"), ("code", "text"), ("n", "int4"), ("j", "json"), ("at", "timestamp"), ("yes", "bool"),
    ]  # fmt: skip
    assert shown["fields"][1]["info"] == {"label": "Code"}
    file = callers.public.client.get(f"/api/v1/resources/{resource}/download").text
    assert file == 'code,n,j,at,yes\nzebra,1,"{""a"": [1, ""\\u00e9""]}",2026-01-02T10:11:12,true\n'


def test_answers_from_memory_hide_no_draft_rows_and_show_none(callers, published):
    _, resource = published

    def codes(caller):
        answers = [caller.get("datastore_search", resource_id=resource).json() for _ in range(2)]
        return [[row["code"] for row in answer["result"]["records"]] for answer in answers]

    for caller in (callers.public, callers.editor, callers.stranger, callers.public):
        assert codes(caller) == [["zebra"]] * 2
    rows = [{"code": "quagga"}]
    callers.editor.ok("datastore_upsert", resource_id=resource, records=rows, method="insert")
    for caller in (callers.public, callers.editor, callers.stranger, callers.editor, callers.public):
        assert codes(caller) == [["zebra", "quagga"] if caller is callers.editor else ["zebra"]] * 2


DOORS = (
    "/datastore/dump/{0}", "/datastore/dump/st?format=json", "/api/v1/resources/{0}/rows", "/api/v1/resources/{0}/download",
    "/api/3/action/datastore_search?resource_id={0}&q=quagga", "/api/3/action/datastore_search?resource_id={0}&limit=0",
    "/api/3/action/datastore_info?id={0}", "/api/3/action/package_search?q=quagga",
    '/api/3/action/datastore_search_sql?sql=SELECT * FROM "{0}"',
)  # fmt: skip


def test_what_is_written_waits_for_review_at_every_door(callers, office, published):
    made, resource = published

    def seen():
        answers = [callers.public.client.get(door.format(resource)) for door in DOORS]
        assert all(answer.status_code == 200 for answer in answers), [
            a.text for a in answers if a.status_code != 200
        ]
        return [answer.text for answer in answers]

    before = seen()
    args = {"resource_id": resource, "records": [{"code": "quagga"}, {"code": "zebra", "n": 7}]}
    callers.editor.ok("datastore_upsert", method="upsert", **args)
    callers.editor.ok("datastore_create", resource_id=resource, fields=[{"id": "quaggas", "type": "text"}])
    for _ in range(2):
        assert seen() == before
        assert found(callers.stranger, resource) == [SHOWN]
        assert [(row["code"], row["n"]) for row in found(callers.editor, resource)] == [
            ("zebra", 7),
            ("quagga", None),
        ]
        callers.settle()
    pass_quiet_time(office, made)
    callers.settle()
    assert seen() == before
    approve(office, callers, made)
    assert [(row["code"], row["n"]) for row in found(callers.public, resource)] == [
        ("zebra", 7),
        ("quagga", None),
    ]
    assert "quagga" in callers.public.client.get(DOORS[0].format(resource)).text


def test_writing_again_voids_what_was_approved(callers, office, published):
    made, resource = published
    callers.editor.ok("datastore_upsert", resource_id=resource, records=[{"code": "a"}], method="insert")
    callers.settle()
    callers.editor.ok("dataset_submit", id="streets")
    callers.settle()
    assert callers.editor.ok("package_show", id="streets")["release_state"] == "in_review"
    callers.editor.ok("datastore_upsert", resource_id=resource, records=[{"code": "b"}], method="insert")
    assert callers.editor.ok("package_show", id="streets")["release_state"] == "draft"
    # Rows that are not in the draft's file yet hold its submission up.
    error = callers.editor.fails(409, "dataset_submit", id="streets")
    assert "Rows were written a moment ago" in str(error)
    callers.settle()
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    assert [row["code"] for row in found(callers.public, resource)] == ["zebra", "a", "b"]


def test_a_draft_that_is_given_up_takes_its_rows_along(callers, office, published):
    made, resource = published
    callers.editor.ok("datastore_upsert", resource_id=resource, records=[{"code": "a"}], method="insert")
    callers.settle()
    assert office.editor.delete(f"/datasets/{made['id']}/draft").status_code in (200, 204)
    assert [row["code"] for row in found(callers.editor, resource)] == ["zebra"]
    callers.editor.ok("datastore_upsert", resource_id=resource, records=[{"code": "c"}], method="insert")
    assert [row["code"] for row in found(callers.editor, resource)] == ["zebra", "c"]


def test_what_is_shown_and_sent_back_loses_no_rows(callers, office, published):
    """`package_show`, a change, `package_update`: the file that the rows were written down in stays."""
    made, resource = published
    package = callers.editor.ok("package_show", id=made["id"])
    callers.editor.ok("package_update", **{**package, "title": "Other"})
    package["resources"][0]["name"] = "again"
    callers.editor.ok("package_update", **{**package, "title": "Other"})
    callers.settle()
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    assert found(callers.public, resource) == [SHOWN]
    assert callers.public.ok("resource_show", id=resource)["name"] == "again"
    assert callers.public.client.get(f"/api/v1/resources/{resource}/download").status_code == 200
