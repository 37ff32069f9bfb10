"""OAI-PMH of others: both kinds of metadata, tokens, deleted records, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opendata.harvest.record import Record, Refused, SourceBroken
from tests.support.remote_site import Answer, Asked, RemoteSite

DC = """<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">{}</oai_dc:dc>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">{}</rdf:RDF>"""
FULL = """<dc:title xml:lang="en">Streets</dc:title><dc:title xml:lang="zh">街道</dc:title><dc:description>&lt;b&gt;全&lt;/b&gt;县</dc:description>
<dc:subject>街道</dc:subject><dc:subject>Transport</dc:subject><dc:creator>县局</dc:creator><dc:format>text/csv</dc:format>
<dc:identifier>doi:10.1/x</dc:identifier><dc:identifier>https://repo.example.org/1</dc:identifier><dc:rights>CC BY 4.0</dc:rights>
<dc:language>zho</dc:language><dc:coverage>320600</dc:coverage>"""


def record(name: str, metadata: str, status: str = "") -> str:
    header = (
        f"<header{status}><identifier>{name}</identifier><datestamp>2026-03-01T00:00:00Z</datestamp></header>"
    )
    return f"<record>{header}{f'<metadata>{metadata}</metadata>' if metadata else ''}</record>"


def simple(name: str) -> str:
    return record(name, DC.format(f"<dc:title>{name}</dc:title>"))


def answer(inside: str, before: str = "") -> Answer:
    body = f"""<?xml version="1.0" encoding="UTF-8"?>{before}<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">{inside}</OAI-PMH>"""
    return Answer(body.encode(), headers={"Content-Type": "text/xml; charset=utf-8"})


def listed(*records: str, token: str = "") -> Answer:
    return answer(f"<ListRecords>{''.join(records)}{token}</ListRecords>")


def test_dublin_core(site: RemoteSite, gather: Any) -> None:
    site.pages["/oai"] = listed(record("oai:repo:1", DC.format(FULL)))
    [found] = gather("oai", "/oai", set="open data")
    assert site.asked[0].query == {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "open data"}
    assert (found.identifier, found.page, str(found.modified)) == ("oai:repo:1", "https://repo.example.org/1", "2026-03-01 00:00:00+00:00")  # fmt: skip
    assert dict(found.fields) == {
        "title": "街道",
        "description": "全县",
        "keywords": ["街道", "Transport"],
        "themes": ["TRAN"],
        "licence": "cc-by-4.0",
        "language": ["zh"],
        "region": "320600",
        "author": "县局",
    }
    assert [dict(one.fields) for one in found.resources] == [{"name": "街道", "format": "CSV", "url": "https://repo.example.org/1"}]  # fmt: skip


def test_dcat_keeps_the_identifier_by_which_it_is_deleted(site: RemoteSite, gather: Any) -> None:
    dataset = '<dcat:Dataset rdf:about="http://c/d{0}"><dct:identifier>d{0}</dct:identifier><dct:title>街道</dct:title></dcat:Dataset>'
    site.pages["/oai"] = listed(
        record("oai:1", RDF.format(dataset.format(1))),
        record("oai:2", RDF.format(dataset.format(2) + dataset.format(3))),
        record("oai:3", RDF.format("<dcat:Dataset rdf:about='x'/>")),
        record("oai:4", "<marc xmlns='http://www.loc.gov/MARC21/slim'/>"),
        record("oai:5", ""),
        record("oai:6", "", ' status="deleted"'),
        record("", DC.format(FULL)),
    )
    found = gather("oai", "/oai", prefix="dcat_ap")
    assert [(one.identifier, one.code if isinstance(one, Refused) else "") for one in found] == [
        ("oai:1", ""), ("oai:2", "harvest_record_broken"), ("oai:3", "harvest_record_broken"),
        ("oai:4", "harvest_record_broken"), ("oai:5", "harvest_record_broken"), ("oai:6", ""), ("", "harvest_bad_identifier"),
    ]  # fmt: skip
    assert found[5].deleted
    assert not found[0].deleted


def test_from_token_to_token(site: RemoteSite, gather: Any) -> None:
    def page(asked: Asked) -> Answer:
        number = int(asked.query.get("resumptionToken", "t 0")[2:])
        if number:
            assert asked.query == {"verb": "ListRecords", "resumptionToken": f"t {number}"}
        told = f"t {number + 1}" if number < 2 else ""
        return listed(
            simple(f"r{number}a"),
            simple(f"r{number}b"),
            token=f'<resumptionToken completeListSize="6">{told}</resumptionToken>',
        )

    site.pages["/oai"] = page
    assert [one.identifier for one in gather("oai", "/oai")] == ["r0a", "r0b", "r1a", "r1b", "r2a", "r2b"]


TOKEN = '<resumptionToken completeListSize="6">{}</resumptionToken>'
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (lambda _: listed(simple("a"), token=TOKEN.format("")), "harvest_cut"),
        (lambda a: listed(simple("a" + a.query.get("resumptionToken", "")), token=TOKEN.format("same")), "harvest_pages_repeat"),
        (lambda a: answer('<error code="badResumptionToken"/>') if "resumptionToken" in a.query else listed(simple("a"), token=TOKEN.format("old")), "harvest_not_a_catalogue"),
        (lambda _: answer('<error code="noRecordsMatch"/>'), "harvest_empty"),
        (lambda _: answer('<error code="cannotDisseminateFormat"/>'), "harvest_not_a_catalogue"),
        (lambda _: answer(f"<ListRecords>{simple('&b;')}</ListRecords>", BOMB), "harvest_hostile"),
        (lambda _: answer("", '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'), "harvest_hostile"),
        (lambda _: Answer(listed(simple("a")).body[:-30], headers={"Content-Type": "text/xml"}), "harvest_unreadable"),
        (lambda _: Answer(b"<rss/>", headers={"Content-Type": "text/xml"}), "harvest_not_a_catalogue"),
        (lambda _: Answer(b"<html><body>down", headers={"Content-Type": "text/xml"}), "harvest_not_a_catalogue"),
        (lambda _: Answer(b"", headers={"Content-Type": "text/xml"}), "harvest_empty"),
        (lambda _: listed(), "harvest_empty"),
    ],
    ids=["cut", "same-token", "old-token", "none", "prefix", "bomb", "dtd", "broken", "rss", "html", "empty", "no-record"],
)  # fmt: skip
def test_no_catalogue_fails_the_run(
    site: RemoteSite, gather: Any, page: Callable[[Asked], Answer], code: str
) -> None:
    site.pages["/oai"] = page
    with pytest.raises(SourceBroken) as caught:
        gather("oai", "/oai")
    assert caught.value.code == code


def test_a_record_without_a_title(site: RemoteSite, gather: Any) -> None:
    site.pages["/oai"] = listed(simple("a"), record("u", DC.format("<dc:creator>x</dc:creator>")))
    found = gather("oai", "/oai")
    assert isinstance(found[0], Record)
    assert [one.code for one in found[1:]] == ["harvest_no_title"]
