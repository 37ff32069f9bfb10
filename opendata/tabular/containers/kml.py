"""KML: each placemark is a row, its extended data are columns, a point has longitude and latitude."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from opendata.ports.sandbox.port import TaskError

BYTES = 128 << 20
_KINDS = {"Point": "Point", "LineString": "LineString", "LinearRing": "LineString"}


def features(path: Path) -> Iterator[Mapping[str, Any]]:
    """As those of a GeoJSON: `{properties, geometry}`. Errors: TaskError `kml_broken`(line), `kml_too_large`(limit)."""
    if path.stat().st_size > BYTES:
        raise TaskError("kml_too_large", limit=BYTES)
    try:
        for _event, element in iterparse(path, events=("end",)):
            if _name(element) == "Placemark":
                yield {"properties": _properties(element), "geometry": _geometry(element)}
                element.clear()
    except ParseError as error:
        raise TaskError("kml_broken", line=error.position[0]) from None
    except (DefusedXmlException, ValueError, LookupError):
        raise TaskError("kml_broken", line=1) from None


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _properties(placemark: Element) -> dict[str, str]:
    found = {
        name: (child.text or "").strip()
        for child in placemark
        if (name := _name(child)) in ("name", "description", "address")
    }
    for element in placemark.iter():
        key = element.get("name", "")
        if key and _name(element) == "SimpleData":
            found[key] = (element.text or "").strip()
        elif key and _name(element) == "Data":
            found[key] = next((c.text or "" for c in element if _name(c) == "value"), "").strip()
    return found


def _geometry(placemark: Element) -> dict[str, Any] | None:
    """The first; of several all, as a collection."""
    found: list[dict[str, Any]] = []
    rings: set[Element] = set()
    for element in placemark.iter():
        kind = _name(element)
        if kind == "Polygon":
            inside = [ring for ring in element.iter() if _name(ring) == "LinearRing"]
            rings.update(inside)
            found.append({"type": "Polygon", "coordinates": [_places(ring) for ring in inside]})
        elif kind in _KINDS and element not in rings:
            places = _places(element)
            if places:
                found.append({"type": _KINDS[kind], "coordinates": places[0] if kind == "Point" else places})
    if len(found) > 1:
        return {"type": "GeometryCollection", "geometries": found}
    return found[0] if found else None


def _places(element: Element) -> list[list[float]]:
    text = next((e.text or "" for e in element.iter() if _name(e) == "coordinates"), "")
    return [[float(part) for part in place.split(",")[:3] if part] for place in text.split()]
