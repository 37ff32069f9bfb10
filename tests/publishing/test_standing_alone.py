"""D14: an update under a standing authority is public within thirty seconds of its arrival, with nobody's help: the server's own
jobs in their own sandbox, its own clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from opendata.application import Application, record_policy
from opendata.core.clock import day_of
from opendata.settings import Settings
from opendata.wiring import build
from tests.publishing.test_standing import approve, propose, rows

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.parametrize(
        "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
    ),
]
BOUND = 30.0
"""Seconds: what the demand says."""
ROWS = 10_000


@pytest.fixture
def app(settings: Settings) -> Iterator[Application]:
    """As `opendata serve` runs it: the lifespan of `client` starts its jobs."""
    application = build(settings.model_copy(update={"run_jobs": True}))
    record_policy(application)
    yield application
    application.close()


def test_d14_an_equal_update_is_public_alone_within_thirty_seconds_of_its_arrival(
    office: Any, app: Application, settle: Callable[[], None]
) -> None:
    dataset = office.draft(title="监测数据")["id"]
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "监测"}).json()
    office.editor.patch(f"/datasets/{dataset}", json={"inventory": [line["id"]]})
    resource = office.upload(dataset, rows(ROWS))["id"]
    office.publish(dataset, settle)
    expires = (day_of(app.place.clock.now()) + timedelta(days=90)).isoformat()
    made = propose(office, dataset, expires_on=expires)
    assert made.status_code == 201, made.text
    assert approve(office, made.json(), "content", "secrecy") == [200, 200]
    for count in (ROWS + 1, ROWS + 2):
        arrived = time.monotonic()
        sent = office.editor.put(f"/resources/{resource}/file?name=rows.csv", content=rows(count))
        assert sent.status_code == 200, sent.text
        office.submit(dataset)
        while public(office, resource) != rows(count):
            assert time.monotonic() - arrived < BOUND
            time.sleep(0.05)
        print(f"public {time.monotonic() - arrived:.1f} s after its arrival")
    lines = office.admin.get("/audit?action=standing.passed").json()["results"]
    assert len(lines) == 2


def public(office: Any, resource: str) -> bytes:
    content: bytes = office.client.get(f"/api/v1/resources/{resource}/download").content
    return content
