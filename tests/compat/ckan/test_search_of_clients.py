"""package_search as clients of CKAN write it: harvesters, R, Power BI, QGIS, and pages over pages."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize(
        "settings", ["light", pytest.param("full", marks=pytest.mark.services)], indirect=True
    ),
]
ALL = ["road-0", "road-1", "road-2"]


@pytest.fixture
def roads(callers: Any) -> Any:
    """Three public datasets of one group, one private one."""
    callers.root.ok("group_create", name="roads")
    for n, kind in enumerate(("CSV", "XLSX", "CSV")):
        tags, links = [{"name": "roads"}, {"name": f"t{n}"}], [{"url": "http://x/a", "format": kind}]
        callers.create(f"road-{n}", title=f"Road {n}", tags=tags, groups=[{"name": "roads"}], resources=links)
    callers.create("hidden", title="Road hidden", private=True)
    callers.settle()
    return callers


def names(caller: Any, *pairs: tuple[str, str]) -> tuple[int, list[str]]:
    """(count, names in the order of the alphabet) of a GET, as clients send it."""
    answer = caller.client.get("/api/3/action/package_search", params=list(pairs), headers=caller.headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()["result"]
    return found["count"], sorted(package["name"] for package in found["results"])


def facets(caller: Any, *pairs: tuple[str, str]) -> Any:
    answer = caller.client.get("/api/3/action/package_search", params=[("rows", "0"), *pairs])
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]["facets"]


def test_a_harvester_asks_for_what_changed_in_some_organizations(roads: Any) -> None:
    page = (("rows", "100"), ("start", "0"), ("sort", "id asc"))
    since = "metadata_modified:[2019-08-01T10:00:00.000000Z TO *]"
    assert names(roads.public, *page, ("fq", '+organization:"housing" ' + since)) == (3, ALL)
    assert names(roads.public, *page, ("fq", 'organization:"housing" OR organization:"water"')) == (3, ALL)
    assert names(roads.public, *page, ("fq", '-organization:"housing"'), ("q", since)) == (0, [])
    assert names(roads.public, *page, ("fq", "+groups:roads"), ("fq", "")) == (3, ALL)
    future = "metadata_modified:[2999-08-01T10:00:00Z TO *]"
    assert names(roads.public, *page, ("fq", future)) == (0, [])


def test_pages_go_on_until_an_empty_one(roads: Any) -> None:
    seen: list[str] = []
    for start in range(4):
        count, found = names(roads.public, ("rows", "1"), ("start", str(start)), ("sort", "name asc"))
        assert count == 3
        seen += found
    assert seen == ALL
    for start in ("12000", "199500", "300000", "5000000"):  # beyond what an engine pages through
        assert names(roads.public, ("rows", "1000"), ("start", start)) == (3, [])


def test_facets_of_ckanr_and_portals(roads: Any) -> None:
    every = {"roads": 3, "t0": 1, "t1": 1, "t2": 1}
    fields = ("facet.field", '["tags","organization"]')
    assert facets(roads.public, fields, ("facet.limit", "-1")) == {
        "tags": every,
        "organization": {"housing": 3},
    }
    repeated = (("facet.field", "tags"), ("facet.field", "organization"))
    assert facets(roads.public, *repeated) == {"tags": every, "organization": {"housing": 3}}
    assert facets(roads.public, ("facet.field", "tags"), ("facet.mincount", "2")) == {"tags": {"roads": 3}}
    assert facets(roads.public, ("facet.field", "tags"), ("facet.mincount", "0")) == {"tags": every}
    assert facets(roads.public, ("facet.field", "tags"), ("facet.limit", "0")) == {"tags": {}}
    assert facets(roads.public, ("facet.field", "tags"), ("facet", "false")) == {}
    for name, value in (("facet.limit", "x"), ("facet.mincount", "x"), ("facet.mincount", "-1")):
        error = roads.public.get("package_search", **{name: value})
        assert error.status_code == 409
        assert name in error.json()["error"]


def test_the_filters_of_the_qgis_browser(roads: Any) -> None:
    page = (("rows", "50"), ("start", "0"), ("facet.limit", "50"))
    assert names(roads.public, *page, ("q", "road"), ("fq", "(groups:(roads OR lakes))")) == (3, ALL)
    assert names(roads.public, *page, ("q", ""), ("fq", "(+groups:(roads))")) == (3, ALL)
    assert names(roads.public, *page, ("fq", 'res_format:(CSV OR "XLSX")')) == (3, ALL)
    assert names(roads.public, *page, ("fq", "res_format:xlsx")) == (1, ["road-1"])


def test_lists_of_filters(roads: Any) -> None:
    both = (3, ALL)
    assert names(roads.public, ("fq_list", '["tags:roads","organization:housing"]')) == both
    assert names(roads.public, ("fq_list", "tags:roads"), ("fq_list", "organization:housing")) == both
    assert names(roads.public, ("fq_list", "tags:roads"), ("fq", "tags:t1")) == (1, ["road-1"])


def test_who_asks_for_what_is_private_gets_their_own(roads: Any) -> None:
    asked = (("include_private", "true"), ("q", "road"))
    for caller in (roads.public, roads.stranger):
        assert names(caller, *asked) == (3, ALL)
    for caller in (roads.editor, roads.root):
        assert names(caller, *asked) == (4, ["hidden", *ALL])
    assert names(roads.public, ("include_private", "true"), ("fq", "name:hidden")) == (0, [])


def test_parts_of_packages(roads: Any) -> None:
    for fields in ([("fl", "id,name")], [("fl", "id"), ("fl", "name")], [("fl", '["id","name"]')]):
        answer = roads.public.client.get("/api/3/action/package_search", params=[*fields, ("rows", "1")])
        assert answer.json()["result"]["results"][0].keys() == {"id", "name"}
    whole, default = (
        roads.public.ok("package_search", fq="name:road-0", use_default_schema=asked)["results"]
        for asked in (False, True)
    )
    assert whole == default
    assert whole[0] == roads.public.ok("package_show", id="road-0")


def test_what_extensions_and_solr_take_is_passed_over(roads: Any) -> None:
    """As in CKAN without these extensions: an `ext_` parameter is for a plugin that is not there."""
    assert names(roads.public, ("ext_bbox", "-10,40,10,60")) == (3, ALL)
    assert names(roads.public, ("ext_prev_extent", "x"), ("ext_bbox", "nonsense")) == (3, ALL)
    tuned = (("defType", "edismax"), ("qf", "title^4 name^2"), ("mm", "2"), ("q", "title:road"))
    assert names(roads.public, *tuned) == (3, ALL)


def test_what_nobody_takes_is_refused_in_its_shape(roads: Any) -> None:
    for unknown in ("limit", "page", "facet.prefix", "group"):
        error = roads.public.get("package_search", **{unknown: "1"})
        assert error.status_code == 400
        assert error.json()["error"]["__type"] == "Search Query Error"
        assert f"Invalid search parameters: ['{unknown}']" in error.json()["error"]["message"]
    for local in ("{!dismax qf=title}road", " {!func}x:1"):
        error = roads.public.fails(409, "package_search", q=local)
        assert error["message"] == "Search error: \"Local parameters are not supported in param 'q'.\""
    assert roads.public.fails(409, "package_search", fq="{!tag=a}tags:roads")["__type"] == "Search Error"
    for sort in ("views_recent desc", "random_1 asc", "name asc; drop"):
        assert roads.public.fails(400, "package_search", sort=sort)["__type"] == "Search Query Error"
