"""What every search index answers, on the embedded one and on Elasticsearch."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from indices import remove_indices

from opendata.core.errors import Unavailable
from opendata.ports.search_index.elasticsearch import ElasticsearchIndex
from opendata.ports.search_index.embedded import EmbeddedIndex
from opendata.ports.search_index.port import (
    All,
    AnyOf,
    AtLeast,
    Between,
    Document,
    Everything,
    Exact,
    Exists,
    Not,
    Pattern,
    Phrase,
    Prefix,
    Query,
    Request,
    SearchIndex,
    Sort,
    Words,
)

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def document(
    id: str,
    revision: int = 1,
    title: str = "",
    *,
    description: str = "",
    agency: str = "",
    tags: tuple[str, ...] = (),
    day: int | None = None,
    resources: int = 0,
    payload: bytes = b"{}",
) -> Document:
    return Document(
        id=id,
        revision=revision,
        texts={"title": title.split(), "description": description.split()},
        keywords={"agency": [agency] if agency else [], "tags": tags},
        dates={} if day is None else {"modified": DAY + timedelta(days=day)},
        numbers={"resources_count": resources},
        sorts={"title_sort": title, "name_sort": id},
        payload=payload,
    )


Make = Callable[[], SearchIndex]


@pytest.fixture(params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.services)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Opens the same index, as often as it is called: for Elasticsearch as another process would."""
    if request.param == "embedded":
        made: list[EmbeddedIndex] = []

        def embedded() -> SearchIndex:
            for index in made:
                index.close()
            made.append(EmbeddedIndex(tmp_path / "index"))
            return made[-1]

        yield embedded
        for index in made:
            index.close()
        return
    url = os.environ.get("OPENDATA_TEST_ELASTICSEARCH_URL")
    if not url:
        pytest.skip("OPENDATA_TEST_ELASTICSEARCH_URL is not set")
    name = f"test-{secrets.token_hex(4)}"
    clients = [ElasticsearchIndex(url, name)]

    def elastic() -> SearchIndex:
        clients.append(ElasticsearchIndex(url, name))
        return clients[-1]

    yield elastic
    for client in clients:
        client.close()
    remove_indices(url, name)


@pytest.fixture
def index(opened: Make) -> SearchIndex:
    return opened()


def ids(index: SearchIndex, query: Query, filter: Query | None = None) -> list[str]:
    answer = index.search(Request(query, filter or Everything(), limit=100))
    assert answer.total == len(answer.hits)
    return sorted(hit.id for hit in answer.hits)


def ordered(
    index: SearchIndex, *sort: Sort, query: Query | None = None, offset: int = 0, limit: int = 100
) -> list[str]:
    answer = index.search(Request(query or Everything(), sort=sort, offset=offset, limit=limit))
    return [hit.id for hit in answer.hits]


@pytest.fixture
def filled(index: SearchIndex) -> SearchIndex:
    refused = index.apply(
        [
            document(
                "a", 3, "air quality", description="hourly readings", agency="环保局", tags=("air",), day=0
            ),
            document("b", 1, "water quality", agency="水务局", tags=("water", "air"), day=1, resources=2),
            document("c", 7, "quality of water", agency="水务局", tags=("water",), day=2, resources=5),
            document("d", 1, "bus stops", description="quality air", agency="交通局", day=3, resources=5),
            document("e", 1, "南通市 公共 厕所", agency="城管局", tags=("a=b c", "A*", "")),
        ],
        [],
    )
    assert list(refused) == []
    return index


