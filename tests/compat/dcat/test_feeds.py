"""The feeds over HTTP: what harvesters, search engines and feed readers see of a catalogue, and what they do not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from defusedxml import ElementTree as ET
from places import furnished
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from sqlalchemy import event
from starlette.testclient import TestClient

from opendata.application import Application
from opendata.catalog.models import Dataset
from opendata.compat.dcat import atom, catalogue, discovery
from opendata.feeds import reading
from opendata.work.actor import SYSTEM

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
SITE = "http://testserver"
ROWS = "区,代码\n崇川区,320613\n通州区,320612\n".encode()
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"
PATHS = (
    "/catalog.ttl",
    "/catalog.jsonld",
    "/data.json",
    "/sitemap.xml",
    "/sitemap-1.xml",
    "/feed.atom",
    "/theme/GOVE.atom",
    "/search.atom?q=街道",
    "/catalog.n3?fq=tags:街道",
    "/robots.txt",
)
light = pytest.mark.parametrize("settings", ["light"], indirect=True)
Parse = Callable[[bytes, str], Graph]


@furnished
def published(office: Any, settle: Callable[[], None]) -> list[dict[str, Any]]:
    """Three published datasets (the last with a table), and a draft."""
    made = []
    for number in range(3):
        dataset = office.draft(
            title=f"街道代码 {number}", description="代码", keywords=["街道"], licence="cc-by-4.0"
        )
        office.upload(dataset["id"], ROWS, f"rows-{number}.csv")
        settle()
        office.publish(dataset["id"], settle)
        made.append(dataset)
    office.draft(title="尚未公开")
    return made


def walk(feeds: TestClient, parse: Parse, next_of: Callable[[Graph], str | None]) -> Iterator[Graph]:
    url: str | None = f"{SITE}/catalog.ttl"
    while url is not None:
        answer = feeds.get(url)
        assert answer.status_code == 200, answer.text
        graph = parse(answer.content, "ttl")
        yield graph
        url = next_of(graph)


def as_udata(graph: Graph) -> str | None:
    view = graph.value(predicate=RDF.type, object=HYDRA.PartialCollectionView)
    following = graph.value(view, HYDRA.next)
    assert following is None or isinstance(following, URIRef)
    return str(following) if following is not None else None


def as_ckan(graph: Graph) -> str | None:
    paged = graph.value(predicate=RDF.type, object=HYDRA.PagedCollection)
    assert graph.value(paged, HYDRA.next) == graph.value(paged, HYDRA.nextPage)
    following = graph.value(paged, HYDRA.nextPage)
    assert following is None or isinstance(following, Literal)
    return str(following) if following is not None else None


@pytest.mark.parametrize("dialect", [as_udata, as_ckan])
@light
def test_a_harvester_walks_all_pages(
    feeds: TestClient,
    published: list[dict[str, Any]],
    parse: Parse,
    dialect: Callable[[Graph], str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue, "PAGE_SIZE", 2)
    monkeypatch.setattr("opendata.compat.dcat.asking.PAGE_SIZE", 2)
    pages = list(walk(feeds, parse, dialect))
    found = [str(s) for graph in pages for s in graph.subjects(RDF.type, DCAT.Dataset)]
    assert len(pages) == 2
    assert sorted(found) == sorted(f"{SITE}/dataset/{one['id']}" for one in published)
    assert all(graph.value(URIRef(f"{SITE}/catalog"), HYDRA.totalItems).toPython() == 3 for graph in pages)


@light
def test_a_walk_misses_nothing_while_the_catalogue_changes(
    feeds: TestClient,
    published: list[dict[str, Any]],
    parse: Parse,
    office: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was given already is withdrawn: by their numbers the pages would move up, and one dataset would be missed."""
    monkeypatch.setattr(catalogue, "PAGE_SIZE", 1)
    monkeypatch.setattr("opendata.compat.dcat.asking.PAGE_SIZE", 1)
    found = []
    for graph in walk(feeds, parse, as_ckan):
        given = [str(s) for s in graph.subjects(RDF.type, DCAT.Dataset)]
        found += given
        if len(found) == 1:
            path = f"/datasets/{given[0].rsplit('/', 1)[1]}/withdraw"
            assert office.editor.post(path, json={"reason": "错误"}).status_code == 200
    assert sorted(found) == sorted(f"{SITE}/dataset/{one['id']}" for one in published)
    assert as_ckan(graph) is None
    assert graph.value(URIRef(f"{SITE}/catalog"), HYDRA.totalItems).toPython() == 2


