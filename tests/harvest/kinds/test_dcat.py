"""DCAT of others: each syntax and each way of paging, and everything that can be wrong with a catalogue."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from opendata.harvest.record import Record, Refused, SourceBroken
from tests.support.remote_site import Answer, Asked, RemoteSite

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix locn: <http://www.w3.org/ns/locn#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""
ONE = """<> a dcat:Catalog ; dcat:dataset <d1> .
<d1> a dcat:Dataset ; dct:title "街道"@zh, "Streets"@en ; dct:identifier "streets" ; dct:description "<p>每条<b>街道</b></p><script>alert(1)</script>"@zh ;
  dcat:keyword "街道, 区划", "代码" ; dcat:theme <http://publications.europa.eu/resource/authority/data-theme/REGI> ;
  dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/ANNUAL> ;
  dct:language <http://publications.europa.eu/resource/authority/language/ZHO> ;
  dct:publisher [ a foaf:Agent ; foaf:name "县统计局" ] ;
  dct:modified "2026-03-01"^^xsd:date ; dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2023"^^xsd:gYear ; dcat:endDate "2023-06"^^xsd:gYearMonth ] ;
  dct:spatial [ locn:geometry "POLYGON((120.2 31.68,121.92 31.68,121.92 32.72,120.2 32.72,120.2 31.68))" ] ;
  dcat:contactPoint [ vcard:fn "数据科" ; vcard:hasEmail <mailto:data@county.example.cn> ; vcard:hasTelephone [ vcard:hasValue <tel:0513-8509;ext=12> ] ] ;
  dcat:landingPage <https://county.example.cn/streets> ;
  dcat:distribution <d1/csv>, <d1/bad> .
<d1/csv> a dcat:Distribution ; dct:title "表格"@zh ; dct:license <http://creativecommons.org/licenses/by/4.0> ;
  dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ; dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> ;
  dcat:downloadURL <files/街道 1.csv> .