def test_empty_index_answers(index: SearchIndex) -> None:
    index.check()
    answer = index.search(Request(facets={"agency": 5}))
    assert (answer.total, list(answer.hits), list(answer.facets["agency"])) == (0, [], [])
    assert list(index.revisions()) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Everything(), "abcde"),
        (Words("text", ("quality",)), "abcd"),
        (Words("text", ("quality", "hourly")), "a"),
        (Words("title", ("quality", "hourly")), ""),
        (Words("text", ()), "abcde"),
        (Words("title", ("厕所",)), "e"),
        (Words("title", ("厕",)), ""),
        (Phrase("text", ("water", "quality")), "b"),
        (Phrase("text", ("air", "quality")), "a"),
        (Phrase("title", ("air",)), "a"),
        (Phrase("text", ()), "abcde"),
        (Prefix("text", "qual"), "abcd"),
        (Prefix("title", "wat"), "bc"),
        (Prefix("tags", "a"), "abe"),
        (Prefix("tags", "a="), "e"),
        (Prefix("agency", "水"), "bc"),
        (Pattern("text", "q*l?ty"), "abcd"),
        (Pattern("tags", "a?b*"), "e"),
        (Pattern("tags", "A\\*"), "e"),
        (AtLeast(2, (Exact("id", ("a",)), Words("text", ("quality",)), Words("title", ("bus",)))), "ad"),
        (AtLeast(3, (Words("text", ("quality",)), Exists("tags"), Exact("tags", ("air",)))), "ab"),
        (Exact("tags", ("a=b c",)), "e"),
        (Exact("tags", ("A*",)), "e"),
        (Exact("tags", ("a*",)), ""),
        (Exact("tags", ("air", "A*")), "abe"),
        (Exact("tags", ()), ""),
        (Exact("id", ("a", "d", "x")), "ad"),
        (Exists("tags"), "abce"),
        (Exists("region"), ""),
        (Not(Exists("tags")), "d"),
        (Not(Words("text", ("quality",))), "e"),
        (Not(Not(Exact("id", ("a",)))), "a"),
        (All(()), "abcde"),
        (AnyOf(()), ""),
        (AnyOf((Exact("id", ("a",)), Words("title", ("bus",)))), "ad"),
        (All((Words("text", ("quality",)), Not(Exact("tags", ("air",))))), "cd"),
        (AnyOf((Not(Exists("tags")), Exact("id", ("e",)))), "de"),
        (Between("modified", DAY + timedelta(days=1), None), "bcd"),
        (Between("modified", DAY + timedelta(days=1), None, include_low=False), "cd"),
        (Between("modified", None, DAY + timedelta(days=2), include_high=False), "ab"),
        (Between("modified", DAY, DAY + timedelta(microseconds=1)), "a"),
        (Between("modified", DAY + timedelta(microseconds=1), DAY + timedelta(days=1)), "b"),
        (Between("modified"), "abcd"),
        (Between("resources_count", 2, 5, include_low=False), "cd"),
        (Between("resources_count", 5, 2), ""),
        (Between("title_sort", "b", "water quality"), "bcd"),
        (Between("title_sort", "b", "water quality", include_high=False), "cd"),
        (Between("title_sort", "water quality", None, include_low=False), "e"),
    ],
)
def test_selection(filled: SearchIndex, query: Query, expected: str) -> None:
    assert ids(filled, query) == list(expected)
    assert ids(filled, Everything(), filter=query) == list(expected)


def test_filter_does_not_score(filled: SearchIndex) -> None:
    plain = {h.id: h.score for h in filled.search(Request(Words("text", ("quality",)))).hits}
    with_filter = Request(Words("text", ("quality",)), Words("text", ("water",)))
    narrowed = {h.id: h.score for h in filled.search(with_filter).hits}
    assert set(narrowed) == {"b", "c"}
    assert narrowed == pytest.approx({id: plain[id] for id in narrowed}, rel=1e-4)


def test_title_outweighs_description(filled: SearchIndex) -> None:
    assert ordered(filled, Sort("score"), query=Words("text", ("air",))) == ["a", "d"]


def test_hits_carry_revision_and_payload(index: SearchIndex) -> None:
    payload = bytes(range(256)) * 40
    index.apply([document("x", 41, "one", payload=payload), document("y", 1, "one", payload=b"")], [])
    hits = {hit.id: hit for hit in index.search(Request()).hits}
    assert (hits["x"].revision, hits["x"].payload) == (41, payload)
    assert hits["y"].payload == b""


def test_facets_are_exact_and_ordered(filled: SearchIndex) -> None:
    facets = filled.search(Request(facets={"tags": 10, "agency": 2, "region": 5}, limit=0)).facets
    assert list(facets["tags"]) == [("air", 2), ("water", 2), ("A*", 1), ("a=b c", 1)]
    assert list(facets["agency"]) == [("水务局", 2), ("交通局", 1)]
    assert list(facets["region"]) == []
    narrowed = filled.search(Request(filter=Exact("tags", ("water",)), facets={"tags": 10})).facets
    assert list(narrowed["tags"]) == [("water", 2), ("air", 1)]


