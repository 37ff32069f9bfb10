"""Shapefile: each shape is a row, its attributes are columns. Its parts lie beside the `.shp`, under one name."""

from __future__ import annotations

import codecs
import json
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import shapefile

from opendata.core.checks import python_encoding
from opendata.ports.sandbox.port import TaskError
from opendata.tabular.sheets import cell_text

PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
NEEDED = (".shx", ".dbf")
"""Besides the shapes themselves. Shapes are read one after the other and the index is not asked, but a set without it is
half of one, which other programs refuse."""
FALLBACK = ("utf-8", "gb18030")
"""Where no `.cpg` says it, or says it wrongly: the first that fits every text."""
_BYTES = "cp437"
"""Every byte is a sign of it, and none that ends a Chinese sign is a blank to be stripped."""
_DEGREES = re.compile(r'GEOG(?:CS|CRS)\["([^"]*)"')
_KNOWN = re.compile(
    r"WGS[_ ]?(?:19)?84|CGCS[_ ]?2000|China[_ ]Geodetic[_ ]Coordinate[_ ]System[_ ]2000", re.IGNORECASE
)
_NAME = re.compile(r'\w+\["([^"]{1,100})"')
_PAGES = {
    "65001": "utf-8",
    "936": "gb18030",
    "54936": "gb18030",
    "950": "big5",
    "932": "cp932",
    "88591": "iso-8859-1",
}
_ERRORS = (
    shapefile.ShapefileException, struct.error, ValueError, IndexError, KeyError, TypeError, OSError, EOFError, OverflowError,
    AssertionError, MemoryError, RecursionError,
)  # fmt: skip
"""What the library meets odd bytes with."""


def check_parts(path: Path) -> None:
    """TaskError `shapefile_part_missing`(parts)."""
    missing = [part for part in NEEDED if not path.with_suffix(part).exists()]
    if missing:
        raise TaskError("shapefile_part_missing", parts=", ".join(missing))


def encoding(path: Path, chosen: str | None = None) -> tuple[str, dict[str, Any] | None]:
    """(codec, a note if the `.cpg` says another one). `chosen` by the publisher holds in any case.
    Errors: TaskError `encoding_unsupported`(encoding), `shapefile_text_unknown`, `shapefile_broken`, `shapefile_part_missing`(parts)."""
    if chosen:
        codec = _codec(chosen)
        if codec is None:
            raise TaskError("encoding_unsupported", encoding=chosen[:40])
        return codec, None
    said = _text(path.with_suffix(".cpg")).strip()
    declared = _codec(said) if said else None
    candidates = list(dict.fromkeys([*([declared] if declared else []), *FALLBACK]))
    for texts in _texts(path):
        candidates = [name for name in candidates if all(_fits(name, text) for text in texts)]
    if not candidates:
        raise TaskError("shapefile_text_unknown")
    note = {"code": "cpg_differs", "said": said[:40], "read": candidates[0]}
    return candidates[0], note if said and declared != candidates[0] else None


def system_note(path: Path) -> dict[str, Any] | None:
    """What a reader should know of its coordinates where they are not longitude and latitude."""
    if _in_degrees(path):
        return None
    named = _NAME.match(_text(path.with_suffix(".prj")).strip())
    return {"code": "other_projection", "name": named[1]} if named else {"code": "projection_missing"}


def rows(path: Path, encoding: str) -> Iterator[list[str]]:
    """The header, then a row a shape: its attributes, then of points the coordinates, `lon` and `lat` (`x` and `y` in other
    reference systems), then the geometry as GeoJSON. Deleted ones are none. Errors: `shapefile_broken`, `shapefile_part_missing`."""
    check_parts(path)
    try:
        with path.open("rb") as shp, path.with_suffix(".dbf").open("rb") as dbf:
            source = shapefile.Reader(shp=shp, dbf=dbf, encoding=_BYTES)
            names = [_decoded(field.name, encoding) for field in source.fields[1:]]
            yield [*names, *(("lon", "lat") if _in_degrees(path) else ("x", "y")), "geometry"]
            records = source.dbf_reader.iterRecords(deleted_as_None=True)
            for shape, record in zip(source.iterShapes(), records, strict=True):
                if record is not None:
                    yield [*(_cell(value, encoding) for value in record), *_places(shape)]
    except _ERRORS:
        raise TaskError("shapefile_broken") from None


def _places(shape: Any) -> tuple[str, str, str]:
    """Longitude and latitude of a point, and the shape as GeoJSON; all blank for a shape without places."""
    if shape is None or shape.shapeType == shapefile.NULL or not shape.points:
        return "", "", ""
    told = shape.__geo_interface__
    point = told["coordinates"][:2] if told["type"] == "Point" else ("", "")
    return cell_text(point[0]), cell_text(point[1]), json.dumps(told, separators=(",", ":"))


def _texts(path: Path) -> Iterator[Sequence[bytes]]:
    """The bytes of the texts of each record, the names of the columns first."""
    check_parts(path)
    try:
        with path.with_suffix(".dbf").open("rb") as dbf:
            source = shapefile.Reader(dbf=dbf, encoding=_BYTES)
            yield [field.name.encode(_BYTES) for field in source.fields[1:]]
            for record in source.dbf_reader.iterRecords():
                yield [value.encode(_BYTES) for value in record or () if isinstance(value, str)]
    except _ERRORS:
        raise TaskError("shapefile_broken") from None


def _fits(name: str, text: bytes) -> bool:
    """A text may be cut within its last sign: columns have a width in bytes."""
    try:
        codecs.getincrementaldecoder(name)().decode(text, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _cell(value: Any, encoding: str) -> str:
    return _decoded(value, encoding) if isinstance(value, str) else cell_text(value)


def _decoded(text: str, encoding: str) -> str:
    """A sign that the width of its column cuts shows as a mark of damage: nothing is left out in silence."""
    return text.encode(_BYTES).decode(encoding, "replace")


def _codec(said: str) -> str | None:
    """`UTF-8`, `936`, `OEM 936`, `ANSI 1252`, `ISO 8859-1`."""
    word = said.strip().lower().replace(" ", "-")
    number = re.sub(r"^(oem|ansi|cp|windows|ms)-?", "", word)
    page = _PAGES.get(number, f"windows-{number}" if number.isdecimal() else word)
    return python_encoding(word) or python_encoding(page)


def _in_degrees(path: Path) -> bool:
    named = _DEGREES.match(_text(path.with_suffix(".prj")).strip())
    return named is not None and _KNOWN.search(named[1]) is not None


def _text(path: Path) -> str:
    """A small part as text; empty if it is not there."""
    try:
        with path.open("rb") as file:
            return file.read(64 << 10).decode("utf-8", "replace").lstrip("\ufeff")
    except OSError:
        return ""
