"""Whatever text stands in a record, every format gives the same graph back, and the shapes stay clean."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib import BNode, Graph

from opendata.agencies.models import Agency
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.compat.dcat import catalogue
from opendata.compat.dcat.catalogue import Paging
from opendata.compat.dcat.profiles import BEFORE, in_edition
from opendata.feeds import writers
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site

SITE = Site("https://data.example.cn", 'Open "Data" <&>', "开放\\数据")
SHAPES = Path(__file__).parent / "shapes"
Make = Callable[..., Record]

PIECES = [
    '"',
    '"""',
    "\\",
    "\\u0041",
    "\n",
    "\t",
    "\r",
    "<",
    ">",
    "&",
    "]]>",
    "'",
    "@en",
    "^^",
    "{}",
    "\u2028",
    "\ufffe",
]
odd_text = st.lists(
    st.one_of(st.sampled_from(PIECES), st.text(max_size=8), st.sampled_from(["街道", " ", "%", "#", "𠮷"])),
    max_size=8,
).map("".join)
addresses = st.one_of(odd_text, odd_text.map("https://example.org/".__add__), odd_text.map("http://".__add__))
metas = st.fixed_dictionaries(
    {
        "title": odd_text,
        "title_en": odd_text,
        "description": odd_text,
        "keywords": st.lists(odd_text.filter(lambda t: bool(DatasetMeta(title=t).title)), max_size=3),
        "licence": st.one_of(addresses, st.sampled_from(["cc-by-4.0", "other-open", "wtfpl"])).map(
            lambda t: t[:100]
        ),
        "openness": st.sampled_from(["unconditional", "conditional", "closed"]),
        "open_condition": odd_text,
        "region": st.one_of(st.sampled_from(["320600", "", "999999"]), odd_text.map(lambda t: t[:12])),
        "themes": st.lists(st.one_of(st.sampled_from(["GOVE", "TECH"]), odd_text), max_size=2),
        "language": st.lists(st.one_of(st.sampled_from(["zh", "en", "zh-Hans"]), odd_text), max_size=2),
        "bbox": st.one_of(st.none(), st.just([-180.0, -1e-9, 0.1, 90])),
        "data_updated_on": st.one_of(st.none(), st.dates()),
        "related_codes": st.lists(st.sampled_from(["306001/000002", "a.b_c-d"]), max_size=2),
        "temporal_start": st.one_of(st.none(), st.dates()),
        "temporal_end": st.one_of(st.none(), st.dates()),
        "contact_name": odd_text,
        "contact_phone": odd_text.map(lambda t: t[:50]),
        "contact_email": odd_text,
        "landing_page": addresses,
        "version": odd_text,
    }
)
resources = st.lists(
    st.fixed_dictionaries(
        {
            "name": odd_text,
            "description": odd_text,
            "format": st.one_of(st.sampled_from(["CSV", "geojson", "ttl"]), odd_text),
            "media_type": st.one_of(st.sampled_from(["text/csv", "x/y"]), odd_text),
            "url": st.one_of(st.just(""), addresses),
            "schema": st.one_of(st.none(), odd_text.map(lambda t: {"title": t, "fields": []})),
        }
    ),
    max_size=3,
)
bodies = st.fixed_dictionaries(
    {"title": odd_text, "title_en": odd_text, "contact_email": odd_text, "uscc": odd_text}
)


@pytest.fixture(scope="module")
def build(make: Make, make_agency: Callable[..., Agency]) -> Callable[..., Any]:
    def made(meta: dict[str, Any], given: list[dict[str, Any]], body: dict[str, Any]) -> Any:
        record = make(meta, given, body=make_agency(**body))
        return catalogue.page(
            [record, make({}, [], number=1)], Paging(f"{SITE.catalogue}.ttl", 1, 2), SITE, None
        )

    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(meta=metas, given_resources=resources, body=bodies)
def test_all_formats_say_the_same(
    build: Callable[..., Any],
    parse: Callable[[bytes, str], Graph],
    meta: dict[str, Any],
    given_resources: list[dict[str, Any]],
    body: dict[str, Any],
) -> None:
    made = build(meta, given_resources, body)
    graphs = {name: parse(write(made), name) for name, (_, write) in writers.FORMATS.items()}
    facts = sum(len(terms) for said in made.facts.values() for terms in said.values())
    expected = facts + sum(map(len, made.classes.values()))
    assert {name: len(graph) for name, graph in graphs.items()} == dict.fromkeys(graphs, expected)
    # Without blank nodes, equal sets are isomorphic graphs.
    triples = set(graphs["ttl"])
    assert not any(isinstance(term, BNode) for triple in triples for term in triple)
    assert all(set(graph) == triples for graph in graphs.values())
    # What was said is what is read: not only do the formats agree, they agree with the record.
    title = DatasetMeta(**meta).title
    if title.strip():
        assert any(str(o) == title for o in graphs["jsonld"].objects()), title
    for one in given_resources:
        description = ResourceMeta(**one).description
        if description.strip() and not one["url"]:
            assert any(str(o) == description for o in graphs["rdf"].objects()), description


@cache
def rules(folder: Path) -> Graph:
    """They take longer to read than to apply."""
    return Graph().parse(folder / "shapes.ttl").parse(folder / "range.ttl")


def stay_clean(build: Callable[..., Any], parse: Callable[[bytes, str], Graph], *given: Any) -> None:
    """Under the shapes of both editions; and the lines of a dump say the same as the page."""
    made = build(*given)
    data = parse(writers.turtle(made), "ttl")
    assert set(Graph().parse(data=writers.n_triples(made), format="nt")) == set(data)
    before = parse(writers.turtle(in_edition(made, BEFORE)), "ttl")
    for graph, folder in ((data, SHAPES), (before, SHAPES / "2.1.1")):
        conforms, _, report = pyshacl.validate(graph, shacl_graph=rules(folder), allow_warnings=True)
        assert conforms, report


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(meta=metas, given_resources=resources, body=bodies)
def test_the_shapes_stay_clean(
    build: Callable[..., Any],
    parse: Callable[[bytes, str], Graph],
    meta: Any,
    given_resources: Any,
    body: Any,
) -> None:
    stay_clean(build, parse, meta, given_resources, body)


@pytest.mark.heavy
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(meta=metas, given_resources=resources, body=bodies)
def test_the_shapes_stay_clean_whatever_is_told(
    build: Callable[..., Any],
    parse: Callable[[bytes, str], Graph],
    meta: Any,
    given_resources: Any,
    body: Any,
) -> None:
    stay_clean(build, parse, meta, given_resources, body)
