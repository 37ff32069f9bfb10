"""Terms of vocabularies as tags of datasets."""

from __future__ import annotations

from ckan_diff.calls import Call, call, sent

_COLOURS = "${colours.id}"
_RED = {"name": "red", "vocabulary_id": _COLOURS}
_BLUE = {"name": "blue", "vocabulary_id": _COLOURS}

CALLS: list[Call] = [
    sent("vocabulary_create", "root", {"name": "colours", "tags": [{"name": "red"}, {"name": "blue"}, {"name": "green"}]}, keep="colours", unordered=("result.tags",)),
    sent("vocabulary_create", "root", {"name": "sizes", "tags": [{"name": "big one"}]}, keep="sizes"),
    call("package_create", "editor", name="one", owner_org="parks", tags=[{"name": "road"}, _RED, _BLUE], keep="one"),
    call("package_show", id="one"),
    call("package_create", "editor", name="two", owner_org="parks", tags=[_RED, _RED, {"name": "big one", "vocabulary_id": "${sizes.id}"}], keep="two"),
    call("package_create", "editor", name="three", owner_org="parks", tags=[{"name": "green"}, {"name": "blue", "vocabulary_id": ""}, {"name": "road", "vocabulary_id": None}]),
    call("package_create", "editor", name="secret", owner_org="parks", private=True, tags=[{"name": "green", "vocabulary_id": _COLOURS}]),
    # what is refused
    call("package_create", "editor", name="x1", owner_org="parks", tags=[{"name": "red", "vocabulary_id": "nothing"}]),
    call("package_create", "editor", name="x1", owner_org="parks", tags=[{"name": "red", "vocabulary_id": "colours"}]),
    call("package_create", "editor", name="x1", owner_org="parks", tags=[{"name": "road"}, {"name": "red", "vocabulary_id": "nothing"}]),
    call("package_create", "editor", name="x1", owner_org="parks", tags=[{"name": "?", "vocabulary_id": "nothing"}]),
    call("package_create", "editor", name="x1", owner_org="parks", tags=[{"vocabulary_id": _COLOURS}]),
    call("package_patch", "editor", id="one", tags=[{"name": "red", "vocabulary_id": "nothing"}]),
    # who reads them
    sent("tag_list", "public", {}, unordered=("result",)),
    sent("tag_list", "public", {"vocabulary_id": "colours"}, unordered=("result",)),
    call("tag_show", id="blue", vocabulary_id="colours"),
    sent("tag_show", "public", {"id": "red", "vocabulary_id": _COLOURS, "include_datasets": True}, unordered=("result.packages",)),
    call("tag_show", id="red"),
    call("tag_show", id="green", include_datasets=True),
    sent("vocabulary_show", "public", {"id": "colours"}, unordered=("result.tags",)),
    call("package_search", fl="name", **{"facet.field": ["vocab_colours", "vocab_sizes", "tags"], "sort": "name asc"}),
    call("package_search", fl="name", fq="vocab_colours:red", sort="name asc"),
    call("package_search", fl="name", fq='vocab_sizes:"big one"', sort="name asc"),
    call("package_search", fl="name", fq="vocab_colours:[* TO *]", sort="name asc"),
    call("package_search", fl="name", fq="vocab_nothing:red", sort="name asc"),
    call("package_search", fl="name", fq="tags:red", sort="name asc"),
    # changes
    call("package_patch", "editor", id="one", notes="They stay"),
    call("package_patch", "editor", id="one", tags=[_BLUE]),
    call("package_show", id="one"),
    call("package_patch", "editor", id="one", tag_string="rail, way"),
    call("package_update", "editor", id="one", name="one", owner_org="parks", tags=[{"name": "road"}, _RED]),
    call("package_revise", "editor", match={"name": "one"}, update={"notes": "Revised"}),
    call("package_revise", "editor", match={"name": "one"}, update__tags__extend=[_BLUE]),
    call("package_revise", "editor", match={"name": "one"}, update__tags__extend=[{"name": "red", "vocabulary_id": "nothing"}]),
    call("package_revise", "editor", match={"name": "one"}, filter=["-tags"]),
    call("package_update", "editor", id="two", name="two", owner_org="parks"),
    call("package_patch", "editor", id="one", tags=[_RED]),
    # a term or a vocabulary that goes
    call("tag_delete", "root", id="red", vocabulary_id="colours"),
    call("package_show", id="one"),
    sent("vocabulary_update", "root", {"id": _COLOURS, "name": "paints"}, unordered=("result.tags",)),
    call("package_patch", "editor", id="one", tags=[_BLUE]),
    call("package_search", fl="name", fq="vocab_paints:blue", sort="name asc"),
    # a name that no term has
    call("package_create", "editor", name="odd", owner_org="parks", tags=[{"name": "mauve", "vocabulary_id": _COLOURS}]),
    sent("tag_list", "public", {"vocabulary_id": _COLOURS}, unordered=("result",)),
    call("vocabulary_delete", "root", id="sizes"),
    call("vocabulary_delete", "root", id="paints"),
    call("package_show", id="one"),
]  # fmt: skip
