"""OAI-PMH by its own rules: verbs, errors, lists that go on, records that are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from asking import Asking
from defusedxml import ElementTree as ET
from places import furnished
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal, URIRef
from starlette.testclient import TestClient
from streets import feeds as feeds
from streets import streets, withdraw

from opendata.application import Application
from opendata.compat.oai import api
from opendata.main import create_app
from opendata.work.actor import SYSTEM

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
SITE = "http://testserver"
pytestmark = pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)


@furnished
def published(office: Any, settle: Callable[[], None]) -> list[dict[str, Any]]:
    return streets(office, settle, title_en="Street codes", contact_email="a@b.cn")


def ask(feeds: TestClient, query: str) -> Any:
    answer = feeds.get(f"/oai?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/xml")
    return ET.fromstring(answer.content)


def error(document: Any) -> str:
    return document.find(f"{OAI}error").get("code")


def ids(document: Any) -> list[str]:
    return [(h.findtext(f"{OAI}identifier") or "").rpartition(":")[2] for h in document.iter(f"{OAI}header")]


def walk(feeds: TestClient, query: str, verb: str = "ListRecords") -> Iterator[Any]:
    document = ask(feeds, f"verb={verb}&{query}")
    yield document
    while token := document.findtext(f".//{OAI}resumptionToken"):
        document = ask(feeds, f"verb={verb}&resumptionToken={quote(token)}")
        yield document


def test_who_we_are(feeds: TestClient, published: list[dict[str, Any]]) -> None:
    document = ask(feeds, "verb=Identify")
    told = {node.tag.removeprefix(OAI): node.text for node in document.find(f"{OAI}Identify")}
    assert told["baseURL"] == f"{SITE}/oai"
    assert told["protocolVersion"] == "2.0"
    assert told["deletedRecord"] == "persistent"
    assert told["granularity"] == "YYYY-MM-DDThh:mm:ssZ"
    first = min(
        h.findtext(f"{OAI}datestamp")
        for h in ask(feeds, "verb=ListIdentifiers&metadataPrefix=dcat").iter(f"{OAI}header")
    )
    assert told["earliestDatestamp"] == first
    assert document.find(f"{OAI}request").get("verb") == "Identify"
    prefixes = [x.text for x in ask(feeds, "verb=ListMetadataFormats").iter(f"{OAI}metadataPrefix")]
    assert prefixes == ["oai_dc", "dcat"]
    one = f"oai:testserver:{published[0]['id']}"
    assert (
        len(list(ask(feeds, f"verb=ListMetadataFormats&identifier={one}").iter(f"{OAI}metadataPrefix"))) == 2
    )
    assert [x.text for x in ask(feeds, "verb=ListSets").iter(f"{OAI}setSpec")] == ["agency:housing"]


def test_an_empty_catalogue(feeds: TestClient, office: Any) -> None:
    assert ask(feeds, "verb=Identify").findtext(f".//{OAI}earliestDatestamp")
    assert error(ask(feeds, "verb=ListRecords&metadataPrefix=oai_dc")) == "noRecordsMatch"


def test_a_list_goes_on_by_a_token_that_nobody_keeps(
    app: Application,
    feeds: TestClient,
    published: list[dict[str, Any]],
    office: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another server takes it up; what changed meanwhile is given again, at the end; nothing is missed."""
    monkeypatch.setattr(api, "PAGE", 2)
    first = ask(feeds, "verb=ListRecords&metadataPrefix=oai_dc")
    token = first.find(f".//{OAI}resumptionToken")
    assert (token.get("completeListSize"), token.get("cursor")) == ("5", "0")
    assert ids(first) == [one["id"] for one in published[:2]]
    withdraw(office, published[0]["id"])
    withdraw(office, published[3]["id"])
    with Asking(create_app(app)) as other:
        rest = [ask(other, f"verb=ListRecords&resumptionToken={quote(token.text)}")]
        while following := rest[-1].findtext(f".//{OAI}resumptionToken"):
            rest.append(ask(other, f"verb=ListRecords&resumptionToken={quote(following)}"))
    assert [i for page in rest for i in ids(page)] == [published[n]["id"] for n in (2, 4, 0, 3)]
    gone = [h for page in rest for h in page.iter(f"{OAI}header") if h.get("status") == "deleted"]
    assert len(gone) == 2
    last = rest[-1].find(f".//{OAI}resumptionToken")
    assert (last.text, last.get("completeListSize"), last.get("cursor")) == (None, "5", "4")


