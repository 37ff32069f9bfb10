"""Real clients against a real server: sickle, rdflib, and the request patterns of ckanext-dcat and udata."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from places import furnished
from rdflib import DCAT, DCTERMS, RDF, Graph, Namespace, URIRef
from sickle import Sickle
from sickle.oaiexceptions import IdDoesNotExist, NoRecordsMatch

from opendata.application import Application
from opendata.compat.dcat import catalogue
from opendata.compat.oai import api as oai
from opendata.main import create_app

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
KINDS = {
    "text/turtle": "turtle",
    "application/rdf+xml": "xml",
    "application/ld+json": "json-ld",
    "text/n3": "n3",
}
pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


@furnished
def published(office: Any, settle: Callable[[], None]) -> list[dict[str, Any]]:
    made = []
    for number in range(3):
        dataset = office.draft(title=f"街道代码 {number}", keywords=["街道"], licence="cc-by-4.0")
        office.upload(dataset["id"], "区,代码\n崇川区,320613\n".encode(), "rows.csv")
        settle()
        office.publish(dataset["id"], settle)
        made.append(dataset)
    return made


@pytest.fixture
def site(app: Application, published: list[dict[str, Any]]) -> Iterator[str]:
    """The address of a server in another thread, which is also the site's own."""
    config = uvicorn.Config(create_app(app), port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    app.settings = app.settings.model_copy(update={"site_url": address})
    yield address
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "PAGE_SIZE", 1)
    monkeypatch.setattr("opendata.compat.dcat.asking.PAGE_SIZE", 1)
    monkeypatch.setattr(oai, "PAGE", 2)


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request, as written: no redirect is followed, nothing is added."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=60)
    connection.request(method, f"{place.path}?{place.query}" if place.query else place.path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body


def test_sickle_harvests_everything(
    site: str, published: list[dict[str, Any]], office: Any, small_pages: None
) -> None:
    client = Sickle(f"{site}/oai")
    assert client.Identify().deletedRecord == "persistent"
    assert [known.metadataPrefix for known in client.ListMetadataFormats()] == ["oai_dc", "dcat"]
    assert [one.setSpec for one in client.ListSets()] == ["agency:housing"]
    records = list(client.ListRecords(metadataPrefix="oai_dc"))
    assert [r.header.identifier for r in records] == [f"oai:127.0.0.1:{one['id']}" for one in published]
    assert [r.metadata["title"] for r in records] == [[f"街道代码 {n}"] for n in range(3)]
    office.editor.post(f"/datasets/{published[1]['id']}/withdraw", json={"reason": "错误"})
    newer = list(client.ListIdentifiers(metadataPrefix="dcat", **{"from": records[-1].header.datestamp}))
    assert [(h.identifier.rpartition(":")[2], h.deleted) for h in newer][-1] == (published[1]["id"], True)
    left = list(client.ListRecords(metadataPrefix="oai_dc", ignore_deleted=True))
    assert len(left) == 2
    with pytest.raises(NoRecordsMatch):
        client.ListRecords(metadataPrefix="oai_dc", set="agency:nobody")
    with pytest.raises(IdDoesNotExist):
        client.GetRecord(identifier="oai:127.0.0.1:nothing", metadataPrefix="oai_dc")
    posted = Sickle(f"{site}/oai", http_method="POST")
    assert len(list(posted.ListIdentifiers(metadataPrefix="oai_dc"))) == 3


@pytest.mark.parametrize("extension", ["ttl", "rdf", "xml", "jsonld", "n3"])
def test_as_udata_harvests(
    site: str, published: list[dict[str, Any]], small_pages: None, extension: str
) -> None:
    """HEAD for the format, no redirect, PartialCollectionView with hydra:next, dct:identifier on every dataset."""
    url: str | None = f"{site}/catalog.{extension}"
    found = []
    while url is not None:
        status, headers, _ = ask(url, "HEAD")
        assert status == 200
        status, got, body = ask(url)
        assert (status, got["content-type"]) == (200, headers["content-type"])
        graph = Graph().parse(data=body, format=KINDS[got["content-type"].partition(";")[0]])
        found += [
            str(graph.value(node, DCTERMS.identifier)) for node in graph.subjects(RDF.type, DCAT.Dataset)
        ]
        view = graph.value(None, RDF.type, HYDRA.PartialCollectionView)
        following = graph.value(view, HYDRA.next)
        url = str(following) if following is not None else None
    assert sorted(found) == sorted(one["id"] for one in published)


def test_as_ckanext_dcat_harvests(site: str, published: list[dict[str, Any]], small_pages: None) -> None:
    """Its parser: `PagedCollection`, next, else nextPage, as literals; it stops where a page repeats the first one; guid is
    the dataset's address; a second run asks for what is newer."""
    url, first, found = f"{site}/catalog.rdf?profiles=euro_dcat_ap_3", b"", []
    while url:
        status, _headers, body = ask(url, Accept="application/rdf+xml")
        assert status == 200
        assert body != first
        first = first or body
        graph = Graph().parse(data=body, format="xml")
        found += [str(node) for node in graph.subjects(RDF.type, DCAT.Dataset)]
        paged = graph.value(None, RDF.type, HYDRA.PagedCollection)
        url = str(graph.value(paged, HYDRA.next) or graph.value(paged, HYDRA.nextPage) or "")
    assert sorted(found) == sorted(f"{site}/dataset/{one['id']}" for one in published)
    status, _headers, body = ask(f"{site}/catalog.rdf?modified_since=2999-01-01&q=*:*")
    assert (status, body.count(b"dcat#Dataset")) == (200, 0)


def test_as_rdflib_opens_addresses(site: str, published: list[dict[str, Any]]) -> None:
    """By content negotiation alone: the catalogue, and each dataset under the address that it has there."""
    graph = Graph().parse(f"{site}/catalog")
    nodes = sorted(graph.subjects(RDF.type, DCAT.Dataset))
    assert len(nodes) == 3
    for node in nodes:
        own = Graph().parse(str(node))
        assert set(own.predicate_objects(node)) == set(graph.predicate_objects(node))
    assert (URIRef(f"{site}/catalog"), RDF.type, DCAT.Catalog) in graph


def test_every_feed_answers_head_and_conditions(site: str, published: list[dict[str, Any]]) -> None:
    one = published[0]
    for path in (
        "/catalog", "/catalog.jsonld?q=街道", "/catalog.n3", f"/dataset/{one['id']}.rdf", f"/dataset/{one['name']}.n3",
        f"/dataset/{one['id']}.atom", "/data.json", "/sitemap.xml", "/sitemap-1.xml", "/feed.atom", "/agency/housing.atom",
        "/theme/GOVE.atom", "/search.atom", "/oai?verb=Identify",
    ):  # fmt: skip
        url = site + path.replace("街道", "%E8%A1%97%E9%81%93")
        status, head, body = ask(url, "HEAD")
        assert (status, body) == (200, b""), path
        assert ask(url, **{"If-None-Match": head["etag"]})[0] == 304, path
        assert ask(url, **{"If-Modified-Since": head["last-modified"]})[0] == 304, path
        status, got, body = ask(url)
        assert (status, got["etag"]) == (200, head["etag"]), path
        assert body, path
