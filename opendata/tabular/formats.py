"""What a file is, by its content first and its name second."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from opendata.tabular import archive
from opendata.tabular.encoding import utf16_without_mark

FORMATS = ("csv", "tsv", "xlsx", "xls", "ods", "json", "ndjson", "parquet", "geojson", "kml", "gpkg", "shp")
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"\x00\x00\x27\x0a", "shp"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"SQLite format 3\0", "sqlite"),
    (b"MZ", "exe"),
    (b"\x7fELF", "exe"),
    (b"{\\rtf", "rtf"),
)
_TEXT_NAMES = {"csv": "csv", "tsv": "tsv", "tab": "tsv", "txt": "csv", "": "csv", "dat": "csv"}
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def guess_format(name: str, head: bytes, path: Path | None = None) -> str | None:
    """One of FORMATS, or None for what is no table. `head`: the first HEAD bytes; `path` lets archives be opened."""
    found = content(name, head, path)
    return found if found in FORMATS else None


def content(name: str, head: bytes, path: Path | None = None) -> str:
    """Like guess_format, but with a word for what is no table (`zip`, `pdf`, `html`, `text`, `binary`, `empty`, ...)."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            if kind == "sqlite" and (head[68:72] == b"GPKG" or extension(name) == "gpkg"):
                return "gpkg"
            return _inside(path, extension(name)) if kind == "zip" else kind
    if not head:
        return "empty"
    if b"\0" in head and not head.startswith(_BOMS) and utf16_without_mark(head) is None:
        return "binary"
    return _text(extension(name), head)


def extension(name: str) -> str:
    return PurePath(name).suffix.lower().lstrip(".")


def _inside(path: Path | None, ending: str) -> str:
    if path is None:
        return ending if ending in ("xlsx", "ods") else "zip"
    members = set(archive.names(path))
    if "xl/workbook.xml" in members or "xl/workbook.bin" in members:
        return "xlsx"
    if {"mimetype", "content.xml"} <= members and "word/document.xml" not in members:
        return "ods"
    return "zip"


def _text(ending: str, head: bytes) -> str:
    text = _readable(head).lstrip("\ufeff \t\r\n")
    if text.startswith(("{", "[")) and ending not in ("csv", "tsv", "tab"):
        return _json(ending, text)
    if re.match(r"<(\?xml|kml)", text) and re.search(r"<(\w+:)?kml[\s>]", text[:2000]):
        return "kml"
    if re.match(r"<(!doctype|html|table|\?xml|\w+[\s>])", text[:200], re.IGNORECASE):
        return "html" if re.search("<(!doctype html|html|table)", text[:2000], re.IGNORECASE) else "xml"
    # Many portals serve text as .xls: what is inside decides, if it looks like a table. A broken workbook does not.
    if ending in ("xls", "xlsx"):
        return "csv" if re.search("[\t,;|，]", text.partition("\n")[0]) else "text"
    return _TEXT_NAMES.get(ending, "text")


def _readable(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "replace")
    return head.decode(utf16_without_mark(head) or "utf-8", "replace")


def _json(ending: str, text: str) -> str:
    if ending in ("ndjson", "jsonl"):
        return "ndjson"
    if ending == "geojson" or re.search(r'"type"\s*:\s*"FeatureCollection"', text):
        return "geojson"
    first, _, rest = text.partition("\n")
    if first.rstrip().endswith("}") and rest.lstrip().startswith("{"):
        return "ndjson"
    return "json"
