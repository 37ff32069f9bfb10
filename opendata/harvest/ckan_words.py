"""How CKAN's package and resource dictionaries name fields of ours (china.md 2.4), and how extras carry the rest. The facade
that speaks CKAN and the harvest of a CKAN share these."""

from __future__ import annotations

from typing import Any

import orjson

from opendata.catalog.profile import DatasetMeta

DATASET_TEXTS = {
    "title": "title",
    "notes": "description",
    "license_id": "licence",
    "url": "landing_page",
    "version": "version",
    "author": "author",
    "author_email": "author_email",
    "maintainer": "maintainer",
    "maintainer_email": "maintainer_email",
    "type": "kind",
}
RESOURCE_TEXTS = {
    "name": "name",
    "description": "description",
    "format": "format",
    "mimetype": "media_type",
    "url": "url",
}
FIELD_EXTRAS = {
    "title_en": "title_en",
    "notes_en": "description_en",
    "frequency": "update_cycle",
    "access_rights": "openness",
    "open_condition": "open_condition",
    "priority_domain": "domain",
    "region_code": "region",
    "temporal_start": "temporal_start",
    "temporal_end": "temporal_end",
    "modified": "data_updated_on",
    "contact_name": "contact_name",
    "contact_phone": "contact_phone",
    "contact_email": "contact_email",
}
"""CKAN extras that carry fields of ours, both ways. Defaults are not written out."""
LIST_EXTRAS = {
    "themes": "themes",
    "language": "language",
    "related_resource": "related_codes",
    "disclosures": "disclosures",
}
"""Extras that hold several values, with commas between them."""
BOX_EXTRA = "spatial"
"""A rectangle as a GeoJSON polygon in text, as ckanext-spatial has it."""


def polygon(bbox: list[float]) -> dict[str, Any]:
    west, south, east, north = bbox
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [corners]}


def box(text: str) -> list[float] | None:
    """The sides of a GeoJSON polygon that is a rectangle as we write it."""
    try:
        shape = orjson.loads(text)
        corners = shape["coordinates"][0]
        sides = [float(side) for side in (*corners[0], *corners[2])]
        DatasetMeta(bbox=sides)
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return sides if shape == polygon(sides) else None
