"""Collaborators on a single dataset, under both policies: they edit a draft, and publish nothing."""

from __future__ import annotations

import pytest
from ckan_reviewing import approve

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.catalog.models import Dataset
from opendata.work.actor import SYSTEM

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
LINK = {"name": "list", "url": "http://example.org/streets.csv"}
in_each_policy = pytest.mark.parametrize(
    "overrides", [{"publication_policy": "direct"}, {"publication_policy": "reviewed"}]
)


def named(callers, capacity="editor"):
    callers.create("streets", title="Streets", notes="n", resources=[LINK], private=True)
    callers.root.ok("package_collaborator_create", id="streets", user_id="stranger", capacity=capacity)


@in_each_policy
def test_an_editor_edits_and_hands_nothing_in(callers):
    named(callers)
    patched = callers.stranger.ok("package_patch", id="streets", title="Lanes", private=False)
    assert (patched["title"], patched["release_state"]) == ("Lanes", "draft")
    for action in ("dataset_submit", "package_delete"):
        callers.stranger.fails(403, action, id="streets")
    callers.stranger.fails(403, "package_create", name="other", owner_org="housing")
    callers.settle()
    callers.public.fails(404, "package_show", id="streets")
    assert callers.stranger.ok("resource_create", package_id="streets", url="http://example.org/x.csv")
    assert callers.stranger.ok("package_search", include_private=True)["count"] == 1


@in_each_policy
def test_a_member_reads(callers):
    named(callers, "member")
    assert callers.stranger.ok("package_show", id="streets")["release_state"] == "draft"
    callers.stranger.fails(403, "package_patch", id="streets", title="x")
    callers.root.ok("package_collaborator_delete", id="streets", user_id="stranger")
    callers.stranger.fails(404, "package_show", id="streets")


def test_a_collaborator_is_an_author_whom_no_review_takes(callers, office):
    """Who edited a draft reviews none of it, whatever roles they hold."""
    named(callers)
    callers.root.ok("package_collaborator_create", id="streets", user_id="content", capacity="editor")
    call = type(callers.root)(callers.public.client, office.content.token)
    call.ok("package_patch", id="streets", title="Lanes")
    made = callers.editor.ok("dataset_submit", id="streets")
    callers.settle()
    with office.app.place.reading(SYSTEM) as work:
        draft_id = work.session.get_one(Dataset, made["id"]).draft_id
    release = office.editor.get(f"/releases/{draft_id}").json()
    assert release["state"] == "in_review"
    answer = office.decide(release, "content")
    assert (answer.status_code, answer.json()["code"]) == (403, "reviewer_is_author")


def test_what_is_public_stays_until_two_people_have_passed_the_edit(callers, office):
    made = callers.create("streets", title="Streets", notes="n", resources=[LINK])
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    callers.root.ok("package_collaborator_create", id="streets", user_id="stranger", capacity="editor")
    callers.stranger.ok("package_patch", id="streets", title="Lanes")
    callers.settle()
    assert callers.public.ok("package_show", id="streets")["title"] == "Streets"
    assert callers.stranger.fails(403, "package_patch", id="streets", private=True)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    assert callers.public.ok("package_show", id="streets")["title"] == "Lanes"


def test_the_api_lets_collaborators_in_where_they_edit(callers, office):
    named(callers)
    stranger = callers.stranger.client
    headers = {"Authorization": f"Bearer {callers.stranger.token}"}
    answer = stranger.patch("/api/v1/datasets/streets", json={"title": "Lanes"}, headers=headers)
    assert answer.status_code == 200, answer.text
    inventory = stranger.patch("/api/v1/datasets/streets", json={"inventory": []}, headers=headers)
    assert inventory.status_code == 403, inventory.text
    drafts = stranger.get("/api/v1/datasets?drafts=true", headers=headers).json()
    assert [found["draft"]["title"] for found in drafts["results"]] == ["Lanes"]


def test_a_token_of_one_body_has_no_collaborations(callers, office):
    named(callers)
    with office.app.place.writing(SYSTEM) as work:
        water = office.app.directory.id_of(work, "water")
        user = accounts.find_user(work, "stranger")
        token = tokens.create(work, user, agency_id=water)[1]
    bound = type(callers.root)(callers.public.client, token)
    bound.fails(404, "package_show", id="streets")
    assert callers.stranger.ok("package_show", id="streets")["name"] == "streets"
