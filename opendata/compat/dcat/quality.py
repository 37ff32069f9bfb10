"""What of the MQA's rubric a dataset's own graph lacks: judged is what a harvester gets, not what lies in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog import queries
from opendata.catalog.codes import EU, IANA
from opendata.catalog.views import ResourceView
from opendata.feeds import mapping, reading
from opendata.feeds.graph import PREFIXES, Graph, Iri, Term, Text, number, text
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site
from opendata.supervision.links import queries as links
from opendata.supervision.mqa.queries import DatasetRow, Sum, together
from opendata.supervision.mqa.rubric import DIMENSIONS, INDICATORS, Dimension, points, unpacked
from opendata.work.unit import Work

NON_PROPRIETARY = frozenset(
    [
        "BMP",
        "CSV",
        "DBF",
        "GEOJSON",
        "GZIP",
        "HTML",
        "ICS",
        "JPEG2000",
        "JSON",
        "JSON_LD",
        "KML",
        "KMZ",
        "NETCDF",
        "ODS",
        "PNG",
        "RDF_N_QUADS",
        "RDF_N_TRIPLES",
        "RDF_TRIG",
        "RDF_TURTLE",
        "RDF_XML",
        "RSS",
        "RTF",
        "TAR",
        "TIFF",
        "TSV",
        "TXT",
        "WMS_SRVC",
        "XML",
        "ZIP",
    ]
)
"""Of the EU's file types, those that data.europa.eu counts so (its vocabulary edp-non-proprietary-format)."""
MACHINE_READABLE = frozenset(
    [
        "CSV",
        "GEOJSON",
        "ICS",
        "JSON",
        "JSON_LD",
        "KML",
        "KMZ",
        "NETCDF",
        "ODS",
        "RDFA",
        "RDF_N_QUADS",
        "RDF_N_TRIPLES",
        "RDF_TRIG",
        "RDF_TURTLE",
        "RDF_XML",
        "RSS",
        "SHP",
        "XLS",
        "XLSX",
        "XML",
    ]
)
"""The same, edp-machine-readable-format."""
AVERAGE = "average"
_PRESENT = {
    "keywords": "dcat:keyword", "themes": "dcat:theme", "spatial": "dct:spatial", "temporal": "dct:temporal",
    "access_rights": "dct:accessRights", "publisher": "dct:publisher", "download_url": "dcat:downloadURL",
    "format": "dct:format", "media_type": "dcat:mediaType", "licence": "dct:license", "rights": "dct:rights",
    "byte_size": "dcat:byteSize", "issued": "dct:issued", "modified": "dct:modified",
}  # fmt: skip
_FROM_LIST = {
    "access_rights_known": ("dct:accessRights", f"{EU}access-right/"),
    "licence_known": ("dct:license", f"{EU}licence/"),
}


def measure(work: Work, ids: Sequence[str], *, site_url: str) -> dict[str, list[str]]:
    """Codes of the indicators that each of these public datasets fails. Nobody is asked: of links the last look counts."""
    site = Site(site_url, "", "")
    records = reading.records(work, queries.published(work, ids, visible=PUBLIC_FILTER))
    reached = links.reached(work, [r.id for record in records for r in record.view.resources if not r.file])
    return {record.view.id: _failing(record, site, reached) for record in records}


def _failing(record: Record, site: Site, reached: Collection[str]) -> list[str]:
    graph = Graph()
    subject = mapping.dataset(graph, record, site)
    distributions = [
        _of_distribution(
            graph, Iri(site.resource(record.view.id, resource.id)), answers=_answers(resource, reached)
        )
        for resource in record.view.resources
    ]
    met = _of_dataset(graph, subject) | max(
        distributions, key=lambda found: points(_not(found)), default=set()
    )
    return _not(met)


def _not(met: Collection[str]) -> list[str]:
    return [one.code for one in INDICATORS if one.code not in met]


def _answers(resource: ResourceView, reached: Collection[str]) -> bool:
    """Our own files answer, unless rows are being taken out of them; a link, if it did when it was asked last."""
    return not resource.file.held if resource.file is not None else resource.id in reached


def _of_dataset(graph: Graph, subject: str) -> set[str]:
    met = _stated(graph, subject)
    contact = f"{subject}#contact"
    if graph.facts.get(contact, {}).keys() & {"vcard:hasEmail", "vcard:hasTelephone"}:
        met.add("contact")
    facts = graph.facts[subject]
    if not graph.left_out and {"dct:title", "dct:description", "dcat:distribution"} <= facts.keys():
        met.add("dcat_ap")
    return met


