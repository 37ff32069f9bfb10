"""What a mapping makes of a record of a platform: the platform's labels by what they mean, their values as codes of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from opendata.harvest.reading import building, cleaning, words
from opendata.harvest.reading.loose import text, texts
from opendata.harvest.reading.portals import Files, Meaning, Portal, at, fill, first
from opendata.harvest.record import Record, Refused, RemoteResource
from opendata.settings import Settings

Texts = dict[str, list[str]]
"""{meaning: what the platform says}"""
_AS_SAID = ("title", "title_en", "description", "description_en", "version", "contact_name", "open_condition")
_FORMAT_SEPARATORS = re.compile(r"[,，、;；/|\s]+")


@cache
def _aliases() -> Mapping[str, Any]:
    path = Settings.from_env().catalog_schemas / "harvest" / "field_aliases.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def record(portal: Portal, entry: Mapping[str, Any], base: str) -> Record | Refused:
    said = _said(portal, entry)
    page = cleaning.address(fill(portal.page, entry, escape=True) if portal.page else _one(said, "url"), base)
    return building.record(
        first(entry, portal.identifier),
        _fields(portal, said),
        list(_resources(portal, entry, said, page, base)),
        page=page,
        modified=cleaning.moment(_one(said, "update_time")),
    )


def _said(portal: Portal, entry: Mapping[str, Any]) -> Texts:
    """What the platform says, by what it means. A path of the mapping goes before a label of the alias table."""
    found: Texts = {}
    for path, meaning in portal.fields.items():
        found.setdefault(meaning, []).extend(t for value in at(entry, path) for t in texts(value))
    if portal.aliases:
        known = {**_aliases()["names"], **_aliases()["places"].get(portal.place, {})}
        for label, value in _labelled(portal, entry):
            meaning = known.get(label.strip().rstrip(":：")) or known.get(label.strip(), "")
            if meaning and label not in portal.fields and not found.get(meaning):
                found[meaning] = texts(value)
    return found


def _labelled(portal: Portal, entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from entry.items()
    for pair in at(entry, portal.pairs) if portal.pairs else ():
        if isinstance(pair, dict):
            yield text(pair.get(portal.label)), pair.get(portal.value)


def _fields(portal: Portal, said: Texts) -> dict[str, Any]:
    def coded(meaning: Meaning) -> list[str]:
        ours = portal.codes.get(meaning, {})
        return [ours.get(one, one) for one in said.get(meaning, [])]

    subjects = [*coded("category"), *coded("industry")]
    parts = [*subjects, *words.keywords(subjects)]
    kept = {"data_volume": _one(said, "data_volume"), "issued": cleaning.day(_one(said, "publish_time"))}
    return {
        **{name: _one(said, name) for name in _AS_SAID},
        "keywords": words.keywords([*said.get("tags", []), *subjects]),
        "themes": words.themes(parts),
        "domain": words.domain(parts),
        "licence": words.licence(*coded("licence")),
        "openness": words.openness(*coded("is_open")),
        "update_cycle": words.update_cycle(*coded("update_frequency")),
        "region": words.region(*coded("region")),
        "data_updated_on": cleaning.day(_one(said, "update_time")),
        "contact_phone": cleaning.phone(_one(said, "telephone")),
        "contact_email": cleaning.email(_one(said, "email")),
        "author": _one(said, "department"),
        "extras": {name: value for name, value in kept.items() if value},
        **cleaning.period(_one(said, "temporal_start"), _one(said, "temporal_end")),
    }


def _one(said: Texts, meaning: str) -> str:
    return next(iter(said.get(meaning, [])), "")


def _resources(
    portal: Portal, entry: Mapping[str, Any], said: Texts, page: str, base: str
) -> Iterator[RemoteResource]:
    """Its files; of a platform that names none, a link to its page for each format it offers."""
    files = portal.resources
    listed = [one for one in at(entry, files.records) if isinstance(one, dict)] if files else []
    if files and listed:
        yield from (_file(files, entry, one, page, base) for one in listed)
    elif page:
        told = [
            part for one in said.get("data_formats", []) for part in _FORMAT_SEPARATORS.split(one) if part
        ]
        for kind in dict.fromkeys(words.file_format(part) for part in told or [""]):
            yield building.resource({"name": kind or _one(said, "title"), "format": kind, "url": page}, base)


def _file(
    files: Files, entry: Mapping[str, Any], one: Mapping[str, Any], page: str, base: str
) -> RemoteResource:
    kind = words.file_format(first(one, files.format))
    url = fill(files.url, {**entry, **one}, escape=True) if files.url else page
    fields = {"name": first(one, files.name) or kind, "format": kind, "url": url}
    return building.resource(fields, base, identifier=first(one, files.identifier))
