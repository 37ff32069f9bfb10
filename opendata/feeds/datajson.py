"""`/data.json`: Project Open Data metadata 1.1, one dataset after the other, whatever the size of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from opendata.access.policy import is_data_public
from opendata.catalog.codes import codes, vocabulary
from opendata.catalog.profile import DatasetMeta
from opendata.catalog.views import DatasetView, ResourceView
from opendata.feeds.graph import clean, mail_address, phone_address, stamp, web_address
from opendata.feeds.mapping import data_modified, modified
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site

SCHEMA = "https://project-open-data.cio.gov/v1.1/schema"
CYCLES = {
    "realtime": "R/PT1S",
    "daily": "R/P1D",
    "weekly": "R/P1W",
    "monthly": "R/P1M",
    "quarterly": "R/P3M",
    "half_yearly": "R/P6M",
    "yearly": "R/P1Y",
}
"""ISO 8601; what has no rhythm is `irregular`."""
ACCESS = {"unconditional": "public", "conditional": "restricted public", "closed": "non-public"}


def document(entries: Iterable[Sequence[bytes]], site: Site) -> Iterator[bytes]:
    """The whole in pieces of some datasets."""
    head = {
        "@context": f"{SCHEMA}/catalog.jsonld",
        "@id": f"{site.url}/data.json",
        "@type": "dcat:Catalog",
        "conformsTo": SCHEMA,
        "describedBy": f"{SCHEMA}/catalog.json",
    }
    yield orjson.dumps(head)[:-1] + b',"dataset":['
    first = True
    for some in entries:
        if some:
            body = b",\n".join(some)
            yield body if first else b",\n" + body
            first = False
    yield b"]}\n"


def entry(record: Record, site: Site) -> bytes:
    """One dataset; no line feed in it."""
    return orjson.dumps(dataset(record, site))


def dataset(record: Record, site: Site) -> dict[str, Any]:
    view, meta = record.view, record.view.meta
    title = clean(meta.title) or view.dataset.name
    licence = codes().licences.get(meta.licence)
    themes = [codes().themes[code].title for code in meta.themes if code in codes().themes]
    found = {
        "@type": "dcat:Dataset",
        "identifier": site.dataset(view.id),
        "title": title,
        "description": clean(meta.description) or title,
        "keyword": [clean(word) for word in record.words] or themes or [title],
        "modified": data_modified(view).value,
        "issued": stamp(view.dataset.first_published_at or modified(view)),
        "publisher": {"@type": "org:Organization", "name": view.agency.title or view.agency.name},
        "contactPoint": _contact(view),
        "accessLevel": ACCESS.get(meta.openness.value, "non-public"),
        "rights": clean(meta.open_condition)[:255],
        "license": ((licence.url or licence.eu_uri) if licence else web_address(meta.licence)) or "",
        "accrualPeriodicity": CYCLES.get(meta.update_cycle.value, "irregular"),
        "language": list(meta.language),
        "theme": themes,
        "spatial": _place(meta, view),
        "temporal": _interval(meta),
        "landingPage": site.page("zh", view.dataset.name),
        "distribution": [d for r in view.resources if (d := _distribution(view, r, site))],
    }
    return {name: value for name, value in found.items() if value not in ("", [], None)}


def _contact(view: DatasetView) -> dict[str, str]:
    contact = {"@type": "vcard:Contact", "fn": clean(view.contact.name)}
    email, phone = mail_address(view.contact.email), phone_address(view.contact.phone)
    return contact | ({"hasEmail": email} if email else {}) | ({"hasTelephone": phone} if phone else {})


def _place(meta: DatasetMeta, view: DatasetView) -> str:
    region = meta.region or view.agency.region_code
    return codes().regions.get(region, region)


def _interval(meta: DatasetMeta) -> str:
    """POD knows closed intervals only."""
    start, end = meta.temporal_start, meta.temporal_end
    return f"{start.isoformat()}/{end.isoformat()}" if start and end and start <= end else ""


def _distribution(view: DatasetView, resource: ResourceView, site: Site) -> dict[str, Any] | None:
    meta, words = resource.meta, vocabulary()
    found: dict[str, Any] = {"@type": "dcat:Distribution"}
    kind = words.media_type(
        resource.file.media_type if resource.file else meta.media_type, words.file_type(meta.format)
    )
    if not is_data_public(view):
        found["accessURL"] = site.page("zh", view.dataset.name)
    elif resource.file is not None:
        found["downloadURL"] = site.download(resource.id)
        found["mediaType"] = kind or resource.file.media_type
    elif (link := web_address(meta.url)) is not None:
        found["accessURL"] = link
    else:
        return None
    named = {"title": clean(meta.name), "description": clean(meta.description), "format": clean(meta.format)}
    return found | {name: value for name, value in named.items() if value}
