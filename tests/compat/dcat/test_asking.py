"""What a harvester may ask of the catalogue besides a page: a search, an edition of DCAT-AP; and the feeds of parts of it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyshacl
import pytest
from defusedxml import ElementTree as ET
from places import furnished
from rdflib import DCAT, RDF, Graph, Literal, Namespace, URIRef
from starlette.testclient import TestClient

from opendata.compat.dcat import catalogue

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
SITE = "http://testserver"
ATOM = "{http://www.w3.org/2005/Atom}"
SHAPES = Path(__file__).parent / "shapes" / "2.1.1"
Parse = Callable[[bytes, str], Graph]
pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


@furnished
def published(office: Any, settle: Callable[[], None]) -> list[dict[str, Any]]:
    made = []
    for title, keyword, theme in (
        ("街道代码", "街道", "GOVE"),
        ("空气质量", "空气", "ENVI"),
        ("街道绿化", "街道", "ENVI"),
    ):
        dataset = office.draft(title=title, keywords=[keyword], themes=[theme], licence="cc-by-4.0")
        office.upload(dataset["id"], "区,代码\n崇川区,320613\n".encode(), "rows.csv")
        settle()
        office.publish(dataset["id"], settle)
        made.append(dataset)
    office.draft(title="街道草稿", keywords=["街道"], themes=["ENVI"])
    return made


def datasets(graph: Graph) -> set[str]:
    return {str(s) for s in graph.subjects(RDF.type, DCAT.Dataset)}


def addresses(*made: dict[str, Any]) -> set[str]:
    return {f"{SITE}/dataset/{one['id']}" for one in made}


def test_a_search_is_a_catalogue_of_its_own(
    feeds: TestClient, published: list[dict[str, Any]], parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the links, the total and the pages of what was found."""
    monkeypatch.setattr(catalogue, "PAGE_SIZE", 1)
    monkeypatch.setattr("opendata.compat.dcat.asking.PAGE_SIZE", 1)
    street, air, green = published
    url: str | None = "/catalog.ttl?fq=tags:街道"
    found: set[str] = set()
    pages = 0
    while url is not None:
        answer = feeds.get(url)
        assert answer.status_code == 200, answer.text
        graph = parse(answer.content, "ttl")
        assert graph.value(URIRef(f"{SITE}/catalog"), HYDRA.totalItems).toPython() == 2
        assert ('rel="next"' in answer.headers["link"]) == (pages == 0)
        found |= datasets(graph)
        following = graph.value(graph.value(None, RDF.type, HYDRA.PagedCollection), HYDRA.nextPage)
        url, pages = (str(following) if following is not None else None), pages + 1
    assert (found, pages) == (addresses(street, green), 2)
    beyond = feeds.get("/catalog.ttl?fq=tags:街道&page=3")
    assert (beyond.status_code, beyond.json()["code"]) == (404, "no_such_page")
    assert air["id"] not in str(found)


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("q=绿化", (2,)),
        ("q=title:街道&fq=organization:housing", (0, 2)),
        ("q=街道&fq=tags:空气", ()),
        ("fq=metadata_modified:[2020-01-01T00:00:00Z TO NOW]", (0, 1, 2)),
        ("q=街道&modified_since=2999-01-01", ()),
        ("q=街道&modified_since=2020-01-01&profiles=2.1.1", (0, 2)),
        ("q=nothing-of-the-kind", ()),
    ],
)
def test_in_the_language_of_the_search(
    feeds: TestClient, published: list[dict[str, Any]], parse: Parse, query: str, which: tuple[int, ...]
) -> None:
    answer = feeds.get(f"/catalog.jsonld?{query}")
    assert datasets(parse(answer.content, "jsonld")) == addresses(*(published[n] for n in which))
    assert ("no-store" in answer.headers["cache-control"]) == ("NOW" in query)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("fq=tags:(", "query_syntax"),
        ("q=" + "x" * 600, "query_too_long"),
        ("q=" + "x" * 20_000, "bad_query"),
        ("fq=" + "(" * 40 + "a" + ")" * 40, "query_too_deep"),
        ("profiles=euro_dcat_ap_9", "bad_query"),
    ],
)
def test_what_asks_too_much_is_told_so(feeds: TestClient, query: str, code: str) -> None:
    answer = feeds.get(f"/catalog.ttl?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


@pytest.mark.parametrize("name", ["2.1.1", "euro_dcat_ap_2", "euro_dcat_ap_2,3.0.1"])
def test_the_edition_before(
    feeds: TestClient, published: list[dict[str, Any]], parse: Parse, name: str
) -> None:
    """No violation of its shapes; the present edition violates them, and is what everybody gets who asks for nothing."""
    rules = Graph()
    for part in ("shapes.ttl", "range.ttl", "deprecateduris.ttl"):
        rules.parse(SHAPES / part)
    places = (f"/dataset/{published[0]['id']}.ttl", "/catalog.ttl")
    for place in places:
        graph = parse(feeds.get(f"{place}?profiles={name}").content, "ttl")
        conforms, _, report = pyshacl.validate(graph, shacl_graph=rules, allow_warnings=True)
        assert conforms, report
        assert not list(graph.subject_objects(SPDX.checksum))
    link = feeds.get(f"/catalog.ttl?profiles={name}").headers["link"]
    assert "profiles=" in link
    now = parse(feeds.get(places[0]).content, "ttl")
    assert not pyshacl.validate(now, shacl_graph=rules, allow_warnings=True)[0]
    size = next(now.objects(None, DCAT.byteSize))
    assert isinstance(size, Literal)
    assert str(size.datatype).endswith("nonNegativeInteger")


def test_values_without_a_place_are_counted(
    feeds: TestClient, office: Any, settle: Callable[[], None]
) -> None:
    made = office.draft(title="联系不上", contact_phone="无")
    office.upload(made["id"], b"a\n1\n", "rows.csv")
    settle()
    office.publish(made["id"], settle)

    def counted() -> float:
        found = feeds.app.state.metrics.registry.get_sample_value("opendata_feed_values_left_out_total")
        return float(found)

    before = counted()
    answer = feeds.get(f"/dataset/{made['id']}.ttl")
    assert answer.status_code == 200
    assert answer.headers["x-left-out"] == "1"
    assert counted() == before + 1


def entries(body: bytes) -> list[str]:
    return [entry.findtext(f"{ATOM}id") or "" for entry in ET.fromstring(body).iter(f"{ATOM}entry")]


def test_atom_of_a_theme_and_of_a_search(feeds: TestClient, published: list[dict[str, Any]]) -> None:
    street, air, green = (f"{SITE}/dataset/{one['id']}" for one in published)
    assert entries(feeds.get("/theme/ENVI.atom").content) == [green, air]
    assert entries(feeds.get("/search.atom?q=街道").content) == [green, street]
    assert entries(feeds.get("/search.atom?q=街道&theme=ENVI").content) == [green]
    assert entries(feeds.get("/search.atom").content) == [green, air, street]
    document = ET.fromstring(feeds.get("/search.atom?theme=ENVI&q=绿化").content)
    assert (document.findtext(f"{ATOM}id") or "").startswith(f"{SITE}/search.atom?q=")
    assert feeds.get("/theme/NONE.atom").status_code == 404
    assert feeds.get("/search.atom?colour=red").status_code == 400


def test_pages_name_their_feeds(feeds: TestClient, published: list[dict[str, Any]]) -> None:
    """And the feeds the pages."""
    for page in (
        "/zh/",
        "/zh/agency/housing",
        "/zh/search?q=%E8%A1%97%E9%81%93&theme=ENVI",
        f"/zh/dataset/{published[0]['name']}",
    ):
        head = feeds.get(page).text.partition("</head>")[0]
        address = re.search(r'type="application/atom\+xml" href="([^"]+)"', head)
        assert address is not None, page
        document = ET.fromstring(feeds.get(html.unescape(address[1])).content)
        back = document.findall(f"{ATOM}link")[1].get("href") or ""
        assert back.startswith(SITE)
        assert feeds.get(back.removeprefix(SITE)).status_code in (200, 302), (
            back
        )  # the portal's own address: to a language


def test_atom_of_a_dataset_tells_its_releases(
    feeds: TestClient, office: Any, published: list[dict[str, Any]], settle: Callable[[], None]
) -> None:
    one = published[0]
    assert office.editor.patch(f"/datasets/{one['id']}", json={"title": "街道代码（新）"}).status_code == 200
    settle()
    office.publish(one["id"], settle)
    for key in ("id", "name"):
        body = feeds.get(f"/dataset/{one[key]}.atom").content
        assert entries(body) == [f"{SITE}/dataset/{one['id']}#release-{n}" for n in (2, 1)]
    pages = [link.get("href") or "" for link in ET.fromstring(body).iter(f"{ATOM}link")][2:]
    for page in pages:
        assert feeds.get(page.removeprefix(SITE)).status_code == 200
    office.editor.post(f"/datasets/{one['id']}/withdraw", json={"reason": "错误"})
    assert feeds.get(f"/dataset/{one['id']}.atom").status_code == 410
