"""A withdrawal's jobs meet a publication in the worst moment: what is public in the end has its bytes and its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from opendata.core.errors import NoSpace
from opendata.ports.sandbox.calling import answer, unpack

API = "/api/v1"
ROWS = "代码,名称\n01,一\n02,二\n".encode()
SHA256 = hashlib.sha256(ROWS).hexdigest()
# Only here can a test act in the middle of a job.
pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


def in_the_middle(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, act: Callable[[], None]) -> None:
    """Does `act` once, just before the named call."""
    real, left = getattr(place, name), [act]

    def call(*args: Any, **kwargs: Any) -> Any:
        if left:
            left.pop()()
        return real(*args, **kwargs)

    monkeypatch.setattr(place, name, call)


def run(office: Any) -> None:
    """What is owed, also in the middle of a job."""
    office.app.queue.drain(retry=True)
    office.app.indexer.drain()


def withdraw(office: Any, dataset: str) -> None:
    told = office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "有误"})
    assert told.status_code == 200, told.text


def test_bytes_that_another_dataset_publishes_while_they_are_taken_back(
    office: Any, client: TestClient, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = office.draft(), office.draft(title="另一个")
    for dataset in (first, second):
        dataset["resource"] = office.upload(dataset["id"], ROWS)["id"]
    office.publish(first["id"], settle)

    def publish_second() -> None:
        office.publish(second["id"], lambda: run(office))
        assert client.get(f"{API}/resources/{second['resource']}/download").content == ROWS

    in_the_middle(monkeypatch, office.app.stores.public, "delete", publish_second)
    withdraw(office, first["id"])
    settle()
    assert office.app.stores.public.stat(SHA256)
    assert client.get(f"{API}/resources/{second['resource']}/download").content == ROWS
    withdraw(office, second["id"])
    settle()
    assert list(office.app.stores.public.objects()) == []


def test_rows_that_are_published_again_while_they_are_removed(
    office: Any, client: TestClient, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], ROWS)["id"]
    office.publish(dataset["id"], settle)

    def publish_again() -> None:
        edited = office.editor.patch(f"/datasets/{dataset['id']}", json={"title": "更正"})
        assert edited.status_code == 200, edited.text
        office.publish(dataset["id"], lambda: run(office))

    in_the_middle(monkeypatch, office.app.tables, "drop", publish_again)
    withdraw(office, dataset["id"])
    settle()
    assert client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 2
    assert office.app.reconcile(repair=False).clean


def test_a_release_of_the_same_bytes_leaves_the_table_alone(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft()
    resource = office.upload(dataset["id"], ROWS)["id"]
    office.publish(dataset["id"], settle)
    before = client.get(f"{API}/resources/{resource}/rows").json()["version"]
    office.editor.patch(f"/datasets/{dataset['id']}", json={"description": "新说明"})
    office.publish(dataset["id"], settle)
    assert client.get(f"{API}/resources/{resource}/rows").json()["version"] == before
    schema = {"fields": [{"name": "代码", "type": "integer"}, {"name": "名称", "type": "string"}]}
    told = office.editor.patch(f"/resources/{resource}", json={"schema": schema})
    assert told.status_code == 200, told.text
    office.publish(dataset["id"], settle)
    rows = client.get(f"{API}/resources/{resource}/rows").json()
    assert rows["version"] > before
    assert [row["代码"] for row in rows["results"]] == [1, 2]


def write_nothing_to_a_full_disk() -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")


def test_a_full_disk_says_nothing_about_the_file(settings: Any) -> None:
    """A task that meets one is done again later; its file is not called unreadable."""
    found = answer(f"{__name__}:write_nothing_to_a_full_disk", {}, 1000)
    with pytest.raises(NoSpace):
        unpack(found)
