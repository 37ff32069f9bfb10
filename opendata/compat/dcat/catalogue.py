"""The catalogue around its datasets: the site, records, and pages in both dialects of Hydra that harvesters read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from opendata.catalog.codes import EU, codes
from opendata.feeds import described, mapping
from opendata.feeds.graph import Graph, Iri, moment, number, text
from opendata.feeds.reading import Record
from opendata.feeds.terms import DCAT_AP, Site

PAGE_SIZE = 100


@dataclass(frozen=True)
class Paging:
    """Where a page stands. Pages count from 1; there is always a first one.

    Who follows `next` goes from id to id, so that no page costs more than another and nothing is missed or given twice
    while the catalogue changes; its number is told all the same. A number alone counts from the beginning."""

    address: str
    """Of the feed, without a query."""
    page: int
    total: int
    after: str = ""
    """The id behind which the page begins, if it was reached so."""
    following: str | None = None
    """The id behind which the next page begins; None on the last one. Empty where pages go by their numbers: in a search."""
    repeated: Mapping[str, str] = field(default_factory=dict)
    """What was asked besides the page, as query parameters: every link repeats it."""

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    def url(self, page: int, after: str = "") -> str:
        query: dict[str, str] = {"page": str(page)}
        if after:
            query["after"] = after
        return f"{self.address}?{urlencode({**query, **self.repeated})}"

    @property
    def here(self) -> str:
        return self.url(self.page, self.after)

    def links(self) -> dict[str, str]:
        """first, last, and where there are such pages next and previous. From beyond the end one gets back to it."""
        found = {"first": self.url(1), "last": self.url(self.last)}
        if self.following is not None:
            found["next"] = self.url(self.page + 1, self.following)
        if self.page > 1:
            found["previous"] = self.url(min(self.page - 1, self.last))
        return found

    def header(self) -> str:
        """RFC 8288."""
        names = {"previous": "prev"}
        return ", ".join(f'<{url}>; rel="{names.get(name, name)}"' for name, url in self.links().items())


def page(records: Sequence[Record], paging: Paging, site: Site, modified_at: datetime | None) -> Graph:
    graph = Graph()
    subject = _catalogue(graph, site, modified_at)
    for record in records:
        dataset = mapping.dataset(graph, record, site)
        graph.add(subject, "dcat:dataset", dataset)
        graph.add(subject, "dcat:record", described.catalogue_record(graph, record, dataset))
    _hydra(graph, subject, paging)
    return graph


def _catalogue(graph: Graph, site: Site, modified_at: datetime | None) -> Iri:
    subject = Iri(site.catalogue)
    graph.thing(subject, "dcat:Catalog", "hydra:Collection")
    titles = (text(site.title_zh, "zh"), text(site.title, "en"))
    graph.add(subject, "dct:title", *titles)
    graph.add(subject, "dct:description", *titles)
    publisher = Iri(f"{site.catalogue}#publisher")
    graph.thing(publisher, "foaf:Agent")
    graph.add(publisher, "foaf:name", *titles)
    graph.add(subject, "dct:publisher", publisher)
    graph.add(subject, "foaf:homepage", mapping.document(graph, Iri(f"{site.url}/")))
    graph.add(subject, "dct:modified", moment(modified_at) if modified_at else None)
    graph.add(subject, "dct:conformsTo", DCAT_AP)
    graph.thing(DCAT_AP, "dct:Standard")
    for code in ("ZHO", "ENG"):
        language = mapping.authority(graph, "language", code, "dct:LinguisticSystem")
        graph.add(subject, "dct:language", language)
    _schemes(graph, subject, site)
    return subject


def _schemes(graph: Graph, subject: Iri, site: Site) -> None:
    schemes = {
        EU + "data-theme": ("数据主题", "Data theme"),
        site.term("scheme", "domain"): ("重点领域", "Domain"),
        site.term("scheme", "disclosure"): ("五公开", "Kind of disclosure"),
    }
    if not all(theme.eu_uri for theme in codes().themes.values()):
        schemes[site.term("scheme", "theme")] = ("主题", "Theme")
    for address, (zh, en) in schemes.items():
        graph.thing(address, "skos:ConceptScheme")
        graph.add(address, "dct:title", text(zh, "zh"), text(en, "en"))
        graph.add(subject, "dcat:themeTaxonomy", Iri(address))


def _hydra(graph: Graph, subject: Iri, paging: Paging) -> None:
    """`PartialCollectionView` with addresses (udata and the present Hydra), `PagedCollection` with literals and the old
    names beside the new (ckanext-dcat, and what was made to read it). Two nodes: each reader finds one of everything."""
    links, here = paging.links(), paging.here
    view, paged = Iri(here), Iri(f"{here}#paged")
    graph.add(subject, "hydra:totalItems", number(paging.total)._replace(datatype="xsd:integer"))
    graph.add(subject, "hydra:view", view)
    graph.thing(view, "hydra:PartialCollectionView")
    graph.thing(paged, "hydra:PagedCollection")
    for predicate, value in (("totalItems", paging.total), ("itemsPerPage", PAGE_SIZE)):
        graph.add(paged, f"hydra:{predicate}", number(value)._replace(datatype="xsd:integer"))
    for name, url in links.items():
        graph.add(view, f"hydra:{name}", Iri(url))
        for predicate in (name, f"{name}Page"):
            graph.add(paged, f"hydra:{predicate}", text(url))
