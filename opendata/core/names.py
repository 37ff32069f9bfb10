"""Short names in addresses: made from titles, checked from input."""

from __future__ import annotations

import re
import unicodedata

from opendata.core.errors import FieldError

NAME = re.compile(r"[a-z0-9_-]{2,100}")
_INVISIBLE = {"Cf", "Cc", "Cs", "Co", "Cn"}
_ASCII_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def check_name(path: str, name: str) -> list[FieldError]:
    """Errors of a short name: 2 to 100 of `a-z 0-9 _ -` (CKAN's rule, so its clients' names fit)."""
    return [] if NAME.fullmatch(name) else [FieldError(path, "bad_name", {"value": name[:100]})]


def clean_text(text: str) -> str:
    """NFC, without control, bidi and zero-width characters but newline and tab."""
    if text.isascii():  # is NFC already, and its controls are few: the same answer, much sooner
        return _ASCII_CONTROLS.sub("", text)
    if not text.replace("\n", "").isprintable():  # of what is, nothing goes
        text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFC", text)


def clean_file_name(name: str) -> str:
    """The last path part, cleaned, on one line, at most 120 bytes of UTF-8 with its extension kept; `file` if empty."""
    name = (
        clean_text(name.replace("\\", "/").rsplit("/", 1)[-1])
        .replace("\n", " ")
        .replace("\t", " ")
        .strip(" .")
    )
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12:
        stem, extension = name, ""
    tail = f".{extension}" if extension else ""
    room = 120 - len(tail.encode())
    return (stem.encode()[:room].decode(errors="ignore") + tail) or "file"
