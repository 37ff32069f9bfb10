"""Terms of vocabularies as tags of datasets: like all metadata they are a release's, and stand once it is approved."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ckan_reviewing import approve

from opendata.catalog.models import Release
from opendata.catalog.profile import DatasetMeta
from opendata.work.actor import SYSTEM

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


def tags(package: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(tag["name"], tag["vocabulary_id"]) for tag in package["tags"]]


@pytest.fixture
def colours(callers: Any) -> dict[str, Any]:
    made: dict[str, Any] = callers.root.ok(
        "vocabulary_create", name="colours", tags=[{"name": "red"}, {"name": "blue"}]
    )
    return made


def test_a_term_stands_once_it_is_approved(callers: Any, office: Any, colours: dict[str, Any]) -> None:
    red, blue = ({"name": name, "vocabulary_id": colours["id"]} for name in ("red", "blue"))
    made = callers.create(
        "streets", tags=[{"name": "roads"}, red], resources=[{"url": "https://example.org/a.csv"}]
    )
    assert tags(made) == [("red", colours["id"]), ("roads", None)]
    assert made["tags"][0]["id"] in [tag["id"] for tag in colours["tags"]]
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    callers.settle()
    callers.editor.ok("package_patch", id="streets", tags=[blue])
    assert tags(callers.public.ok("package_show", id="streets")) == [("red", colours["id"]), ("roads", None)]
    asked = {"fq": "vocab_colours:red", "facet.field": ["vocab_colours"]}
    found = callers.public.ok("package_search", **asked)
    assert (found["count"], found["facets"]) == (1, {"vocab_colours": {"red": 1}})
    assert callers.public.ok("package_search", q="red")["count"] == 1
    mine = {"include_private": True, "fq": "vocab_colours:blue"}
    assert (
        callers.editor.ok("package_search", **mine)["count"] == 0
    )  # one public dataset is one, as its release says


def test_what_is_read_can_be_written_again_after_a_term_went(callers: Any, colours: dict[str, Any]) -> None:
    red = {"name": "red", "vocabulary_id": colours["id"]}
    callers.create("streets", tags=[red, {"name": "roads"}])
    callers.root.ok("vocabulary_update", id="colours", tags=[{"name": "blue"}])
    package = callers.editor.ok("package_show", id="streets")
    assert tags(package) == [("roads", None)]
    assert tags(callers.editor.ok("package_update", **package)) == [("roads", None)]
    error = callers.editor.fails(409, "package_patch", id="streets", tags=[red])
    assert error["tags"] == ["Tag red does not belong to vocabulary colours"]


def test_a_release_without_terms_is_stored_as_before(callers: Any, office: Any) -> None:
    """Content hashes of old releases stay what they are."""
    made = callers.create("streets", tags=[{"name": "roads"}])
    with office.app.place.reading(SYSTEM) as work:
        stored = work.session.query(Release).filter_by(dataset_id=made["id"]).one().meta
    assert "vocabulary_terms" not in stored
    assert "vocabulary_terms" not in DatasetMeta(title="t").stored()


def test_pages_and_feeds_tell_the_terms_with_the_keywords(
    callers: Any, office: Any, colours: dict[str, Any], client: Any
) -> None:
    red = {"name": "red", "vocabulary_id": colours["id"]}
    links = [{"url": "https://example.org/a.csv"}]
    made = callers.create("streets", notes="n", tags=[{"name": "roads"}, red], resources=links)
    callers.editor.ok("dataset_submit", id="streets")
    approve(office, callers, made)
    callers.settle()
    page = client.get("/zh/dataset/streets").text
    assert re.search(r"<dt>[^/]*colours.*?red", page)
    [told] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(told)["keywords"] == ["roads", "red"]
    assert '"red"@zh' in client.get("/dataset/streets.ttl").text
    [entry] = client.get("/data.json").json()["dataset"]
    assert entry["keyword"] == ["roads", "red"]
    harvested = client.get("/oai", params={"verb": "ListRecords", "metadataPrefix": "oai_dc"}).text
    assert "<dc:subject>red</dc:subject>" in harvested
    assert re.search(r"<dt>[^/]*colours.*?red", client.get("/zh/dataset/streets/release/1").text)
    callers.root.ok("vocabulary_update", id=colours["id"], name="colours", tags=[{"name": "blue"}])
    callers.settle()
    assert "colours" not in client.get("/zh/dataset/streets").text
    assert '"red"@zh' not in client.get("/dataset/streets.ttl").text
    assert client.get("/data.json").json()["dataset"][0]["keyword"] == ["roads"]
