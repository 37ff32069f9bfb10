"""What our own feed says comes back by the harvest as it was: a county's catalogue and the city's are equal."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rdflib import Graph

from opendata.catalog import files
from opendata.catalog.codes import vocabulary
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.compat.dcat import catalogue
from opendata.compat.dcat.catalogue import Paging
from opendata.feeds import datajson, writers
from opendata.feeds.reading import Record
from opendata.feeds.terms import Site
from opendata.harvest import record as harvest
from opendata.harvest.asking import Limits, Remote
from opendata.harvest.reading import dcat
from opendata.harvest.remotes.kinds import KINDS
from opendata.harvest.sandboxed import rdf
from tests.support.remote_site import Answer, remote_site

SITE = Site("https://county.example.cn", "Open Data", "开放数据")
SYNTAX = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}
MORE = {
    "domain": "livelihood",
    "disclosures": ["service", "result"],
    "openness": "unconditional",
    "language": ["en", "zh"],
}
Make = Callable[..., Record]


def written(record: Record, ending: str = "ttl") -> bytes:
    paging = Paging(f"{SITE.catalogue}.{ending}", 1, 1)
    return writers.FORMATS[ending][1](catalogue.page([record], paging, SITE, None))


def read(body: bytes, tmp_path: Path, ending: str = "ttl") -> harvest.Record:
    path = tmp_path / "page"
    path.write_bytes(body)
    found = rdf.datasets(str(path), SYNTAX[ending], SITE.catalogue)
    [made] = [dcat.record(tree, SITE.catalogue) for tree in found["datasets"]]
    assert isinstance(made, harvest.Record), made
    assert made.left_out == ()
    return made


def again(record: Record, found: harvest.Record) -> Record:
    """The record as it stands where it was harvested: the same dataset with what came over."""
    meta = DatasetMeta.model_validate(found.fields)
    resources = [
        dataclasses.replace(one, meta=ResourceMeta.model_validate({**came.fields, "url": one.meta.url, "schema": one.meta.table_schema}))
        for one, came in zip(record.view.resources, sorted(found.resources, key=order_of(record)), strict=True)
    ]  # fmt: skip
    return dataclasses.replace(record, view=dataclasses.replace(record.view, meta=meta, resources=resources))


def order_of(record: Record) -> Callable[[harvest.RemoteResource], int]:
    ids = [one.id for one in record.view.resources]
    return lambda came: ids.index(came.identifier)


@pytest.mark.parametrize("ending", SYNTAX)
def test_every_field_comes_back(make: Make, tmp_path: Path, ending: str) -> None:
    full = make().view.meta.stored()
    record = make({**full, **MORE})
    found = read(written(record, ending), tmp_path, ending)
    assert (found.identifier, found.name) == (record.view.id, record.view.dataset.name)
    held = record.view.meta.stored()
    came = DatasetMeta.model_validate(found.fields).stored()
    # What a feed writes by the rules of an address comes back as that address; the rest sign by sign.
    for name in ("landing_page", "contact_phone"):
        assert held.pop(name)
        assert came.pop(name)
    for name in ("keywords", "language", "disclosures", "themes"):  # sets, to a graph
        assert sorted(came.pop(name)) == sorted(held.pop(name))
    assert came == {**held, "author": "南通市统计局", "extras": {"resource_codes": "307010/000001"}}
    [resource] = found.resources
    file = record.view.resources[0].file
    assert file is not None
    assert resource.sha256 == file.sha256
    assert dict(resource.fields) == {
        "name": "街道",
        "format": "CSV",
        "media_type": "text/csv",
        "url": SITE.download(record.view.resources[0].id),
    }


@pytest.mark.parametrize("cycle", ["realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly", "irregular", "never"])  # fmt: skip
@pytest.mark.parametrize("openness", ["unconditional", "conditional", "closed"])
def test_two_feeds_of_one_dataset_are_equal(make: Make, tmp_path: Path, cycle: str, openness: str) -> None:
    meta = (
        make().view.meta.stored()
        | MORE
        | {"update_cycle": cycle, "openness": openness, "open_condition": "仅供研究"}
    )
    given = [
        {"name": "街道", "format": written_as, "url": f"https://county.example.cn/a.{place}"}
        for place, written_as in enumerate(
            ["CSV", "xlsx", "GeoJSON", "TTL", "RDF/XML", "JSONL", "API", "Shapefile"]
        )
    ]
    record = make(meta, given)
    body = written(record)
    assert set(graph(written(again(record, read(body, tmp_path))))) == set(graph(body))


FORMATS = [
    "CSV", "TSV", "XLSX", "XLS", "ODS", "JSON", "GeoJSON", "JSON-LD", "KML", "KMZ", "SHP", "GPKG", "Parquet", "XML", "PDF", "ZIP",
    "TXT", "TTL", "RDF/XML", "N-Triples", "GeoTIFF", "NetCDF", "WMS", "WFS",
]  # fmt: skip


def test_formats_come_back_as_people_write_them(make: Make, tmp_path: Path) -> None:
    given = [
        {"name": one, "format": one, "url": f"https://county.example.cn/{n}"} for n, one in enumerate(FORMATS)
    ]
    record = make({"title": "数据"}, given)
    found = sorted(read(written(record), tmp_path).resources, key=order_of(record))
    assert [one.fields["format"] for one in found] == FORMATS


def test_every_writing_of_a_format_means_one_file_type() -> None:
    known = vocabulary()
    assert {code: known.file_type(said) for code, said in known.written.items()} == {
        c: c for c in known.written
    }
    assert files.format_of("街道.geojson") == "GeoJSON"
    assert files.format_of("街道.csv") == "CSV"


@pytest.mark.parametrize("licence", ["cc-by-4.0", "cc-zero", "odc-odbl", "other-open", "wtfpl", "cc-by", "https://example.org/own"])  # fmt: skip
def test_a_licence_comes_back(make: Make, tmp_path: Path, licence: str) -> None:
    found = read(written(make({"title": "数据", "licence": licence})), tmp_path)
    assert found.fields["licence"] == licence


def test_a_record_that_says_little(make: Make, tmp_path: Path) -> None:
    """The day of a release is no day of the data; the body's own division and contact are told with the dataset."""
    found = read(written(make({"title": "数据"}, [])), tmp_path)
    assert "data_updated_on" not in found.fields
    assert found.fields["region"] == "320600"
    assert found.fields["contact_email"] == "data@nantong.example.cn"


