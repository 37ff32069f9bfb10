"""A remote's words as codes of ours, the way back of the feeds' vocabularies; empty where nothing of ours is meant.

What is looked up: our codes and labels, the clerks' words of the inventory's template, the international lists of
`vocabularies.json`, and `catalog_schemas/harvest/words.json` with what other portals write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import unquote

from opendata.catalog.codes import EU, codes, vocabulary
from opendata.core.checks import is_language, is_region
from opendata.inventory.models import Disclosure, Domain
from opendata.inventory.transfer.template import fold, template
from opendata.settings import Settings

_LISTS = ("update_cycle", "openness", "domain", "disclosure")
_FREQUENCIES = (
    EU + "frequency/",
    "http://purl.org/cld/freq/",
    "http://purl.org/linked-data/sdmx/2009/code#freq-",
)
_REGION_END = re.compile(r"(?:#region-|/)([0-9]{6}(?:[0-9]{3}|[0-9]{6})?)$")
_SEPARATORS = re.compile(r"[,，、;；|]+")
LONGEST_KEYWORD, MOST_KEYWORDS, LONGEST_LICENCE = 100, 200, 100


def update_cycle(*said: str) -> str:
    return _first("update_cycle", (_without(_FREQUENCIES, text) for text in said))


def openness(*said: str) -> str:
    return _first("openness", (_without((EU + "access-right/",), text) for text in said))


def licence(*said: str) -> str:
    """By the EU table's entry, the licence's own address, our id or a title; of an unknown one the address itself, or what
    is said: the reader learns under which it stands."""
    return _first("licence", said) or next(
        (text for text in said if text.strip() and len(text) <= LONGEST_LICENCE), ""
    )


def themes(said: Iterable[str]) -> list[str]:
    return _codes("theme", said)


def domain(said: Iterable[str]) -> str:
    return next(iter(_codes("domain", said)), "")


def disclosures(said: Iterable[str]) -> list[str]:
    return _codes("disclosure", said)


def languages(said: Iterable[str]) -> list[str]:
    """ISO 639-1."""
    found = (
        _known()["language"].get(_folded(_without((EU + "language/",), text)), text[:2].lower())
        for text in said
    )
    return list(dict.fromkeys(code for code in found if is_language(code)))


def region(*said: str) -> str:
    """A division's code, from a code, an address that ends in one, or its name."""
    for text in said:
        text = text.strip()
        code = found[1] if (found := _REGION_END.search(text)) else text
        code = _known()["region"].get(_folded(code), code)
        if is_region(code):
            return code
    return ""


def file_format(*said: str) -> str:
    """A format as people write it, from the EU's file type, a media type or what is said."""
    words = vocabulary()
    for text in said:
        code = _without((EU + "file-type/",), text).strip()
        if words.file_type(code) is not None:
            return words.customary(code)
        if found := next((kind for kind, media in words.media_types_of.items() if media == code.lower()), ""):
            return words.customary(found)
    return next((text[:100] for text in said if text.strip() and "/" not in text), "")


def keywords(said: Iterable[str]) -> list[str]:
    """Each once; several in one text are taken apart."""
    parts = (part.strip() for text in said for part in _SEPARATORS.split(text))
    return list(dict.fromkeys(part for part in parts if 0 < len(part) <= LONGEST_KEYWORD))[:MOST_KEYWORDS]


def _first(kind: str, said: Iterable[str]) -> str:
    known = _known()[kind]
    return next((known[text] for text in map(_folded, said) if text in known), "")


def _codes(kind: str, said: Iterable[str]) -> list[str]:
    """Each code once. Of a local list the address ends in `#kind-code`, as our own feeds write it."""
    known = _known()[kind]
    mark = f"#{kind}-"
    words = (unquote(text.partition(mark)[2]) if mark in text else text for text in said)
    return list(dict.fromkeys(known[text] for text in map(_folded, words) if text in known))


def _without(bases: tuple[str, ...], text: str) -> str:
    return next((text[len(base) :] for base in bases if text.startswith(base)), text)


def _folded(text: str) -> str:
    """Also an address's: with or without TLS, `www.` or a slash at its end it is the same licence."""
    return re.sub(r"^https?://(www\.)?", "//", fold(text)).rstrip("/")


@cache
def _known() -> Mapping[str, Mapping[str, str]]:
    """{list: {word, folded: code}}; of two meanings the first one counts."""
    found: dict[str, dict[str, str]] = {}
    for kind, word, code in _words():
        found.setdefault(kind, {}).setdefault(_folded(word), code)
    return found


def _words() -> Iterator[tuple[str, str, str]]:
    """(list, word, code): our own first, then the international ones, then what else is written."""
    lists, labels = codes(), codes().labels
    for kind in _LISTS:
        for code, said in labels.get(kind, {}).items():
            yield from ((kind, word, code) for word in (code, *said.values()))
    for kind in ("update_cycle", "openness", "domain"):
        yield from ((kind, word, code) for word, code in template().words[kind].items() if not word.isdigit())
    for code, word in (*vocabulary().update_cycle.items(),):
        yield "update_cycle", word, code
    yield from (("openness", word, code) for code, word in vocabulary().openness.items())
    yield from (("language", word, code) for code, word in vocabulary().language.items())
    for one in lists.licences.values():
        yield from (
            ("licence", word, one.id)
            for word in (one.id, one.eu_uri, one.url, one.title, one.title_en)
            if word
        )
    for theme in lists.themes.values():
        yield from (
            ("theme", word, theme.code)
            for word in (theme.code, theme.eu_uri, theme.title, theme.title_en)
            if word
        )
    yield from (("region", name, code) for code, name in lists.regions.items())
    yield from (("domain", one.value, one.value) for one in Domain)
    yield from (("disclosure", one.value, one.value) for one in Disclosure)
    more = json.loads(
        (Settings.from_env().catalog_schemas / "harvest" / "words.json").read_text(encoding="utf-8")
    )
    yield from (
        (kind, word, code) for kind, known in more.items() for code, words in known.items() for word in words
    )
