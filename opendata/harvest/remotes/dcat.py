"""A catalogue in DCAT: Turtle, RDF/XML or JSON-LD, page after page as CKAN and udata give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from opendata.harvest.reading import dcat, paging
from opendata.harvest.record import Asking, Page, Record, Refused

TASK = "opendata.harvest.sandboxed.rdf:datasets"
ACCEPT = "text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.8, */*;q=0.1"
_MEDIA: Mapping[str, str] = {
    "text/turtle": "turtle",
    "application/x-turtle": "turtle",
    "text/n3": "turtle",
    "text/rdf+n3": "turtle",
    "application/n-triples": "turtle",
    "application/rdf+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/ld+json": "json-ld",
    "application/json": "json-ld",
}
_ENDINGS: Mapping[str, str] = {
    "ttl": "turtle",
    "n3": "turtle",
    "nt": "turtle",
    "rdf": "xml",
    "xml": "xml",
    "jsonld": "json-ld",
    "json": "json-ld",
}


class Options(BaseModel):
    """What an administrator may set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")

    syntax: Literal["", "turtle", "xml", "json-ld"] = Field(
        "", description="If neither the answer nor the address says it"
    )


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    walk = paging.Walk(asking)
    url: str | None = asking.url
    while url is not None:
        page = asking.get(url, accept=ACCEPT)
        found = _read(asking, page, options)
        records = [dcat.record(tree, page.url) for tree in found["datasets"]]
        walk.page(url, [one.identifier for one in records], found["total"])
        yield from records
        url = walk.follow(page.url, found["next"] or paging.linked(page))
    walk.end()


def _read(asking: Asking, page: Page, options: Options) -> dict[str, Any]:
    syntax = (
        options.syntax
        or _MEDIA.get(page.media_type)
        or _ENDINGS.get(urlsplit(page.url).path.rpartition(".")[2])
    )
    paging.refuse_html(page)
    if syntax is None:
        raise paging.foreign(page, f"{page.media_type}: no RDF")
    found: dict[str, Any] = asking.parse(TASK, page.body, syntax=syntax, base=page.url)
    if not found["catalogue"] and not found["datasets"]:
        raise paging.foreign(page, "no dcat:Catalog")
    return found