def test_facets_of_many_values(index: SearchIndex) -> None:
    index.apply([document(f"n{i}", tags=(f"t{i:04}", f"half{i % 2}")) for i in range(600)], [])
    answer = index.search(Request(limit=0, facets={"tags": 5}))
    assert list(answer.facets["tags"]) == [
        ("half0", 300),
        ("half1", 300),
        ("t0000", 1),
        ("t0001", 1),
        ("t0002", 1),
    ]


def test_facets_follow_writes(filled: SearchIndex) -> None:
    request = Request(facets={"tags": 1})
    assert list(filled.search(request).facets["tags"]) == [("air", 2)]
    filled.apply([], [("a", 4)])
    assert list(filled.search(request).facets["tags"]) == [("water", 2)]


def test_sorts(filled: SearchIndex) -> None:
    newest, oldest = Sort("modified"), Sort("modified", descending=False)
    assert ordered(filled, newest) == ["d", "c", "b", "a", "e"]
    assert ordered(filled, oldest) == ["a", "b", "c", "d", "e"], "without a value: last, both ways"
    assert ordered(filled, Sort("title_sort", descending=False)) == ["a", "d", "c", "b", "e"]
    assert ordered(filled, Sort("name_sort")) == ["e", "d", "c", "b", "a"]
    assert ordered(filled, Sort("resources_count"), oldest) == ["c", "d", "b", "a", "e"]
    assert ordered(filled, Sort("resources_count"), newest) == ["d", "c", "b", "a", "e"]
    assert ordered(filled, Sort("resources_count"), Sort("title_sort")) == ["c", "d", "b", "e", "a"]
    assert ordered(filled, Sort("score"), newest) == ["d", "c", "b", "a", "e"], (
        "nothing scores: the second decides"
    )


def test_equal_hits_page_without_gaps(index: SearchIndex) -> None:
    index.apply([document(f"n{i:02}", 1, "same words", day=i % 3) for i in range(50)], [])
    for sort in ((), (Sort("score"),), (Sort("modified"),), (Sort("title_sort"), Sort("modified"))):
        query = Words("text", ("same",))
        whole = ordered(index, *sort, query=query)
        assert len(set(whole)) == 50
        for size in (1, 7, 20):
            pages = [ordered(index, *sort, query=query, offset=o, limit=size) for o in range(0, 56, size)]
            assert [id for page in pages for id in page] == whole
    assert ordered(index, Sort("modified"), limit=0) == []


def test_newer_revision_replaces_older_never(index: SearchIndex) -> None:
    index.apply([document("x", 5, "five")], [])
    index.apply([document("x", 4, "four"), document("x", 6, "six"), document("x", 5, "five")], [])
    assert ids(index, Words("text", ("six",))) == ["x"]
    assert ids(index, Everything()) == ["x"]
    index.apply([document("x", 6, "again")], [])
    assert ids(index, Words("text", ("again",))) == ["x"], "the same revision may be written anew"
    assert list(index.revisions()) == [("x", 6)]


def test_delete_survives_late_writes(opened: Make) -> None:
    index = opened()
    index.apply([document("x", 5, "five", tags=("t",)), document("y", 1)], [])
    index.apply([], [("x", 6), ("never-seen", 2)])
    index = opened()
    index.apply([document("x", 5, "late"), document("x", 6, "same"), document("never-seen", 2, "late")], [])
    assert ids(index, Everything()) == ["y"]
    assert ids(index, Not(Exact("id", ("y",)))) == []
    assert list(index.revisions()) == [("y", 1)]
    assert list(index.search(Request(facets={"tags": 9})).facets["tags"]) == []
    index.apply([document("x", 7, "back")], [("y", 0)])
    assert ids(index, Everything()) == ["x", "y"], (
        "published anew; a late delete of an older revision is nothing"
    )


def test_poison_is_returned_and_the_rest_written(index: SearchIndex) -> None:
    wrong_field = Document("bad1", 1, {"no_such_field": ["x"]}, {}, {}, {}, {})
    wrong_number = Document("bad2", 1, {}, {}, {}, {"resources_count": 2**70}, {})
    refused = index.apply([document("a"), wrong_field, wrong_number, document("b")], [])
    assert sorted(refused) == ["bad1", "bad2"]
    assert ids(index, Everything()) == ["a", "b"]


