"""A dataset for search engines: schema.org/Dataset as JSON-LD in the head of its page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opendata.access.policy import is_data_public
from opendata.agencies.models import Agency
from opendata.catalog.codes import codes, vocabulary
from opendata.catalog.views import DatasetView, ResourceView
from opendata.feeds.graph import clean, stamp, web_address
from opendata.feeds.mapping import data_modified, modified
from opendata.feeds.terms import Site
from opendata.inventory.profile.fields import CityField
from opendata.search.documents import Columns

LONGEST_DESCRIPTION = 5000
MOST_COLUMNS = 50
MOST_FILES = 50
"""No more in a page's head than the engines read."""


def schema_org(
    view: DatasetView,
    columns: Columns,
    city: Sequence[CityField],
    language: str = "zh",
    *,
    terms: Sequence[str] = (),
    site_url: str,
) -> dict[str, Any]:
    """The dataset's description, texts in that language where they exist. `columns`: those of the resources with rows
    (`tables.queries.columns_of`); `city`: the city's own fields; `terms`: those of vocabularies. Values are strangers' text: whoever puts it into HTML escapes `<` in the JSON."""
    meta, site = view.meta, Site(site_url.rstrip("/"), "", "")
    name, english = clean(meta.title) or view.dataset.name, clean(meta.title_en)
    description = (meta.description_en if language == "en" else "") or meta.description or name
    licence, publisher = codes().licences.get(meta.licence), _body(view.agency, site, language)
    found = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": site.dataset(view.id),
        "identifier": view.id,
        "name": english if language == "en" and english else name,
        "alternateName": name if language == "en" and english else english,
        "description": clean(description)[:LONGEST_DESCRIPTION],
        "url": site.page(language, view.dataset.name),
        "sameAs": web_address(meta.landing_page) or "",
        "keywords": [clean(word) for word in dict.fromkeys((*meta.keywords, *terms))],
        "inLanguage": list(meta.language),
        "license": ((licence.url or licence.eu_uri) if licence else web_address(meta.licence)) or "",
        "isAccessibleForFree": is_data_public(view),
        "conditionsOfAccess": clean(meta.open_condition),
        **dict.fromkeys(("creator", "publisher"), publisher),
        "datePublished": stamp(view.dataset.first_published_at or modified(view)),
        "dateModified": data_modified(view).value,
        "version": clean(meta.version) or str(view.release.number),
        "temporalCoverage": _period(view),
        "spatialCoverage": _place(view),
        "variableMeasured": _variables(columns, view),
        "additionalProperty": _city_fields(city, view, language),
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": site.catalogue, "url": f"{site.url}/"},
        "distribution": [d for r in view.resources[:MOST_FILES] if (d := _download(view, r, site))],
    }
    return {key: value for key, value in found.items() if value not in ("", [], None)}


def data_catalog(language: str = "zh", *, site: Site) -> dict[str, Any]:
    """The catalogue itself, for the portal's first page. No datasets in it: they are in the site map."""
    names = (site.title, site.title_zh) if language == "en" else (site.title_zh, site.title)
    return {
        "@context": "https://schema.org/",
        "@type": "DataCatalog",
        "@id": site.catalogue,
        "name": names[0],
        "alternateName": names[1],
        "url": f"{site.url}/",
        "inLanguage": ["zh", "en"],
        "isAccessibleForFree": True,
    }


def _body(body: Agency, site: Site, language: str) -> dict[str, Any]:
    name = (body.title_en if language == "en" else "") or body.title or body.name
    found = {"@type": "GovernmentOrganization", "@id": site.agency(body.id), "name": clean(name)}
    if body.uscc:
        found["identifier"] = body.uscc
    return found


def _period(view: DatasetView) -> str:
    start, end = view.meta.temporal_start, view.meta.temporal_end
    if (not start and not end) or (start and end and start > end):
        return ""
    return f"{start.isoformat() if start else '..'}/{end.isoformat() if end else '..'}"


def _place(view: DatasetView) -> dict[str, Any] | None:
    region = view.meta.region or view.agency.region_code
    place: dict[str, Any] = (
        {"name": codes().regions.get(region, region), "identifier": region} if region else {}
    )
    if view.meta.bbox:
        west, south, east, north = view.meta.bbox
        place["geo"] = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
    return {"@type": "Place", **place} if place else None


def _city_fields(city: Sequence[CityField], view: DatasetView, language: str) -> list[dict[str, str]]:
    values = view.meta.city_fields
    return [
        {
            "@type": "PropertyValue",
            "propertyID": field.name,
            "name": field.said(language),
            "value": clean(field.shown(values[field.name], language)),
        }
        for field in city
        if field.name in values
    ]


def _variables(columns: Columns, view: DatasetView) -> list[dict[str, str]]:
    """The columns of the tables, each once."""
    names: dict[str, str] = {}
    for resource in view.resources:
        for column in columns.get(resource.id, []):
            names.setdefault(clean(str(column["name"])), clean(str(column.get("title") or "")))
    return [
        {"@type": "PropertyValue", "name": name} | ({"description": title} if title and title != name else {})
        for name, title in list(names.items())[:MOST_COLUMNS]
    ]


def _download(view: DatasetView, resource: ResourceView, site: Site) -> dict[str, Any] | None:
    """None where nothing can be downloaded without asking."""
    if not is_data_public(view):
        return None
    meta, file, words = resource.meta, resource.file, vocabulary()
    address = site.download(resource.id) if file else web_address(meta.url)
    if address is None:
        return None
    kind = words.media_type(file.media_type if file else meta.media_type, words.file_type(meta.format))
    found: dict[str, Any] = {"@type": "DataDownload", "contentUrl": address, "name": clean(meta.name)}
    found["encodingFormat"] = kind or clean(meta.format)
    if file is not None:
        found |= {"contentSize": f"{file.size} B", "sha256": file.sha256}
    return {key: value for key, value in found.items() if value}
