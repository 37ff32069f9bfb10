"""Sites that describe their datasets in their pages, and what stands in pages besides."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opendata.harvest.record import Refused, SourceBroken
from tests.support.remote_site import Answer, RemoteSite

ENTRY = {
    "@context": "https://schema.org/",
    "@type": "Dataset",
    "@id": "https://c.example.cn/dataset/1",
    "name": "街道",
    "alternateName": "Streets",
    "description": "全县<img src=x onerror=alert(1)>街道",
    "keywords": "街道, 区划",
    "license": {"@type": "CreativeWork", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
    "isAccessibleForFree": False,
    "conditionsOfAccess": "实名申请",
    "creator": {"@type": "Organization", "name": "县局"},
    "inLanguage": ["zh"],
    "temporalCoverage": "2020-01/..",
    "spatialCoverage": {"@type": "Place", "identifier": "320600", "geo": {"@type": "GeoShape", "box": "31.68 120.2 32.72 121.92"}},
    "dateModified": "2026-03-01",
    "sameAs": "javascript:alert(1)",
    "distribution": [
        {"@type": "DataDownload", "contentUrl": "/f/1.csv", "encodingFormat": "text/csv", "name": "表", "sha256": "AB" * 32},
        {"@type": "DataDownload", "contentUrl": "data:text/html,x", "name": "坏"},
    ],
}  # fmt: skip


def page(*scripts: Any, charset: str = "utf-8") -> Answer:
    inside = "".join(
        f'<script type="application/ld+json">{one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)}</script>'
        for one in scripts
    )
    text = f'<!doctype html><html><head><meta charset="{charset}"><title>县</title>{inside}</head><body><p>x<script>var a = "<script>";</script></body></html>'
    return Answer(text.encode(charset), headers={"Content-Type": "text/html"})


def site_map(*places: str, kind: str = "url", root: str = "urlset") -> Answer:
    inside = "".join(f"<{kind}><loc>{place}</loc><lastmod>2026-03-01</lastmod></{kind}>" for place in places)
    text = (
        f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</{root}>'
    )
    return Answer(text.encode(), headers={"Content-Type": "application/xml"})


def test_a_dataset_in_our_words(site: RemoteSite, gather: Any) -> None:
    site.pages |= {"/sitemap.xml": site_map(f"{site.url}/zh/1"), "/zh/1": page({"@context": "https://schema.org", "@type": "WebPage"}, ENTRY)}  # fmt: skip
    [found] = gather("schema-org", "/sitemap.xml")
    assert found.identifier == ENTRY["@id"]
    assert found.page == f"{site.url}/zh/1"
    assert dict(found.fields) == {
        "title": "街道",
        "title_en": "Streets",
        "description": "全县街道",
        "keywords": ["街道", "区划"],
        "licence": "cc-zero",
        "openness": "conditional",
        "open_condition": "实名申请",
        "language": ["zh"],
        "region": "320600",
        "bbox": [120.2, 31.68, 121.92, 32.72],
        "temporal_start": "2020-01-01",
        "data_updated_on": "2026-03-01",
        "author": "县局",
    }
    [resource] = found.resources
    assert resource.sha256 == "ab" * 32
    assert dict(resource.fields) == {"name": "表", "format": "CSV", "media_type": "text/csv", "url": f"{site.url}/f/1.csv"}  # fmt: skip
    assert found.left_out == ("resources",)


def test_an_index_of_site_maps_and_one_dataset_in_two_languages(site: RemoteSite, gather: Any) -> None:
    catalogue = {"@context": {"@vocab": "http://schema.org/"}, "@type": "DataCatalog", "dataset": [{"@type": "Dataset", "identifier": {"@type": "PropertyValue", "value": "i-2"}, "name": "水质"}]}  # fmt: skip
    prefixed = {"@context": {"schema": "http://schema.org/"}, "@graph": [{"@type": "schema:Dataset", "schema:name": "公园"}]}  # fmt: skip
    site.pages |= {
        "/s.xml": site_map(f"{site.url}/s1.xml", "/s2.xml", kind="sitemap", root="sitemapindex"),
        "/s1.xml": site_map(f"{site.url}/zh/1", f"{site.url}/en/1", f"{site.url}/"),
        "/s2.xml": site_map("/zh/2", "/zh/3"),
        "/zh/1": page(ENTRY),
        "/en/1": page(ENTRY),
        "/": page(),
        "/zh/2": page(catalogue, charset="gb18030"),
        "/zh/3": page(prefixed),
    }
    found = gather("schema-org", "/s.xml")
    assert [(one.identifier, one.fields["title"]) for one in found] == [
        (ENTRY["@id"], "街道"), ("i-2", "水质"), (f"{site.url}/zh/3", "公园"),
    ]  # fmt: skip
    site.asked.clear()
    assert len(gather("schema-org", "/s.xml", pages="/zh/2")) == 1
    assert len(site.asked) == 4


def test_one_page_fails_alone(site: RemoteSite, gather: Any) -> None:
    foreign = {"@context": "https://example.org/own", "@type": "Dataset", "name": "x"}
    site.pages |= {
        "/s.xml": site_map("/1", "/2", "/3", "/4", "/5", "javascript:alert(1)", "ftp://x/y"),
        "/1": page("{not json", '{"a":' * 5000),
        "/2": Answer(status=404),
        "/3": page(foreign),
        "/4": page({**ENTRY, "name": None, "@id": "u"}),
        "/5": page("{broken", ENTRY),
    }
    found = gather("schema-org", "/s.xml")
    assert [(one.code if isinstance(one, Refused) else "", one.identifier) for one in found] == [
        ("harvest_record_broken", f"{site.url}/1"), ("harvest_detail_failed", f"{site.url}/2"),
        ("harvest_no_title", "u"), ("", ENTRY["@id"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b"<html>x", headers={"Content-Type": "text/html"}), "harvest_not_a_catalogue"),
        (Answer(b"<rss/>"), "harvest_not_a_catalogue"),
        (Answer(b"<urlset><url>"), "harvest_unreadable"),
        (Answer(b'<!DOCTYPE u [<!ENTITY a "b">]><urlset>&a;</urlset>'), "harvest_hostile"),
        (site_map(), "harvest_empty"),
        (site_map("/none"), "harvest_not_a_catalogue"),
        (site_map("/a", "/b", "/c", "/d", "/e", "/f"), "fetch_status"),
        (site_map("/s.xml", kind="sitemap", root="sitemapindex"), "harvest_pages_repeat"),
    ],
    ids=["html", "rss", "cut", "entity", "empty", "no-dataset", "down", "circle"],
)
def test_no_catalogue_fails_the_run(site: RemoteSite, gather: Any, answer: Answer, code: str) -> None:
    site.pages |= {"/s.xml": answer, "/none": page()}
    with pytest.raises(SourceBroken) as caught:
        gather("schema-org", "/s.xml")
    assert caught.value.code == code
