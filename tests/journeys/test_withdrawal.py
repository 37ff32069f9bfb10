"""D52: a withdrawal is effective in every door of every server within ten seconds, with a public tombstone: day and ground."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.core.clock import day_of
from opendata.main import create_app
from opendata.wiring import Application, build

API = "/api/v1"
TITLE = "街道代码"
ROWS = "代码,名称\n" + "".join(f"{n:04d},zqxstreet{n}\n" for n in range(50))
MARK = "zqxstreet1"
BOUND = 10.0
"""Seconds."""


@pytest.fixture
def servers(app: Application) -> Iterator[list[TestClient]]:
    """Two servers of one database, each with caches of its own. The embedded index has one process: there both are its."""
    other = build(app.settings, queue=app.queue) if app.settings.database_url else app
    with TestClient(create_app(app)) as one, TestClient(create_app(other)) as two:
        yield [one, two]
    if other is not app:
        other.close()


def doors(dataset: dict[str, Any], resource: str) -> list[str]:
    """Every address under which the public had it, or saw it in a list."""
    here, name = dataset["id"], dataset["name"]
    return [
        f"{API}/datasets/{here}", f"{API}/datasets/{name}", f"{API}/datasets/{here}/releases", f"{API}/datasets/{here}/releases/1",
        f"{API}/datasets", f"{API}/resources/{resource}", f"{API}/resources/{resource}/download",
        f"{API}/resources/{resource}/releases/1/download", f"{API}/resources/{resource}/rows", f"{API}/resources/{resource}/report",
        f"{API}/search?q=%E8%A1%97%E9%81%93", f"/api/3/action/package_show?id={name}", "/api/3/action/package_list",
        "/api/3/action/package_search?q=%E8%A1%97%E9%81%93", f"/api/3/action/resource_show?id={resource}",
        f"/api/3/action/datastore_search?resource_id={resource}", "/catalog.jsonld", "/catalog.ttl", "/data.json", "/sitemap-1.xml",
        "/feed.atom", f"/dataset/{name}.ttl", f"/zh/dataset/{name}", f"/zh/dataset/{name}/resource/{resource}",
        f"/zh/dataset/{name}/release/1", "/zh/search?q=%E8%A1%97%E9%81%93", "/zh/", "/zh/agency/housing",
    ]  # fmt: skip


def shown(client: TestClient, path: str, marks: tuple[str, ...]) -> bool:
    answer = client.get(path, headers={"Accept-Language": "zh"})
    assert answer.status_code < 500, (path, answer.text)
    told = answer.text.replace(path, "")  # an error names the address that was asked for
    return answer.status_code == 200 and any(mark in told for mark in marks)


def test_d52_a_withdrawal_shuts_every_door_of_every_server(
    office: Any, servers: list[TestClient], settle: Callable[[], None]
) -> None:
    dataset = office.draft(title=TITLE)
    resource = office.upload(dataset["id"], ROWS.encode())["id"]
    office.publish(dataset["id"], settle)
    settle()
    paths, marks = doors(dataset, resource), (dataset["id"], dataset["name"], resource, MARK)
    for client in servers:
        for _turn in range(2):  # the second time from each server's own cache
            open_doors = [path for path in paths if shown(client, path, marks)]
        assert len(open_doors) > len(paths) - 3, sorted(set(paths) - set(open_doors))
    began = time.monotonic()
    answer = office.editor.post(f"/datasets/{dataset['id']}/withdraw", json={"reason": "数据有误"})
    assert answer.status_code < 300, answer.text
    settle()
    for client in servers:
        assert [path for path in paths if shown(client, path, marks)] == []
    assert time.monotonic() - began < BOUND
    today = day_of(office.app.place.clock.now()).isoformat()
    for client in servers:
        for path in (
            f"{API}/datasets/{dataset['id']}",
            f"{API}/resources/{resource}/download",
            f"{API}/resources/{resource}/rows",
        ):
            gone = client.get(path, headers={"Accept-Language": "zh"})
            assert gone.status_code == 410, (path, gone.text)
            assert gone.json()["detail"] == f"该数据集已于 {today} 撤回：数据有误"
        page = client.get(f"/zh/dataset/{dataset['name']}")
        assert page.status_code == 410
        assert f"{today} 撤回：数据有误" in page.text
    assert list(office.app.stores.public.objects()) == []
