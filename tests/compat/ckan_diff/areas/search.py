"""package_search: words, Lucene's language, filters, sorting, facets, paging, and what of it is wrong."""

from __future__ import annotations

from ckan_diff.calls import Call, call, get, sent


def _found(**args: object) -> Call:
    """The count and the names of what is found, in whatever order unless one is asked for."""
    ordered = "sort" in args
    return sent(
        "package_search", "public", {**args, "fl": "name"}, unordered=() if ordered else ("result.results",)
    )


_MADE = [
    ("zebra-crossings", {"title": "Zebra crossings of the city", "notes": "Where people cross", "tags": ["roads", "safety"], "license_id": "cc-by", "extras": {"area": "north", "level": "2"}, "resources": [("csv", "crossings"), ("json", "map")]}),
    ("apple-trees", {"title": "Apple trees", "notes": "Trees with apples in the parks of the city", "tags": ["trees", "fruit"], "license_id": "cc-zero", "extras": {"area": "south"}, "resources": [("csv", "trees")]}),
    ("pear-trees", {"title": "Pear trees", "notes": "Trees with pears", "tags": ["trees", "fruit", "old roads"], "license_id": "cc-by", "author": "Garden office", "resources": [("xlsx", "pears")]}),
    ("bus-stops", {"title": "Bus stops", "notes": "All stops; no zebra near", "tags": ["roads"], "resources": []}),
    ("water-quality-2023", {"title": "Water quality 2023", "notes": "Measured values of 2023", "tags": ["water"], "author": "Water office", "url": "http://example.org/water"}),
    ("water-quality-2024", {"title": "Water quality 2024", "notes": "Measured values of 2024", "tags": ["water"], "version": "2"}),
    ("city-map", {"title": "地图 City map", "notes": "全市街道地图", "tags": ["地图"]}),
]  # fmt: skip


def _make(name: str, facts: dict[str, object]) -> Call:
    args = dict(facts)
    args["tags"] = [{"name": tag} for tag in facts["tags"]]  # type: ignore[attr-defined]
    args["extras"] = [{"key": k, "value": v} for k, v in facts.get("extras", {}).items()]  # type: ignore[attr-defined]
    args["resources"] = [
        {"url": f"http://example.org/{n}", "name": n, "format": f, "description": f"All {n} here"}
        for f, n in facts.get("resources", [])  # type: ignore[attr-defined]
    ]
    owner = "water" if name.startswith("water") else "parks"
    return sent("package_create", "root", {"name": name, "owner_org": owner, **args}, as_type=("result",))


