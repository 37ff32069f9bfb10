"""The schema of the embedded index, and trees of the port as queries of tantivy."""

from __future__ import annotations

from typing import Any

import tantivy
from tantivy import Occur

from opendata.ports.search_index import port
from opendata.ports.search_index.values import TIE_BREAKER, clip, clip_all, micros, regex, tie

LIVE = "live"
"""Holds "1" for a document and "0" for the mark a delete leaves."""
VERSION = "version"
"""Holds `id SEPARATOR number` (`values.version`), so that one look into the term dictionary tells what is stored."""
SEPARATOR = "\x1f"
SORT_KEYWORDS = ("title_sort", "name_sort")


def schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in port.TEXT_FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in port.KEYWORD_FIELDS:
        builder.add_text_field(
            name, fast=True, stored=name == "id", tokenizer_name="raw", index_option="basic"
        )
    for name in SORT_KEYWORDS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (*port.DATE_FIELDS, *port.NUMBER_FIELDS):
        builder.add_integer_field(name, indexed=True, fast=True)
    builder.add_integer_field("tie", fast=True)
    builder.add_integer_field("revision", stored=True)
    for name in (LIVE, VERSION):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("payload", stored=True)
    return builder.build()


def document(source: port.Document, version: int) -> tantivy.Document:
    """Raises ValueError, TypeError or OverflowError for values that cannot be written."""
    out = _mark(source.id, version, LIVE_YES)
    for name, tokens in source.texts.items():
        if name not in port.TEXT_FIELDS:
            raise ValueError(f"no such text field: {name}")
        out.add_text(name, " ".join(tokens))
    for name, values in {**source.keywords, "id": [source.id]}.items():
        if name not in port.KEYWORD_FIELDS:
            raise ValueError(f"no such keyword field: {name}")
        for value in clip_all(values):
            out.add_text(name, value)
    for name, at in source.dates.items():
        out.add_integer(name, micros(at))
    for name, number in source.numbers.items():
        out.add_integer(name, number)
    for name, value in source.sorts.items():
        if value:
            out.add_text(name, clip(value))
    out.add_integer("tie", tie(source.id))
    out.add_integer("revision", source.revision)
    out.add_bytes("payload", source.payload)
    return out


LIVE_YES, LIVE_NO = "1", "0"


def gone(id: str, version: int) -> tantivy.Document:
    """The mark a delete leaves."""
    out = _mark(id, version, LIVE_NO)
    out.add_text("id", id)
    return out


def _mark(id: str, version: int, live: str) -> tantivy.Document:
    if not id or clip(id) != id or SEPARATOR in id:
        raise ValueError("not an id")
    out = tantivy.Document()
    out.add_text(VERSION, f"{id}{SEPARATOR}{version}")
    out.add_text(LIVE, live)
    return out


