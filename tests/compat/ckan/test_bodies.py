"""Organizations, groups, people and tokens."""

from __future__ import annotations

import pytest

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]


def test_organizations(callers):
    root = callers.root
    made = root.ok("organization_create", name="parks", title="Parks", extras=[{"key": "a", "value": "b"}])
    assert (made["is_organization"], made["state"], made["extras"]) == (
        True,
        "active",
        [{"key": "a", "value": "b"}],
    )
    assert callers.public.ok("organization_list") == ["parks", "housing", "water"]  # by title
    assert callers.public.ok("organization_list", sort="name", limit=1, offset=1) == ["parks"]
    full = callers.public.ok("organization_list", all_fields=True, organizations=["parks"])
    assert [o["title"] for o in full] == ["Parks"]
    assert root.fails(409, "organization_create", name="parks")["name"]
    assert callers.editor.fails(403, "organization_create", name="mine")
    assert callers.public.fails(403, "organization_create", name="mine")
    patched = root.ok("organization_patch", id="parks", description="Green")
    assert (patched["title"], patched["description"]) == ("Parks", "Green")
    updated = root.ok("organization_update", id="parks", name="gardens", title="Gardens")
    assert (updated["name"], updated["description"], updated["id"]) == ("gardens", "Green", made["id"])
    root.ok("organization_delete", id="gardens")
    assert callers.public.fails(404, "organization_show", id="gardens")
    assert root.fails(409, "organization_create", name="gardens")
    root.ok("organization_purge", id="gardens")
    assert root.ok("organization_create", name="gardens", id=made["id"][:-4] + "abcd")["id"].endswith("abcd")


def test_an_organization_with_datasets_stays(callers):
    callers.create("streets")
    assert callers.root.fails(409, "organization_delete", id="housing")
    assert callers.root.fails(409, "organization_purge", id="housing")
    assert callers.public.ok("organization_show", id="housing")["package_count"] == 1


def test_new_titles_reach_the_packages(callers):
    callers.root.ok("group_create", name="traffic", title="Traffic")
    callers.create("streets", groups=[{"name": "traffic"}])
    callers.settle()
    callers.root.ok("organization_patch", id="housing", title="Renamed")
    callers.root.ok("group_patch", id="traffic", title="Moved")
    callers.settle()
    for shown in (
        callers.public.ok("package_show", id="streets"),
        callers.public.ok("package_search")["results"][0],
    ):
        assert shown["organization"]["title"] == "Renamed"
        assert shown["groups"][0]["title"] == "Moved"


def test_an_edit_by_another_door_reaches_the_packages_too(callers, office):
    callers.create("streets")
    callers.create("unseen", private=True)
    callers.settle()
    revision = office.editor.get("/datasets/streets").headers["etag"]
    patched = office.admin.patch("/agencies/housing", json={"title": "Renamed", "description": "New"})
    assert patched.status_code == 200
    callers.settle()
    for shown in (
        callers.public.ok("package_show", id="streets"),
        callers.public.ok("package_search", q="Renamed")["results"][0],
    ):
        assert (shown["organization"]["title"], shown["organization"]["description"]) == ("Renamed", "New")
    assert callers.public.ok("package_search", q="Renamed")["count"] == 1
    assert office.editor.get("/datasets/streets").headers["etag"] == revision  # nothing to edit has changed
    facet = callers.public.client.get("/api/v1/search?lang=zh").json()["facets"]["agency"]
    assert [entry["label"] for entry in facet] == ["Renamed"]
    entry = callers.public.client.get("/feed.atom").text
    assert "<author><name>Renamed</name></author>" in entry


