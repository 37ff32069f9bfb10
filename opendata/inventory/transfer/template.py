"""The template `resource_inventory`: its columns and value lists, with the words that clerks write for them (`template.json`).

The first 21 columns and their order are those of the table schema; behind them the columns that a city adds. The first
word of a value is the one that we write."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opendata.inventory.profile.fields import CityField

_NOTE = re.compile(r"[(（\[【].*?[)）\]】]|[\s*＊:：_]")
CITY = "city_fields."
"""Before the name of a field of the city's own: its column."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What an office program takes for the beginning of a formula."""


@dataclass(frozen=True)
class Column:
    name: str
    zh: str
    en: str
    kind: str
    """text, code, codes, list, number, date, region, secrecy"""
    of: str = "line"
    """`line`, or `item`: a value for each information item"""
    list: str = ""
    longest: int = 0
    required: bool = False
    aliases: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True)
class Template:
    columns: Mapping[str, Column]
    words: Mapping[str, Mapping[str, str]]
    """{list: {what may be written, folded: code}}"""
    labels: Mapping[str, Mapping[str, str]]
    """{list: {code: what we write}}"""
    missing: frozenset[str]

    def match(
        self, header: Sequence[str], city: Sequence[CityField] = ()
    ) -> tuple[dict[int, str], list[str]]:
        """(column by place in the row, headers that nobody knows). Of two for one column the first counts. The city's own
        fields come after the columns of the template."""
        found: dict[int, str] = {}
        unknown: list[str] = []
        own = {_folded(text): CITY + f.name for f in city for text in (f.label, f.label_en, f.name) if text}
        known = own | _headers()
        for place, text in enumerate(header):
            name = known.get(_folded(text))
            if name and name not in found.values():
                found[place] = name
            elif text.strip():
                unknown.append(text.strip()[:100])
        return found, unknown

    def code(self, list_name: str, text: str) -> str | None:
        return self.words[list_name].get(fold(text))

    def label(self, list_name: str, code: str) -> str:
        return self.labels[list_name].get(code, code)


def fold(text: str) -> str:
    """Full-width forms and capitals make no difference, blanks neither."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def _folded(header: str) -> str:
    """A header without its notes in brackets."""
    return fold(_NOTE.sub("", unicodedata.normalize("NFKC", header)))


@cache
def template() -> Template:
    told = json.loads(Path(__file__).with_name("template.json").read_text(encoding="utf-8"))
    columns = [Column(**c | {"aliases": tuple(c.get("aliases", ()))}) for c in told["columns"]]
    lists: dict[str, dict[str, list[str]]] = told["lists"]
    return Template(
        columns={column.name: column for column in columns},
        words={
            name: {fold(word): code for code, words in values.items() for word in (*words, code)}
            for name, values in lists.items()
        },
        labels={name: {code: words[0] for code, words in values.items()} for name, values in lists.items()},
        missing=frozenset(told["missing"]),
    )


@cache
def _headers() -> dict[str, str]:
    return {
        _folded(text): column.name
        for column in template().columns.values()
        for text in (column.zh, column.en, column.name, *column.aliases)
    }
