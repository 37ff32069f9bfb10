"""The public search box: words (all of them), "phrases", -word, and a few `field:value`. No punctuation is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping

from opendata.core.errors import BadQuery
from opendata.ports.search_index.port import All, AnyOf, AtLeast, Everything, Exact, Not, Phrase, Query, Words
from opendata.search.analysis import phrase_tokens, query_groups

MAX_LENGTH = 500
"""Characters of what a person types."""
MAX_TERMS = 50
"""Words and phrases in it, after Chinese has been cut into words."""

FIELDS: Mapping[str, str] = {
    "agency": "agency", "organization": "agency", "机构": "agency", "部门": "agency",
    "theme": "themes", "themes": "themes", "主题": "themes",
    "domain": "domain", "领域": "domain",
    "disclosure": "disclosures", "五公开": "disclosures",
    "format": "formats", "格式": "formats",
    "licence": "licence", "license": "licence", "许可": "licence",
    "openness": "openness", "开放": "openness",
    "region": "region", "地区": "region", "区域": "region",
    "tag": "tags", "tags": "tags", "标签": "tags",
    "group": "groups", "update": "update_cycle", "name": "dataset_name",
    "title": "title", "标题": "title", "description": "description", "摘要": "description",
}  # fmt: skip
"""What may stand before a colon, and the field it asks."""
_TEXTS = frozenset({"title", "description"})
"""Fields that are asked for words, not for a whole value."""

_PART = re.compile(
    r'(?P<sign>[-+－]?)(?:(?P<field>\w{1,30})[:：](?=\S))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))'
)
_QUOTES = str.maketrans("“”„‟«»「」『』＂", '"' * 11)


def parse(text: str) -> Query:
    """The tree of what a person typed; `Everything` if there is nothing to search for.

    Raises BadQuery `query_too_long` (`limit`) and `query_too_many_terms` (`limit`).
    """
    return parse_words(text, FIELDS)


def parse_words(text: str, fields: Mapping[str, str]) -> Query:
    """The same with these fields; a colon after any other word is punctuation."""
    if len(text) > MAX_LENGTH:
        raise BadQuery("query_too_long", limit=MAX_LENGTH)
    parts: list[Query] = []
    terms = 0
    for match in _PART.finditer(text.translate(_QUOTES)):
        part = _part(match, fields)
        if isinstance(part, Everything):
            continue
        terms += count_terms(part)
        if terms > MAX_TERMS:
            raise BadQuery("query_too_many_terms", limit=MAX_TERMS)
        parts.append(Not(part) if match["sign"] in ("-", "－") and match["sign"] else part)
    return all_of(parts)


def _part(match: re.Match[str], fields: Mapping[str, str]) -> Query:
    quoted, word = match["phrase"], match["word"]
    if match["field"] is not None:
        name = match["field"].lower()
        value = (quoted if quoted is not None else word).strip()
        if name in fields and value:
            return _field(fields[name], value, whole=quoted is not None)
        return words(f"{name} {value}") if quoted is None else all_of([words(name), phrase(quoted)])
    return phrase(quoted) if quoted is not None else words(word)


def _field(field: str, value: str, *, whole: bool) -> Query:
    if field in _TEXTS:
        return phrase(value, field) if whole else words(value, field)
    exact = Exact(field, cases(value))
    if field != "agency":
        return exact
    named = words(value, "agency_title")  # people write the title of a body, or a part of it
    return exact if isinstance(named, Everything) else AnyOf((exact, named))


def words(text: str, field: str = "text") -> Query:
    """All words of a text, each anywhere in the field; `Everything` if there are none."""
    groups = query_groups(text)
    single = tuple(group[0] for group in groups if len(group) == 1)
    rows: list[Query] = [Phrase(field, group) for group in groups if len(group) > 1]
    return all_of([Words(field, single), *rows] if single else rows)


def phrase(text: str, field: str = "text") -> Query:
    """A text as it is written, next to each other and in order; `Everything` if it has no words."""
    tokens = tuple(phrase_tokens(text))
    return Phrase(field, tokens) if tokens else Everything()


def cases(value: str) -> tuple[str, ...]:
    """A keyword as it was typed, and in capitals and small letters (csv, CSV)."""
    return tuple(dict.fromkeys((value, value.upper(), value.lower())))


def all_of(parts: list[Query]) -> Query:
    kept = [part for part in parts if not isinstance(part, Everything)]
    if len(kept) == 1:
        return kept[0]
    return All(tuple(kept)) if kept else Everything()


def count_terms(tree: Query) -> int:
    """How many tokens, phrases and values the engine is to look up."""
    match tree:
        case Words(_, tokens):
            return len(tokens)
        case Phrase(_, tokens):
            return 1 + len(tokens) // 10
        case All(of) | AnyOf(of) | AtLeast(_, of):
            return sum(count_terms(part) for part in of)
        case Not(of):
            return count_terms(of)
    return 1
