"""A city that reports to a province of the test's making."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from opendata.application import do_due
from opendata.core.clock import FixedClock
from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.ports.job_queue.inline import InlineQueue
from tests.support.province import TOKEN, Province, province

Settle = Callable[[], None]
PATIENCE = 120
"""Seconds after which jobs that never end fail the test. No speed is asserted."""
USCC = "113206000143000121"


@pytest.fixture
def above() -> Iterator[Province]:
    with province() as made:
        yield made


@pytest.fixture
def settle(app: Any) -> Settle:
    """One turn of everything: what waits for its next attempt is tried once, and may go on waiting."""

    def turn() -> None:
        if isinstance(app.queue, InlineQueue):
            app.queue.drain(retry=True)
            do_due(app)
            app.queue.drain()
        else:
            deadline = time.monotonic() + PATIENCE
            while not app.queue.idle():
                assert time.monotonic() < deadline, "jobs do not come to an end"
                time.sleep(0.05)
        app.indexer.drain()

    return turn


@pytest.fixture
def clock(app: Any) -> FixedClock:
    app.place.clock = FixedClock(datetime(2026, 11, 23, 2, tzinfo=UTC))
    return app.place.clock


@dataclass
class Reporting:
    """A target, and what a test asks of it over the API."""

    office: Any
    settle: Settle
    clock: FixedClock
    target: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/reporting/targets/{self.target['id']}"

    def publish(self, *titles: str, **fields: Any) -> list[str]:
        """Public datasets with a link each; their ids."""
        made = []
        for title in titles:
            dataset = self.office.link(**{"title": title, "disclosures": ["result"], **fields})
            self.office.publish(dataset, self.settle)
            made.append(dataset)
        return made

    def edit(self, dataset: str, **fields: Any) -> None:
        answer = self.office.editor.patch(f"/datasets/{dataset}", json=fields)
        assert answer.status_code == 200, answer.text
        self.office.publish(dataset, self.settle)

    def withdraw(self, dataset: str) -> None:
        answer = self.office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "数据有误"})
        assert answer.status_code == 200, answer.text

    def set(self, **fields: Any) -> None:
        answer = self.office.admin.patch(self.path, json=fields)
        assert answer.status_code == 200, answer.text

    def ask(self, **body: Any) -> str:
        answer = self.office.admin.post(f"{self.path}/pushes", json=body)
        assert answer.status_code == 202, answer.text
        asked: str = answer.json()["id"]
        return asked

    def push(self, **body: Any) -> dict[str, Any]:
        """A push, when its jobs are done or wait."""
        asked = self.ask(**body)
        self.settle()
        return self.report(asked)

    def report(self, push: str, **query: Any) -> dict[str, Any]:
        answer = self.office.admin.get(f"/reporting/pushes/{push}", params={"limit": 1000, **query})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)


def counted(push: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in push["counts"].items() if number}


def lines(push: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["title"]: line for line in push["records"]["results"]}


@pytest.fixture
def target_in(above: Province) -> dict[str, Any]:
    return {
        "name": "province", "url": above.url, "map": "sszd", "options": {"org_path": "江苏省/南通市"}, "secret": TOKEN, "pause": 0,
    }  # fmt: skip


@pytest.fixture
def reporting(
    office: Any, settle: Settle, above: Province, clock: FixedClock, target_in: dict[str, Any]
) -> Reporting:
    office.app.reporter.fetcher = GuardedFetcher([above.place])
    assert office.admin.patch("/agencies/housing", json={"uscc": USCC}).status_code == 200
    answer = office.admin.post("/reporting/targets", json=target_in)
    assert answer.status_code == 201, answer.text
    return Reporting(office, settle, clock, answer.json())