def test_a_package_shows_no_contact_that_nobody_sent(callers, office):
    callers.create("bare")
    callers.create("known", extras=[{"key": "contact_name", "value": "Li"}])
    callers.settle()
    contacts = {"contact_name", "contact_phone", "contact_email"}
    for caller in (callers.editor, callers.public):
        assert not contacts & {extra["key"] for extra in caller.ok("package_show", id="bare")["extras"]}
        known = {extra["key"]: extra["value"] for extra in caller.ok("package_show", id="known")["extras"]}
        assert {key: value for key, value in known.items() if key in contacts} == {"contact_name": "Li"}
    assert (
        office.admin.patch("/agencies/housing", json={"contact_email": "new@example.org"}).status_code == 200
    )
    assert "mailto:new@example.org" in callers.public.client.get("/dataset/bare.ttl").text


def test_an_edit_that_changes_nothing_renews_nothing(callers, office):
    callers.create("streets")
    callers.settle()
    before = callers.public.client.get("/api/v1/datasets/streets").headers["etag"]
    title = office.admin.get("/agencies/housing").json()["title"]
    assert office.admin.patch("/agencies/housing", json={"title": title}).status_code == 200
    callers.settle()
    assert callers.public.client.get("/api/v1/datasets/streets").headers["etag"] == before


def test_people_of_an_organization_are_for_its_people(callers):
    assert callers.public.ok("organization_show", id="housing")["users"] == []
    assert callers.stranger.ok("organization_show", id="housing")["users"] == []
    names = [user["name"] for user in callers.editor.ok("organization_show", id="housing")["users"]]
    assert "editor" in names
    assert callers.public.ok("member_list", id="housing", object_type="user") == []


def test_organizations_of_a_person(callers):
    assert [o["name"] for o in callers.editor.ok("organization_list_for_user")] == ["housing"]
    assert [o["name"] for o in callers.root.ok("organization_list_for_user")] == ["housing", "water"]
    assert callers.public.ok("organization_list_for_user") == []


def test_groups(callers):
    root = callers.root
    made = root.ok("group_create", name="traffic", title="Traffic")
    assert callers.editor.fails(403, "group_create", name="other")
    assert root.fails(409, "group_create", name="traffic")["name"]
    assert root.ok("group_update", id=made["id"], title="Roads")["title"] == "Roads"
    callers.create("streets", groups=[{"name": "traffic"}])
    assert callers.editor.fails(404, "package_patch", id="streets", groups=[{"name": "none"}])
    callers.settle()
    root.ok("group_delete", id="traffic")
    callers.settle()
    assert callers.public.ok("package_show", id="streets")["groups"] == []
    assert callers.public.ok("group_list") == []
    root.ok("group_purge", id="traffic")
    assert root.ok("group_create", name="traffic")["id"] != made["id"]


def test_users(callers):
    assert callers.public.fails(403, "user_show", id="editor")
    assert callers.editor.ok("user_show", id="editor")["email"] == "editor@example.org"
    assert "email" not in callers.stranger.ok("user_show", id="editor")
    assert callers.editor.fails(403, "user_list")
    assert "editor" in [user["name"] for user in callers.root.ok("user_list")]


def test_tokens(callers):
    token = callers.editor.ok("api_token_create", user="editor", name="more")["token"]
    more = type(callers.editor)(callers.public.client, token)
    assert more.ok("user_show")["name"] == "editor"
    listed = callers.editor.ok("api_token_list", user_id="editor")
    assert "more" in [entry["name"] for entry in listed]
    assert token not in str(listed)
    assert callers.stranger.fails(403, "api_token_revoke", token=token)
    assert callers.stranger.fails(403, "api_token_list", user_id="editor")
    assert callers.stranger.fails(403, "api_token_create", user="editor", name="theirs")
    callers.editor.ok("api_token_revoke", token=token)
    assert more.fails(403, "user_show")


def test_a_role_that_is_taken_away_counts_at_once(callers, office):
    callers.create("streets", private=True)
    callers.editor.ok("package_show", id="streets")
    office.admin.put("/agencies/housing/members/editor", json={"roles": []})
    assert callers.editor.fails(404, "package_show", id="streets")


def test_licences(callers):
    found = {entry["id"]: entry for entry in callers.public.ok("license_list")}
    assert found["cc-by"]["url"].startswith("https://")