@light
def test_links_of_a_page_are_absolute_and_in_the_header(
    feeds: TestClient, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PAGE_SIZE", 1)
    monkeypatch.setattr("opendata.compat.dcat.asking.PAGE_SIZE", 1)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = feeds.get("/catalog.rdf?page=2&modified_since=2020-01-01", headers=headers)
    links = answer.headers["link"]
    second = sorted(one["id"] for one in published)[1]
    following = f"page=3&after={second}&modified_since=2020-01-01T00%3A00%3A00Z"
    assert f'<{SITE}/catalog.rdf?{following}>; rel="next"' in links
    assert feeds.get(f"/catalog.rdf?{following}").text.count("<rdf:Description rdf:about") > 0
    assert 'rel="first"' in links
    assert 'rel="last"' in links
    assert 'rel="prev"' in links
    assert "evil" not in answer.text + links
    assert feeds.get("/catalog.rdf?after=everything").status_code == 400
    beyond = feeds.get("/catalog.rdf?page=99")
    assert beyond.status_code == 404
    assert "3" in beyond.json()["detail"]


@light
def test_only_what_changed_since(feeds: TestClient, published: list[dict[str, Any]], parse: Parse) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    none = parse(feeds.get("/catalog.ttl", params={"modified_since": soon}).content, "ttl")
    every = parse(feeds.get("/catalog.ttl", params={"modified_since": "2026-01-01"}).content, "ttl")
    assert len(list(none.subjects(RDF.type, DCAT.Dataset))) == 0
    assert len(list(every.subjects(RDF.type, DCAT.Dataset))) == 3
    assert feeds.get("/catalog.ttl?modified_since=yesterday").status_code == 400
    assert feeds.get("/catalog.ttl?page=0").status_code == 400
    assert feeds.get("/catalog.doc").status_code == 404


@light
def test_every_format_of_a_catalogue_and_of_a_dataset(
    feeds: TestClient, published: list[dict[str, Any]], parse: Parse
) -> None:
    for place in ("/catalog", f"/dataset/{published[0]['id']}", f"/dataset/{published[0]['name']}"):
        graphs = [parse(feeds.get(f"{place}.{name}").content, name) for name in ("ttl", "rdf", "jsonld")]
        assert graphs[0].value(URIRef(f"{SITE}/dataset/{published[0]['id']}"), DCTERMS.identifier) is not None
        if place != "/catalog":  # the addresses of its pages name the format
            assert set(graphs[0]) == set(graphs[1]) == set(graphs[2])


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/turtle", "text/turtle"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("text/html;q=0.5, application/ld+json", "application/ld+json"),
        ("*/*", "text/turtle"),
        ("text/turtle;q=nonsense, text/n3;q=0.1", "text/n3"),
    ],
)
@light
def test_content_negotiation(feeds: TestClient, accept: str, kind: str) -> None:
    answer = feeds.get("/catalog", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)
    assert "Accept" in answer.headers["vary"]


@light
def test_a_datasets_own_address(feeds: TestClient, published: list[dict[str, Any]]) -> None:
    """RDF to a machine, the page to a person."""
    address = f"/dataset/{published[0]['id']}"
    assert (
        feeds.get(address, headers={"Accept": "text/turtle"})
        .headers["content-type"]
        .startswith("text/turtle")
    )
    for accept in ("text/html,application/xml;q=0.9", "*/*"):
        answer = feeds.get(address, headers={"Accept": accept, "Accept-Language": "zh-CN"})
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{SITE}/zh/dataset/{published[0]['name']}"


