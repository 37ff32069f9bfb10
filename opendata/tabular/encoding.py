"""Which encoding a text file is in: BOM, then UTF-16 without one, then strict UTF-8, then strict GB18030, each on the *whole* file, else refusal.

Detectors that look at a prefix cut characters in half and guess; order and strictness are right on all sound files
(standards/china.md 6.4). GB18030 decodes much garbage, so most of what it yields must also be everyday characters.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from opendata.core.checks import python_encoding
from opendata.ports.sandbox.port import TaskError
from opendata.tabular.plain.blocks import is_utf8

CHUNK = 4 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# GB2312 and GBK are the same bytes with fewer characters: read them with the largest of the family.
_FOREIGN = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")
_ODD = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
_SEPARATOR = re.compile("[\n,;\t|]")
HEAD = 64 << 10
"""Bytes that are enough to guess."""
UTF16_SHARE = 0.8
"""Of all characters, how many must be in ASCII or GB 2312."""
EVERYDAY_SHARE = 0.7
"""Of the characters beyond ASCII, how many must be in GB 2312 (6,763 Han characters and the usual punctuation)."""


def utf16_without_mark(head: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` if that is what the first bytes of a file are, without a mark that says so: everyday
    characters and no other, with at least one end of line or separator among them. Read the other way round, the same
    bytes are characters that nobody uses."""
    if b"\0" not in head:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
        beyond, common = _count(text)
        everyday = len(text) - beyond + common
        if _SEPARATOR.search(text) and not _ODD.search(text) and everyday >= UTF16_SHARE * len(text):
            return encoding
    return None


def detect(path: Path, named: str | None = None) -> str:
    """The Python name of the encoding. `named` (by the publisher) is tried alone.

    Errors: TaskError `encoding_unsupported`(encoding), `encoding_wrong`(encoding, byte), `encoding_unknown`(byte): the
    first byte that the best candidate could not read, counted from 0."""
    if named is not None:
        return _as_named(path, named)
    with path.open("rb") as file:
        head = file.read(HEAD)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            failed = _first_bad_byte(path, encoding)
            if failed is not None:
                raise TaskError("encoding_wrong", encoding=encoding, byte=failed)
            return encoding
    if (unmarked := utf16_without_mark(head)) is not None:
        failed = _first_bad_byte(path, unmarked)
        if failed is not None:
            raise TaskError("encoding_wrong", encoding=unmarked, byte=failed)
        return unmarked
    not_utf8 = _first_bad_byte(path, "utf-8")
    if not_utf8 is None:
        return "utf-8"
    not_chinese = _first_bad_byte(path, "gb18030", everyday=True)
    if not_chinese is None:
        return "gb18030"
    raise TaskError("encoding_unknown", byte=max(not_utf8, not_chinese))


def _as_named(path: Path, named: str) -> str:
    encoding = python_encoding(named)
    if encoding is None:
        raise TaskError("encoding_unsupported", encoding=named[:40])
    with path.open("rb") as file:
        if encoding == "utf-8" and file.read(3) == codecs.BOM_UTF8:
            encoding = "utf-8-sig"
    failed = _first_bad_byte(path, encoding)
    if failed is not None:
        raise TaskError("encoding_wrong", encoding=encoding, byte=failed)
    return encoding


def _first_bad_byte(path: Path, encoding: str, *, everyday: bool = False) -> int | None:
    """None if the whole file decodes strictly (and, if asked, looks like everyday Chinese: else 0)."""
    if encoding in ("utf-8", "utf-8-sig") and not everyday and _is_all_utf8(path):
        return None
    # "utf-8-sig" drops the mark and would count bytes from behind it.
    decoder = codecs.getincrementaldecoder("utf-8" if encoding == "utf-8-sig" else encoding)()
    position = beyond = common = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return position - pending + error.start
            if everyday:
                if _FOREIGN.search(text):
                    return 0
                counted = _count(text)
                beyond, common = beyond + counted[0], common + counted[1]
            position += len(chunk)
            if not chunk:
                return 0 if everyday and common < EVERYDAY_SHARE * beyond else None


def _is_all_utf8(path: Path) -> bool:
    """In a fifth of the time that decoding takes."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            whole = rest + block
            end = len(whole)
            while end and len(whole) - end < 4 and whole[end - 1] & 0xC0 == 0x80:
                end -= 1
            end -= bool(end and whole[end - 1] >= 0xC0)  # the first byte of a character that may not be whole
            if not is_utf8(whole[:end]):
                return False
            rest = whole[end:]
    return is_utf8(rest)


def _count(text: str) -> tuple[int, int]:
    """Characters beyond ASCII, and those of them in GB 2312 (two bytes each there)."""
    ascii_only = len(text.encode("ascii", "ignore"))
    return len(text) - ascii_only, (len(text.encode("gb2312", "ignore")) - ascii_only) // 2