<d1/bad> a dcat:Distribution ; dct:title "坏" ; dcat:accessURL <javascript:alert(1)> .
"""


def turtle(body: str, **headers: str) -> Answer:
    return Answer(
        (PREFIXES + body).encode(), headers={"Content-Type": "text/turtle; charset=utf-8", **headers}
    )


def some(*numbers: int, more: str = "") -> str:
    linked = ", ".join(f"<d{n}>" for n in numbers)
    told = "\n".join(
        f'<d{n}> a dcat:Dataset ; dct:identifier "d{n}" ; dct:title "数据 {n}" .' for n in numbers
    )
    return f"<> a dcat:Catalog ; dcat:dataset {linked} .\n{told}\n{more}"


def records(found: list[Record | Refused]) -> list[Record]:
    return [one for one in found if isinstance(one, Record)]


def broken(gather: Any, url: str = "/c", **options: Any) -> SourceBroken:
    with pytest.raises(SourceBroken) as caught:
        gather("dcat", url, **options)
    return caught.value


def test_a_dataset_in_our_words(site: RemoteSite, gather: Any) -> None:
    site.pages["/c"] = turtle(ONE)
    [found] = records(gather("dcat", "/c"))
    assert found.identifier == "streets"
    assert dict(found.fields) == {
        "title": "街道",
        "title_en": "Streets",
        "description": "每条街道",
        "keywords": ["代码", "街道", "区划"],
        "themes": ["REGI"],
        "licence": "cc-by-4.0",
        "update_cycle": "yearly",
        "language": ["zh"],
        "bbox": [120.2, 31.68, 121.92, 32.72],
        "temporal_start": "2023-01-01",
        "temporal_end": "2023-06-30",
        "data_updated_on": "2026-03-01",
        "contact_name": "数据科",
        "contact_phone": "0513-8509 转 12",
        "contact_email": "data@county.example.cn",
        "author": "县统计局",
    }
    assert found.page == "https://county.example.cn/streets"
    assert found.name == "d1"
    [resource] = found.resources
    assert dict(resource.fields) == {
        "name": "表格",
        "format": "CSV",
        "media_type": "text/csv",
        "url": f"{site.url}/files/%E8%A1%97%E9%81%93%201.csv",
    }
    assert found.left_out == ("resources",)


def as_xml(body: str) -> Answer:
    spaces = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/"'
    return Answer(
        f"{body.replace('SPACES', spaces)}".encode(), headers={"Content-Type": "application/rdf+xml"}
    )


DATASET_XML = '<dcat:Dataset rdf:about="http://c/d1"><dct:title>街道</dct:title></dcat:Dataset>'


def test_other_syntaxes(site: RemoteSite, gather: Any) -> None:
    site.pages["/c"] = as_xml(f"<rdf:RDF SPACES>{DATASET_XML}</rdf:RDF>")
    [found] = records(gather("dcat", "/c"))
    assert (found.identifier, found.fields["title"]) == ("http://c/d1", "街道")
    told = {"@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}, "@id": "http://c/d2", "@type": "dcat:Dataset", "dct:title": "水质"}  # fmt: skip
    for kind in ("application/ld+json", "application/json", "application/octet-stream"):
        site.pages["/c.jsonld"] = Answer(orjson.dumps(told), headers={"Content-Type": kind})
        [found] = records(gather("dcat", "/c.jsonld"))
        assert (found.identifier, found.fields["title"]) == ("http://c/d2", "水质")


@pytest.mark.parametrize(
    ("address", "page", "name"),
    [
        ("http://data.europa.eu/88u/dataset/streets/", "", "streets"),
        ("http://c/dataset/0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071", "http://c/zh/dataset/streets", "streets"),
        ("http://c/datasets/5de8f397634f4164071119c5/", "http://c/datasets/streets/", "streets"),
        ("http://c/dataset/17", "http://body.example/statistics", ""),
        ("http://c/dataset/17", "http://c/detail?id=17", ""),
        ("http://c/catalog#streets", "", ""),
        ("http://c/", "", ""),
        ("http://c/Streets", "http://c/%E8%A1%97%E9%81%93", ""),
        ("http://c/streets.html", "", ""),
        ("urn:x:streets", "", ""),
        ("http://[c/streets", "", ""),
    ],
)
def test_the_name_is_the_last_part_of_its_address_or_page(
    site: RemoteSite, gather: Any, address: str, page: str, name: str
) -> None:
    landing = f"dcat:landingPage <{page}> ;" if page else ""
    site.pages["/c"] = turtle(f'<{address}> a dcat:Dataset ; {landing} dct:title "街道" .')
    assert [one.name for one in records(gather("dcat", "/c"))] == [name]


CKAN = '<#page> a hydra:PagedCollection ; hydra:totalItems 5 ; hydra:nextPage "{next}" .'
UDATA = "<> hydra:totalItems 5 ; hydra:view <#view> . <#view> a hydra:PartialCollectionView ; hydra:next <{next}> ."


@pytest.mark.parametrize("paging", [CKAN, UDATA, ""], ids=["ckan", "udata", "link"])
def test_from_page_to_page(site: RemoteSite, gather: Any, paging: str) -> None:
    def page(asked: Asked) -> Answer:
        number = int(asked.query.get("page", "1"))
        following = f"{site.url}/c?page={number + 1}"
        more = paging.replace("{next}", following) if number < 3 else ""
        headers = {"Link": f'<{following}>; rel="next", <x>; rel=last'} if number < 3 and not paging else {}
        return turtle(some(*{1: (1, 2), 2: (3, 4), 3: (5,)}[number], more=more), **headers)

    site.pages["/c"] = page
    assert [one.identifier for one in records(gather("dcat", "/c"))] == ["d1", "d2", "d3", "d4", "d5"]
    assert len(site.asked) == 3


def test_pages_that_lead_astray(site: RemoteSite, gather: Any) -> None:
    site.pages["/c"] = turtle(some(1, more=CKAN.replace("{next}", f"{site.url}/c")))
    assert broken(gather).code == "harvest_pages_repeat"
    site.pages["/c"] = lambda asked: turtle(  # the server knows no pages: each is the first
        some(1, more=CKAN.replace("{next}", f"{site.url}/c?page={int(asked.query.get('page', 1)) + 1}"))
    )
    assert broken(gather).code == "harvest_pages_repeat"
    assert len(site.asked) == 3
    site.pages["/c"] = turtle(some(1, more=CKAN.replace("{next}", "file:///etc/passwd")))
    assert broken(gather).code == "harvest_not_a_catalogue"
    site.pages["/c"] = turtle(some(1, 2, more="<> hydra:totalItems 5 ."))
    assert (broken(gather).code, broken(gather).params) == ("harvest_cut", {"seen": 2, "total": 5})


def test_one_bad_record_is_refused_alone(site: RemoteSite, gather: Any) -> None:
    site.pages["/c"] = turtle(
        some(1, 2)
        + """<> dcat:dataset <untitled> , [ a dcat:Dataset ; dct:title "无名" ] , <twice> , <odd> .
        <untitled> a dcat:Dataset ; dct:description "x" .
        <twice> a dcat:Dataset ; dct:identifier "d1" ; dct:title "冒名" .
        <odd> a dcat:Dataset ; dct:title "日期" ; dct:modified "昨天" ; foaf:page <javascript:x> ;
          dct:temporal [ dcat:startDate "2024-02-30" ] ; dcat:contactPoint [ vcard:hasEmail <mailto:nobody> ] ;
          dcat:keyword "%s" ; dct:license <https://example.org/own-licence> .
        """
        % ("长" * 200)
    )
    found = gather("dcat", "/c")
    assert {(one.code, one.identifier) for one in found if isinstance(one, Refused)} == {
        ("harvest_no_title", f"{site.url}/untitled"),
        ("harvest_bad_identifier", ""),
    }
    odd = next(one for one in records(found) if one.identifier.endswith("odd"))
    assert dict(odd.fields) == {"title": "日期", "licence": "https://example.org/own-licence"}
    assert sorted(one.identifier for one in records(found)) == ["d1", "d1", "d2", f"{site.url}/odd"]


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (as_xml(f"{BOMB}<rdf:RDF SPACES><dcat:Dataset><dct:title>&i;</dct:title></dcat:Dataset></rdf:RDF>"), "harvest_hostile"),
        (as_xml(f"{OUTSIDE}<rdf:RDF SPACES><dcat:Dataset><dct:title>&x;</dct:title></dcat:Dataset></rdf:RDF>"), "harvest_hostile"),
        (Answer(b'{"@context": "http://127.0.0.1:1/c.jsonld", "@id": "x"}', headers={"Content-Type": "application/ld+json"}), "harvest_hostile"),
        (Answer(b'{"a": [{"@context": [{}, {"@import": "http://127.0.0.1:1/c"}]}]}', headers={"Content-Type": "application/ld+json"}), "harvest_hostile"),
        (Answer(b'{"a":' * 200_000, headers={"Content-Type": "application/ld+json"}), "harvest_unreadable"),
        (as_xml(f"<rdf:RDF SPACES>{DATASET_XML}"), "harvest_unreadable"),
        (Answer((PREFIXES + ONE).encode()[:-200], headers={"Content-Type": "text/turtle"}), "harvest_unreadable"),
        (Answer(b"<!doctype html><title>502</title>", headers={"Content-Type": "text/turtle"}), "harvest_not_a_catalogue"),
        (Answer(b"<html>", headers={"Content-Type": "text/html"}), "harvest_not_a_catalogue"),
        (Answer(b"1,2", headers={"Content-Type": "text/csv"}), "harvest_not_a_catalogue"),
        (turtle("<x> dct:title 'no catalogue' ."), "harvest_not_a_catalogue"),
        (turtle("<> a dcat:Catalog ."), "harvest_empty"),
        (Answer(b"", headers={"Content-Type": "text/turtle"}), "harvest_empty"),
        (Answer(b"<a> ", length=100, headers={"Content-Type": "text/turtle"}), "fetch_broken"),
        (Answer(status=302, headers={"Location": "http://127.0.0.1/admin"}), "address_private"),
        (Answer(b"x" * (9 << 20), headers={"Content-Type": "text/turtle"}), "fetch_too_large"),
    ],
    ids=["bomb", "outside", "context", "import", "deep", "xml-cut", "turtle-cut", "html-as-turtle", "html", "csv", "foreign", "no-dataset", "empty", "cut", "inward", "large"],
)  # fmt: skip
def test_an_answer_that_is_no_catalogue_fails_the_run(
    site: RemoteSite, gather: Any, answer: Answer, code: str
) -> None:
    site.pages["/c"] = answer
    assert broken(gather).code == code