def test_long_and_odd_values(index: SearchIndex) -> None:
    long, odd = "长" * 40_000, 'a"b\\c:*?(x)\n\t'
    index.apply([document("x", 1, "w" * 100, tags=(long, odd, "\ud800"))], [])
    assert ids(index, Exact("tags", (long,))) == ["x"]
    assert ids(index, Exact("tags", (odd,))) == ["x"]
    assert ids(index, Exact("tags", ("\ud800",))) == ["x"]
    assert ids(index, Prefix("tags", 'a"b\\c:*?(')) == ["x"]
    assert ids(index, Words("title", ("w" * 100,))) == ["x"]


def test_reopened_index_has_everything(opened: Make) -> None:
    opened().apply([document("a", 2, "kept")], [])
    assert ids(opened(), Words("text", ("kept",))) == ["a"]


def test_rebuild_replaces_at_its_end(opened: Make) -> None:
    index = opened()
    index.apply([document("old", 1), document("both", 1, "before")], [("gone", 9)])
    with index.rebuild() as building:
        building.add(iter([document("both", 2, "after"), document("new", 1)]))
        assert ids(index, Everything()) == ["both", "old"], "the old one serves"
    assert ids(index, Everything()) == ["both", "new"]
    index.apply([document("gone", 9), document("later", 1)], [])
    assert ids(index, Everything()) == ["both", "later", "new"], "marks of deletes are taken over"
    assert ids(opened(), Words("text", ("after",))) == ["both"]


def test_writes_during_a_rebuild_are_in_both(index: SearchIndex) -> None:
    index.apply([document("x", 1, "one"), document("y", 1)], [])
    with index.rebuild() as building:
        index.apply([document("x", 3, "three"), document("z", 1)], [("y", 2)])
        assert ids(index, Everything()) == ["x", "z"]
        building.add([document("x", 2, "two"), document("y", 1)])
    assert ids(index, Everything()) == ["x", "z"]
    assert ids(index, Words("text", ("three",))) == ["x"]


def test_failed_rebuild_changes_nothing(opened: Make) -> None:
    index = opened()
    index.apply([document("a", 1)], [])
    with pytest.raises(ZeroDivisionError), index.rebuild() as building:
        building.add(document("b", 1 // (n - 1)) for n in range(3, 0, -1))
    assert ids(index, Everything()) == ["a"]
    index.apply([document("c", 1)], [])
    with index.rebuild() as building:
        building.add([document("d", 1)])
    assert ids(opened(), Everything()) == ["d"]


def test_rebuild_may_go_back_in_revisions(index: SearchIndex) -> None:
    """After a restore of the database the index follows, even to older revisions."""
    index.apply([document("x", 9, "nine")], [("y", 9)])
    with index.rebuild() as building:
        building.add([document("x", 4, "four"), document("y", 4)])
    assert sorted(index.revisions()) == [("x", 4), ("y", 4)]


def test_searches_while_writing(index: SearchIndex) -> None:
    """A reader sees each batch whole or not at all, also across a rebuild."""
    index.apply([document(f"n{i}", 1, "x", tags=("v1",)) for i in range(10)], [])
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            answer = index.search(Request(limit=5, facets={"tags": 5}))
            if answer.total != 10:
                wrong.append(answer)

    reader = threading.Thread(target=read)
    reader.start()
    for revision in range(2, 6):
        index.apply([document(f"n{i}", revision, "x", tags=(f"v{revision}",)) for i in range(10)], [])
    with index.rebuild() as building:
        building.add([document(f"n{i}", 9, "x", tags=("v9",)) for i in range(10)])
    stop.set()
    reader.join()
    assert wrong == []


def test_unreachable_server_is_unavailable() -> None:
    index = ElasticsearchIndex("http://user:secret@127.0.0.1:1", "nothing", timeout=1)
    with pytest.raises(Unavailable) as caught:
        index.search(Request())
    assert "secret" not in repr(caught.value.params)
    with pytest.raises(Unavailable):
        index.apply([document("a")], [])
