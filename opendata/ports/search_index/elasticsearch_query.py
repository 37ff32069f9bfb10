"""The mapping of the index, and requests of the port as bodies of Elasticsearch. Plain data, no client.

Only the server's core is used: the built-in `whitespace` analyzer on tokens the application made, keywords, longs.
"""

from __future__ import annotations

import base64
from typing import Any

from opendata.ports.search_index import port
from opendata.ports.search_index.values import TIE_BREAKER, clip, clip_all, micros, sorts, tie

SORT_KEYWORDS = ("title_sort", "name_sort")
WINDOW = 200_000
"""How far hits are paged through; a page beyond is empty, and the engine would refuse it."""

SETTINGS: dict[str, Any] = {
    "number_of_shards": 1,  # exact facets and totals; a catalogue fits into one shard many times over
    "auto_expand_replicas": "0-1",
    "max_result_window": WINDOW,
    "refresh_interval": "-1",  # every write refreshes by itself
}


def mapping() -> dict[str, Any]:
    keyword = {"type": "keyword"}
    number = {"type": "long"}
    text = {"type": "text", "analyzer": "whitespace"}
    properties: dict[str, Any] = {
        **dict.fromkeys(port.TEXT_FIELDS, text),
        **dict.fromkeys((*port.KEYWORD_FIELDS, *SORT_KEYWORDS), keyword),
        **dict.fromkeys((*port.DATE_FIELDS, *port.NUMBER_FIELDS, "tie"), number),
        "live": {"type": "boolean"},
        "payload": {"type": "binary", "store": True},
    }
    # The source is not kept: the payload is stored by itself, and the index is rebuilt from the database.
    return {"dynamic": "strict", "_source": {"enabled": False}, "properties": properties}


def document(source: port.Document) -> dict[str, Any]:
    """Raises ValueError or TypeError for values that cannot be written."""
    return {
        "live": True,
        "tie": tie(source.id),
        "payload": base64.b64encode(source.payload).decode(),
        **{name: " ".join(tokens) for name, tokens in source.texts.items()},
        **{name: clip_all(values) for name, values in source.keywords.items()},
        "id": source.id,
        **{name: micros(at) for name, at in source.dates.items()},
        **{name: int(number) for name, number in source.numbers.items()},
        **{name: clip(value) for name, value in source.sorts.items() if value},
    }


def gone(id: str) -> dict[str, Any]:
    """The mark a delete leaves."""
    return {"live": False, "id": id}


def body(request: port.Request) -> dict[str, Any]:
    """The body of a search."""
    select = [{"term": {"live": True}}]
    must = []
    within = request.offset + request.limit <= WINDOW
    if not isinstance(request.filter, port.Everything):
        select.append(query(request.filter))
    if not isinstance(request.query, port.Everything):
        must.append(query(request.query))
    return {
        "query": {"bool": {"filter": select, "must": must}},
        "sort": [*(_sort(sort) for sort in sorts(request)), {"tie": "asc"}],
        "from": request.offset if within else 0,
        "size": request.limit if within else 0,
        "track_total_hits": True,
        "version": True,
        "_source": False,
        "stored_fields": ["payload"],
        "aggs": {
            field: {"terms": {"field": field, "size": size, "order": [{"_count": "desc"}, {"_key": "asc"}]}}
            for field, size in request.facets.items()
            if size > 0
        },
    }


def _sort(sort: port.Sort) -> dict[str, Any]:
    if sort.field == "score":
        return {"_score": {"order": "desc"}}
    return {sort.field: {"order": "desc" if sort.descending else "asc", "missing": "_last"}}


def query(tree: port.Query) -> dict[str, Any]:
    match tree:
        case port.Words(field, tokens):
            return {"bool": {"must": [_word(field, (token,)) for token in tokens] or [_everything()]}}
        case port.Phrase(field, tokens):
            return _word(field, tokens) if tokens else _everything()
        case port.All(of):
            return {"bool": {"must": [query(part) for part in of] or [_everything()]}}
        case port.AnyOf(of):
            return _any([query(part) for part in of])
        case port.AtLeast(count, of):
            return {"bool": {"should": [query(part) for part in of], "minimum_should_match": count}}
        case port.Not(of):
            return {"bool": {"must": [_everything()], "must_not": [query(of)]}}
    return {"constant_score": {"filter": _selecting(tree), "boost": 0.0}}


def _selecting(tree: port.Query) -> dict[str, Any]:
    match tree:
        case port.Prefix(field, prefix):
            fields = port.TEXT_FIELDS if field == "text" else (field,)
            return _any([{"prefix": {name: {"value": clip(prefix)}}} for name in fields])
        case port.Pattern(field, pattern):
            fields = port.TEXT_FIELDS if field == "text" else (field,)
            return _any([{"wildcard": {name: {"value": pattern}}} for name in fields])
        case port.Exact(field, values):
            return {"terms": {field: clip_all(values)}}
        case port.Exists(field):
            return {"exists": {"field": field}}
        case port.Between():
            return _between(tree)
    return {"match_all": {}}


def _between(tree: port.Between) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for value, closed, open_ in ((tree.low, "gte", "gt"), (tree.high, "lte", "lt")):
        if value is not None:
            include = tree.include_low if closed == "gte" else tree.include_high
            bounds[closed if include else open_] = _bound(tree.field, value)
    return {"range": {tree.field: bounds}} if bounds else {"exists": {"field": tree.field}}


def _bound(field: str, value: Any) -> Any:
    if field in SORT_KEYWORDS:
        return clip(str(value))
    return micros(value) if field in port.DATE_FIELDS else int(value)


def _word(field: str, tokens: tuple[str, ...]) -> dict[str, Any]:
    """One token, or tokens in a row: in the field, or in the best of all text fields."""
    if field != "text":
        return _phrase(field, tokens, 1.0)
    parts = [_phrase(name, tokens, boost) for name, boost in port.TEXT_FIELDS.items()]
    return {"dis_max": {"queries": parts, "tie_breaker": TIE_BREAKER}}


def _phrase(field: str, tokens: tuple[str, ...], boost: float) -> dict[str, Any]:
    if len(tokens) == 1:
        return {"term": {field: {"value": tokens[0], "boost": boost}}}
    return {"match_phrase": {field: {"query": " ".join(tokens), "analyzer": "whitespace", "boost": boost}}}


def _any(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": parts, "minimum_should_match": 1}} if parts else {"match_none": {}}


def _everything() -> dict[str, Any]:
    return {"constant_score": {"filter": {"match_all": {}}, "boost": 0.0}}
