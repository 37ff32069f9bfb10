"""A body that harvests a CKAN of the test's making."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from opendata.core.clock import FixedClock
from opendata.ports.fetcher.guarded import GuardedFetcher
from tests.support.mini_ckan import MiniCkan, package
from tests.support.remote_site import RemoteSite, remote_site

Settle = Callable[[], None]


@pytest.fixture
def site() -> Iterator[RemoteSite]:
    with remote_site() as site:
        yield site


@pytest.fixture
def ckan(site: RemoteSite) -> MiniCkan:
    return MiniCkan(site, [package(f"set-{number}") for number in range(1, 9)])


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(datetime(2026, 11, 23, 2, tzinfo=UTC))
    return app.place.clock


@dataclass
class Harvest:
    """A source, and what a test asks of it over the API."""

    office: Any
    settle: Settle
    source: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/harvest/sources/{self.source['id']}"

    def set(self, **fields: Any) -> None:
        answer = self.office.admin.patch(self.path, json=fields)
        assert answer.status_code == 200, answer.text

    def ask(self, **body: Any) -> dict[str, Any]:
        answer = self.office.editor.post(f"{self.path}/runs", json=body)
        assert answer.status_code == 202, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def run(self, **body: Any) -> dict[str, Any]:
        """A run, when its jobs are done."""
        asked = self.ask(**body)
        self.settle()
        return self.report(asked["id"])

    def report(self, run: str, **query: Any) -> dict[str, Any]:
        answer = self.office.editor.get(f"/harvest/runs/{run}", params={"limit": 1000, **query})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def datasets(self) -> dict[str, dict[str, Any]]:
        """What the body has, by title: what is public, and drafts that are not."""
        found: dict[str, dict[str, Any]] = {}
        for query in ({}, {"drafts": "true"}):
            answer = self.office.editor.get("/datasets", params={"agency": "housing", "limit": 1000, **query})
            assert answer.status_code == 200, answer.text
            for one in answer.json()["results"]:
                found.setdefault(one["title"], one)
        return found

    def public(self) -> set[str]:
        found = self.office.client.get("/api/v1/datasets", params={"limit": 1000}).json()["results"]
        return {one["title"] for one in found}


def counted(run: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in run["counts"].items() if number}


@pytest.fixture
def harvest(office: Any, settle: Settle, ckan: MiniCkan, clock: FixedClock) -> Harvest:
    office.app.harvester.fetcher = GuardedFetcher([ckan.site.place])
    body = {
        "name": "remote", "kind": "ckan", "url": ckan.site.url, "agency": "housing", "trusted": True,
        "options": {"rows": 3}, "limits": {"pause": 0},
    }  # fmt: skip
    answer = office.admin.post("/harvest/sources", json=body)
    assert answer.status_code == 201, answer.text
    return Harvest(office, settle, answer.json())
