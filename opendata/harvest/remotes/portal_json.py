"""A city's platform that answers in JSON of its own: a list, page by page, with details and files a record where it has them.
How it is asked and what its fields mean is a mapping (`reading/portals.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from opendata.harvest.reading import paging, portal_records, portals
from opendata.harvest.reading.loose import things
from opendata.harvest.reading.portals import Portal, Request
from opendata.harvest.record import Asking, Page, Record, Refused, SourceBroken

MOST_IN_A_ROW = 5
"""Details that cannot be had one after the other: then it is the platform that is down, not a record."""
_OF_ONE = frozenset({"fetch_status", "harvest_unreadable", "harvest_not_a_catalogue", "harvest_empty"})
"""What may be wrong with one record's answer alone."""


class Options(BaseModel):
    """What an administrator sets for a source of this kind: one of the two."""

    model_config = ConfigDict(extra="forbid")

    portal: str = Field("", max_length=50, description="Name of a mapping in catalog_schemas/harvest/portals")
    mapping: Portal | None = Field(None, description="A mapping of the source's own, in the same shape")

    @model_validator(mode="after")
    def _one_of_both(self) -> Options:
        if (self.mapping is None) == (self.portal not in portals.names()):
            raise PydanticCustomError(
                "portal_unknown", "name a mapping of catalog_schemas/harvest/portals, or give one"
            )
        return self

    def read(self) -> Portal:
        found = self.mapping or portals.named(self.portal)
        if found is None:  # was deleted since the source was set up
            raise SourceBroken("harvest_no_mapping", name=self.portal)
        return found


def gather(asking: Asking) -> Iterator[Record | Refused]:
    portal = Options.model_validate(asking.options).read()
    walk = paging.Walk(asking)
    failed = 0
    for page, entries in _pages(asking, portal, walk):
        for entry in entries:
            found = _whole(asking, portal, entry)
            failed = failed + 1 if isinstance(found, SourceBroken) else 0
            if isinstance(found, dict):
                yield portal_records.record(portal, found, page.url)
            elif failed == MOST_IN_A_ROW:
                raise found
            else:
                name = portals.first(entry, portal.identifier)
                yield Refused(
                    "harvest_detail_failed", name[:100], {"status": found.params.get("status", found.code)}
                )
    walk.end()


def _pages(asking: Asking, portal: Portal, walk: paging.Walk) -> Iterator[tuple[Page, list[dict[str, Any]]]]:
    request, number, seen = portal.list, portal.list.first_page, 0
    while True:
        place = {"page": number, "size": request.size, "start": (number - request.first_page) * request.size}
        page = _asked(asking, portal, request, place)
        answer = _read(page)
        entries = things(portals.at(answer, request.records))
        told = portals.first(answer, request.total)
        total = int(told) if told.isdigit() else None
        if not entries and not seen and total != 0:
            raise paging.foreign(page, f"no records at {request.records}")
        if entries:
            names = [portals.first(entry, portal.identifier) for entry in entries]
            walk.page(f"{page.url}#{number}", names, total)
            yield page, entries
        seen += len(entries)
        if not entries or (seen >= total if total is not None else len(entries) < request.size):
            return
        number += 1


def _whole(asking: Asking, portal: Portal, entry: dict[str, Any]) -> dict[str, Any] | SourceBroken:
    """The record with its details and files; what its server said where they are not to be had."""
    found = dict(entry)
    for request in filter(None, (portal.detail, portal.files)):
        try:
            inside = portals.at(_read(_asked(asking, portal, request, entry)), request.record)
        except SourceBroken as broken:
            if broken.code not in _OF_ONE:
                raise
            return broken
        if request is portal.files:
            found["files"] = inside
        else:
            found |= {name: value for part in things(inside) for name, value in part.items()}
    return found


def _asked(asking: Asking, portal: Portal, request: Request, known: Mapping[str, Any]) -> Page:
    asked = portal.asked(request, asking.url, known, asking.secret)
    return asking.get(asked.url, accept="application/json", headers=asked.headers, body=asked.body)


def _read(page: Page) -> Any:
    paging.refuse_html(page)
    try:
        return json.loads(page.body)
    except (ValueError, RecursionError):
        raise SourceBroken("harvest_unreadable", place="JSON") from None
