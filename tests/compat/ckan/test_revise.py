"""package_revise, resource views, vocabularies: parts of packages by paths, and what reviewers let out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.compat.ckan.revising import paths

LINKS = [{"name": name, "url": f"http://example.org/{name}"} for name in ("one", "two", "three")]
direct = pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
light = pytest.mark.parametrize("settings", ["light"], indirect=True)


@direct
@light
def test_revise_changes_what_is_named(callers):
    made = callers.create("streets", title="Streets", tags=[{"name": "roads"}], resources=LINKS)
    found = callers.editor.ok(
        "package_revise",
        match={"name": "streets", "title": "Streets"},
        filter=["-tags", "-resources__2"],
        update={"notes": "New"},
        update__resources__extend=[{"name": "four", "url": "http://example.org/four"}],
        **{f"update__resources__{made['resources'][1]['id']}__name": "second"},
    )["package"]
    assert [r["name"] for r in found["resources"]] == ["one", "second", "four"]
    assert [r["id"] for r in found["resources"]][:2] == [r["id"] for r in made["resources"]][:2]
    assert (found["notes"], found["tags"], found["title"]) == ("New", [], "Streets")
    callers.settle()
    assert callers.public.ok("package_show", id="streets") == found


@direct
@light
def test_revise_refuses_what_is_not_as_believed(callers):
    callers.create("streets", title="Streets", resources=LINKS)
    wrong = callers.editor.fails(
        409, "package_revise", match={"name": "streets", "title": "x"}, match__resources__0__name="two"
    )
    assert wrong["match"] == ["title", "resources__0__name"]
    callers.stranger.fails(403, "package_revise", match__name="streets", update__title="x")
    callers.public.fails(403, "package_revise", match__name="streets", update__title="x")
    assert callers.public.ok("package_show", id="streets")["title"] == "Streets"


@direct
@light
def test_revise_by_form(callers):
    callers.create("streets", resources=LINKS)
    data = {
        "match": json.dumps({"name": "streets"}),
        "update__resources__1": '{"name": "second"}',
        "include": "-*,+package__id",
    }
    post = callers.public.client.post
    answer = post("/api/3/action/package_revise", data=data, headers=callers.editor.headers)
    assert answer.status_code == 200, answer.text
    assert callers.public.ok("package_show", id="streets")["resources"][1]["name"] == "second"


LEAVES = st.sampled_from([None, 0, 7, "", "a", "0", "街"])
KEYS = st.sampled_from(["a", "b", "c", "0", "_", "__", "a_b", "c0"])


def holding(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return LEAVES | st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2)


JSON = holding(holding(LEAVES))
"""Few levels and few different texts are all that paths tell apart, and are drawn in half the time of any JSON."""
OBJECTS = st.dictionaries(KEYS, JSON, max_size=3)
PATHS = st.lists(st.sampled_from(["+", "-", "*", "a", "b", "c", "0", "1", "-1", "_", "__"]), max_size=9).map(
    "".join
)
unhurried = settings(deadline=None)


@unhurried
@given(OBJECTS)
def test_what_is_there_is_matched_and_merging_it_changes_nothing(data: dict[str, Any]) -> None:
    assert list(paths.unmatched(data, data)) == []
    before = json.dumps(data, sort_keys=True)
    paths.merge(data, json.loads(before))
    assert json.dumps(data, sort_keys=True) == before


@unhurried
@given(OBJECTS, PATHS, JSON)
def test_no_path_breaks_it(data: dict[str, Any], path: str, value: Any) -> None:
    paths.sift(data, [path])
    try:
        paths.put(data, path, value)
    except paths.NoSuchPlace as error:
        found = str(error)
        assert found


def test_sift_keeps_what_comes_first() -> None:
    data = {"a": [1, 2, 3], "b": {"c": 1, "d": 2}, "e": 5}
    paths.sift(data, ["+a", "-b__c", "-e", "+e", "-a__1"])
    assert data == {"a": [1, 3], "b": {"d": 2}}
    paths.sift(data, ["+b", "-*"])
    assert data == {"b": {"d": 2}}


@light
def test_a_view_is_reviewed_like_everything(callers, office):
    """Its title is text that the public reads."""
    made = callers.create("streets", title="Streets", notes="All", resources=LINKS[:1])
    office.publish(made["id"], callers.settle)
    resource = callers.public.ok("package_show", id="streets")["resources"][0]["id"]
    view = callers.editor.ok(
        "resource_view_create", resource_id=resource, title="quagga", view_type="text_view"
    )
    assert [v["title"] for v in callers.editor.ok("resource_view_list", id=resource)] == ["quagga"]
    assert callers.public.ok("resource_view_list", id=resource) == []
    callers.public.fails(404, "resource_view_show", id=view["id"])
    office.publish(made["id"], callers.settle)
    assert callers.public.ok("resource_view_show", id=view["id"])["title"] == "quagga"
    callers.editor.ok("resource_update", id=resource, url="http://example.org/other")
    assert [v["id"] for v in callers.editor.ok("resource_view_list", id=resource)] == [view["id"]]
    whole = callers.editor.ok("package_show", id="streets")
    callers.editor.ok("package_update", **whole)
    assert [v["id"] for v in callers.editor.ok("resource_view_list", id=resource)] == [view["id"]]


@direct
@light
def test_vocabularies_are_for_all_to_read_and_sysadmins_to_keep(callers):
    made = callers.root.ok("vocabulary_create", name="colours", tags=[{"name": "red"}, {"name": "blue"}])
    kept = {tag["name"]: tag["id"] for tag in made["tags"]}
    again = callers.root.ok("vocabulary_update", id="colours", tags=[{"name": "red"}, {"name": "green"}])
    assert {tag["name"]: tag["id"] for tag in again["tags"]}["red"] == kept["red"]
    assert callers.public.ok("tag_list", vocabulary_id="colours") == ["green", "red"]
    for caller in (callers.public, callers.editor):
        caller.fails(403, "vocabulary_create", name="mine", tags=[])
        caller.fails(403, "vocabulary_delete", id="colours")
    callers.root.ok("vocabulary_delete", id="colours")
    assert callers.public.ok("vocabulary_list") == []


def sent(callers, **parts):
    """A multipart call: files are (name, bytes)."""
    files = {name: value for name, value in parts.items() if isinstance(value, tuple)}
    data = {name: value for name, value in parts.items() if not isinstance(value, tuple)}
    editor = callers.editor
    return editor.client.post("/api/3/action/package_revise", data=data, files=files, headers=editor.headers)


@direct
@light
def test_files_come_with_the_places_that_they_belong_to(callers):
    """As CKAN's documentation has it: one call changes a file, and adds another resource with its own."""
    made = callers.create(
        "rows", resources=[{"url": "http://x/a.csv", "name": "a"}, {"url": "http://x/b", "name": "b"}]
    )
    first, second = made["resources"]
    answer = sent(
        callers,
        match__name="rows",
        update__title="Rows",
        update__resources__0__name="a file now",
        update__resources__0__upload=("one.csv", b"a,b\n1,2\n"),
        update__resources__extend='[{"name": "new"}]',
        **{"update__resources__-1__upload": ("two.csv", b"c\n3\n")},
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()["result"]["package"]
    assert (told["title"], [r["name"] for r in told["resources"]]) == ("Rows", ["a file now", "b", "new"])
    assert [r["url_type"] for r in told["resources"]] == ["upload", None, "upload"]
    assert [r["id"] for r in told["resources"]][:2] == [first["id"], second["id"]]
    callers.settle()
    public = callers.public.ok("package_show", id="rows")
    files = [
        callers.public.client.get(f"/api/v1/resources/{r['id']}/download").content
        for r in public["resources"]
        if r["url_type"]
    ]
    assert files == [b"a,b\n1,2\n", b"c\n3\n"]


@direct
@light
def test_a_file_without_its_place_changes_nothing(callers):
    callers.create("rows", resources=[{"url": "http://x/a.csv"}])
    for name in (
        "update__resources__9__upload",
        "update__resources__upload",
        "upload",
        "update__title__upload",
    ):
        answer = sent(callers, match__name="rows", update__title="Other", **{name: ("one.csv", b"a\n1\n")})
        assert answer.status_code == 409, (name, answer.text)
        assert list(answer.json()["error"]) == ["__type", name]
    assert callers.editor.ok("package_show", id="rows")["title"] == "rows"
