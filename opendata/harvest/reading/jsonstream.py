"""The entries of one list in a JSON document, one at a time: a catalogue of 60 MB takes its text, not ten times of it."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_decoder = json.JSONDecoder()


class NotJson(ValueError):
    """The document ends early, or is none."""


class Document:
    """An object with a list under `key`. After `entries` is through, `rest` holds its other members."""

    def __init__(self, body: bytes, key: str) -> None:
        self.rest: dict[str, Any] = {}
        self.found = False
        """Whether the list was there."""
        self._key = key
        try:
            self._text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise NotJson from None

    def entries(self) -> Iterator[Any]:
        """`NotJson` where the text breaks off, after what stood before."""
        at = self._expect(0, "{")
        while self._peek(at) != "}":
            name, at = self._value(at)
            at = self._expect(at, ":")
            if name == self._key and self._peek(at) == "[":
                self.found = True
                at = yield from self._list(at)
            else:
                self.rest[str(name)], at = self._value(at)
            if self._peek(at) != ",":
                break
            at = self._expect(at, ",")
        at = self._expect(at, "}")
        if self._peek(at):
            raise NotJson

    def _list(self, at: int) -> Generator[Any, None, int]:
        at = self._expect(at, "[")
        while self._peek(at) != "]":
            value, at = self._value(at)
            yield value
            if self._peek(at) != ",":
                break
            at = self._expect(at, ",")
        return self._expect(at, "]")

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _decoder.raw_decode(self._text, self._after_blank(at))
        except (ValueError, RecursionError):
            raise NotJson from None

    def _expect(self, at: int, sign: str) -> int:
        at = self._after_blank(at)
        if self._text[at : at + 1] != sign:
            raise NotJson
        return at + 1

    def _peek(self, at: int) -> str:
        at = self._after_blank(at)
        return self._text[at : at + 1]

    def _after_blank(self, at: int) -> int:
        found = _BLANK.match(self._text, at)
        return found.end() if found else at
