"""One dataset as a graph of its own, with the catalogue's record of it."""

from __future__ import annotations

from opendata.feeds import mapping
from opendata.feeds.graph import Graph, Iri, moment
from opendata.feeds.reading import Record
from opendata.feeds.terms import DCAT_AP, Site


def single(record: Record, site: Site) -> Graph:
    """One dataset with its record."""
    graph = Graph()
    entry(graph, record, site)
    return graph


def entry(graph: Graph, record: Record, site: Site) -> None:
    catalogue_record(graph, record, mapping.dataset(graph, record, site))


def catalogue_record(graph: Graph, record: Record, dataset: Iri) -> Iri:
    """What the catalogue says of its entry, not of the data."""
    subject = Iri(f"{dataset}#record")
    graph.thing(subject, "dcat:CatalogRecord")
    graph.thing(DCAT_AP, "dct:Standard")
    graph.add(subject, "foaf:primaryTopic", dataset)
    graph.add(subject, "dct:conformsTo", DCAT_AP)
    graph.add(subject, "dct:issued", moment(record.view.dataset.created_at))
    graph.add(subject, "dct:modified", moment(mapping.modified(record.view)))
    return subject
