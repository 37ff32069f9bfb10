"""Datasets as views (for the mapping alone), and the feeds over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from asking import Asking
from rdflib import Graph
from starlette.testclient import TestClient

from opendata.agencies.models import Agency
from opendata.application import Application
from opendata.catalog.models import Dataset, Release
from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.catalog.views import DatasetView, FileView, ResourceView
from opendata.feeds.reading import Record
from opendata.main import create_app

AT = datetime(2026, 11, 23, 8, 30, 15, 123456, tzinfo=UTC)
SCHEMA = {"title": "街道代码", "fields": [{"name": "code", "type": "string"}]}
Make = Callable[..., Record]


def an_id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def agency(**fields: Any) -> Agency:
    known = {
        "id": an_id("agency"),
        "name": "stats",
        "title": "南通市统计局",
        "title_en": "Nantong Statistics Bureau",
        "kind": "government_department",
        "uscc": "11320600014150042N",
        "region_code": "320600",
        "contact_name": "数据科",
        "contact_phone": "0513-85098765 转 12",
        "contact_email": "data@nantong.example.cn",
        "updated_at": AT,
    }
    return Agency(**(known | fields))


def full_meta(number: int = 0) -> dict[str, Any]:
    """Every field that the mapping knows."""
    return {
        "title": f"行政区划街道代码 {number}",
        "title_en": f"Street codes {number}",
        "description": "全市街道、镇的行政区划代码。\n每年更新。" * 8,
        "description_en": "Codes of all streets and towns.",
        "keywords": ["街道", "区划", f"第{number}号", "代码"],
        "themes": ["GOVE", "REGI"],
        "domain": "public_service",
        "licence": "cc-by-4.0",
        "update_cycle": "yearly",
        "region": "320600",
        "bbox": [120.2, 31.68, 121.92, 32.72],
        "data_updated_on": date(2026, 3, 1),
        "related_codes": ["306001/000002"],
        "temporal_start": date(2023, 1, 1),
        "temporal_end": date(2023, 12, 31),
        "contact_name": "区划办",
        "contact_phone": "+86 513 8509 8765",
        "contact_email": "quhua@nantong.example.cn",
        "landing_page": f"https://tjj.nantong.example.cn/区划/{number}?a=[1] 2",
        "version": "2023.1",
    }


def file_of(number: int, position: int) -> FileView:
    name = an_id(f"file {number} {position}")
    return FileView(name, (name.replace("-", "") * 2)[:64], 123_456, "街道.csv", "text/csv", AT)


def record(
    meta: dict[str, Any] | None = None,
    resources: list[dict[str, Any]] | None = None,
    *,
    number: int = 0,
    body: Agency | None = None,
    files: bool = True,
    codes: tuple[str, ...] = ("307010/000001",),
) -> Record:
    """A published dataset. Resources with a `url` are links, the others files with rows (unless not `files`)."""
    dataset_id = an_id(f"dataset {number}")
    body = body or agency()
    given = [{"name": "街道", "format": "CSV", "schema": SCHEMA}] if resources is None else resources
    made = [
        ResourceView(
            id=an_id(f"resource {number} {position}"),
            dataset_id=dataset_id,
            position=position,
            meta=ResourceMeta(**one),
            file=file_of(number, position) if files and not one.get("url") else None,
            created_at=AT,
            updated_at=AT,
        )
        for position, one in enumerate(given)
    ]
    view = DatasetView(
        dataset=Dataset(
            id=dataset_id,
            name=f"streets-{number}",
            agency_id=body.id,
            state="active",
            first_published_at=AT,
            created_at=AT,
            revision=1,
        ),
        release=Release(id=an_id(f"release {number}"), number=3, published_at=AT, updated_at=AT),
        agency=body,
        meta=DatasetMeta(**(full_meta(number) if meta is None else meta)),
        resources=made,
    )
    return Record(view, {one.id: 41352 for one in made if one.file}, codes, AT)


@pytest.fixture(scope="session")
def make() -> Make:
    return record


@pytest.fixture(scope="session")
def make_agency() -> Callable[..., Agency]:
    return agency


@pytest.fixture
def feeds(app: Application) -> Iterator[TestClient]:
    """The whole server, its byte cache included, with the feeds."""
    with Asking(create_app(app), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def parsed(body: bytes, name: str) -> Graph:
    """What rdflib reads, by the ending of the address."""
    kinds = {"ttl": "turtle", "n3": "n3", "rdf": "xml", "xml": "xml", "jsonld": "json-ld"}
    return Graph().parse(data=body, format=kinds[name])


@pytest.fixture(scope="session")
def parse() -> Callable[[bytes, str], Graph]:
    return parsed
