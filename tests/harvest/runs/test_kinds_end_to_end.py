"""Kinds of sources through whole runs: what has no address of its own comes as a file, and stays as it is while nothing changes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.ports.storage.local_drop import LocalDrop
from tests.harvest.runs.conftest import Harvest, counted
from tests.support.remote_site import Answer, RemoteSite

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
OLD = 1_772_330_000
TURTLE = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<> a dcat:Catalog ; dcat:dataset <d1>, <d2> . <d2> a dcat:Dataset ; dct:description "没有名称" .
<d1> a dcat:Dataset ; dct:identifier "d1" ; dct:title "街道" ; dct:description "全县" ; dct:modified "昨天" ; dcat:keyword "街道" ;
  dct:license <http://creativecommons.org/licenses/by/4.0/> ; <http://xmlns.com/foaf/0.1/page> <javascript:alert(1)> ;
  dcat:distribution [ a dcat:Distribution ; dct:title "表" ; dcat:downloadURL <https://c.example.cn/a.csv> ] .
"""


@pytest.fixture
def source(
    office: Any, settle: Callable[[], None], site: RemoteSite, tmp_path: Path
) -> Callable[..., Harvest]:
    office.app.harvester.fetcher = GuardedFetcher([site.place])
    office.app.harvester.drop = LocalDrop(tmp_path / "dropped")
    (tmp_path / "dropped").mkdir()

    def made(kind: str, url: str, **fields: Any) -> Harvest:
        body = {"name": "remote", "kind": kind, "url": url, "agency": "housing", "trusted": True, "limits": {"pause": 0}, "licence": "cc-by-4.0", **fields}  # fmt: skip
        answer = office.admin.post("/harvest/sources", json=body)
        assert answer.status_code == 201, answer.text
        return Harvest(office, settle, answer.json())

    return made


def put(folder: Path, name: str, text: str, at: int = OLD) -> None:
    path = folder / "dropped" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))


def bytes_of(harvest: Harvest, title: str) -> str:
    dataset = harvest.office.editor.get(f"/datasets/{harvest.datasets()[title]['id']}").json()
    [resource] = dataset["resources"]
    answer = harvest.office.client.get(f"/api/v1/resources/{resource['id']}/download")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


@light
def test_a_dropped_file_is_published_and_its_next_version_too(
    source: Callable[..., Harvest], tmp_path: Path
) -> None:
    put(tmp_path, "county/街道.csv", "代码,名称\n1,城东\n")
    put(
        tmp_path,
        "county/p/datapackage.json",
        '{"title": "公园", "resources": [{"path": "gone.csv"}, {"path": "a.csv"}]}',
    )
    put(tmp_path, "county/p/a.csv", "代码\n1\n")
    harvest = source("folder", "county")
    first = harvest.run()
    assert (first["status"], counted(first)) == ("done", {"created": 2}), first
    assert harvest.public() == {"街道", "公园"}
    assert bytes_of(harvest, "街道") == "代码,名称\n1,城东\n"
    told = [sentence for record in first["outcomes"]["results"] for sentence in record["told"]]
    assert any("resources" in sentence for sentence in told), told
    assert counted(harvest.run()) == {"unchanged": 2}
    put(tmp_path, "county/街道.csv", "代码,名称\n1,城东\n2,城西\n", at=OLD + 60)
    assert counted(harvest.run()) == {"updated": 1, "unchanged": 1}
    assert bytes_of(harvest, "街道") == "代码,名称\n1,城东\n2,城西\n"


@light
def test_a_table_is_published_and_follows_its_watermark(
    source: Callable[..., Harvest], tmp_path: Path
) -> None:
    options = {"columns": ["code", "name"], "watermark": "changed_at", "title": "公园"}
    harvest = source("database", "park", secret="sqlite:///agency.db", options=options)
    with sqlite3.connect(tmp_path / "dropped" / "agency.db") as database:
        database.execute("CREATE TABLE park (code TEXT, name TEXT, phone TEXT, changed_at TEXT)")
        database.execute("INSERT INTO park VALUES ('p1', '城东公园', '13800000000', '2026-03-01')")
    assert counted(harvest.run()) == {"created": 1}
    assert bytes_of(harvest, "公园") == "code,name\np1,城东公园\n"
    assert counted(harvest.run()) == {"unchanged": 1}
    with sqlite3.connect(tmp_path / "dropped" / "agency.db") as database:
        database.execute("INSERT INTO park VALUES ('p2', '城西公园', '', '2026-03-02')")
    assert counted(harvest.run()) == {"updated": 1}
    assert bytes_of(harvest, "公园") == "code,name\np1,城东公园\np2,城西公园\n"
    (tmp_path / "dropped" / "agency.db").unlink()
    failed = harvest.run()
    assert failed["status"] == "failed"
    assert harvest.public() == {"公园"}
    assert "sqlite" not in str(harvest.office.admin.get(harvest.path).json())


@light
def test_a_catalogue_in_dcat_through_the_sandbox(source: Callable[..., Harvest], site: RemoteSite) -> None:
    site.pages["/catalog.ttl"] = Answer(TURTLE.encode(), headers={"Content-Type": "text/turtle"})
    harvest = source("dcat", f"{site.url}/catalog.ttl")
    run = harvest.run()
    assert counted(run) == {"created": 1, "refused": 1}, run
    assert harvest.public() == {"街道"}
    assert counted(harvest.run()) == {"unchanged": 1, "refused": 1}
    site.pages["/catalog.ttl"] = Answer(b"<html>502</html>", headers={"Content-Type": "text/turtle"})
    assert harvest.run()["status"] == "failed"
    assert harvest.public() == {"街道"}


@light
@pytest.mark.parametrize(
    ("kind", "url", "options", "field"),
    [
        ("portal-json", "https://c.example.cn", {"portal": "none"}, "options"),
        ("portal-json", "https://c.example.cn", {}, "options"),
        ("database", "park", {"title": "x"}, "options.columns"),
        ("dcat", "park", {}, "url"),
        ("folder", "x", {"sql": "SELECT 1"}, "options.sql"),
        ("csw", "https://c.example.cn", {}, "kind"),
    ],
)
def test_a_source_that_is_set_up_wrong_is_refused(
    office: Any, kind: str, url: str, options: dict[str, Any], field: str
) -> None:
    body = {"name": "remote", "kind": kind, "url": url, "agency": "housing", "options": options}
    answer = office.admin.post("/harvest/sources", json=body)
    assert answer.status_code == 422, answer.text
    assert field in {one["field"] for one in answer.json()["errors"]}, answer.text
