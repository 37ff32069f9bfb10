"""Under `reviewed` the façade edits the open draft: nothing of it is seen by others before two people have approved it."""

from __future__ import annotations

import pytest
from ckan_reviewing import approve, pass_quiet_time
from sqlalchemy import event

from opendata.catalog.models import Dataset
from opendata.work.actor import SYSTEM

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
LINK = {"name": "list", "url": "http://example.org/streets.csv"}
DRAFT = {"title": "Verborgen draft", "notes": "zebra", "tags": [{"name": "zebra"}], "resources": [LINK]}


def test_the_way_to_the_public(callers, office):
    made = callers.create("streets", **DRAFT)
    assert (made["release_state"], made["private"]) == ("draft", False)
    assert callers.public.fails(404, "package_show", id="streets")
    pass_quiet_time(office, made)
    callers.settle()
    assert callers.editor.ok("package_show", id="streets")["release_state"] == "in_review"
    approve(office, callers, made)
    shown = callers.public.ok("package_show", id="streets")
    assert shown["title"] == DRAFT["title"]
    assert "release_state" not in shown
    assert callers.editor.ok("package_show", id="streets") == shown


def test_submit_at_once_and_private_drafts(callers, office):
    made = callers.create("streets", **DRAFT, private=True)
    assert made["private"] is True
    with office.app.place.reading(SYSTEM) as work:
        assert work.session.get_one(Dataset, made["id"]).submit_at is None
    assert callers.stranger.fails(404, "dataset_submit", id="streets")
    submitted = callers.editor.ok("dataset_submit", id="streets")
    assert submitted["release_state"] in ("submitted", "checking", "in_review")
    approve(office, callers, made)
    assert callers.public.ok("package_show", id="streets")["id"] == made["id"]


def test_a_maintainer_is_a_contact(callers, office):
    """The body of the stranger has no contact of its own, and CKAN's clients know no other field."""
    draft = {**DRAFT, "owner_org": "water"}
    callers.stranger.ok("package_create", name="pipes", **draft)
    assert "maintainer_email" in callers.stranger.fails(409, "dataset_submit", id="pipes")
    people = {"author": "Ann", "author_email": "ann@example.org"}
    made = callers.stranger.ok("package_patch", id="pipes", **people)
    assert callers.stranger.ok("dataset_submit", id="pipes")["release_state"] == "in_review"
    people |= {"maintainer": "Max", "maintainer_email": "max@example.org"}
    other = callers.stranger.ok("package_create", name="wells", **draft, **people)
    assert callers.stranger.ok("dataset_submit", id="wells")["release_state"] == "in_review"
    assert not {e["key"] for e in other["extras"]} & {"contact_name", "contact_email"}
    again = callers.stranger.ok("package_update", **other)
    for field, value in people.items():
        assert again[field] == value
    assert (made["maintainer"], made["maintainer_email"]) == (None, None)


def test_an_address_that_is_none_is_refused(callers):
    wrong = callers.editor.fails(
        409, "package_create", name="streets", owner_org="housing", maintainer_email="a b", author_email="."
    )
    assert wrong["maintainer_email"] == ["Email a b is not a valid format"]
    assert wrong["author_email"]
    assert callers.create("streets", maintainer_email=" a@b.cn ")["maintainer_email"] == "a@b.cn"


def test_an_edit_of_what_is_public_waits_for_review(callers, office):
    made = callers.create("streets", **DRAFT)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    draft = callers.editor.ok("package_patch", id="streets", notes="quagga")
    assert (draft["notes"], draft["release_state"]) == ("quagga", "draft")
    callers.editor.ok("resource_patch", id=made["resources"][0]["id"], name="quagga")
    for caller in (callers.public, callers.stranger):
        assert caller.ok("package_show", id="streets")["notes"] == "zebra"
        assert caller.ok("resource_show", id=made["resources"][0]["id"])["name"] == "list"
    assert callers.editor.ok("resource_show", id=made["resources"][0]["id"])["name"] == "quagga"
    pass_quiet_time(office, made)
    approve(office, callers, made)
    assert callers.public.ok("package_show", id="streets")["notes"] == "quagga"
    assert callers.public.ok("resource_show", id=made["resources"][0]["id"])["name"] == "quagga"


def test_answers_from_memory_hide_no_draft_and_show_none(callers, office):
    made = callers.create("streets", **DRAFT)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)

    def notes(caller):
        return [caller.get("package_show", id="streets").json()["result"]["notes"] for _ in range(2)]

    everyone = (callers.public, callers.editor, callers.stranger, callers.public)
    assert [notes(caller) for caller in everyone] == [["zebra"] * 2] * 4
    callers.editor.ok("package_patch", id="streets", notes="quagga")
    for caller in (callers.public, callers.editor, callers.stranger, callers.editor, callers.public):
        assert notes(caller) == ["quagga" if caller is callers.editor else "zebra"] * 2


def test_private_withdraws(callers, office):
    made = callers.create("streets", **DRAFT)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    callers.editor.ok("package_patch", id="streets", private=True)
    callers.settle()
    assert callers.public.fails(404, "package_show", id="streets")
    assert callers.public.ok("package_search")["count"] == 0


