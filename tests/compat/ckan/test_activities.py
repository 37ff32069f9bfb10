"""Activities under `reviewed`: lines of the audit trail, told to those who see what they are about."""

from __future__ import annotations

import pytest
from ckan_reviewing import approve
from sqlalchemy import select

from opendata.work.actor import SYSTEM
from opendata.work.audit import AuditRow

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
LINK = {"name": "list", "url": "http://example.org/streets.csv"}


def published(callers, office, name, **fields):
    made = callers.create(name, **{"title": name, "notes": "n", "resources": [LINK], **fields})
    callers.editor.ok("dataset_submit", id=name)
    approve(office, callers, made)
    return made


def kinds(caller, action, **args):
    return [activity["activity_type"] for activity in caller.ok(action, **args)]


def test_a_draft_is_an_activity_once_it_goes_out(callers, office):
    made = published(callers, office, "streets")
    callers.editor.ok("package_patch", id="streets", title="Hidden words")
    for caller in (callers.public, callers.stranger):
        found = caller.ok("package_activity_list", id="streets")
        assert [activity["activity_type"] for activity in found] == ["new package"]
        assert found[0]["data"]["package"]["title"] == "streets"
        assert found[0]["permission_labels"] == ["public"]
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    assert kinds(callers.public, "package_activity_list", id="streets") == ["changed package", "new package"]
    assert kinds(callers.public, "recently_changed_packages_activity_list", limit=1) == ["changed package"]


def test_a_publication_is_its_author_s(callers, office):
    published(callers, office, "streets")
    editor = callers.editor.ok("user_show")
    found = callers.public.ok("package_activity_list", id="streets")[0]
    assert found["user_id"] == editor["id"]
    assert "actor" not in found["data"]
    assert callers.stranger.ok("package_activity_list", id="streets")[0]["data"]["actor"] == editor["name"]
    assert "new package" in kinds(callers.stranger, "user_activity_list", id=editor["name"])
    callers.public.fails(403, "user_activity_list", id=editor["name"])


def test_two_releases_are_compared(callers, office):
    made = published(callers, office, "streets")
    callers.editor.ok("package_patch", id="streets", title="Lanes")
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    newest, first = callers.public.ok("package_activity_list", id="streets")
    told = callers.public.ok("activity_diff", id=newest["id"], object_type="package")
    assert '-  "title": "streets",' in told["diff"]
    assert '+  "title": "Lanes",' in told["diff"]
    assert [activity["id"] for activity in told["activities"]] == [first["id"], newest["id"]]
    data = callers.public.ok("activity_data_show", id=first["id"], object_type="package")
    assert data["title"] == "streets"
    assert (
        "<table"
        in callers.public.ok("activity_diff", id=newest["id"], object_type="package", diff_type="html")[
            "diff"
        ]
    )


def test_what_was_taken_back_is_told_to_nobody_outside(callers, office):
    published(callers, office, "streets")
    [out] = callers.public.ok("package_activity_list", id="streets")
    callers.editor.ok("package_patch", id="streets", private=True)
    for caller in (callers.public, callers.stranger):
        caller.fails(404, "package_activity_list", id="streets")
        caller.fails(404, "activity_show", id=out["id"])
        assert kinds(caller, "recently_changed_packages_activity_list") == []
    assert kinds(callers.editor, "package_activity_list", id="streets") == ["changed package", "new package"]
    callers.editor.ok("package_patch", id="streets", private=False)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, callers.editor.ok("package_show", id="streets"))
    assert kinds(callers.public, "package_activity_list", id="streets") == ["changed package"]
    callers.public.fails(404, "activity_show", id=out["id"])


def test_what_is_recorded_by_hand_is_for_sysadmins(callers, office):
    made = published(callers, office, "streets")
    said = {"user_id": "editor", "object_id": made["id"], "activity_type": "changed package"}
    by_hand = callers.root.ok("activity_create", **said, data={"package": {"title": "Never reviewed"}})
    assert callers.root.ok("activity_show", id=by_hand["id"]) == by_hand
    assert callers.root.ok("package_activity_list", id="streets")[0] == by_hand
    for caller in (callers.public, callers.editor, callers.stranger):
        caller.fails(404, "activity_show", id=by_hand["id"])
        assert kinds(caller, "package_activity_list", id="streets") == ["new package"]


def test_other_lines_of_the_trail_are_no_activities(callers, office):
    published(callers, office, "streets")
    with office.app.place.reading(SYSTEM) as work:
        rows = work.session.execute(select(AuditRow)).scalars().all()
    for row in rows:
        answer = callers.public.post("activity_show", id=f"ac710000-0000-8000-8000-{row.seq:012x}")
        assert answer.status_code == (200 if row.action == "release.published" else 404) or (
            row.subject_type in ("group", "agency") and answer.status_code == 403
        ), (row.action, answer.text)


def test_no_activity_is_deleted(callers, office):
    published(callers, office, "streets")
    [out] = callers.public.ok("package_activity_list", id="streets")
    before = callers.root.ok("activity_delete_counts")["total"]
    assert "audit trail" in callers.root.fails(403, "activity_delete", id=out["id"])["message"]
    assert "audit trail" in callers.root.fails(403, "activity_delete_all")["message"]
    assert callers.root.ok("activity_delete_counts")["total"] == before > 1