def test_what_is_gone_stays_listed(
    feeds: TestClient, published: list[dict[str, Any]], office: Any, settle: Callable[[], None]
) -> None:
    """Withdrawn, deleted, purged; and back again when it is public again."""
    withdraw(office, published[0]["id"])
    assert office.editor.delete(f"/datasets/{published[1]['id']}?reason=x").status_code in (200, 204)
    for one in published[:2]:
        record = ask(feeds, f"verb=GetRecord&metadataPrefix=dcat&identifier=oai:testserver:{one['id']}")
        assert record.find(f".//{OAI}header").get("status") == "deleted"
        assert record.find(f".//{OAI}metadata") is None
    listed = ask(feeds, "verb=ListRecords&metadataPrefix=oai_dc")
    assert len(ids(listed)) == 5
    assert len(list(listed.iter(f"{OAI}metadata"))) == 3
    text = feeds.get("/oai?verb=ListRecords&metadataPrefix=dcat").text
    assert "街道代码 0" not in text
    assert "街道代码 2" in text
    assert (
        office.editor.patch(f"/datasets/{published[0]['id']}", json={"title": "街道代码，改正"}).status_code
        == 200
    )
    settle()
    office.publish(published[0]["id"], settle)
    back = ask(feeds, "verb=ListIdentifiers&metadataPrefix=oai_dc")
    assert ids(back)[-1] == published[0]["id"]
    assert [h.get("status") for h in back.iter(f"{OAI}header")].count("deleted") == 1


def test_between_two_dates(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], office: Any
) -> None:
    with app.place.reading(SYSTEM) as work:
        now = work.now
    today, second = now.strftime("%Y-%m-%d"), now.strftime("%Y-%m-%dT%H:%M:%SZ")
    tomorrow = (now + timedelta(days=1)).strftime("%Y-%m-%d")
    yesterday = (now - timedelta(days=1)).strftime("%Y-%m-%d")
    query = "verb=ListIdentifiers&metadataPrefix=oai_dc"
    assert len(ids(ask(feeds, f"{query}&from={yesterday}&until={today}"))) == 5
    assert len(ids(ask(feeds, f"{query}&until={second}"))) == 5
    assert len(ids(ask(feeds, f"{query}&set=agency:housing"))) == 5
    stamps = [h.findtext(f"{OAI}datestamp") for h in ask(feeds, query).iter(f"{OAI}header")]
    here = ids(ask(feeds, f"{query}&from={stamps[2]}&until={stamps[2]}"))
    assert here == [i for i, at in zip(ids(ask(feeds, query)), stamps, strict=True) if at == stamps[2]]
    for none in (
        f"from={tomorrow}",
        f"until={yesterday}",
        "set=agency:water",
        "set=theme:GOVE",
        "set=agency:",
    ):
        assert error(ask(feeds, f"{query}&{none}")) == "noRecordsMatch", none


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=List", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=dcat", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&colour=red", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=yesterday", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2026-01-02T00:00:00Z", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-02&until=2026-01-01", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=" + "e" * 5000, "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=W10", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=WyJvYWlfZGMiLCIiLG51bGwsbnVsbCwieCIsIiIsMCwwXQ", "badResumptionToken"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:testserver:nothing", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=nothing%00", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=oai:elsewhere:1", "idDoesNotExist"),
    ],
)  # fmt: skip
def test_errors_are_the_protocols_own(feeds: TestClient, office: Any, query: str, code: str) -> None:
    document = ask(feeds, query)
    assert error(document) == code
    if code in ("badVerb", "badArgument"):
        assert document.find(f"{OAI}request").attrib == {}