class Translator:
    """Turns trees into queries over one searcher, whose term dictionary answers prefixes and ranges of text."""

    def __init__(self, schema: tantivy.Schema, searcher: tantivy.Searcher) -> None:
        self._schema = schema
        self._searcher = searcher

    def whole(self, request: port.Request) -> tantivy.Query:
        """Query and filter, marks of deletes left out; only the query scores."""
        must = [(Occur.Must, self._silent(self.live()))]
        for part, wrap in ((request.query, _same), (request.filter, self._silent)):
            if not isinstance(part, port.Everything):
                must.append((Occur.Must, wrap(self.query(part))))
        return tantivy.Query.boolean_query(must) if len(must) > 1 else self.live()

    def live(self) -> tantivy.Query:
        return self._term(LIVE, LIVE_YES)

    def query(self, tree: port.Query) -> tantivy.Query:
        match tree:
            case port.Words(field, tokens):
                return self._all([self._word(field, (token,)) for token in tokens])
            case port.Phrase(field, tokens):
                return self._word(field, tokens) if tokens else self._everything()
            case port.All(of):
                return self._all([self.query(part) for part in of])
            case port.AnyOf(of):
                return self._any([self.query(part) for part in of])
            case port.AtLeast(count, of):
                parts = [(Occur.Should, self.query(part)) for part in of]
                return tantivy.Query.boolean_query(parts, minimum_number_should_match=count)
            case port.Not(of):
                inner = self.query(of)
                return tantivy.Query.boolean_query([(Occur.Must, self._everything()), (Occur.MustNot, inner)])
            case _:
                return self._silent(self._selecting(tree))

    def _selecting(self, tree: port.Query) -> tantivy.Query:
        match tree:
            case port.Prefix(field, prefix):
                fields = port.TEXT_FIELDS if field == "text" else (field,)
                return self._any([self._terms(f, self._vocabulary(f, clip(prefix))) for f in fields])
            case port.Pattern(field, pattern):
                names = port.TEXT_FIELDS if field == "text" else (field,)
                return self._any(
                    [tantivy.Query.regex_query(self._schema, name, regex(pattern)) for name in names]
                )
            case port.Exact(field, values):
                return self._terms(field, clip_all(values))
            case port.Exists(field):
                return tantivy.Query.exists_query(field)
            case port.Between():
                return self._between(tree)
        return tantivy.Query.all_query()

    def _between(self, tree: port.Between) -> tantivy.Query:
        if tree.field in SORT_KEYWORDS:
            return self._between_texts(tree)
        low, high = (_number(tree.field, bound) for bound in (tree.low, tree.high))
        if low is None and high is None:
            return tantivy.Query.exists_query(tree.field)
        return tantivy.Query.range_query(
            self._schema,
            tree.field,
            tantivy.FieldType.Integer,
            low,
            high,
            low is None or tree.include_low,
            high is None or tree.include_high,
        )

    def _between_texts(self, tree: port.Between) -> tantivy.Query:
        """tantivy has no ranges of text: the values between are looked up first. They order by their bytes."""
        low, high = (None if bound is None else clip(str(bound)) for bound in (tree.low, tree.high))
        shared = _shared_start(low or "", high or "")
        kept = [
            value
            for value in self._vocabulary(tree.field, shared)
            if (low is None or value > low or (tree.include_low and value == low))
            and (high is None or value < high or (tree.include_high and value == high))
        ]
        return self._terms(tree.field, kept)

    def _word(self, field: str, tokens: tuple[str, ...]) -> tantivy.Query:
        """One token, or tokens in a row: in the field, or in the best of all text fields."""
        if field != "text":
            return self._phrase(field, tokens)
        parts = [
            tantivy.Query.boost_query(self._phrase(name, tokens), boost)
            for name, boost in port.TEXT_FIELDS.items()
        ]
        return tantivy.Query.disjunction_max_query(parts, TIE_BREAKER)

    def _phrase(self, field: str, tokens: tuple[str, ...]) -> tantivy.Query:
        if len(tokens) == 1:  # tantivy panics on a phrase of one
            return tantivy.Query.term_query(self._schema, field, tokens[0], "freq")
        return tantivy.Query.phrase_query(self._schema, field, list(tokens))

    def _vocabulary(self, field: str, prefix: str) -> list[str]:
        return [term for term, _ in self._searcher.terms_with_prefix(field, prefix)]

    def _terms(self, field: str, values: list[str]) -> tantivy.Query:
        if len(values) == 1:
            return self._term(field, values[0])
        return tantivy.Query.term_set_query(self._schema, field, values)

    def _term(self, field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value, "basic")

    def _all(self, parts: list[tantivy.Query]) -> tantivy.Query:
        if not parts:
            return self._everything()
        return parts[0] if len(parts) == 1 else _boolean(Occur.Must, parts)

    def _any(self, parts: list[tantivy.Query]) -> tantivy.Query:
        return parts[0] if len(parts) == 1 else _boolean(Occur.Should, parts)

    def _everything(self) -> tantivy.Query:
        return self._silent(tantivy.Query.all_query())

    def _silent(self, query: tantivy.Query) -> tantivy.Query:
        return tantivy.Query.const_score_query(query, 0.0)


def _boolean(occur: Any, parts: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(occur, part) for part in parts])


def _same(query: tantivy.Query) -> tantivy.Query:
    return query


def _shared_start(one: str, other: str) -> str:
    length = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return one[:length]


def _number(field: str, bound: Any) -> int | None:
    if bound is None:
        return None
    return micros(bound) if field in port.DATE_FIELDS else int(bound)