def _of_distribution(graph: Graph, subject: str, *, answers: bool) -> set[str]:
    facts = graph.facts.get(subject, {})
    met = _stated(graph, subject)
    if answers and "dcat:accessURL" in facts:
        met.add("access_url_answers")
    if answers and "dcat:downloadURL" in facts:
        met.add("download_url_answers")
    types = {term.rpartition("/")[2] for term in _terms(graph, subject, "dct:format") if term.startswith(EU)}
    if types and any(term.startswith(IANA) for term in _terms(graph, subject, "dcat:mediaType")):
        met.add("format_known")
    met |= {
        code
        for code, known in (("non_proprietary", NON_PROPRIETARY), ("machine_readable", MACHINE_READABLE))
        if types & known
    }
    return met


def _stated(graph: Graph, subject: str) -> set[str]:
    facts = graph.facts.get(subject, {})
    met = {code for code, predicate in _PRESENT.items() if predicate in facts}
    return met | {
        code
        for code, (predicate, table) in _FROM_LIST.items()
        if any(term.startswith(table) for term in _terms(graph, subject, predicate))
    }


def _terms(graph: Graph, subject: str, predicate: str) -> list[str]:
    found: Collection[Term] = graph.facts.get(subject, {}).get(predicate, {})
    return [term for term in found if isinstance(term, Iri)]


def told(rows: Sequence[DatasetRow], sums: Mapping[str, Sum], site: Site) -> Graph:
    """What was measured, in W3C's Data Quality Vocabulary: of the catalogue and of each body the average; of each dataset its
    points, in all and by dimension, and what it fails with what to do about it."""
    graph = Graph()
    _metrics(graph, site)
    averages = {site.catalogue: together(sums), **{site.agency(body): one for body, one in sums.items()}}
    for subject, average in averages.items():
        if average is not None:
            value = Text(f"{average.points:.1f}", "", "xsd:decimal")
            _measured(graph, Iri(subject), AVERAGE, value, site)
    for row in rows:
        _of_row(graph, row, site)
    return graph


def _of_row(graph: Graph, row: DatasetRow, site: Site) -> None:
    subject = Iri(site.dataset(row.id))
    graph.thing(subject, "dcat:Dataset")
    got = dict.fromkeys(Dimension, 0)
    failed = unpacked(row.failing)
    for one in INDICATORS:
        got[one.dimension] += 0 if one in failed else one.points
    for name, points_got in {"points": row.points, **{d.value: n for d, n in got.items()}}.items():
        _measured(graph, subject, name, number(points_got)._replace(datatype="xsd:integer"), site)
    for one in failed:
        note = Iri(f"{subject}#mqa-fails-{one.code}")
        graph.thing(note, "dqv:QualityAnnotation")
        graph.add(note, "oa:hasTarget", subject)
        graph.add(note, "oa:motivatedBy", Iri(f"{PREFIXES['dqv']}qualityAssessment"))
        graph.add(note, "dqv:inDimension", Iri(site.term("mqa-dimension", one.dimension.value)))
        graph.add(note, "skos:prefLabel", text(one.title[0], "zh"), text(one.title[1], "en"))
        graph.add(note, "oa:bodyValue", text(one.remedy[0], "zh"), text(one.remedy[1], "en"))
        graph.add(subject, "dqv:hasQualityAnnotation", note)


def _measured(graph: Graph, subject: Iri, name: str, value: Text, site: Site) -> None:
    measured = Iri(f"{subject}#mqa-{name}")
    graph.thing(measured, "dqv:QualityMeasurement")
    graph.add(measured, "dqv:computedOn", subject)
    graph.add(measured, "dqv:isMeasurementOf", Iri(site.term("mqa", name)))
    graph.add(measured, "dqv:value", value)
    graph.add(subject, "dqv:hasQualityMeasurement", measured)


def _metrics(graph: Graph, site: Site) -> None:
    names = {
        "points": ("元数据质量总分（405 分）", "Metadata quality in all, of 405"),
        AVERAGE: ("元数据质量平均分（405 分）", "Metadata quality on average, of 405"),
    }
    for name, (zh, en) in (names | {d.value: words for d, words in DIMENSIONS.items()}).items():
        metric = Iri(site.term("mqa", name))
        kind = "decimal" if name == AVERAGE else "integer"
        graph.thing(metric, "dqv:Metric")
        graph.add(metric, "skos:prefLabel", text(zh, "zh"), text(en, "en"))
        graph.add(metric, "dqv:expectedDataType", Iri(f"{PREFIXES['xsd']}{kind}"))
        if name in DIMENSIONS:
            dimension = Iri(site.term("mqa-dimension", name))
            graph.thing(dimension, "dqv:Dimension")
            graph.add(dimension, "skos:prefLabel", text(zh, "zh"), text(en, "en"))
            graph.add(metric, "dqv:inDimension", dimension)
