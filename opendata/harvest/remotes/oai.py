"""A repository that speaks OAI-PMH 2.0: `ListRecords` from token to token, in Dublin Core or as RDF (DCAT)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from opendata.harvest.models import LONGEST_IDENTIFIER
from opendata.harvest.reading import building, cleaning, dcat, paging, words
from opendata.harvest.record import Asking, Page, Record, Refused, SourceBroken

TASK = "opendata.harvest.sandboxed.oai:page"
Values = list[dict[str, str]]


class Options(BaseModel):
    """What an administrator may set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")

    prefix: str = Field(
        "oai_dc",
        min_length=1,
        max_length=100,
        description="metadataPrefix: oai_dc, or what the repository calls DCAT (dcat, dcat_ap, rdf)",
    )
    set: str = Field("", max_length=200, description="Only this set")


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    asked = {"metadataPrefix": options.prefix} | ({"set": options.set} if options.set else {})
    walk = paging.Walk(asking)
    while asked:
        mark = "&" if "?" in asking.url else "?"
        page = asking.get(
            f"{asking.url}{mark}{urlencode({'verb': 'ListRecords', **asked})}", accept="text/xml"
        )
        paging.refuse_html(page)
        found = asking.parse(TASK, page.body, base=page.url)
        _check(page, found)
        walk.page(page.url, [one["identifier"] for one in found["records"]], found["total"])
        for entry in found["records"]:
            yield _record(entry, page.url)
        following = {"resumptionToken": found["token"]} if found["token"] else {}
        if following and following == asked:
            raise SourceBroken("harvest_pages_repeat", address=page.url[:200])
        asked = following
    walk.end()


def _check(page: Page, found: Mapping[str, Any]) -> None:
    if found["root"] != "OAI-PMH":
        raise paging.foreign(page, f"<{found['root'][:100]}> is no OAI-PMH")
    if found["error"] == "noRecordsMatch":
        raise SourceBroken("harvest_empty", address=page.url[:200])
    if found["error"]:  # a token that is no longer known, a prefix that there is not
        raise paging.foreign(page, found["error"])


def _record(entry: Mapping[str, Any], base: str) -> Record | Refused:
    identifier, changed = entry["identifier"], cleaning.moment(entry["stamp"])
    if not identifier:
        return Refused("harvest_bad_identifier", "", {"limit": LONGEST_IDENTIFIER})
    if entry["deleted"]:
        return Record(identifier, deleted=True, modified=changed)
    if "dc" in entry:
        return _of_dublin_core(identifier, entry["dc"], base, changed)
    trees = entry.get("datasets", [])
    if len(trees) != 1:
        reason = entry.get("broken") or f"{len(trees)} datasets in one record"
        return Refused("harvest_record_broken", identifier, {"reason": reason})
    made = dcat.record(trees[0], base)
    if isinstance(made, Refused):
        return Refused(made.code, identifier, made.params)
    return dataclasses.replace(made, identifier=identifier, modified=changed)  # what it is deleted by, later


def _of_dublin_core(
    identifier: str, said: Mapping[str, Values], base: str, changed: datetime | None
) -> Record | Refused:
    links = [a for one in said.get("identifier", []) if (a := cleaning.address(one["text"]))]
    rights, subjects = _texts(said, "rights"), _texts(said, "subject")
    fields = {
        "title": _first(said, "title"),
        "description": _first(said, "description"),
        "keywords": words.keywords(subjects),
        "themes": words.themes(subjects),
        "licence": words.licence(*rights),
        "language": words.languages(_texts(said, "language")),
        "region": words.region(*_texts(said, "coverage")),
        "author": next(iter(_texts(said, "creator") + _texts(said, "publisher")), ""),
    }
    resource = {
        "name": fields["title"],
        "format": words.file_format(*_texts(said, "format")),
        "url": next(iter(links), ""),
    }
    resources = [building.resource(resource, base)] if links else []
    page = next(iter(links), "")
    name = cleaning.short_name(cleaning.name_at(page, base))
    return building.record(identifier, fields, resources, page=page, name=name, modified=changed)


def _texts(said: Mapping[str, Values], name: str) -> list[str]:
    return [one["text"].strip() for one in said.get(name, []) if one["text"].strip()]


def _first(said: Mapping[str, Values], name: str) -> str:
    """In Chinese if it is said so, else the first."""
    values = said.get(name, [])
    chosen = next((one for one in values if one["language"].startswith("zh")), next(iter(values), None))
    return chosen["text"].strip() if chosen else ""