def graph(body: bytes) -> Graph:
    return Graph().parse(data=body, format="turtle")


def test_texts_that_look_like_markup_stay(make: Make, tmp_path: Path) -> None:
    told: dict[str, Any] = {"title": "温度 < 5 ℃ & 湿度 > 3", "description": "a < b\n\n第二段 & c"}
    found = read(written(make(told, [])), tmp_path)
    assert {name: found.fields[name] for name in told} == told


def test_data_json_comes_back_as_far_as_it_goes(make: Make) -> None:
    record = make(make().view.meta.stored() | MORE)
    with remote_site() as site:
        site.pages["/data.json"] = Answer(b"".join(datajson.document([[datajson.entry(record, SITE)]], SITE)))
        remote = Remote(site.fetcher, f"{site.url}/data.json", limits=Limits(pause=0))
        [found] = KINDS["datajson"].gather(remote)
    assert isinstance(found, harvest.Record)
    held = record.view.meta.stored()
    for unsaid in ("title_en", "description_en", "domain", "disclosures", "bbox", "related_codes", "landing_page", "version"):  # fmt: skip
        held.pop(unsaid)
    held["contact_phone"] = "+8651385098765"
    assert DatasetMeta.model_validate(found.fields).stored() == {**held, "author": "南通市统计局"}
