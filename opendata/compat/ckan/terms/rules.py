"""What a tag may be called, and how CKAN says that it may not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from opendata.catalog import vocabularies
from opendata.compat.ckan.wire import MISSING, wrong
from opendata.work.unit import Work

SHORTEST, LONGEST = 2, 100
NO_VOCABULARY = "Tag vocabulary was not found."
_NAME = re.compile(r"[\w \-.]*")
_SIGNS = 'alphanumeric characters, spaces (" "), hyphens ("-"), underscores ("_") or dots (".")'


def problems(name: str) -> list[str]:
    """What is wrong with the name of a tag, in CKAN's words."""
    found = []
    if len(name) < SHORTEST:
        found.append(f'Tag "{name}" length is less than minimum {SHORTEST}')
    if len(name) > LONGEST:
        found.append(f'Tag "{name[:200]}" length is more than maximum {LONGEST}')
    if not _NAME.fullmatch(name):
        found.append(f'Tag "{name[:200]}" can only contain {_SIGNS}')
    return found


def wrong_tag(name: str) -> dict[str, list[str]]:
    found = problems(name)
    return {"name": found} if found else {}


def names_of(given: Sequence[Any]) -> list[str]:
    """The names in a list of tags as clients send it, each once. A wrong one is a Validation Error of `tags`."""
    names = [_name(entry) for entry in given]
    if errors := [", ".join(found) for name in names if (found := problems(name))]:
        raise wrong({"tags": errors})
    return list(dict.fromkeys(names))


def read_tags(work: Work, given: Sequence[Mapping[str, Any]]) -> tuple[list[str], dict[str, list[str]]]:
    """The tags of a dataset as clients send them: the free ones, and terms by the ids of their vocabularies, each once.
    Wrong ones are a Validation Error of `tags`."""
    pairs = list(dict.fromkeys((_name(entry), _vocabulary_id(entry)) for entry in given if entry))
    terms: dict[str, list[str]] = {}
    for name, key in sorted((name, key) for name, key in pairs if key is not None):
        terms.setdefault(key, []).append(name)
    names = vocabularies.names(work, terms)
    known = vocabularies.known(work, [terms])
    if errors := [error for pair in pairs if (error := _problem(*pair, names, known))]:
        raise wrong({"tags": errors})
    return [name for name, key in pairs if key is None], terms


def _problem(name: str, key: str | None, names: Mapping[str, str], known: vocabularies.Known) -> Any:
    """What is wrong with a tag of a dataset, in the shape that CKAN gives it."""
    if found := problems(name):
        return ", ".join(found)
    if key is None or (key, name) in known:
        return None
    if key not in names:
        return {"vocabulary_id": [NO_VOCABULARY]}
    return f"Tag {name} does not belong to vocabulary {names[key]}"


def _vocabulary_id(entry: Mapping[str, Any]) -> str | None:
    """A name is none, nor is an empty text, as in CKAN."""
    return None if entry.get("vocabulary_id") is None else str(entry["vocabulary_id"])


def _name(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else entry
    name = str(name).strip() if isinstance(name, str | int | float) else ""
    if not name:
        raise wrong({"tags": [MISSING]})
    return name
