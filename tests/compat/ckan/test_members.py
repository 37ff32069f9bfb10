"""Members of organizations and groups, and accounts: what a capacity allows, and what it keeps."""

from __future__ import annotations

import pytest

from opendata.work.actor import Role

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
PERSON = {"email": "ann@example.org", "password": "long-enough-1"}


def signed_in(callers, name):
    """A new account with a token."""
    callers.root.ok("user_create", name=name, **PERSON)
    token = callers.root.ok("api_token_create", user=name, name="t")["token"]
    return type(callers.root)(callers.public.client, token)


def test_a_member_reads_and_an_editor_writes(callers):
    ann = signed_in(callers, "ann")
    callers.create("secret", private=True)
    ann.fails(404, "package_show", id="secret")
    callers.root.ok("organization_member_create", id="housing", username="ann", role="member")
    assert ann.ok("package_show", id="secret")["name"] == "secret"
    assert ann.ok("package_search", include_private=True)["count"] == 1
    ann.fails(403, "package_patch", id="secret", title="x")
    ann.fails(403, "package_create", name="mine", owner_org="housing")
    callers.root.ok("organization_member_create", id="housing", username="ann", role="editor")
    assert ann.ok("package_patch", id="secret", title="x")["title"] == "x"
    callers.root.ok("organization_member_delete", id="housing", username="ann")
    ann.fails(404, "package_show", id="secret")


def test_a_reviewer_s_roles_are_not_taken_by_a_capacity(callers, office):
    office.person("reviewing", Role.CONTENT_REVIEWER)
    callers.root.ok("organization_member_create", id="housing", username="reviewing", role="editor")
    listed = office.admin.get("/agencies/housing/members").json()
    roles = next(entry["roles"] for entry in listed if entry["user"] == "reviewing")
    assert sorted(roles) == ["content_reviewer", "editor"]


def test_nobody_revokes_their_own_admin_status(callers):
    ann = signed_in(callers, "ann")
    callers.root.ok("organization_member_create", id="housing", username="ann", role="admin")
    ann.fails(403, "organization_member_create", id="housing", username="ann", role="member")
    ann.ok("organization_member_create", id="housing", username="stranger", role="member")


def test_a_group_s_admin_edits_it_and_nobody_else_does(callers):
    ann = signed_in(callers, "ann")
    callers.root.ok("group_create", name="traffic", title="Traffic")
    ann.fails(403, "group_patch", id="traffic", title="x")
    callers.root.ok("group_member_create", id="traffic", username="ann", role="admin")
    assert ann.ok("group_patch", id="traffic", title="Roads")["title"] == "Roads"
    ann.fails(403, "group_purge", id="traffic")
    assert [group["name"] for group in ann.ok("group_list_authz")] == ["traffic"]
    assert callers.public.ok("group_show", id="traffic")["users"] == []


def test_datasets_get_into_a_group_by_their_own_editors(callers):
    callers.root.ok("group_create", name="traffic")
    callers.create("streets")
    entry = {"id": "traffic", "object": "streets", "object_type": "package"}
    callers.stranger.fails(403, "member_create", **entry, capacity="public")
    callers.editor.ok("member_create", **entry, capacity="public")
    callers.settle()
    assert [g["name"] for g in callers.public.ok("package_show", id="streets")["groups"]] == ["traffic"]
    assert [p["name"] for p in callers.public.ok("group_package_show", id="traffic")] == ["streets"]
    callers.editor.ok("member_delete", **entry)
    callers.settle()
    assert callers.public.ok("package_show", id="streets")["groups"] == []


def test_an_account_that_ended_does_nothing_more(callers):
    ann = signed_in(callers, "ann")
    callers.root.ok("organization_member_create", id="housing", username="ann", role="editor")
    ann.ok("package_create", name="mine", owner_org="housing")
    callers.editor.fails(403, "user_delete", id="ann")
    callers.root.ok("user_delete", id="ann")
    ann.fails(403, "package_create", name="more", owner_org="housing")
    assert callers.root.ok("user_show", id="ann")["state"] == "deleted"
    assert callers.root.fails(409, "user_create", name="ann", **PERSON)["name"]


def test_people_change_what_they_say_of_themselves_alone(callers):
    ann = signed_in(callers, "ann")
    assert ann.ok("user_patch", id="ann", fullname="Ann A", about="Maps")["about"] == "Maps"
    assert callers.root.ok("user_show", id="ann")["email"] == PERSON["email"]
    ann.fails(403, "user_patch", id="editor", about="x")
    taken = ann.fails(409, "user_patch", id="ann", email="editor@example.org")
    assert "editor@example.org" in taken["email"][0]


def test_an_invited_person_is_a_member(callers):
    made = callers.root.ok("user_invite", email="new.one@example.org", group_id="housing", role="editor")
    assert made["name"] == "new-one"
    held = callers.root.ok("member_list", id="housing", object_type="user", capacity="editor")
    assert made["id"] in [entry[0] for entry in held]
    assert callers.root.fails(
        409, "user_invite", email="new.one@example.org", group_id="housing", role="editor"
    )
