"""Under the `direct` policy everything works as CKAN's clients expect: what is written is public at once."""

from __future__ import annotations

import json
import re

import pytest

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]
STREETS = {
    "title": "Streets 街道",
    "notes": "All streets",
    "license_id": "cc-by",
    "author": "Office",
    "url": "http://example.org/streets",
    "tags": [{"name": "roads"}, {"name": "地名"}],
    "extras": [{"key": "update_frequency", "value": "daily"}, {"key": "frequency", "value": "monthly"}],
    "resources": [{"name": "list", "url": "http://example.org/a/streets.csv", "odd": {"a": [1]}}],
    "nonsense": "dropped",
}


def extras_of(package):
    return {extra["key"]: extra["value"] for extra in package["extras"]}


def test_package_create_and_show(callers):
    made = callers.create("streets", **STREETS)
    assert callers.public.ok("package_show", id="streets") == made
    assert callers.public.ok("package_show", id=made["id"]) == made
    assert made["private"] is False
    assert made["state"] == "active"
    assert "nonsense" not in made
    assert "release_state" not in made
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", made["metadata_modified"])
    assert [tag["name"] for tag in made["tags"]] == ["roads", "地名"]
    assert {"key": "frequency", "value": "monthly"} in made["extras"]
    assert made["organization"]["name"] == "housing"
    resource = made["resources"][0]
    assert (resource["format"], resource["odd"], resource["url_type"]) == ("CSV", {"a": [1]}, None)
    assert made["num_resources"] == 1


def test_update_replaces_but_keeps_left_out_resources(callers):
    made = callers.create("streets", **STREETS)
    new = callers.editor.ok("package_update", id="streets", title="New", name="streets")
    assert (new["notes"], new["tags"], extras_of(new).keys()) == (None, [], {"identifier", "issued"})
    assert [r["id"] for r in new["resources"]] == [made["resources"][0]["id"]]
    assert callers.public.ok("package_show", id="streets") == new
    back = callers.editor.ok("package_update", **made)
    for key in ("title", "notes", "tags", "extras", "license_id", "resources"):
        skipped = {"metadata_modified"}
        if key == "resources":
            assert [{k: v for k, v in r.items() if k not in skipped} for r in back[key]] == [
                {k: v for k, v in r.items() if k not in skipped} for r in made[key]
            ]
        else:
            assert back[key] == made[key], key


def test_patch_changes_what_is_named(callers):
    made = callers.create("streets", **STREETS)
    new = callers.editor.ok("package_patch", id=made["id"], notes="other", tags=[{"name": "one"}])
    assert (new["notes"], new["title"]) == ("other", made["title"])
    assert new["extras"] == made["extras"]
    assert callers.public.ok("package_show", id="streets")["notes"] == "other"
    assert callers.editor.ok("package_patch", id=made["id"]) == new


def test_resources_are_synchronised(callers):
    made = callers.create("streets", resources=[{"name": n, "url": f"http://x/{n}"} for n in "abc"])
    a, b, c = made["resources"]
    new = callers.editor.ok(
        "package_patch", id="streets", resources=[c, {"name": "d", "url": "http://x/d"}, {**a, "name": "A"}]
    )
    assert [r["name"] for r in new["resources"]] == ["c", "d", "A"]
    assert [r["id"] for r in new["resources"]][::2] == [c["id"], a["id"]]
    assert callers.public.fails(404, "resource_show", id=b["id"])
    order = callers.editor.ok("package_resource_reorder", id="streets", order=[a["id"]])["order"]
    assert order[0] == a["id"]
    assert [r["id"] for r in callers.public.ok("package_show", id="streets")["resources"]] == order


def test_a_resource_id_of_another_dataset_is_refused(callers):
    """CVE-2023-32321: a caller-chosen id must not reach another dataset's resource."""
    theirs = callers.create("theirs", resources=[{"url": "http://x/1"}])["resources"][0]
    callers.create("mine")
    entry = {"id": theirs["id"], "url": "http://evil/"}
    assert callers.editor.fails(409, "package_update", id="mine", name="mine", resources=[entry])
    assert callers.editor.fails(409, "package_create", name="third", owner_org="housing", resources=[entry])
    assert callers.editor.fails(409, "resource_create", package_id="mine", **entry)
    assert callers.public.ok("resource_show", id=theirs["id"])["url"] == "http://x/1"


def test_resource_actions(callers):
    callers.create("streets")
    made = callers.editor.ok("resource_create", package_id="streets", url="http://x/a.geojson", colour="red")
    assert (made["format"], made["colour"], made["position"]) == ("GeoJSON", "red", 0)
    patched = callers.editor.ok("resource_patch", id=made["id"], name="new")
    assert (patched["name"], patched["url"], patched["colour"]) == ("new", "http://x/a.geojson", "red")
    replaced = callers.editor.ok("resource_update", id=made["id"], url="http://x/b.csv")
    assert (replaced["name"], "colour" in replaced) == ("new", False)
    assert callers.public.ok("resource_show", id=made["id"]) == replaced
    callers.editor.ok("resource_delete", id=made["id"])
    assert callers.public.ok("package_show", id="streets")["resources"] == []


