"""A `data.json` (Project Open Data 1.1, as DKAN, Socrata and ArcGIS Hub give it): one file with every dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from opendata.harvest.reading import building, cleaning, paging, words
from opendata.harvest.reading.jsonstream import Document, NotJson
from opendata.harvest.reading.loose import text, texts, things
from opendata.harvest.record import Asking, Page, Record, Refused, RemoteResource, SourceBroken

EVERY = 100
"""Records between two looks at whether the run is still wanted."""


class Options(BaseModel):
    """Nothing is set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")


def gather(asking: Asking) -> Iterator[Record | Refused]:
    page = asking.get(asking.url, accept="application/json")
    paging.refuse_html(page)
    seen = 0
    for seen, entry in enumerate(_entries(page), start=1):
        if seen % EVERY == 0:
            asking.progress(seen)
        yield _record(entry, page.url)
    asking.progress(seen, seen)
    if not seen:
        raise SourceBroken("harvest_empty", address=page.url[:200])


def _entries(page: Page) -> Iterator[Any]:
    try:
        document = Document(page.body, "dataset")
        yield from document.entries()
    except NotJson:
        raise SourceBroken("harvest_unreadable", place="JSON") from None
    if not document.found:
        raise paging.foreign(page, 'no list "dataset"')


def _record(entry: Any, base: str) -> Record | Refused:
    if not isinstance(entry, dict):
        return Refused("harvest_record_broken", "", {"reason": "no object"})
    identifier = text(entry.get("identifier")) or text(entry.get("@id"))
    page = cleaning.address(text(entry.get("landingPage")), base)
    return building.record(
        identifier,
        _fields(entry),
        [_resource(one, base) for one in things(entry.get("distribution"))],
        page=page,
        name=cleaning.short_name(cleaning.name_at(page, base), cleaning.name_at(identifier)),
        modified=cleaning.moment(text(entry.get("modified"))),
    )


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    contact = next(iter(things(entry.get("contactPoint"))), {})
    publisher = next(iter(things(entry.get("publisher"))), {})
    start, _, end = text(entry.get("temporal")).partition("/")
    place = text(entry.get("spatial"))
    return {
        "title": text(entry.get("title")),
        "description": text(entry.get("description")),
        "keywords": words.keywords(texts(entry.get("keyword"))),
        "themes": words.themes(texts(entry.get("theme"))),
        "licence": words.licence(text(entry.get("license"))),
        "openness": words.openness(text(entry.get("accessLevel"))),
        "open_condition": text(entry.get("rights")),
        "update_cycle": words.update_cycle(text(entry.get("accrualPeriodicity"))),
        "language": words.languages(texts(entry.get("language"))),
        "region": words.region(place),
        "bbox": _box(place),
        **cleaning.period(start, end),
        "data_updated_on": cleaning.day(text(entry.get("modified"))),
        "contact_name": text(contact.get("fn")),
        "contact_email": cleaning.email(text(contact.get("hasEmail"))),
        "contact_phone": cleaning.phone(text(contact.get("hasTelephone"))),
        "author": text(publisher.get("name")) or text(entry.get("publisher")),
        "landing_page": next((a for t in texts(entry.get("references")) if (a := cleaning.address(t))), ""),
    }


def _box(place: str) -> list[float] | None:
    """Four numbers with commas between them, as the standard asks for, or GeoJSON as many write."""
    parts = place.split(",")
    try:
        sides = [float(part) for part in parts] if len(parts) == 4 else []
    except ValueError:
        sides = []
    return sides or cleaning.box(place)


def _resource(entry: Mapping[str, Any], base: str) -> RemoteResource:
    media = text(entry.get("mediaType"))
    fields = {
        "name": text(entry.get("title")),
        "description": text(entry.get("description")),
        "format": words.file_format(text(entry.get("format")), media),
        "media_type": media,
        "url": text(entry.get("downloadURL")) or text(entry.get("accessURL")),
    }
    return building.resource(fields, base, identifier=text(entry.get("identifier")) or text(entry.get("@id")))
