"""data.json of others, right and wrong."""

from __future__ import annotations

import tracemalloc
from typing import Any

import orjson
import pytest

from opendata.harvest.reading.jsonstream import Document, NotJson
from opendata.harvest.record import Record, Refused, SourceBroken
from tests.support.remote_site import Answer, RemoteSite, as_json

ENTRY = {
    "@type": "dcat:Dataset",
    "identifier": "https://data.example.gov/id/1",
    "title": "Street <i>names</i>",
    "description": "All streets.",
    "keyword": ["streets", "names; codes"],
    "modified": "2026-03-01",
    "publisher": {"name": "Bureau", "subOrganizationOf": {"name": "City"}},
    "contactPoint": {"fn": "Data desk", "hasEmail": "mailto:desk@example.gov"},
    "accessLevel": "restricted public",
    "rights": "For research",
    "license": "http://www.opendefinition.org/licenses/cc-zero",
    "spatial": "-77.1,38.8,-76.9,39.0",
    "temporal": "2020/2024",
    "accrualPeriodicity": "R/P3M",
    "language": ["en-US"],
    "theme": ["Government and public sector"],
    "landingPage": "https://data.example.gov/streets",
    "distribution": [
        {"downloadURL": "/files/streets.csv", "mediaType": "text/csv", "title": "CSV"},
        {"accessURL": "javascript:alert(1)", "format": "API"},
    ],
}


def catalogue(*entries: Any) -> Answer:
    return as_json({"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": entries})


def test_a_dataset_in_our_words(site: RemoteSite, gather: Any) -> None:
    site.pages["/data.json"] = catalogue(ENTRY)
    [found] = gather("datajson", "/data.json")
    assert isinstance(found, Record)
    assert found.identifier == ENTRY["identifier"]
    assert found.page == ENTRY["landingPage"]
    assert found.name == ""  # its page is on another site, and a number is no name
    assert dict(found.fields) == {
        "title": "Street names",
        "description": "All streets.",
        "keywords": ["streets", "names", "codes"],
        "themes": ["GOVE"],
        "licence": "cc-zero",
        "openness": "conditional",
        "open_condition": "For research",
        "update_cycle": "quarterly",
        "language": ["en"],
        "bbox": [-77.1, 38.8, -76.9, 39.0],
        "temporal_start": "2020-01-01",
        "temporal_end": "2024-12-31",
        "data_updated_on": "2026-03-01",
        "contact_name": "Data desk",
        "contact_email": "desk@example.gov",
        "author": "Bureau",
    }
    [resource] = found.resources
    assert dict(resource.fields) == {
        "name": "CSV",
        "format": "CSV",
        "media_type": "text/csv",
        "url": f"{site.url}/files/streets.csv",
    }
    assert found.left_out == ("resources",)


@pytest.mark.parametrize(
    ("identifier", "page", "name"),
    [
        ("https://c/dataset/0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071", "/dataset/streets", "streets"),
        ("streets", "https://body.example/statistics", "streets"),
        ("https://c/id/streets", "", "streets"),
        ("https://c/id/1", "/view?id=1", ""),
    ],
)
def test_the_name_is_that_of_its_page_or_of_its_identifier(
    site: RemoteSite, gather: Any, identifier: str, page: str, name: str
) -> None:
    site.pages["/data.json"] = catalogue({**ENTRY, "identifier": identifier, "landingPage": page})
    [found] = gather("datajson", "/data.json")
    assert found.name == name


def test_broken_records_go_alone(site: RemoteSite, gather: Any) -> None:
    wild = {"identifier": 7, "title": ["first", "second"], "keyword": "one, two", "modified": {"x": 1}, "distribution": "none", "contactPoint": [], "spatial": [1, 2], "temporal": 5, "theme": None}  # fmt: skip
    site.pages["/d"] = catalogue(ENTRY, ENTRY, {"title": "x"}, {"identifier": "u"}, "text", None, wild)
    found = gather("datajson", "/d")
    assert [one.code if isinstance(one, Refused) else one.identifier for one in found] == [
        ENTRY["identifier"], ENTRY["identifier"], "harvest_bad_identifier", "harvest_no_title",
        "harvest_record_broken", "harvest_record_broken", "7",
    ]  # fmt: skip
    assert dict(found[-1].fields) == {"title": "first", "keywords": ["one", "two"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (orjson.dumps({"dataset": [ENTRY, ENTRY]})[:-3], "harvest_unreadable"),
        (b'{"dataset":[]}', "harvest_empty"),
        (b"", "harvest_empty"),
        (b'{"error": "no"}', "harvest_not_a_catalogue"),
        (b'{"dataset": "later"}', "harvest_not_a_catalogue"),
        (b"[1]", "harvest_unreadable"),
        (b'\xff\xfe{"dataset":[]}', "harvest_unreadable"),
        (b"<!DOCTYPE html><html>", "harvest_not_a_catalogue"),
        (b'{"dataset":' + b"[" * 100_000, "harvest_unreadable"),
    ],
    ids=["cut", "none", "empty", "error", "no-list", "list", "encoding", "html", "deep"],
)
def test_no_catalogue_fails_the_run(site: RemoteSite, gather: Any, body: bytes, code: str) -> None:
    site.pages["/d"] = Answer(body, headers={"Content-Type": "application/json"})
    with pytest.raises(SourceBroken) as caught:
        gather("datajson", "/d")
    assert caught.value.code == code


def test_a_large_catalogue_takes_its_text_and_not_more() -> None:
    entries = b",".join(orjson.dumps({**ENTRY, "identifier": number}) for number in range(20_000))
    body = b'{"a": 1, "dataset": [' + entries + b'], "b": [2]}'
    tracemalloc.start()
    document = Document(body, "dataset")
    assert sum(1 for _ in document.entries()) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert document.rest == {"a": 1, "b": [2]}
    assert peak < 1.5 * len(body)


@pytest.mark.parametrize("text", ["", "{", '{"d": [1}', '{"d": [1]', '{"d": [1]} x', '{"d" [1]}', "[]"])
def test_what_is_no_document(text: str) -> None:
    with pytest.raises(NotJson):
        list(Document(text.encode(), "d").entries())
