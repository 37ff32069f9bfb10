"""The mapping of the national elements, and the official shapes over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from rdflib import DCAT, DCTERMS, FOAF, RDF, SH, SKOS, XSD, Graph, Literal, Namespace, URIRef

from opendata.agencies.models import Agency
from opendata.compat.dcat import catalogue
from opendata.compat.dcat.catalogue import Paging
from opendata.feeds import described, writers
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site

SITE = Site("https://data.nantong.example.cn", "Open Data", "公共数据开放平台")
EU = Namespace("http://publications.europa.eu/resource/authority/")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
SHAPES = Path(__file__).parent / "shapes"
Make = Callable[..., Record]


@cache
def shapes(*names: str) -> Graph:
    found = Graph()
    for name in names:
        found.parse(SHAPES / name)
    return found


def violations(data: Graph, *names: str) -> list[tuple[str, str]]:
    """(path, value) of each result at the top of the report that is a violation."""
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes(*names))
    results = [
        r for top in report.subjects(RDF.type, SH.ValidationReport) for r in report.objects(top, SH.result)
    ]
    bad = [r for r in results if report.value(r, SH.resultSeverity) == SH.Violation]
    return [(str(report.value(r, SH.resultPath)), str(report.value(r, SH.value))) for r in bad]


def page(records: Iterable[Record]) -> Graph:
    from_page = catalogue.page(list(records), Paging(f"{SITE.catalogue}.ttl", 1, 250), SITE, None)
    return Graph().parse(data=writers.turtle(from_page), format="turtle")


def one(record: Record) -> tuple[Graph, URIRef]:
    graph = Graph().parse(data=writers.turtle(described.single(record, SITE)), format="turtle")
    return graph, URIRef(SITE.dataset(record.view.id))


def distribution(graph: Graph) -> URIRef:
    found = list(graph.subjects(RDF.type, DCAT.Distribution))
    assert len(found) == 1
    assert isinstance(found[0], URIRef)
    return found[0]


@pytest.fixture
def odd(make: Make, make_agency: Callable[..., Agency]) -> list[Record]:
    """Records as they come: whole, bare, conditional, with links good and bad, with codes nobody knows."""
    company = make_agency(
        id="b", name="bus", kind="public_enterprise", uscc=None, title_en="", region_code=""
    )
    institution = make_agency(id="c", name="library", kind="public_institution", title="", contact_email="无")
    conditional = {
        "title": "x",
        "openness": "conditional",
        "open_condition": "供研究使用",
        "licence": "other-open",
    }
    links: list[dict[str, Any]] = [
        {"url": "http://例子.中国/a b"},
        {"url": "javascript:x"},
        {"url": "nothing"},
    ]
    unknown = {
        "title": "x",
        "licence": "https://x.example/l 1",
        "region": "???",
        "themes": ["NO"],
        "language": ["xx"],
    }
    same = {"title": "x", "licence": "wtfpl", "landing_page": "http://www.wtfpl.net/about/"}
    own = make(number=6).view.resources[0]
    return [
        make(),
        make({}, [], number=1, codes=()),
        make(conditional, number=2, body=company),
        make(same, links, number=3, body=institution),
        make(unknown, [{"format": "weird", "schema_name": "bus_stop"}], number=4),
        make({"title": "x", "temporal_start": "2024-01-02", "temporal_end": "2024-01-01"}, number=5),
        make({"title": "x", "landing_page": SITE.resource(own.dataset_id, own.id)}, number=6),
        make({"title": "x"}, [{"name": "no bytes"}], number=7, files=False),
    ]


def test_no_violation_of_the_official_shapes(odd: list[Record]) -> None:
    data = page(odd)
    assert violations(data, "shapes.ttl", "range.ttl", "deprecateduris.ttl") == []
    for record in odd:
        assert violations(one(record)[0], "shapes.ttl", "range.ttl", "deprecateduris.ttl") == []


def test_vocabularies_are_the_unions_own(make: Make) -> None:
    """But for the address of the checksum algorithm, where the shape contradicts SPDX (shapes/README.md)."""
    known = {(str(SPDX.algorithm), str(SPDX.checksumAlgorithm_sha256))}
    assert set(violations(page([make()]), "mdr-vocabularies.shape.ttl")) <= known


def test_the_shapes_do_bite(make: Make) -> None:
    data = page([make()])
    publisher = data.value(URIRef(SITE.dataset(make().view.id)), DCTERMS.publisher)
    data.remove((publisher, RDF.type, None))
    assert violations(data, "shapes.ttl", "range.ttl")


def test_every_national_element_has_its_place(make: Make) -> None:
    graph, subject = one(make())
    got = {str(p): set(graph.objects(subject, p)) for p in set(graph.predicates(subject))}
    assert Literal("行政区划街道代码 0", "zh") in got[str(DCTERMS.title)]
    assert Literal("Street codes 0", "en") in got[str(DCTERMS.title)]
    assert len(got[str(DCAT.keyword)]) == 4
    assert got[str(DCTERMS.identifier)] == {Literal(make().view.id)}
    assert got[str(DCTERMS.accrualPeriodicity)] == {EU["frequency/ANNUAL"]}
    assert got[str(DCTERMS.accessRights)] == {EU["access-right/PUBLIC"]}
    assert got[str(DCTERMS.language)] == {EU["language/ZHO"]}
    assert {EU["data-theme/GOVE"], EU["data-theme/REGI"]} < got[str(DCAT.theme)]
    assert got[str(DCAT.version)] == {Literal("2023.1")}
    assert graph.value(graph.value(subject, ADMS.identifier), SKOS.notation) == Literal("307010/000001")
    publisher = graph.value(subject, DCTERMS.publisher)
    assert set(graph.objects(publisher, FOAF.name)) == {
        Literal("南通市统计局", "zh"),
        Literal("Nantong Statistics Bureau", "en"),
    }
    assert graph.value(publisher, DCTERMS.identifier) == Literal("11320600014150042N")
    contact = graph.value(subject, DCAT.contactPoint)
    assert graph.value(contact, VCARD.fn) == Literal("区划办")
    assert graph.value(contact, VCARD.hasEmail) == URIRef("mailto:quhua@nantong.example.cn")
    assert graph.value(contact, VCARD.hasTelephone) == URIRef("tel:+8651385098765")
    region, area = sorted(graph.objects(subject, DCTERMS.spatial), key=lambda it: "#spatial" in str(it))
    assert graph.value(region, SKOS.prefLabel) == Literal("南通市", "zh")
    corners = "120.2 31.68,121.92 31.68,121.92 32.72,120.2 32.72,120.2 31.68"
    wkt = URIRef("http://www.opengis.net/ont/geosparql#wktLiteral")
    assert graph.value(area, DCAT.bbox) == Literal(f"POLYGON(({corners}))", datatype=wkt)
    assert got[str(DCTERMS.modified)] == {Literal("2026-03-01", datatype=XSD.date)}
    related = graph.value(subject, DCTERMS.relation)
    assert graph.value(related, DCTERMS.identifier) == Literal("306001/000002")
    period = graph.value(subject, DCTERMS.temporal)
    assert graph.value(period, DCAT.startDate) == Literal("2023-01-01", datatype=XSD.date)
    record = graph.value(predicate=FOAF.primaryTopic, object=subject)
    assert (record, RDF.type, DCAT.CatalogRecord) in graph


def test_a_file_with_rows(make: Make) -> None:
    record = make()
    graph, _ = one(record)
    subject, file = distribution(graph), record.view.resources[0].file
    assert file is not None
    resource = record.view.resources[0].id
    download = URIRef(f"{SITE.url}/api/v1/resources/{resource}/download")
    assert str(subject) == f"{SITE.url}/dataset/{record.view.id}/resource/{resource}"
    assert graph.value(subject, DCAT.downloadURL) == graph.value(subject, DCAT.accessURL) == download
    assert graph.value(subject, DCAT.byteSize) == Literal(file.size, datatype=XSD.nonNegativeInteger)
    assert graph.value(subject, DCAT.mediaType) == URIRef(
        "https://www.iana.org/assignments/media-types/text/csv"
    )
    assert graph.value(subject, DCTERMS.format) == EU["file-type/CSV"]
    assert graph.value(subject, DCTERMS.license) == EU["licence/CC_BY_4_0"]
    checksum = graph.value(subject, SPDX.checksum)
    assert str(graph.value(checksum, SPDX.checksumValue)).lower() == file.sha256
    service = graph.value(subject, DCAT.accessService)
    assert graph.value(service, DCAT.endpointURL) == URIRef(f"{SITE.url}/api/v1/resources/{resource}/rows")


def test_conditional_data_is_described_and_not_given_away(make: Make) -> None:
    meta = {"title": "名单", "openness": "conditional", "open_condition": "供研究使用"}
    graph, subject = one(make(meta))
    there = distribution(graph)
    assert graph.value(subject, DCTERMS.accessRights) == EU["access-right/RESTRICTED"]
    assert graph.value(there, DCAT.accessURL) == URIRef(f"{SITE.url}/zh/dataset/streets-0")
    hidden = (DCAT.downloadURL, SPDX.checksum, DCAT.accessService)
    assert all(graph.value(there, predicate) is None for predicate in hidden)


def test_what_cannot_be_said_is_left_out_and_counted(make: Make) -> None:
    meta = {"title": "x", "landing_page": "nowhere", "contact_phone": "无", "themes": ["NO"], "region": "?"}
    made = described.single(make(meta, [{"url": "javascript:x"}]), SITE)
    assert sorted(entry.rpartition(" ")[2] for entry in made.left_out) == [
        "contact_phone",
        "landing_page",
        "region",
        "themes",
        "url",
    ]


def test_internal_elements_are_never_exported(make: Make) -> None:
    """Sharing between bodies, data levels and the responsible leader are no public facts."""
    body = writers.turtle(described.single(make(), SITE)).decode()
    assert not any(word in body for word in ("share", "level", "leader", "secre"))


def test_whom_to_ask(make: Make, make_agency: Callable[..., Agency]) -> None:
    """The contact, else the maintainer, else the author, else the body; never one's name with another's address."""
    body = make_agency(contact_name="", contact_email="office@b.cn", contact_phone="12345")
    people = {
        "author": "Ann",
        "author_email": "ann@b.cn",
        "maintainer": "Max",
        "maintainer_email": "max@b.cn",
    }
    for given, name, email in (
        ({**people, "contact_name": "数据科", "contact_email": "data@b.cn"}, "数据科", "data@b.cn"),
        (people, "Max", "max@b.cn"),
        ({**people, "maintainer_email": ""}, "Ann", "ann@b.cn"),
        ({}, "南通市统计局", "office@b.cn"),
    ):
        found = make(given, [], body=body)
        contact = found.view.contact
        assert (contact.name, contact.email, contact.phone) == (name, email, "12345")
        graph, subject = one(found)
        node = graph.value(subject, DCAT.contactPoint)
        assert graph.value(node, VCARD.fn) == Literal(name)
        assert graph.value(node, VCARD.hasEmail) == URIRef(f"mailto:{email}")