def test_upload_and_download(callers):
    made = callers.create("streets")
    answer = callers.editor.client.post(
        "/api/3/action/resource_create",
        data={"package_id": made["id"], "name": "file"},
        files={"upload": ("My Streets.csv", b"id,name\n1,a\n2,b\n")},
        headers=callers.editor.headers,
    )
    assert answer.status_code == 200, answer.text
    resource = answer.json()["result"]
    assert resource["url_type"] == "upload"
    assert resource["url"].endswith("/download/my-streets.csv")
    assert resource["format"] == "CSV"
    assert resource["size"] == 16
    callers.settle()
    path = resource["url"].removeprefix("http://testserver")
    got = callers.public.client.get(path)
    assert got.content == b"id,name\n1,a\n2,b\n"
    part = callers.public.client.get(path, headers={"Range": "bytes=3-6"})
    assert (part.status_code, part.content) == (206, b"name")
    shown = callers.public.ok("resource_show", id=resource["id"])
    assert shown["datastore_active"] is True
    found = callers.public.ok("datastore_search", resource_id=resource["id"], filters={"name": "b"})
    assert (found["total"], found["records"]) == (1, [{"_id": 2, "id": 2, "name": "b"}])
    assert [field["id"] for field in found["fields"]] == ["_id", "id", "name"]
    assert callers.public.ok("datastore_info", id=resource["id"])["meta"]["count"] == 2
    text = callers.public.ok("datastore_search", resource_id=resource["id"], records_format="csv", limit=1)
    assert text["records"] == "1,1,a\n"
    whole = callers.public.ok("package_show", id="streets")
    again = callers.editor.ok("package_update", **whole)
    assert again["resources"][0]["size"] == 16


def test_upload_by_strangers_is_refused(callers):
    made = callers.create("streets")
    for caller in (callers.public, callers.stranger):
        answer = caller.client.post(
            "/api/3/action/resource_create",
            data={"package_id": made["id"]},
            files={"upload": ("a.csv", b"a\n1\n")},
            headers=caller.headers,
        )
        assert answer.status_code == 403, answer.text
        assert answer.json()["error"]["__type"] == "Authorization Error"


def test_search(callers):
    group = callers.root.ok("group_create", name="traffic", title="Traffic")
    callers.create("streets", **STREETS, groups=[{"name": "traffic"}])
    callers.create("parks", title="Parks", tags=[{"name": "green"}], groups=[{"id": group["id"]}])
    callers.settle()
    find = callers.public.ok
    assert find("package_search", q="街道")["results"][0] == find("package_show", id="streets")
    assert find("package_search", fq='tags:"green"')["results"][0]["name"] == "parks"
    assert find("package_search", q="-streets")["count"] == 1
    facets = find("package_search", rows=0, **{"facet.field": ["organization", "groups", "license_id"]})
    assert facets["count"] == 2
    assert facets["facets"]["organization"] == {"housing": 2}
    items = facets["search_facets"]["groups"]["items"]
    assert items == [{"name": "traffic", "display_name": "Traffic", "count": 2}]
    by_get = callers.public.get("package_search", **{"facet.field": '["tags"]', "sort": "title_string asc"})
    assert [d["name"] for d in by_get.json()["result"]["results"]] == ["parks", "streets"]
    assert find("package_search", fl="name", q="streets")["results"] == [{"name": "streets"}]
    assert find("package_list") == ["parks", "streets"]
    assert len(find("current_package_list_with_resources")) == 2
    assert find("tag_list") == ["green", "roads", "地名"]
    assert find("tag_show", id="green", include_datasets=True)["packages"][0]["name"] == "parks"
    assert find("package_autocomplete", q="stre")[0]["name"] == "streets"
    assert find("group_show", id="traffic", include_datasets=True)["package_count"] == 2


def test_names(callers):
    callers.create("streets")
    again = callers.editor.fails(409, "package_create", name="streets", owner_org="housing")
    assert again["name"] == ["That URL is already in use."]
    assert callers.editor.fails(409, "package_create", owner_org="housing")["name"] == ["Missing value"]
    short = callers.editor.fails(409, "package_create", name="a", owner_org="housing")
    assert short["name"][0] == "Must be at least 2 characters long"
    assert "name" in callers.editor.fails(409, "package_create", name="A B", owner_org="housing")
    assert callers.editor.fails(409, "package_create", name="xx")["owner_org"]
    assert callers.root.fails(409, "package_create", name="xx", owner_org="no")["owner_org"]
    assert callers.editor.fails(403, "package_create", name="xx", owner_org="water")
    renamed = callers.editor.ok("package_patch", id="streets", name="roads")
    assert callers.public.ok("package_show", id="roads") == renamed
    assert callers.public.fails(404, "package_show", id="streets")