_WORDS = [
    "", "*:*", "*", "zebra", "ZEBRA", "Zebra crossings", "trees", "tree", "apple trees", "trees apple", "nothing-there", "crossings map",
    '"apple trees"', '"trees apple"', "parks", "water", "quality 2024", "Garden office", "fruit", "garden", "old roads", "zebra -stops",
    "+trees -pears", "people", "2023", "stops", "地图", "north", "crossings.csv", "water-quality-2024",
]  # fmt: skip
_LUCENE = [
    "title:zebra", "title:trees", "title:Trees", 'title:"apple trees"', 'title:"trees apple"', "title:tr*", "name:apple-trees", "name:apple*",
    "name:*trees", "name:*e*", "name:water-quality-202?", "notes:city", "tags:trees", "tags:roads", 'tags:"old roads"', "tags:road*",
    "tags:(trees OR water)", "tags:(trees AND fruit)", "tags:trees AND NOT tags:fruit", "tags:roads OR tags:water", "-tags:trees",
    "+tags:trees +title:pear", "title:trees -title:pear", "NOT tags:trees", "!tags:trees", "tags:trees && title:apple", "tags:water || tags:roads",
    "(tags:roads OR tags:water) AND NOT title:bus", "organization:parks", "organization:water", "organization:(parks OR water)",
    "license_id:cc-by", "license_id:cc*", "res_format:CSV", "res_format:csv", "res_format:(CSV OR JSON)", "res_name:pears", "author:Garden*",
    'author:"Garden office"', "title:(apple pear)", "title:(apple OR pear)", "title:(+trees -apple)", "text:zebra", "text:trees AND title:pear",
    "extras_area:north", "area:north", "extras_area:*", "level:2", "num_resources:0", "num_resources:[1 TO *]", "num_resources:[2 TO 5]",
    "num_resources:{0 TO 2}", "metadata_modified:[NOW-7DAYS TO NOW]", "metadata_modified:[NOW/DAY TO *]", "metadata_created:[* TO NOW-1YEAR]",
    "metadata_modified:[2020-01-01T00:00:00Z TO *]", "metadata_modified:[2020-01-01T00:00:00Z TO 2021-01-01T00:00:00Z]",
    "metadata_created:[NOW-1MONTH TO NOW+1DAY]", "name:[a TO c]", "name:{apple-trees TO city-map}", "name:[* TO b]", "title:*", "author:*", "-author:*",
    "url:*", "version:2", "state:active", "private:false", "private:true", "dataset_type:dataset", "type:dataset", "title:zebra^2 OR title:bus",
    "title:zebr~1", 'title:"city zebra"~5', "name:water\\-quality\\-2024", "title:ap?le", "title:(zebra crossings) AND tags:roads",
    "groups:*", "organization:parks AND (title:trees OR title:bus) AND -license_id:cc-by", "capacity:public", "*:* -tags:trees", "*:* AND tags:trees",
    "id:[* TO *]", "title_string:Zebra*", "entity_type:package",
]  # fmt: skip
_WRONG = [
    "title:(", "title:[a TO", 'title:"open', "metadata_modified:[x TO y]", ":", "title:", "AND AND:x", "num_resources:[a TO b]", "odd_field:x",
    "title:zebra)", "{!func}x:1", "metadata_modified:yesterday", "_query_:x", "title:[1 2]",
]  # fmt: skip
CALLS: list[Call] = [
    *(_make(name, facts) for name, facts in _MADE),
    call("package_create", "root", name="hidden-trees", owner_org="parks", private=True, title="Hidden trees", tags=[{"name": "trees"}], keep="hidden"),
    *(_found(q=text) for text in _WORDS),
    *(_found(q=text) for text in _LUCENE),
    *(_found(fq=text) for text in _LUCENE[:60]),
    *(_found(q=text) for text in _WRONG),
    *(_found(fq=text) for text in _WRONG),
    *(_found(sort=text) for text in ["name asc", "name desc", "title_string asc", "title_string desc", "metadata_created asc", "metadata_modified desc", "metadata_created desc, name asc", "name", "odd_field asc", "name odd", "num_resources desc, name asc", "license_id asc, name asc"]),
    _found(fq_list=["tags:trees", "license_id:cc-by"]),
    _found(fq_list=["+tags:trees", "-license_id:cc-by"]),
    _found(q="trees", fq="license_id:cc-by"),
    _found(q="trees", fq="+tags:fruit +organization:parks"),
    _found(fq="tags:trees tags:roads"),
    _found(q="zebra OR apple"),
    _found(q="zebra crossings stops", **{"q.op": "OR"}),
    _found(rows=2, sort="name asc"),
    _found(rows=2, start=2, sort="name asc"),
    _found(rows=0),
    _found(rows=2000, sort="name asc"),
    _found(rows="x"),
    _found(rows=-1),
    _found(start=-1),
    _found(start="x"),
    _found(start=100),
    get("package_search", q="title:apple"),
    get("package_search", q="zebra", rows="1"),
    call("package_search", fq="name:apple-trees"),
    sent("package_search", "public", {"rows": 0, "facet.field": ["tags", "organization", "license_id", "res_format", "groups"]}, unordered=("result.search_facets.tags.items", "result.search_facets.license_id.items", "result.search_facets.res_format.items", "result.search_facets.organization.items")),
    sent("package_search", "public", {"rows": "0", "facet.field": '["tags"]', "facet.limit": "1", "q": "tags:trees"}, how="get", as_type=("result.facets.tags", "result.search_facets.tags.items")),
    sent("package_search", "public", {"rows": 0, "facet.field": ["tags"], "facet.mincount": 2}, unordered=("result.search_facets.tags.items",)),
    sent("package_search", "public", {"rows": 0, "facet.field": ["tags"], "facet": "false"}),
    sent("package_search", "public", {"rows": 0, "facet.field": ["odd_field"]}),
    sent("package_search", "public", {"rows": 0, "facet.field": "tags"}, unordered=("result.search_facets.tags.items",)),
    call("package_search", odd="x"),
    call("package_search", q=["x"]),
    call("package_search", q={"a": "x"}),
    call("package_search", "editor", include_private=True, fq="name:hidden-trees", fl="name"),
    call("package_search", "stranger", include_private=True, fq="name:hidden-trees", fl="name"),
    call("package_search", include_private=True, fq="name:hidden-trees", fl="name"),
    call("package_search", "editor", fq="name:hidden-trees", fl="name"),
    call("package_search", "root", include_private=True, fq="name:hidden-trees", fl="name"),
    call("package_search", fq="id:${hidden.id}"),
    sent("package_search", "editor", {"include_private": True, "q": "trees", "fl": "name"}, unordered=("result.results",)),
    call("package_search", "editor", include_drafts=True, q="hidden", fl="name"),
    call("package_search", fq="name:apple-trees", fl="name,title"),
    call("package_search", fq="name:apple-trees", fl=["id", "name"]),
    call("package_search", q="trees", sort="name asc", rows=1, use_default_schema=True),
]  # fmt: skip
