"""CKAN's query language (`q`, `fq`, `sort` of package_search) as trees of our index.

    either  := both ("OR" both)*
    both    := unary (["AND"] unary)*          side by side means AND, as CKAN asks Solr
    unary   := ("+" | "-" | "!" | "NOT")* primary
    primary := "(" either ")" | NAME ":" operand | operand
    operand := "(" either ")" | "quoted" | ("[" | "{") low "TO" high ("]" | "}") | word | word* | *

`~2` and `^3` (fuzziness, weight) are read and passed over. A backslash takes the next character as it is.
"""

from __future__ import annotations

import re
from datetime import datetime

from opendata.core.clock import SystemClock
from opendata.core.errors import BadQuery
from opendata.ports.search_index.port import AnyOf, Everything, Exact, Not, Query, Sort
from opendata.search import lucene_fields
from opendata.search.dismax import parse_dismax
from opendata.search.query import all_of, count_terms

MAX_LENGTH = 10_000
"""Characters: programs ask for lists of ids."""
MAX_DEPTH = 7
"""Brackets within brackets. Elasticsearch itself takes 30 levels, and a bracket makes three (or, and, not)."""
MAX_TERMS = 500
MAX_TEXT_TERMS = 100
MAX_SORTS = 5

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"((?:[^\W]|[.\-]|\\.)+|\*):")
_OPERATOR = re.compile(r"(AND|&&|OR|\|\||NOT)(?=[\s(]|$)|&&|\|\|")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_RANGE = re.compile(r'([\[{])\s*("[^"]*"|[^\s\]}"]+)\s+TO\s+("[^"]*"|[^\s\]}"]+)\s*([\]}])')
_BARE = re.compile(r'(?:[^\s()"\[\]{}\\^~]|\\.)+', re.DOTALL)
_SUFFIX = re.compile(r"(?:[~^][0-9.]*)+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse_q(text: str, now: datetime | None = None) -> Query:
    """CKAN's `q`: words, as people type them, unless there is a colon. Raises BadQuery."""
    stripped = text.strip()
    if stripped in ("", "*", "*:*", '""', "''"):
        return Everything()
    return parse_fq(text, now) if ":" in text else parse_dismax(text)


def parse_fq(text: str, now: datetime | None = None) -> Query:
    """CKAN's `fq`, or a `q` with fields. `now` is what NOW means, else the system's time.

    Raises BadQuery with `query_too_long`, `query_too_deep`, `query_too_many_terms` (each with `limit`),
    `query_syntax` (`position`), `range_not_supported`, `wildcard_not_supported`, `not_a_date`, `not_a_number`.
    """
    if len(text) > MAX_LENGTH:
        raise BadQuery("query_too_long", limit=MAX_LENGTH)
    parser = _Parser(text, now or SystemClock().now())
    return parser.whole()


def parse_sort(text: str) -> tuple[Sort, ...]:
    """CKAN's `sort`: `metadata_modified desc, title_string asc`. Without a direction `score` goes down, others up.

    Raises BadQuery `sort_not_supported` (`field`) and `query_syntax`.
    """
    sorts = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, direction, *more = [*part.split(), ""]
        if any(more) or direction.lower() not in ("", "asc", "desc"):
            raise BadQuery("query_syntax", value=part[:100])
        if name not in lucene_fields.SORTS:
            raise BadQuery("sort_not_supported", field=name[:100])
        descending = direction.lower() == "desc" or (not direction and name == "score")
        sorts.append(Sort(lucene_fields.SORTS[name], descending))
    if len(sorts) > MAX_SORTS:
        raise BadQuery("query_too_many_terms", limit=MAX_SORTS)
    return tuple(sorts)


class _Parser:
    """Reads from left to right; `at` is the next character."""

    def __init__(self, text: str, now: datetime) -> None:
        self._text = text
        self._now = now
        self._at = 0
        self._depth = 0
        self._terms = 0
        self._text_terms = 0

    def whole(self) -> Query:
        self._skip()
        if self._at == len(self._text):
            return Everything()
        tree = self._either("text")
        if self._at < len(self._text):
            raise self._wrong()
        return tree

    def _either(self, field: str) -> Query:
        parts = [self._both(field)]
        while self._operator() in ("OR", "||"):
            self._take_operator()
            parts.append(self._both(field))
        return _any_of(parts)

    def _both(self, field: str) -> Query:
        parts = [self._unary(field)]
        while True:
            operator = self._operator()
            if operator in ("AND", "&&"):
                self._take_operator()
            elif operator in ("OR", "||") or self._peek() in ("", ")"):
                return all_of(parts)
            parts.append(self._unary(field))

    def _unary(self, field: str) -> Query:
        negated = False
        while True:
            if self._operator() == "NOT":
                self._take_operator()
                negated = not negated
            elif self._peek() in ("+", "-", "!"):
                negated ^= self._text[self._at] != "+"
                self._move(1)
            else:
                break
        tree = self._primary(field)
        return Not(tree) if negated else tree

    def _primary(self, field: str) -> Query:
        named = _NAME.match(self._text, self._at)
        if named is None:
            return self._operand(field, after_name=False)
        if named[1] in ("_query_", "_val_"):  # Solr's own, which would take a query in another language
            raise self._wrong()
        self._move(named.end() - self._at)
        return self._operand(_plain(named[1]), after_name=True)

    def _operand(self, field: str, *, after_name: bool) -> Query:
        match self._peek():
            case "(":
                return self._bracket(field)
            case '"':
                quoted = self._take(_QUOTED)
                return self._leaf(field, _plain(quoted[1]), quoted=True)
            case "[" | "{":
                return self._range(field)
        if self._operator():  # AND, OR with nothing to its left or right
            raise self._wrong()
        bare = self._take(_BARE)
        if ":" in bare[0] and not after_name:  # a name that is no name: not ours to guess
            raise self._wrong()
        return self._word(field, bare[0])

    def _bracket(self, field: str) -> Query:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadQuery("query_too_deep", limit=MAX_DEPTH)
        self._move(1)
        tree = self._either(field)
        if self._peek() != ")":
            raise self._wrong()
        self._move(1)
        self._pass_suffix()
        self._depth -= 1
        return tree

    def _range(self, field: str) -> Query:
        found = self._take(_RANGE)
        low, high = (_plain(found[i].strip('"')) for i in (2, 3))
        includes = (found[1] == "[", found[4] == "]")
        if (low, high) == ("*", "*"):
            return self._counted(lucene_fields.anything(field))
        return self._counted(lucene_fields.between(field, low, high, includes, self._now))

    def _word(self, field: str, raw: str) -> Query:
        stars = re.sub(r"\\.", "", raw, flags=re.DOTALL)
        if raw == "*":
            return self._counted(lucene_fields.anything(field))
        if "*" not in stars and ("?" not in stars or field == "text"):
            return self._leaf(field, _plain(raw), quoted=False)
        if raw.endswith("*") and "*" not in stars[:-1] and "?" not in stars:
            return self._counted(lucene_fields.prefix(field, _plain(raw[:-1])))
        return self._counted(lucene_fields.pattern(field, raw))

    def _leaf(self, field: str, text: str, *, quoted: bool) -> Query:
        return self._counted(lucene_fields.value(field, text, quoted=quoted, now=self._now))

    def _counted(self, tree: Query) -> Query:
        terms = count_terms(tree)
        self._terms += terms
        if not isinstance(tree, Exact):
            self._text_terms += terms
        if self._terms > MAX_TERMS or self._text_terms > MAX_TEXT_TERMS:
            raise BadQuery("query_too_many_terms", limit=MAX_TERMS)
        return tree

    # -- reading -----------------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _move(self, count: int) -> None:
        self._at += count
        self._skip()

    def _operator(self) -> str:
        found = _OPERATOR.match(self._text, self._at)
        return found[0] if found else ""

    def _take_operator(self) -> None:
        self._move(len(self._operator()))

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._wrong()
        self._at = found.end()
        self._pass_suffix()
        return found

    def _pass_suffix(self) -> None:
        suffix = _SUFFIX.match(self._text, self._at)
        self._at = suffix.end() if suffix else self._at
        self._skip()

    def _wrong(self) -> BadQuery:
        return BadQuery("query_syntax", position=self._at)


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _any_of(parts: list[Query]) -> Query:
    """Values of one field become one list; engines look those up at once."""
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, Everything) for part in parts):
        return Everything()
    kept: list[Query] = []
    values: dict[str, tuple[str, ...]] = {}
    for part in parts:
        if isinstance(part, Exact):
            values[part.field] = values.get(part.field, ()) + part.values
        else:
            kept.append(part)
    kept += [Exact(field, found) for field, found in values.items()]
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))
