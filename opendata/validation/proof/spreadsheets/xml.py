"""The XML of worksheets and of shared texts, as far as it has the strict form in which nearly all programs write it.

All of them raise `NotPlain` in front of any other form: only openpyxl itself says what that means."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Sequence
from functools import cached_property, partial
from typing import Any, overload
from xml.etree import ElementTree

import polars as pl
from openpyxl.reader.strings import read_string_table
from polars.exceptions import PolarsError

from opendata.tabular.plain.text import NotPlain

BLOCK = 4 << 20
_LONGEST_ROW = 16 << 20
_TEXT = r"[^<>\x00-\x08\x0b-\x1f]*"
_ROW = r'<row r="([1-9][0-9]{0,6})"(?: (?:x14ac:)?[A-Za-z]+="[^"<>&]*")*>'
_CELL = (
    r'^r="([A-Z]{1,3})([1-9][0-9]{0,6})"(?: s="([0-9]{1,6})")?(?: t="([a-zA-Z]{1,9})")?'
    rf"(?:/>|>(?:<f>{_TEXT}</f>|<f[^<>]*/>)?(?:<v>({_TEXT})</v>|<v/>"
    rf'|<is><t(?: xml:space="preserve")?>({_TEXT})</t></is>)?</c>)'
)
_INNER = rf"{_CELL}(?:(</row>)\s*{_ROW})?$"
_LAST = rf"{_CELL}(</row>)()$"
_FIRST = rf"^\s*{_ROW}$"
_REFERENCE = r"&(?:amp|lt|gt|quot|apos|#(?:9|10|3[2-9]|[4-9][0-9]|[1-9][0-9]{2,3}|[1-4][0-9]{4}|5[0-4][0-9]{3}|5[89][0-9]{3}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|[1-9][0-9]{5}));"
_SHARED = rf'^<t(?: xml:space="preserve")?>({_TEXT})</t></si>$'
_MOST = 256 << 20


def head(file: Any) -> bytes:
    """What stands above the rows, and the beginning of what is around them."""
    text = b""
    while b"<sheetData>" not in text:
        block = file.read(1 << 14)
        if not block or len(text) > BLOCK:
            raise NotPlain
        text += block
    start = text.index(b"<sheetData>") + len(b"<sheetData>")
    declared = text[: text.find(b"?>")].lower() if text.startswith(b"<?xml") else b""
    is_utf8 = b"encoding" not in declared or b"utf-8" in declared
    if not text.startswith(b"<") or b"<!" in text[:start] or not is_utf8:
        raise NotPlain
    file.rest, file.knows_x14ac = text[start:], b" xmlns:x14ac=" in text[:start]
    return text[:start]


def rows(file: Any, *, is_sound: bool = False) -> Generator[str, None, bytes]:
    """The XML of whole rows, some MB at a time, of a file whose `head` was read; answers what stands below them. What
    `is_sound` is not looked at again."""
    made = bytes.decode if is_sound else partial(_decoded, file=file)
    text = file.rest
    while b"</sheetData>" not in text:
        end = text.rfind(b"</row>") + len(b"</row>")
        if end >= len(b"</row>"):
            yield made(text[:end])
            text = text[end:]
        block = file.read(BLOCK)
        if not block or len(text) > _LONGEST_ROW:
            raise NotPlain
        text += block
    end = text.index(b"</sheetData>")
    if text[:end].strip():
        yield made(text[:end].rstrip())
    return bytes(text[end:] + file.read())


def cells(text: str) -> tuple[int, pl.DataFrame]:
    """The number of the first row, and all cells of some rows: `letters row style kind value text end next`."""
    try:
        pieces = pl.Series([text]).str.split("<c ").explode()
        found = [
            part.str.extract_groups(form).struct.unnest()
            for part, form in (
                (pieces.slice(1, max(0, pieces.len() - 2)), _INNER),
                (pieces.slice(1).tail(1), _LAST),
            )
        ]
        first = pl.Series([pieces[0]]).str.extract(_FIRST)[0]
    except PolarsError:
        raise NotPlain from None
    joined = pl.concat(found)
    joined.columns = ["letters", "row", "style", "kind", "value", "text", "end", "next"]
    if first is None or not joined.height or joined["letters"].has_nulls():
        raise NotPlain
    return int(first), joined


def is_sound(above: bytes, file: Any) -> bool:
    """Whether all of a sheet is well-formed, of which the `head` was read."""
    reading = rows(file)
    while True:
        try:
            text = next(reading)
        except StopIteration as ended:
            return _is_well_formed(above + ended.value)
        pieces = pl.Series([text]).str.split("<c ").explode()
        inner, last = pieces.slice(1, max(0, pieces.len() - 2)), pieces.slice(1).tail(1)
        first = pieces.head(1).str.contains(_FIRST)
        if not (
            first.all() and last.len() and inner.str.contains(_INNER).all() and last.str.contains(_LAST).all()
        ):
            return False


def _is_well_formed(document: bytes) -> bool:
    try:
        ElementTree.fromstring(document)  # noqa: S314 - without the rows, and without a document type
    except ElementTree.ParseError:
        return False
    return True


def _decoded(data: bytes, file: Any = None) -> str:
    if b"<!" in data or b"<?" in data or b"\r" in data:
        raise NotPlain
    if b" x14ac:" in data and file is not None and not file.knows_x14ac:
        raise NotPlain
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise NotPlain from None
    if b"&" in data and pl.Series([text]).str.count_matches(_REFERENCE)[0] != data.count(b"&"):
        raise NotPlain
    return text


class Strings(Sequence[str]):
    """The shared texts of a workbook, asked for by number as openpyxl asks its list of them."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self._plain = self._read()
        """As they are written in XML; null for what is written in runs, or in another way."""

    def __len__(self) -> int:
        return self._plain.len()

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, int) and not -len(self) <= place < len(self):
            raise IndexError("list index out of range")  # as a list says it
        known = self._plain[place] if isinstance(place, int) else None
        if known is None:
            return self._every[place]
        return str(unescaped(pl.Series([known]))[0]) if "&" in known else str(known)

    def texts(self, numbers: pl.Series) -> pl.Series:
        """As they are written in XML; null for what is not known so."""
        return self._plain.gather(numbers.set(numbers >= self._plain.len(), None))

    def _read(self) -> pl.Series:
        if self._archive.getinfo(self._name).file_size > _MOST:
            raise NotPlain
        data = self._archive.read(self._name)
        start, end = data.find(b"<si>"), data.rfind(b"</sst>")
        if b"<si/>" in data or b"<si " in data or start < 0 or b"<!" in data[:start]:
            raise NotPlain
        if not _is_well_formed(data[:start] + data[end:]):
            raise NotPlain
        items = pl.Series([_decoded(data[start:end].rstrip())]).str.split("<si>").explode().slice(1)
        plain = items.str.extract(_SHARED)
        if plain.has_nulls():
            raise NotPlain
        return plain.set(plain.str.contains("x005F_", literal=True), None)  # which openpyxl takes out of them

    @cached_property
    def _every(self) -> list[str]:
        with self._archive.open(self._name) as file:
            return list(read_string_table(file))


def unescaped(texts: pl.Series) -> pl.Series:
    """What the XML's character data means: asked once of each text with a reference in it."""
    escaped = texts.filter(texts.str.contains("&", literal=True)).unique().drop_nulls()
    if not escaped.len():
        return texts
    try:
        meant = [ElementTree.fromstring(f"<t>{text}</t>").text or "" for text in escaped]  # noqa: S314 - no markup in it
    except ElementTree.ParseError:
        raise NotPlain from None
    return texts.replace_strict(
        escaped, pl.Series(meant, dtype=pl.String), default=texts, return_dtype=pl.String
    )
