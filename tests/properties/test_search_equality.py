"""Random trees over random catalogues: both engines select, count and order alike."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from indices import remove_indices

from opendata.core.errors import BadQuery
from opendata.ports.search_index.elasticsearch import ElasticsearchIndex
from opendata.ports.search_index.embedded import EmbeddedIndex
from opendata.ports.search_index.port import (
    All,
    AnyOf,
    Between,
    Document,
    Everything,
    Exact,
    Exists,
    Not,
    Phrase,
    Prefix,
    Query,
    Request,
    SearchIndex,
    Sort,
    Words,
)
from opendata.search.analysis import index_tokens
from opendata.search.lucene import parse_fq

START = datetime(2026, 1, 1, tzinfo=UTC)
TITLES = (
    "南通市公共厕所名录",
    "公交站点",
    "air quality data",
    "Bus stops, water",
    "水质监测 data",
    "公厕 air",
    "",
)
VALUES = ("a", "b", "南通", "a b", "A", "x=1", "")
TOKENS = ("公厕", "公共厕所", "公", "厕", "air", "data", "bus", "stop", "水质", "nothing")
KEYWORDS = ("tags", "agency", "extras")

dates = st.integers(0, 5).map(lambda day: START + timedelta(days=day, microseconds=day % 2))
titles = st.sampled_from(TITLES)
values = st.sampled_from(VALUES)


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    return [
        Document(
            id=f"d{number}",
            revision=draw(st.integers(1, 9)),
            texts={"title": index_tokens(draw(titles)), "description": index_tokens(draw(titles))},
            keywords={field: draw(st.lists(values, max_size=2)) for field in KEYWORDS},
            dates={"modified": draw(dates)} if draw(st.booleans()) else {},
            numbers={"resources_count": draw(st.integers(-2, 3))},
            sorts={"title_sort": draw(titles).lower(), "name_sort": draw(values)},
        )
        for number in range(draw(st.integers(0, 12)))
    ]


texts = st.sampled_from(("text", "title", "description"))
keywords = st.sampled_from(KEYWORDS)
tokens = st.lists(st.sampled_from(TOKENS), max_size=3).map(tuple)
leaves: st.SearchStrategy[Query] = st.one_of(
    st.just(Everything()),
    st.builds(Words, texts, tokens),
    st.builds(Phrase, texts, tokens),
    st.builds(Prefix, texts | keywords, st.sampled_from(("", "a", "公", "da", "南"))),
    st.builds(Exact, keywords, st.lists(values, max_size=3).map(tuple)),
    st.builds(Exists, keywords),
    st.builds(
        Between, st.just("modified"), dates | st.none(), dates | st.none(), st.booleans(), st.booleans()
    ),
    st.builds(
        Between,
        st.just("resources_count"),
        st.integers(-2, 3) | st.none(),
        st.integers(-2, 3) | st.none(),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(
        Between, st.just("title_sort"), titles | st.none(), titles | st.none(), st.booleans(), st.booleans()
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(All, st.lists(inner, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple))
        | st.builds(Not, inner)
    ),
    max_leaves=8,
)
sorts = st.lists(
    st.builds(
        Sort, st.sampled_from(("modified", "resources_count", "title_sort", "name_sort")), st.booleans()
    ),
    max_size=3,
).map(tuple)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    folder: Path = tmp_path_factory.mktemp("equality")
    index = EmbeddedIndex(folder)
    yield index
    index.close()


@pytest.fixture(scope="module")
def elastic() -> Iterator[SearchIndex]:
    url = os.environ.get("OPENDATA_TEST_ELASTICSEARCH_URL")
    if not url:
        pytest.skip("OPENDATA_TEST_ELASTICSEARCH_URL is not set")
    name = f"equality-{secrets.token_hex(4)}"
    index = ElasticsearchIndex(url, name)
    yield index
    index.close()
    remove_indices(url, name)


def fill(index: SearchIndex, corpus: list[Document]) -> None:
    with index.rebuild() as building:
        building.add(corpus)


@pytest.mark.services
# No shrinking: a rebuild of the server's index takes most of a second.
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(documents(), st.lists(st.tuples(trees, trees, sorts, st.integers(0, 4)), min_size=5, max_size=10))
def test_engines_agree(
    embedded: SearchIndex,
    elastic: SearchIndex,
    corpus: list[Document],
    asked: list[tuple[Query, Query, tuple[Sort, ...], int]],
) -> None:
    fill(embedded, corpus)
    fill(elastic, corpus)
    for query, filter, sort, offset in asked:
        request = Request(query, filter, sort, offset, 5, {"tags": 2, "agency": 10})
        ours, theirs = embedded.search(request), elastic.search(request)
        assert ours.total == theirs.total
        assert [(hit.id, hit.revision) for hit in ours.hits] == [
            (hit.id, hit.revision) for hit in theirs.hits
        ]
        assert {k: list(v) for k, v in ours.facets.items()} == {k: list(v) for k, v in theirs.facets.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), trees, sorts)
def test_embedded_index_agrees_with_plain_reading(
    embedded: SearchIndex, corpus: list[Document], tree: Query, sort: tuple[Sort, ...]
) -> None:
    """Against the meaning of a tree, written down here once more without any engine."""
    fill(embedded, corpus)
    answer = embedded.search(Request(filter=tree, sort=sort, limit=50, facets={"tags": 3}))
    chosen = [document for document in corpus if holds(tree, document)]
    assert sorted(hit.id for hit in answer.hits) == sorted(document.id for document in chosen)
    counts: dict[str, int] = {}
    for document in chosen:
        for value in set(document.keywords["tags"]) - {""}:
            counts[value] = counts.get(value, 0) + 1
    expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    assert list(answer.facets["tags"]) == expected


def holds(tree: Query, document: Document) -> bool:
    match tree:
        case Everything():
            return True
        case Words(field, tokens):
            return all(any(token in text for text in read(document, field)) for token in tokens)
        case Phrase(field, tokens):
            rows = [text[i : i + len(tokens)] for text in read(document, field) for i in range(len(text))]
            return not tokens or list(tokens) in rows
        case Prefix(field, prefix):
            return any(v.startswith(prefix) for values in read(document, field) for v in values if v)
        case Exact(field, values):
            return bool(set(document.keywords[field]) & set(values) - {""})
        case Exists(field):
            return any(document.keywords[field])
        case Between(field, low, high, include_low, include_high):
            value = {**document.dates, **document.numbers, **document.sorts}.get(field)
            return value not in (None, "") and not (
                (low is not None and (value < low or (value == low and not include_low)))
                or (high is not None and (value > high or (value == high and not include_high)))
            )
        case All(of):
            return all(holds(part, document) for part in of)
        case AnyOf(of):
            return any(holds(part, document) for part in of)
        case Not(of):
            return not holds(of, document)


def read(document: Document, field: str) -> list[list[str]]:
    if field == "text":
        return [list(tokens) for tokens in document.texts.values()]
    return [list(document.texts.get(field, document.keywords.get(field, ())))]


@pytest.mark.services
def test_deepest_query_is_taken_by_both(embedded: SearchIndex, elastic: SearchIndex) -> None:
    deepest = "tags:a"
    for _ in range(7):
        deepest = f"(-{deepest} title:bus OR tags:b)"
    with pytest.raises(BadQuery):
        parse_fq(f"({deepest})")
    request = Request(Everything(), parse_fq("-" + deepest))
    assert embedded.search(request).total >= 0
    assert elastic.search(request).total >= 0
    many = Request(
        parse_fq(" ".join(f"w{i}" for i in range(100))), parse_fq(" OR ".join(f"id:{i}" for i in range(400)))
    )
    assert embedded.search(many).total == elastic.search(many).total == 0
