"""A site whose pages say of themselves what they hold: a site map, and in each page a schema.org Dataset as JSON-LD."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.harvest.reading import building, cleaning, paging, words
from opendata.harvest.reading.loose import text, texts, things
from opendata.harvest.record import Asking, Record, Refused, RemoteResource, SourceBroken

SITE_MAP, DATASETS = (f"opendata.harvest.sandboxed.markup:{task}" for task in ("site_map", "datasets"))
MOST_MAPS = 200
_OF_ONE = frozenset({"fetch_status", "fetch_too_large", "harvest_too_heavy", "harvest_unreadable"})
"""What may be wrong with one page alone."""
MOST_IN_A_ROW = 5


class Options(BaseModel):
    """What an administrator may set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")

    pages: str = Field(
        "", max_length=500, description="Only pages whose address holds this text: /zh/dataset/"
    )


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    addresses = [url for url in _addresses(asking) if options.pages in url]
    if not addresses:
        raise SourceBroken("harvest_empty", address=asking.url[:200])
    seen: set[str] = set()
    failed = 0
    for number, url in enumerate(addresses, start=1):
        found = _page(asking, url)
        failed = failed + 1 if isinstance(found, SourceBroken) else 0
        if failed == MOST_IN_A_ROW and isinstance(found, SourceBroken):
            raise found
        if isinstance(found, SourceBroken):
            yield Refused("harvest_detail_failed", url, {"status": found.params.get("status", found.code)})
        else:
            yield from _new(found, url, seen)
        asking.progress(number, len(addresses))
    if not seen:
        raise SourceBroken(
            "harvest_not_a_catalogue", address=asking.url[:200], reason="no page with a Dataset"
        )


def _addresses(asking: Asking) -> list[str]:
    """Every page of the site map, in its order; of an index, of all its parts."""
    waiting, asked, found = [asking.url], set[str](), dict[str, None]()
    while waiting:
        url = waiting.pop(0)
        if url in asked:
            raise SourceBroken("harvest_pages_repeat", address=url[:200])
        asked.add(url)
        page = asking.get(url, accept="application/xml, text/xml")
        paging.refuse_html(page)
        told = asking.parse(SITE_MAP, page.body)
        if told["root"] not in ("urlset", "sitemapindex"):
            raise paging.foreign(page, f"<{told['root']}> is no site map")
        waiting += [place for one in told["maps"] if (place := cleaning.address(one, page.url))]
        found |= {place: None for one in told["pages"] if (place := cleaning.address(one, page.url))}
        if len(asked) + len(waiting) > MOST_MAPS:
            raise paging.foreign(page, f"more than {MOST_MAPS} site maps")
    return list(found)


def _page(asking: Asking, url: str) -> dict[str, Any] | SourceBroken:
    try:
        page = asking.get(url, accept="text/html")
        found: dict[str, Any] = asking.parse(DATASETS, page.body)
        return found
    except SourceBroken as broken:
        if broken.code not in _OF_ONE:
            raise
        return broken


def _new(found: Mapping[str, Any], url: str, seen: set[str]) -> Iterator[Record | Refused]:
    """The page's datasets; one that another page told already (its other language, a list) is the same one."""
    if found["broken"] and not found["datasets"]:
        yield Refused("harvest_record_broken", url, {"reason": "JSON-LD is no JSON"})
    for entry in found["datasets"]:
        made = _record(entry, url)
        if made.identifier not in seen:
            seen.add(made.identifier)
            yield made


def _record(entry: Mapping[str, Any], url: str) -> Record | Refused:
    identifier = text(entry.get("@id")) or _value(entry.get("identifier")) or url
    fields = {
        **_described(entry),
        "keywords": words.keywords(_names(entry.get("keywords"))),
        "themes": words.themes([*_names(entry.get("about")), *_names(entry.get("keywords"))]),
        "licence": words.licence(*_links(entry.get("license"))),
        "openness": "conditional" if entry.get("isAccessibleForFree") is False else "",
        "open_condition": text(entry.get("conditionsOfAccess")),
        "update_cycle": words.update_cycle(text(entry.get("repeatFrequency"))),
        **_coverage(entry),
        "data_updated_on": cleaning.day(text(entry.get("dateModified"))),
        "landing_page": next((a for one in texts(entry.get("sameAs")) if (a := cleaning.address(one))), ""),
        "version": text(entry.get("version")),
        "author": next(iter(_names(entry.get("creator")) + _names(entry.get("publisher"))), ""),
        "extras": _extras(entry),
    }
    page = cleaning.address(text(entry.get("url")), url) or url
    return building.record(
        identifier,
        fields,
        [_resource(one, url) for one in things(entry.get("distribution"))],
        page=page,
        name=cleaning.short_name(cleaning.name_at(identifier), cleaning.name_at(page, url)),
        modified=cleaning.moment(text(entry.get("dateModified"))),
    )


def _described(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": text(entry.get("name")),
        "title_en": next((one for one in texts(entry.get("alternateName")) if one.isascii()), ""),
        "description": text(entry.get("description")),
        "language": words.languages(_names(entry.get("inLanguage"))),
    }


def _coverage(entry: Mapping[str, Any]) -> dict[str, Any]:
    start, _, end = text(entry.get("temporalCoverage")).partition("/")
    places = things(entry.get("spatialCoverage"))
    boxes = (text(geo.get("box")).replace(",", " ").split() for p in places for geo in things(p.get("geo")))
    return {
        "region": words.region(
            *(_value(p.get("identifier")) for p in places), *_names(entry.get("spatialCoverage"))
        ),
        "bbox": next((sides for one in boxes if (sides := _sides(one))), None),
        **cleaning.period("" if start == ".." else start, "" if end == ".." else end),
    }


def _sides(numbers: list[str]) -> list[float] | None:
    """schema.org writes south west north east."""
    try:
        south, west, north, east = map(float, numbers)
    except ValueError:
        return None
    return [west, south, east, north]


def _extras(entry: Mapping[str, Any]) -> dict[str, str]:
    """The fields of its city, as kind `dcat` keeps them."""
    told = (
        (text(one.get("propertyID")), text(one.get("value")))
        for one in things(entry.get("additionalProperty"))
    )
    return {f"city_{name}": cleaning.line(value, 2000) for name, value in told if name and value}


def _resource(entry: Mapping[str, Any], url: str) -> RemoteResource:
    media = text(entry.get("encodingFormat")) or text(entry.get("fileFormat"))
    fields = {
        "name": text(entry.get("name")),
        "description": text(entry.get("description")),
        "format": words.file_format(media),
        "media_type": media if "/" in media and "://" not in media else "",
        "url": text(entry.get("contentUrl")) or text(entry.get("url")),
    }
    return building.resource(
        fields, url, identifier=text(entry.get("@id")), sha256=text(entry.get("sha256")).lower()
    )


def _value(said: Any) -> str:
    """An identifier, or a `PropertyValue` of one."""
    return next((found for one in things(said) if (found := text(one.get("value")))), "") or text(said)


def _names(said: Any) -> list[str]:
    """Texts, and the names of things."""
    values = said if isinstance(said, list) else [said]
    return [
        found for one in values if (found := text(one.get("name")) if isinstance(one, dict) else text(one))
    ]


def _links(said: Any) -> list[str]:
    """Addresses and names of a licence that may be a thing of its own."""
    named = [found for one in things(said) for key in ("url", "@id", "name") if (found := text(one.get(key)))]
    return named or texts(said)
