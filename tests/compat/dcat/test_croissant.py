"""Croissant: what its specification asks of a dataset with tables, and that the rows are where it says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from rdflib import RDF, Graph, Namespace, URIRef
from starlette.testclient import TestClient

from opendata.compat.dcat.croissant import croissant
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site

CR, SC = Namespace("http://mlcommons.org/croissant/"), Namespace("https://schema.org/")
SITE = "http://testserver"
light = pytest.mark.parametrize("settings", ["light"], indirect=True)


@light
def test_a_dataset_with_a_table(feeds: TestClient, office: Any, settle: Callable[[], None]) -> None:
    made = office.draft(title="街道代码", licence="cc-by-4.0", keywords=["街道"])
    rows = "区,代码,设立日期,面积\n崇川区,320613,2020-07-01,215.5\n通州区,320612,2009-03-01,1526\n".encode()
    resource = office.upload(made["id"], rows, "街道.csv")["id"]
    settle()
    office.publish(made["id"], settle)
    answer = feeds.get(f"/dataset/{made['name']}/croissant.jsonld")
    assert answer.headers["content-type"].startswith("application/ld+json")
    told = answer.json()
    required = {
        "@context",
        "@type",
        "conformsTo",
        "name",
        "description",
        "license",
        "url",
        "creator",
        "datePublished",
    }
    assert required <= set(told)
    files = {file["@id"]: file for file in told["distribution"]}
    fields = told["recordSet"][0]["field"]
    assert [(f["name"], f["dataType"]) for f in fields] == [
        ("区", "sc:Text"),
        ("代码", "sc:Text"),
        ("设立日期", "sc:Date"),
        ("面积", "sc:Float"),
    ]
    source = files[fields[0]["source"]["fileObject"]["@id"]]
    table = feeds.get(source["contentUrl"].removeprefix(SITE)).content.decode()
    loaded = list(csv.DictReader(io.StringIO(table)))
    column = fields[0]["source"]["extract"]["column"]
    assert [row[column] for row in loaded] == ["崇川区", "通州区"]
    handed_in = files[f"file-{resource}"]
    assert feeds.get(handed_in["contentUrl"].removeprefix(SITE)).content == rows
    assert f"/dataset/{made['id']}/croissant.jsonld" in feeds.get(f"/zh/dataset/{made['name']}").text
    graph = Graph().parse(data=answer.content, format="json-ld")
    node = URIRef(f"{SITE}/dataset/{made['id']}")
    assert (node, RDF.type, SC.Dataset) in graph
    assert len(list(graph.objects(graph.value(node, CR.recordSet), CR.field))) == 4
    home = feeds.get("/zh/").text
    catalogue = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', home)[1])
    assert (catalogue["@type"], catalogue["@id"]) == ("DataCatalog", f"{SITE}/catalog")
    again = feeds.get(
        f"/dataset/{made['id']}/croissant.jsonld", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    office.editor.post(f"/datasets/{made['id']}/withdraw", json={"reason": "错误"})
    assert feeds.get(f"/dataset/{made['id']}/croissant.jsonld").status_code == 410


@light
def test_others_have_none(feeds: TestClient, office: Any, settle: Callable[[], None]) -> None:
    """Without a table; and where one has to apply for the rows."""
    for fields, name in (({}, "a.pdf"), ({"openness": "conditional", "open_condition": "申请"}, "a.csv")):
        made = office.draft(title="无", **fields)
        office.upload(made["id"], b"%PDF-1.4 x" if name == "a.pdf" else b"a,b\n1,2\n", name)
        settle()
        office.publish(made["id"], settle)
        assert feeds.get(f"/dataset/{made['id']}/croissant.jsonld").status_code == 404


def test_odd_columns(make: Callable[..., Record]) -> None:
    record = make()
    resource = record.view.resources[0].id
    columns = {
        resource: [{"name": 'a\x01"<', "type": "odd"}, {"name": "b", "type": "integer", "title": "乙"}]
    }
    told = croissant(record, columns, Site("https://data.example", "Data", "数据"))
    assert told is not None
    fields = json.loads(json.dumps(told))["recordSet"][0]["field"]
    assert [(f["name"], f["dataType"], f.get("description")) for f in fields] == [
        ('a"<', "sc:Text", None),
        ("b", "sc:Integer", "乙"),
    ]
    assert croissant(record, {}, Site("https://data.example", "Data", "数据")) is None