@light
def test_what_is_not_public_is_in_no_feed(
    feeds: TestClient,
    office: Any,
    app: Application,
    published: list[dict[str, Any]],
    settle: Callable[[], None],
) -> None:
    draft = next(one for one in _names(app) if one not in {p["name"] for p in published})
    gone = published[1]
    before = {path: feeds.get(path).text for path in PATHS}
    assert gone["id"] in before["/catalog.ttl"]
    assert office.editor.post(f"/datasets/{gone['id']}/withdraw", json={"reason": "错误"}).status_code < 300
    for path in PATHS:
        text = feeds.get(path).text
        assert not any(name in text for name in (draft, gone["id"], gone["name"])), path
    assert feeds.get(f"/dataset/{gone['id']}.ttl").status_code == 410
    assert feeds.get(f"/dataset/{draft}.ttl").status_code == 404
    editor = {"Authorization": f"Bearer {office.editor.token}"}
    assert feeds.get(f"/dataset/{draft}.ttl", headers=editor).status_code == 404
    assert feeds.get("/dataset/nothing.ttl").status_code == 404


@light
def test_what_the_caller_has_is_not_sent_again(feeds: TestClient, published: list[dict[str, Any]]) -> None:
    for path in PATHS:
        _is_sent_once(feeds, path)


def _is_sent_once(feeds: TestClient, path: str) -> None:
    head = feeds.head(path)
    assert head.status_code == 200
    assert head.content == b""
    _is_sent_once_by_date(feeds, path, head.headers.get("last-modified"))
    first = feeds.get(path)
    _is_sent_once_by_date(feeds, path, head.headers.get("last-modified"))  # of the byte cache
    assert first.headers["etag"] == head.headers["etag"]
    assert head.headers.get("content-length", str(len(first.content))) == str(len(first.content))
    assert "x-cache-tag" not in first.headers
    again = feeds.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = feeds.get(
        path, headers={"If-None-Match": '"other"', "If-Modified-Since": "Tue, 01 Jan 2999 00:00:00 GMT"}
    )
    assert other.status_code == 200


def _is_sent_once_by_date(feeds: TestClient, path: str, modified: str | None) -> None:
    if modified is None:
        return
    for since, expected in (
        (modified, 304),
        ("Tue, 01 Jan 2999 00:00:00 GMT", 304),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 200),
        ("Mon, 01 Jan 0001 00:00:00 +1400", 200),
        ("yesterday", 200),
    ):
        assert feeds.get(path, headers={"If-Modified-Since": since}).status_code == expected, since


@light
def test_by_date_a_withdrawal_is_news(
    feeds: TestClient, office: Any, published: list[dict[str, Any]]
) -> None:
    """Nothing that is left in the feed has changed."""

    def asked() -> list[int]:
        return [feeds.get(path, headers=since).status_code for path in (*paths, kept)]

    paths = ("/feed.atom", "/catalog.ttl", "/data.json", "/agency/housing.atom")
    kept = f"/dataset/{published[0]['id']}.ttl"
    since = {"If-Modified-Since": feeds.get("/catalog.ttl").headers["last-modified"]}
    assert asked() == [304] * 5
    time.sleep(1.1)  # dates of HTTP have no parts of a second
    office.editor.post(f"/datasets/{published[1]['id']}/withdraw", json={"reason": "错误"})
    assert asked() == [200] * 4 + [304]
    assert office.admin.patch("/agencies/housing", json={"title": "住房局"}).status_code == 200
    assert asked() == [200] * 5