def test_private_withdraws_and_comes_back(callers):
    callers.create("streets", **STREETS)
    callers.settle()
    assert callers.editor.ok("package_patch", id="streets", private=True)["private"] is True
    callers.settle()
    assert callers.public.fails(404, "package_show", id="streets")
    assert callers.public.ok("package_search", q="streets")["count"] == 0
    assert callers.public.ok("package_list") == []
    callers.editor.ok("package_patch", id="streets", notes="an edit does not publish it")
    assert callers.public.fails(404, "package_show", id="streets")
    callers.editor.ok("package_patch", id="streets", private=False)
    assert callers.public.ok("package_show", id="streets")["notes"] == "an edit does not publish it"


def test_delete_and_purge(callers):
    made = callers.create("streets", **STREETS)
    callers.settle()
    assert callers.stranger.fails(403, "package_delete", id="streets")
    callers.editor.ok("package_delete", id="streets")
    callers.settle()
    assert callers.public.fails(404, "package_show", id=made["id"])
    assert callers.public.ok("package_search")["count"] == 0
    assert callers.editor.ok("package_show", id="streets")["state"] == "deleted"
    assert callers.editor.fails(409, "package_create", name="streets", owner_org="housing")["name"]
    assert callers.editor.fails(403, "dataset_purge", id="streets")
    callers.root.ok("dataset_purge", id="streets")
    for caller in (callers.public, callers.editor, callers.root):
        caller.fails(404, "package_show", id=made["id"])
    assert callers.create("streets")["id"] != made["id"]


def test_screening_still_blocks(callers):
    """A checksummed resident number in the text: it stays a draft, and its author is told."""
    made = callers.create("people", notes="11010519491231002X")
    assert made["release_state"] == "returned"
    assert callers.public.fails(404, "package_show", id="people")
    fixed = callers.editor.ok("package_patch", id="people", notes="nobody")
    assert "release_state" not in fixed
    assert callers.public.ok("package_show", id="people")["notes"] == "nobody"


def test_private_from_the_beginning_stays_private(callers):
    made = callers.create("secret", private=True)
    assert (made["private"], made["release_state"]) == (True, "draft")
    callers.editor.ok("resource_create", package_id="secret", url="http://x/a")
    assert callers.public.fails(404, "package_show", id="secret")
    assert callers.editor.ok("package_search", include_private=True, q="secret")["count"] == 1
    for caller in (callers.public, callers.stranger):
        assert caller.ok("package_search", include_private=True, q="secret")["count"] == 0


BOX = '{"type":"Polygon","coordinates":[[[120,31.5],[122,31.5],[122,32.75],[120,32.75],[120,31.5]]]}'


def test_national_elements_travel_as_extras(callers, office):
    """Named as ckanext-dcat and ckanext-spatial name them; in REST and the feeds they are fields."""
    sent = {"modified": "2026-03-01", "related_resource": "306001/000002,307010/1", "spatial": BOX}
    made = callers.create("streets", extras=[{"key": k, "value": v} for k, v in sent.items()])
    shown = extras_of(made)
    assert (shown["modified"], shown["related_resource"]) == ("2026-03-01", "306001/000002,307010/1")
    assert json.loads(shown["spatial"]) == json.loads(BOX)
    found = office.client.get("/api/v1/datasets/streets").json()
    assert (found["data_updated_on"], found["bbox"]) == ("2026-03-01", [120, 31.5, 122, 32.75])
    assert found["related_codes"] == ["306001/000002", "307010/1"]
    assert found["extras"] == {}
    assert extras_of(callers.editor.ok("package_update", **made)) == shown


def test_what_does_not_fit_its_field_stays_an_extra(callers):
    odd = {
        "modified": "last year",
        "related_resource": '["http://example.org/a"]',
        "spatial": '{"type":"Point","coordinates":[1,2]}',
        "issued": "1999",
        "identifier": "mine",
        "publisher_id": "theirs",
    }
    made = callers.create("streets", extras=[{"key": k, "value": v} for k, v in odd.items()])
    assert {key: extras_of(made)[key] for key in odd} == odd
    assert callers.editor.ok("package_update", **made)["extras"] == made["extras"]


def test_derived_extras_are_shown_and_do_not_come_back(callers, office):
    code, uscc = "306001/000042", "113206000143000121"
    body = {"agency": "housing", "title": "清单", "resource_code": code}
    assert office.editor.post("/inventory", json=body).status_code == 201
    office.admin.patch("/agencies/housing", json={"uscc": uscc})
    made = callers.create("streets")
    office.editor.patch("/datasets/streets", json={"inventory": [code]})
    callers.settle()
    shown = callers.public.ok("package_show", id="streets")
    assert callers.public.ok("package_search")["results"] == [shown]
    derived = {"identifier": code, "publisher_id": uscc, "issued": made["metadata_modified"]}
    assert extras_of(shown).items() >= derived.items()
    callers.editor.ok("package_update", **shown)
    assert office.client.get("/api/v1/datasets/streets").json()["extras"] == {}
    assert callers.editor.ok("package_update", **{**shown, "extras": []})["extras"] == [
        {"key": key, "value": value} for key, value in sorted(derived.items())
    ]