def test_name_and_owner_of_what_is_public_stay(callers, office):
    made = callers.create("streets", **DRAFT)
    callers.editor.ok("package_patch", id="streets", name="roads")
    callers.editor.ok("dataset_submit", id="roads")
    approve(office, callers, made)
    callers.root.fails(409, "package_patch", id="roads", name="streets")
    callers.root.fails(409, "package_patch", id="roads", owner_org="water")
    assert callers.public.ok("package_show", id="roads")["organization"]["name"] == "housing"


def test_no_draft_by_any_action(callers, office):
    """Strangers learn nothing of a draft: not its words, not its names, not its ids, not that it exists."""
    callers.root.ok("group_create", name="traffic")
    callers.create("open", title="Open", resources=[LINK], groups=[{"name": "traffic"}])
    callers.editor.ok("dataset_submit", id="open")
    approve(office, callers, callers.editor.ok("package_show", id="open"))
    made = callers.create("verborgen", **DRAFT, groups=[{"name": "traffic"}])
    callers.settle()
    resource = made["resources"][0]
    asked = {
        "package_show": {"id": made["id"]},
        "package_search": {
            "q": "zebra",
            "include_private": True,
            "include_drafts": True,
            "facet.field": ["tags"],
        },
        "package_list": {},
        "current_package_list_with_resources": {},
        "package_autocomplete": {"q": "verb"},
        "tag_list": {},
        "tag_show": {"id": "zebra"},
        "organization_list": {"all_fields": True},
        "organization_show": {"id": "housing", "include_datasets": True},
        "member_list": {"id": "housing"},
        "group_list": {"all_fields": True},
        "group_show": {"id": "traffic", "include_datasets": True},
        "resource_show": {"id": resource["id"]},
        "datastore_search": {"resource_id": resource["id"]},
        "datastore_info": {"id": resource["id"]},
        "package_update": {"id": made["id"], "name": "verborgen", "title": "x"},
        "package_patch": {"id": made["id"], "title": "x"},
        "package_delete": {"id": made["id"]},
        "dataset_purge": {"id": made["id"]},
        "dataset_submit": {"id": made["id"]},
        "resource_create": {"package_id": made["id"], "url": "http://x/"},
        "resource_patch": {"id": resource["id"], "name": "x"},
        "resource_delete": {"id": resource["id"]},
        "package_resource_reorder": {"id": made["id"], "order": []},
    }
    for caller in (callers.public, callers.stranger):
        for action, args in asked.items():
            answer = caller.post(action, **args)
            sent = {str(value) for value in args.values()}
            for secret in {"zebra", "Verborgen", "verborgen", made["id"], resource["id"]} - sent:
                assert secret not in answer.text, (action, secret, answer.text)
            if answer.status_code == 200:
                assert action in READS_OF_ALL, (action, answer.text)
        counted = caller.ok("organization_show", id="housing")
        assert counted["package_count"] == 1
        assert caller.ok("group_show", id="traffic")["package_count"] == 1


READS_OF_ALL = {
    "package_search",
    "package_list",
    "current_package_list_with_resources",
    "package_autocomplete",
    "tag_list",
    "organization_list",
    "organization_show",
    "member_list",
    "group_list",
    "group_show",
}


def test_denied_and_missing_look_alike(callers):
    made = callers.create("streets", **DRAFT)
    for caller in (callers.public, callers.stranger):
        hidden = caller.fails(404, "package_show", id=made["name"])
        missing = caller.fails(404, "package_show", id="nothere")
        assert hidden["message"].replace(made["name"], "") == missing["message"].replace("nothere", "")


def test_a_constant_number_of_statements(callers, office, overrides):
    """More datasets cost no more statements."""
    counts = []
    callers.root.ok("group_create", name="traffic")
    for round_ in range(2):
        for i in range(1 + 3 * round_):
            name = f"set-{round_}-{i}"
            made = callers.create(
                name, title="Sets", resources=[LINK] * (1 + i), groups=[{"name": "traffic"}]
            )
            callers.editor.ok("dataset_submit", id=name)
            approve(office, callers, made)
            callers.root.ok("organization_create", name=f"org-{round_}-{i}")
            callers.root.ok("group_create", name=f"group-{round_}-{i}")
        counts.append([statements(office.app, callers.editor, *call) for call in MEASURED])
    assert counts[0] == counts[1]


MEASURED = [
    ("package_search", {"q": "sets", "facet.field": ["organization", "groups"]}),
    ("package_search", {"include_private": True, "rows": 100}),
    ("package_show", {"id": "set-0-0"}),
    ("package_list", {}),
    ("current_package_list_with_resources", {}),
    ("organization_list", {"all_fields": True}),
    ("group_list", {"all_fields": True}),
    ("organization_list_for_user", {}),
]


def statements(app, caller, action, args):
    seen = []

    def count(_connection, _cursor, statement, *_):
        seen.append(statement)

    with app.place.reading() as work:
        engine = work.session.get_bind()
    caller.ok("status_show")  # the token is known from here on, in either round
    event.listen(engine, "before_cursor_execute", count)
    try:
        caller.ok(action, **args)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert 0 < len(seen) < 12, seen
    return len(seen)
