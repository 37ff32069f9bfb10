"""Formulas of an XLSX sheet whose result was never stored: every reader sees an empty cell where people see a number.

Programs that write workbooks without an office program behind them leave them so. The sheet's XML is scanned in pieces;
only here, as the reader of cells (sheets.py) tells nothing of formulas.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

LISTED = 1000
"""So many are told; the rest is counted."""
_PIECE = 1 << 20
_LONGEST = 64 << 10
"""Bytes that one cell may span over the border of two pieces: more than the longest formula."""
_CELL = re.compile(
    rb"<c\b(?P<attributes>[^<>]*)><f\b(?:[^<>]*/>|[^<>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>"
)
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Place(NamedTuple):
    """A cell as the office program calls it."""

    column: int
    """From 1."""
    row: int
    """From 1."""
    name: str
    """Such as C7."""


class Unknown(NamedTuple):
    total: int
    places: list[Place]
    """The first `LISTED`."""


def without_value(path: Path, sheet: str) -> Unknown:
    """The sheet's cells with a formula and no stored result. A formula whose result is an empty text has one. Nothing for
    a workbook that is laid out in another way than the standard's: it is the reader of cells that refuses it."""
    found = Unknown(0, [])
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, sheet)) as file:
            total, rest = 0, b""
            while piece := file.read(_PIECE):
                text, done = rest + piece, 0
                for match in _CELL.finditer(text) if b"<f" in text else ():
                    done = match.end()
                    place = _PLACE.search(match["attributes"])
                    if place is None or b't="str"' in match["attributes"]:
                        continue
                    total += 1
                    if len(found.places) < LISTED:
                        found.places.append(_place(place))
                rest = text[max(done, len(text) - _LONGEST) :]
    except (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, OSError, ValueError, EOFError):
        return Unknown(0, [])
    return found._replace(total=total)


def _member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member that holds the sheet. `KeyError` if none does."""
    relations = _xml(archive, "xl/_rels/workbook.xml.rels")
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    book = _xml(archive, "xl/workbook.xml")
    for element in book.iter():
        if element.tag.endswith("}sheet") and element.get("name") == sheet:
            return posixpath.normpath(posixpath.join("/xl", targets[element.get(_RELATION)])).lstrip("/")
    raise KeyError(sheet)


def _xml(archive: zipfile.ZipFile, member: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(member))  # noqa: S314 - archive.guard let no document type pass


def _place(match: re.Match[bytes]) -> Place:
    letters, row = match[1].decode(), match[2].decode()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return Place(column, int(row), letters + row)
