"""Text to tokens: for documents, for queries, and for the marks in a hit. All engines get these tokens and only match.

A document gives, for each text, first the *stream*: every Chinese character and every other word by itself, in order;
then, once each, every word of the dictionary that is written anywhere in a Chinese run, and the synonyms of those.
A query word of the dictionary is then one token, found wherever its characters stand (街道 in 东华门街道, 民政局 in
市民政局) however the text around it would be cut; a run the dictionary does not know, and every quoted phrase, is a
phrase of the stream. So no cut on one side can disagree with a cut on the other.

Folding: compatibility forms (NFKC), lower case, no accents; simple plurals of English lose their s on both sides.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from itertools import groupby

import rjieba

TOKEN_LENGTH = 100
"""Characters; longer tokens are cut."""

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
PIECE = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")
HAN_ONLY = re.compile(f"[{_HAN}]+")
_JOINED = re.compile(f"(?<=[^\\W_{_HAN}])[-._'’@&+]+(?=[^\\W_{_HAN}])")
_PLURAL = re.compile("[a-z]{4,}")
_LETTERS = {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"}


class _Folding(dict[int, str]):
    """Folds each character by itself, so that `highlight` can find the way back to the text as it was written."""

    def __missing__(self, code: int) -> str:
        lower = unicodedata.normalize("NFKC", chr(code)).lower()
        parts = unicodedata.normalize("NFD", "".join(_LETTERS.get(c, c) for c in lower))
        bare = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
        folded = unicodedata.normalize("NFC", bare)
        if len(self) < 20_000:
            self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Lower case, compatibility forms, no accents; each character by itself."""
    return text.translate(_FOLDING)


def _synonyms() -> dict[str, tuple[str, ...]]:
    groups = json.loads(files("opendata.search").joinpath("synonyms.json").read_text("utf-8"))
    return {word: tuple(other for other in group if other != word) for group in groups for word in group}


SYNONYMS = _synonyms()
"""A word and the words that mean the same; documents get them all, so a query needs no widening."""

for _word in SYNONYMS:
    if not rjieba.has_word(_word):
        rjieba.add_word(_word, None, None)


def stem(word: str) -> str:
    """English plurals only (datasets, policies, boxes); the same on both sides, so a wrong guess still finds itself."""
    if not word.endswith("s") or word.endswith(("ss", "us", "is")) or not _PLURAL.fullmatch(word):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1]


def index_tokens(text: str) -> list[str]:
    """The tokens of a text in a document: the stream, then the words and synonyms in it. No positions between."""
    pieces = PIECE.findall(fold(text))
    stream: list[str] = []
    words: dict[str, None] = {}
    for piece in pieces:
        if HAN_ONLY.match(piece):
            stream += piece
            words.update(dict.fromkeys(rjieba.cut_all(piece)))
        else:
            stream.append(stem(piece)[:TOKEN_LENGTH])
    found = dict.fromkeys(word for word in words if len(word) > 1)
    for word in [word for word in found if word in SYNONYMS]:
        found.update(dict.fromkeys(SYNONYMS[word]))
    return stream + list(found)


def phrase_tokens(text: str) -> list[str]:
    """The stream alone: what stands in a row in every document that holds this text."""
    stream: list[str] = []
    for piece in PIECE.findall(fold(text)):
        stream += piece if HAN_ONLY.match(piece) else [stem(piece)[:TOKEN_LENGTH]]
    return stream


def query_groups(text: str) -> list[tuple[str, ...]]:
    """What a document must hold to match all words of a text. A group of one is a token; a longer one must stand in a
    row (characters no dictionary word covers, or words joined as in `covid-19`)."""
    groups: dict[tuple[str, ...], None] = {}
    folded = _JOINED.sub("_", fold(text))
    for joined in re.split(r"[^\w]+", folded):
        parts = joined.split("_") if joined else []
        if len(parts) > 1 and not any(HAN_ONLY.search(part) for part in parts):
            groups[tuple(stem(part)[:TOKEN_LENGTH] for part in parts if part)] = None
            continue
        for piece in PIECE.findall(joined):
            if HAN_ONLY.match(piece):
                groups.update(dict.fromkeys(_cut(piece)))
            else:
                groups[(stem(piece)[:TOKEN_LENGTH],)] = None
    groups.pop((), None)
    return list(groups)


def query_tokens(text: str) -> list[str]:
    """The tokens of `query_groups`, one after the other, each once: what a hit is highlighted by."""
    return list(dict.fromkeys(token for group in query_groups(text) for token in group))


@lru_cache(4096)
def _cut(run: str) -> tuple[tuple[str, ...], ...]:
    """Words of the dictionary as they are likeliest to be meant; what lies between them character by character."""
    groups: list[tuple[str, ...]] = []
    for single, words in groupby(rjieba.cut(run, False), key=lambda word: len(word) == 1):
        if single:
            groups.append(tuple(words))
        else:
            groups += [(word,) for word in words]
    return tuple(groups)
