"""How values and versions are written into an index: the same in every adapter, so that all find and order alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

from opendata.ports.search_index.port import All, AnyOf, AtLeast, Not, Phrase, Query, Request, Sort, Words

KEYWORD_LENGTH = 1000
"""Keyword values are cut to so many characters, in documents and in queries alike (engines refuse longer terms)."""

TIE_BREAKER = 0.1
"""A token found in several text fields: the best field counts whole, the others this much."""


def clip(value: str) -> str:
    """A keyword value as it is indexed and asked for."""
    return value[:KEYWORD_LENGTH].encode("utf-8", "replace").decode()


def clip_all(values: Iterable[str]) -> list[str]:
    """Distinct non-empty values in their first order."""
    return list(dict.fromkeys(clip(value) for value in values if value))


_PATTERN = re.compile(r"\\(.)|([*?])|([^\\*?]+)|\\", re.DOTALL)


_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


def regex(pattern: str) -> str:
    """A pattern of the port as a regular expression that holds for the whole value, in the words all engines share."""
    found = []
    for escaped, wild, plain in _PATTERN.findall(pattern):
        if wild:
            found.append("(.|\n)*" if wild == "*" else "(.|\n)")
        else:
            found.append(_SPECIAL.sub(r"\\\g<0>", escaped or plain or "\\"))
    return "".join(found)


def micros(at: datetime) -> int:
    """Microseconds since 1970 in UTC; a time without a zone is read as UTC. Exact, where engines round dates."""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def tie(id: str) -> int:
    """The number by which equal hits are ordered (ascending): 63 bits made from the id, so that pages never overlap."""
    return int.from_bytes(blake2b(id.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 1


def version(revision: int, *, gone: bool = False) -> int:
    """One number per state of a document. A delete beats a write of the same revision, so that a late write cannot
    bring back what was withdrawn."""
    return revision * 2 + gone


def revision_of(version: int) -> int:
    return version >> 1


def scores(query: Query) -> bool:
    """Whether hits can differ in relevance: only words and phrases score."""
    match query:
        case Words() | Phrase():
            return True
        case All(of) | AnyOf(of) | AtLeast(_, of):
            return any(scores(part) for part in of)
        case Not():
            return False
    return False


def sorts(request: Request) -> list[Sort]:
    """The sorts that can make a difference: each field once, no relevance where nothing scores."""
    kept: dict[str, Sort] = {}
    for sort in request.sort:
        if sort.field not in kept and (sort.field != "score" or scores(request.query)):
            kept[sort.field] = sort
    return list(kept.values())