def test_a_draft_is_no_record(feeds: TestClient, published: list[dict[str, Any]], office: Any) -> None:
    draft = office.draft(title="草稿")
    query = f"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:testserver:{draft['id']}"
    assert error(ask(feeds, query)) == "idDoesNotExist"
    assert draft["id"] not in ids(ask(feeds, "verb=ListIdentifiers&metadataPrefix=oai_dc"))


def test_both_formats(feeds: TestClient, published: list[dict[str, Any]]) -> None:
    one = published[0]["id"]
    query = f"verb=GetRecord&identifier=oai:testserver:{one}&metadataPrefix="
    plain = ask(feeds, query + "oai_dc").find(f".//{OAI}metadata/*")
    told = {
        name: [e.text for e in plain.iter(f"{DC}{name}")]
        for name in ("title", "subject", "identifier", "publisher", "format")
    }
    assert told["title"] == ["街道代码 0", "Street codes"]
    assert told["identifier"] == [f"{SITE}/dataset/{one}", f"{SITE}/zh/dataset/{published[0]['name']}"]
    assert (told["subject"], told["format"]) == (["街道"], ["text/csv"])
    rich = ask(feeds, query + "dcat").find(f".//{OAI}metadata/*")
    graph = Graph().parse(data=ET.tostring(rich), format="xml")
    assert (URIRef(f"{SITE}/dataset/{one}"), RDF.type, DCAT.Dataset) in graph
    assert graph.value(URIRef(f"{SITE}/dataset/{one}"), DCTERMS.identifier) == Literal(one)


def test_odd_texts_break_no_answer(feeds: TestClient, office: Any, settle: Callable[[], None]) -> None:
    made = office.draft(title='a <b> & "c" ]]>', keywords=["<script>"], landing_page="")
    office.upload(made["id"], b"a\n1\n", "rows.csv")
    settle()
    office.publish(made["id"], settle)
    for prefix in ("oai_dc", "dcat"):
        assert len(ids(ask(feeds, f"verb=ListRecords&metadataPrefix={prefix}"))) == 1
    echoed = ask(feeds, "verb=ListRecords&metadataPrefix=oai_dc&from=2020-01-01&set=agency:%3Cx%3E%22%01")
    assert error(echoed) == "noRecordsMatch"


def test_by_form_and_what_the_caller_has(
    feeds: TestClient, published: list[dict[str, Any]], office: Any
) -> None:
    form = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}
    posted = feeds.post("/oai", data=form)
    assert len(ids(ET.fromstring(posted.content))) == 5
    path = "/oai?verb=ListIdentifiers&metadataPrefix=oai_dc"
    first, head = feeds.get(path), feeds.head(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == first.headers["etag"]
    for name, value in (
        ("If-None-Match", first.headers["etag"]),
        ("If-Modified-Since", first.headers["last-modified"]),
    ):
        assert feeds.get(path, headers={name: value}).status_code == 304
    withdraw(office, published[0]["id"])
    assert feeds.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_list_costs_the_same_wherever_it_stands(
    app: Application, feeds: TestClient, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "PAGE", 2)
    assert [len(ids(page)) for page in walk(feeds, "metadataPrefix=dcat")] == [2, 2, 1]
    assert [
        len(ids(page)) for page in walk(feeds, "metadataPrefix=dcat&set=agency:housing", "ListIdentifiers")
    ] == [2, 2, 1]
    assert [
        len(ids(page)) for page in walk(feeds, "metadataPrefix=oai_dc&from=2020-01-01&until=2099-01-01")
    ] == [2, 2, 1]