@light
def test_data_json(
    feeds: TestClient, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    found = json.loads(feeds.get("/data.json").content)
    assert found["conformsTo"] == "https://project-open-data.cio.gov/v1.1/schema"
    assert len(found["dataset"]) == 3
    required = {
        "title",
        "description",
        "keyword",
        "modified",
        "publisher",
        "contactPoint",
        "identifier",
        "accessLevel",
    }
    for one in found["dataset"]:
        assert required <= set(one)
        there = one["distribution"][0]
        assert there["mediaType"] == "text/csv"
        assert feeds.get(there["downloadURL"]).content == ROWS


@light
def test_an_empty_catalogue(feeds: TestClient, parse: Parse) -> None:
    assert json.loads(feeds.get("/data.json").content)["dataset"] == []
    graph = parse(feeds.get("/catalog.jsonld").content, "jsonld")
    assert (URIRef(f"{SITE}/catalog"), RDF.type, DCAT.Catalog) in graph
    assert ET.fromstring(feeds.get("/feed.atom").content).find(f"{ATOM}updated") is not None
    assert len(ET.fromstring(feeds.get("/sitemap.xml").content)) == 1
    assert len(ET.fromstring(feeds.get("/sitemap-1.xml").content)) == 2


def test_the_site_map_names_every_page_in_both_languages(
    feeds: TestClient, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "PART", 2)
    index = ET.fromstring(feeds.get("/sitemap.xml").content)
    parts = [loc.text or "" for loc in index.iter(f"{SITEMAP}loc")]
    assert parts == [f"{SITE}/sitemap-1.xml", f"{SITE}/sitemap-2.xml"]
    pages = [
        loc.text for part in parts for loc in ET.fromstring(feeds.get(part).content).iter(f"{SITEMAP}loc")
    ]
    wanted = {f"{SITE}/{x}/dataset/{one['name']}" for one in published for x in ("zh", "en")}
    assert set(pages) == wanted | {f"{SITE}/zh/", f"{SITE}/en/"}
    assert len(pages) == len(set(pages))
    days = {
        x.text for part in parts for x in ET.fromstring(feeds.get(part).content).iter(f"{SITEMAP}lastmod")
    }
    changed = [feeds.get(f"/api/v1/datasets/{one['name']}").json()["modified_at"] for one in published]
    assert days == {f"{at[:19]}Z" for at in changed}
    assert feeds.get("/sitemap-3.xml").status_code == 404
    assert feeds.get("/sitemap-0.xml").status_code == 404
    assert f"Sitemap: {SITE}/sitemap.xml" in feeds.get("/robots.txt").text


@light
def test_atom(feeds: TestClient, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atom, "NEWEST", 2)
    everything = ET.fromstring(feeds.get("/feed.atom").content)
    ids = [entry.findtext(f"{ATOM}id") for entry in everything.iter(f"{ATOM}entry")]
    assert ids == [f"{SITE}/dataset/{one['id']}" for one in (published[2], published[1])]
    of_body = ET.fromstring(feeds.get("/agency/housing.atom").content)
    assert "市住房和城乡建设局" in (of_body.findtext(f"{ATOM}title") or "")
    assert len(list(of_body.iter(f"{ATOM}entry"))) == 2
    assert feeds.get("/agency/nobody.atom").status_code == 404


@light
def test_a_page_costs_the_same_whatever_is_on_it(app: Application, published: list[dict[str, Any]]) -> None:
    statements: list[str] = []
    with app.place.reading() as work:
        event.listen(work.session.get_bind(), "before_cursor_execute", lambda *a: statements.append(a[2]))
        counts = []
        reading.page(work, limit=1)  # opens the transaction
        for limit in (1, 3):
            work.session.expunge_all()
            statements.clear()
            found = reading.page(work, limit=limit)
            counts.append(len(statements))
            assert len(found.records) == limit
    assert counts[0] == counts[1]
    assert {count for record in found.records for count in record.rows.values()} == {2}


def test_the_catalogue_on_both_shapes(
    feeds: TestClient, published: list[dict[str, Any]], parse: Parse, office: Any
) -> None:
    """Also on the full stack: an ETag that follows the catalogue, tables as services, lines as codes."""
    etag = feeds.head("/data.json").headers["etag"]
    graph = parse(feeds.get("/catalog.ttl").content, "ttl")
    assert len(list(graph.subjects(RDF.type, DCAT.DataService))) == 3
    path = f"/datasets/{published[0]['id']}/withdraw"
    assert office.editor.post(path, json={"reason": "错误"}).status_code < 300
    assert feeds.head("/data.json").headers["etag"] != etag


def _names(app: Application) -> list[str]:
    with app.place.reading(SYSTEM) as work:
        return [name for (name,) in work.session.query(Dataset.name)]
