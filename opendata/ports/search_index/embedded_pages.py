"""A page in exact order, and exact facets, from what tantivy offers: one sort key, and cut lists of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tantivy

from opendata.ports.search_index.embedded_query import SORT_KEYWORDS
from opendata.ports.search_index.port import Sort

BUCKETS = 60_000
"""More values of one field than this are not counted (tantivy stops at 65,000 buckets)."""

Found = tuple[Any, tantivy.DocAddress]
"""The value of the first sort key, and where the document lies."""


def page(
    searcher: tantivy.Searcher, query: tantivy.Query, sorts: Sequence[Sort], offset: int, limit: int
) -> tuple[int, list[Found]]:
    """How many match, and the part asked for. tantivy orders by one key; documents equal in it, where they touch the
    page, are ordered here by the other keys and the tie number. A run of equals that leaves the page is read whole."""
    first, rest = (sorts[0], sorts[1:]) if sorts else (Sort("tie", descending=False), ())
    end = offset + limit
    wanted = end + 1
    while True:
        result = _ordered(searcher, query, first, wanted)
        hits: list[Found] = result.hits
        complete = len(hits) < wanted or first.field == "tie"
        if complete or limit == 0 or hits[-1][0] != hits[end - 1][0]:
            break
        wanted *= 4
    return result.count, _settle(searcher, query, hits, rest, offset, end)


def _ordered(searcher: tantivy.Searcher, query: tantivy.Query, sort: Sort, wanted: int) -> Any:
    if sort.field == "score":
        return searcher.search(query, wanted)
    order = tantivy.Order.Desc if sort.descending else tantivy.Order.Asc
    return searcher.search(query, wanted, order_by_field=sort.field, order=order)


def _settle(
    searcher: tantivy.Searcher,
    query: tantivy.Query,
    hits: list[Found],
    rest: Sequence[Sort],
    offset: int,
    end: int,
) -> list[Found]:
    """Orders each run of equals that touches the page."""
    end = min(end, len(hits))
    start = offset
    while 0 < start < len(hits) and hits[start][0] == hits[start - 1][0]:
        start -= 1
    settled: list[Found] = []
    position = start
    while position < end:
        stop = position + 1
        while stop < len(hits) and hits[stop][0] == hits[position][0]:
            stop += 1
        run = hits[position:stop]
        settled += _by_rest(searcher, query, run, rest) if len(run) > 1 else run
        position = stop
    return settled[offset - start : end - start]


def _by_rest(
    searcher: tantivy.Searcher, query: tantivy.Query, run: list[Found], rest: Sequence[Sort]
) -> list[Found]:
    addresses = [address for _, address in run]
    order = list(range(len(run)))
    for sort in reversed((*rest, Sort("tie", descending=False))):
        values = _values(searcher, query, sort.field, addresses)
        having = [i for i in order if values[i] is not None]
        having.sort(key=lambda i, v=values: v[i], reverse=sort.descending)  # type: ignore[misc]  # mypy: default of a lambda
        order = having + [i for i in order if values[i] is None]
    return [run[i] for i in order]


def _values(
    searcher: tantivy.Searcher, query: tantivy.Query, field: str, addresses: list[tantivy.DocAddress]
) -> list[Any]:
    if field == "score":  # equal already: a second relevance key cannot exist beside the first
        return [0] * len(addresses)
    if field not in SORT_KEYWORDS:
        return list(searcher.fast_field_values(field, addresses))
    # Texts cannot be read by address; all that match are read in order. Slow (5 ms for 10,000) and rarely asked for.
    found = searcher.search(query, searcher.num_docs, order_by_field=field, order=tantivy.Order.Asc).hits
    by_place = {(address.segment_ord, address.doc): value for value, address in found}
    return [by_place[address.segment_ord, address.doc] for address in addresses]


def facets(
    searcher: tantivy.Searcher, query: tantivy.Query, wanted: Mapping[str, int]
) -> dict[str, list[tuple[str, int]]]:
    """Exact counts of the most frequent values, by count and then value."""
    counted: dict[str, list[tuple[str, int]]] = {field: [] for field in wanted}
    asked = {field: min(size, BUCKETS) + 1 for field, size in wanted.items() if size > 0}
    while asked:
        terms = {
            field: {"terms": {"field": field, "size": size, "segment_size": BUCKETS}}
            for field, size in asked.items()
        }
        result = searcher.aggregate(query, terms)
        again = {}
        for field, size in asked.items():
            buckets = result[field]["buckets"]
            limit = wanted[field]
            open_tie = len(buckets) == size and buckets[-1]["doc_count"] == buckets[limit - 1]["doc_count"]
            if (
                open_tie and size < BUCKETS
            ):  # equal counts reach past what was returned: which come first is open
                again[field] = min(size * 8, BUCKETS)
                continue
            pairs = [(str(bucket["key"]), int(bucket["doc_count"])) for bucket in buckets]
            counted[field] = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit]
        asked = again
    return counted
