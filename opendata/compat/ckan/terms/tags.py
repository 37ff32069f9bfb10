"""Tags: those of public datasets, and the terms of vocabularies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendata.catalog import vocabularies
from opendata.catalog.models import Vocabulary, VocabularyTag
from opendata.compat.ckan import packages
from opendata.compat.ckan.search import MOST, ids_of, packages_of, tag_names, touch_all
from opendata.compat.ckan.terms.rules import NO_VOCABULARY, wrong_tag
from opendata.compat.ckan.wire import (
    MISSING,
    Call,
    denied,
    flag,
    listed,
    not_found,
    require,
    text_of,
    whole,
    wrong,
)
from opendata.core.errors import Conflict, NotFound
from opendata.ports.search_index.port import Exact, Query


def tag_list(call: Call) -> list[Any]:
    """Names of the tags of public datasets, or of a vocabulary's. `query` (a part of the name), `vocabulary_id`, `all_fields`."""
    if text_of(call.args, "vocabulary_id"):
        _vocabulary(call, "could not find vocabulary '{}'")
    found = _search(call) if _parts(call) else _every(call)
    return found if flag(call.args, "all_fields") else [tag["name"] for tag in found]


def tag_show(call: Call) -> dict[str, Any]:
    """A tag, by its name or id. `vocabulary_id`, `include_datasets`."""
    wanted = require(call.args, "id")
    for tag in _every(call):
        if wanted in (tag["name"], tag["id"]):
            if flag(call.args, "include_datasets"):
                tag["packages"] = packages_of(call, _having(call, tag), MOST)
            return tag
    raise not_found()


def tag_search(call: Call) -> dict[str, Any]:
    """Tags whose name holds a text. `query` (or several, all of them), `vocabulary_id`, `limit`, `offset`."""
    found = _search(call)
    start, limit = whole(call.args, "offset", 0), whole(call.args, "limit", len(found))
    rows = [
        {key: tag[key] for key in ("id", "name", "vocabulary_id")} for tag in found[start : start + limit]
    ]
    return {"count": len(found), "results": rows}


def tag_autocomplete(call: Call) -> list[str]:
    """Names of tags that hold a text. `query`, `vocabulary_id`, `limit`, `offset`."""
    return [tag["name"] for tag in tag_search(call)["results"]]


def tag_create(call: Call) -> dict[str, Any]:
    """A new term of a vocabulary. `name`, `vocabulary_id`. For sysadmins; tags of datasets come with the datasets."""
    _need_sysadmin(call)
    name, key = text_of(call.args, "name"), text_of(call.args, "vocabulary_id")
    errors = {"name": [MISSING], "vocabulary_id": ["No tag name"]} if not name else wrong_tag(name)
    if not key:
        raise wrong({**errors, "vocabulary_id": [MISSING]})
    if errors:
        raise wrong(errors)
    try:
        vocabulary = vocabularies.find(call.work, key)
        tag = vocabularies.add_tag(call.work, vocabulary, name)
    except NotFound:
        raise wrong({"vocabulary_id": [NO_VOCABULARY]}) from None
    except Conflict:
        raise wrong(
            {"vocabulary_id": [f"Tag {name} already belongs to vocabulary {vocabulary.id}"]}
        ) from None
    return {**term(tag), "packages": []}


def tag_delete(call: Call) -> None:
    """Takes a term out of its vocabulary. `id`, `vocabulary_id`. For sysadmins; tags of datasets go with their datasets."""
    key = text_of(call.args, "id")
    if not key:
        raise wrong({"id": "id not in data"})
    _need_sysadmin(call)
    if text_of(call.args, "vocabulary_id"):
        vocabulary = _vocabulary(call, "could not find vocabulary '{}'")
        for tag in vocabularies.tags(call.work, [vocabulary])[vocabulary.id]:
            if key in (tag.id, tag.name):
                having = ids_of(call, Exact("terms", (f"{vocabulary.name}={tag.name}",)))
                vocabularies.remove_tag(call.work, tag)
                return touch_all(call.work, having)
    elif any(key in (tag["name"], tag["id"]) for tag in _every(call)):
        raise wrong({"id": ["A tag of datasets ends with the last dataset that has it"]})
    raise not_found(f'Could not find tag "{key[:100]}"')


def term(tag: VocabularyTag) -> dict[str, Any]:
    return {"id": tag.id, "name": tag.name, "vocabulary_id": tag.vocabulary_id, "display_name": tag.name}


def _having(call: Call, tag: Mapping[str, Any]) -> Query:
    """What has a tag."""
    if tag["vocabulary_id"] is None:
        return Exact("tags", (tag["name"],))
    return Exact("terms", (f"{vocabularies.find(call.work, tag['vocabulary_id']).name}={tag['name']}",))


def _every(call: Call) -> list[dict[str, Any]]:
    """The tags of public datasets, or of the vocabulary that is asked for, by name."""
    if text_of(call.args, "vocabulary_id"):
        try:
            vocabulary = vocabularies.find(call.work, text_of(call.args, "vocabulary_id"))
        except NotFound:  # a vocabulary that there is not has no tags
            return []
        return [term(tag) for tag in vocabularies.tags(call.work, [vocabulary])[vocabulary.id]]
    return [
        {key: value for key, value in packages.tag(name).items() if key != "state"}
        for name in sorted(tag_names(call))
    ]


def _search(call: Call) -> list[dict[str, Any]]:
    parts = _parts(call)
    if not parts:
        return []
    return [tag for tag in _every(call) if all(part in tag["name"].lower() for part in parts)]


def _parts(call: Call) -> list[str]:
    given = listed(call.args, "query") or listed(call.args, "q")
    return [text for part in given if (text := str(part).strip().lower())]


def _vocabulary(call: Call, missing: str) -> Vocabulary:
    key = text_of(call.args, "vocabulary_id")
    try:
        return vocabularies.find(call.work, key)
    except NotFound:
        raise not_found(missing.format(key[:100])) from None


def _need_sysadmin(call: Call) -> None:
    if not call.work.actor.sysadmin:
        raise denied()
