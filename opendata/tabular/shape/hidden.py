"""Rows, columns and sheets of a workbook that its maker has hidden: they are in the file, so they are read, and said.

The workbook's reader does not tell; XLSX holds it in the attributes of a sheet's XML, which is looked through in pieces.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

CHUNK = 1 << 20
PART_BYTES = 4 << 20
"""The largest list of sheets that is read."""
_HIDDEN = rb'<(row|col)\b([^>]{0,400}?)\shidden="(?:1|true)"([^>]{0,400})>'
_ROW = re.compile(_HIDDEN)
_R = rb'\br="(\d{1,7})"'
_SPAN = re.compile(rb'\b(min|max)="(\d{1,5})"')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, ValueError, KeyError, EOFError, NotImplementedError, ParseError, DefusedXmlException)  # fmt: skip


def notes(path: Path, sheet: str) -> list[Mapping[str, Any]]:
    """`hidden_rows`(rows, first) and `hidden_columns`(columns) of a sheet of an XLSX workbook that `archive.guard` let pass."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = _part(archive, sheet)
            return _look(archive, part) if part else []
    except _BROKEN:
        return []  # what the reader of workbooks makes of it is another matter


def _part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    workbook = fromstring(_read(archive, "xl/workbook.xml"))
    targets = {
        one.get("Id"): one.get("Target", "")
        for one in fromstring(_read(archive, "xl/_rels/workbook.xml.rels"))
    }
    for one in workbook.iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            target = targets.get(one.get(_RELATION), "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return None


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(PART_BYTES)


def _look(archive: zipfile.ZipFile, part: str) -> list[Mapping[str, Any]]:
    rows, first, columns = 0, 0, set[int]()
    rest = b""
    with archive.open(part) as file:
        while chunk := file.read(CHUNK):
            text = rest + chunk
            cut = text.rfind(b"<")
            for match in _ROW.finditer(text, 0, cut) if b'hidden="' in text else ():
                attributes = match[2] + b" " + match[3]
                if match[1] == b"col":
                    columns |= _columns(attributes)
                    continue
                rows += 1
                number = re.search(_R, attributes)
                first = first or (int(number[1]) if number else 0)
            rest = text[cut:][-CHUNK:] if cut >= 0 else b""
    found: list[Mapping[str, Any]] = []
    if rows:
        found.append({"code": "hidden_rows", "rows": rows, "first": first})
    if columns:
        found.append({"code": "hidden_columns", "columns": sorted(columns)})
    return found


def _columns(attributes: bytes) -> set[int]:
    span = {name: int(number) for name, number in _SPAN.findall(attributes)}
    least, most = span.get(b"min", 0), span.get(b"max", 0)
    # What is hidden to the right end of the sheet holds no cells.
    return set(range(least, most + 1)) if 0 < least <= most < 16_384 else set()
