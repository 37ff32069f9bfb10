"""Vocabularies: everybody reads them, sysadmins keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opendata.catalog import vocabularies
from opendata.catalog.models import Vocabulary
from opendata.compat.ckan.search import ids_of, touch_all
from opendata.compat.ckan.terms.rules import names_of
from opendata.compat.ckan.terms.tags import term
from opendata.compat.ckan.wire import MISSING, ActionError, Call, denied, dicts, not_found, text_of, wrong
from opendata.core.errors import Conflict, NotFound
from opendata.ports.search_index.port import Prefix

TAKEN = {"name": ["That vocabulary name is already in use."]}
_ABSENT = {"id": "id not in data"}


def vocabulary_list(call: Call) -> list[dict[str, Any]]:
    """All vocabularies with their tags."""
    return _shown(call, vocabularies.every(call.work))


def vocabulary_show(call: Call) -> dict[str, Any]:
    """A vocabulary with its tags. `id`: its id or name."""
    return _shown(call, [_find(call)])[0]


def vocabulary_create(call: Call) -> dict[str, Any]:
    """A new vocabulary. `name`, `tags` ([{name}])."""
    _need_sysadmin(call)
    name = text_of(call.args, "name")
    errors: dict[str, Any] = {"id": ["The input field id was not expected."]} if call.args.get("id") else {}
    if not name:
        errors["name"] = [MISSING]
    elif any(name == other.name for other in vocabularies.every(call.work)):
        errors |= TAKEN
    else:
        _check_length(name)
    tags: list[str] = []
    try:
        tags = names_of(dicts(call.args, "tags"))
    except ActionError as error:
        if error.status != 409:
            raise
        errors["tags"] = error.body["tags"]
    if errors:
        raise wrong(errors)
    return _shown(call, [vocabularies.create(call.work, name, tags)])[0]


def vocabulary_update(call: Call) -> dict[str, Any]:
    """Renames a vocabulary, and replaces its tags if they are given. `id`, `name`, `tags`."""
    vocabulary = _find(call)
    _need_sysadmin(call)
    name, having = text_of(call.args, "name"), _having(call, vocabulary)
    try:
        if name:
            _check_length(name)
            vocabularies.rename(call.work, vocabulary, name)
    except Conflict:
        raise wrong(TAKEN) from None
    if "tags" in call.args:
        vocabularies.set_tags(call.work, vocabulary, names_of(dicts(call.args, "tags")))
    touch_all(call.work, having)
    return _shown(call, [vocabulary])[0]


def vocabulary_delete(call: Call) -> None:
    """Ends a vocabulary and its tags. `id`."""
    vocabulary = _find(call)
    _need_sysadmin(call)
    having = _having(call, vocabulary)
    vocabularies.remove(call.work, vocabulary)
    touch_all(call.work, having)


def _having(call: Call, vocabulary: Vocabulary) -> list[str]:
    """Ids of the public datasets that have terms of it."""
    return ids_of(call, Prefix("terms", f"{vocabulary.name}="))


def _find(call: Call) -> Vocabulary:
    key = text_of(call.args, "id")
    if not key:
        raise wrong(_ABSENT)
    try:
        return vocabularies.find(call.work, key)
    except NotFound:
        raise not_found(f'Could not find vocabulary "{key[:100]}"') from None


def _shown(call: Call, found: Sequence[Vocabulary]) -> list[dict[str, Any]]:
    tags = vocabularies.tags(call.work, found)
    return [{"id": v.id, "name": v.name, "tags": [term(tag) for tag in tags[v.id]]} for v in found]


def _check_length(name: str) -> None:
    if len(name) < 2:
        raise wrong({"name": ["Name must be at least 2 characters long"]})
    if len(name) > 100:
        raise wrong({"name": ["Name must be a maximum of 100 characters long"]})


def _need_sysadmin(call: Call) -> None:
    if not call.work.actor.sysadmin:
        raise denied()
