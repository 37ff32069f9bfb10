"""The sample city as a visitor and its own people see it (issue 4): loaded as `make run` loads it, by durable jobs."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from asking import Asking
from sqlalchemy import select
from starlette.testclient import TestClient

from opendata.application import record_policy
from opendata.catalog.models import Release
from opendata.core.clock import day_of
from opendata.demo import catalogue
from opendata.main import create_app
from opendata.settings import Settings
from opendata.wiring import build
from opendata.work import audit
from opendata.work.actor import SYSTEM

pytestmark = [pytest.mark.heavy, pytest.mark.parametrize("settings", ["light"], indirect=True)]


class City:
    def __init__(self, app: Any, client: TestClient) -> None:
        self.app, self.client = app, client
        self.people = catalogue.credentials(app.settings)

    def get(self, path: str, person: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.people[person]['token']}"} if person else {}
        answer = self.client.get(f"/api/v1{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def city(settings: Settings) -> Iterator[City]:
    app = build(settings)
    record_policy(app)
    with app.running():
        catalogue.load(app)
    with Asking(create_app(app)) as client:
        yield City(app, client)
    app.close()


def test_the_sample_catalogue_shows_a_believable_city(city: City) -> None:
    bodies(city)
    leads(city)
    lists(city)
    plan(city)
    releases(city)
    authorities(city)
    people(city)
    oversight(city)


def leads(city: City) -> None:
    found = city.get("/disclosure-catalogues")
    assert all(one["lead"] and one["lines"] > 5 for one in found), found
    entries = city.get(f"/disclosure-catalogues/{found[0]['domain']}?limit=100")["results"]
    assert all(one["lead_unit"] for one in entries)


def bodies(city: City) -> None:
    found = city.get("/agencies")
    assert len(found) >= 12
    assert {b["kind"] for b in found} == {"government_department", "public_institution", "public_enterprise"}
    assert all(b["uscc"] and b["responsible_leader"] and b["office"] and b["contact_phone"] for b in found)
    assert sum(b["region_code"] not in ("320600", "") for b in found) == 2


def lists(city: City) -> None:
    seen = city.get("/inventory?limit=200")["results"]
    assert len(seen) >= 60
    assert {line["openness"] for line in seen} == {"unconditional", "conditional", "closed"}
    assert {line["domain"] for line in seen} == {
        "livelihood",
        "public_service",
        "market_supervision",
        "other",
    }
    assert all(line["open_condition"] for line in seen if line["openness"] != "unconditional")
    inside = city.get("/inventory?limit=200", "sample-secrecy-reviewer")["results"]
    assert len(inside) == len(seen) + 1
    forbidden = city.get("/negative-list")["results"]
    assert len(forbidden) >= 4
    assert sum(entry["review_due"] for entry in forbidden) == 1
    fields = city.get("/metadata-profile")["fields"]
    assert [field["name"] for field in fields] == ["service_scene", "source_system"]


def plan(city: City) -> None:
    with city.app.place.reading(SYSTEM) as work:
        today = day_of(work.now)
    items = city.get("/plans?limit=100")["results"]
    states = Counter(item["status"] for item in items)
    assert states["opened"] >= 10
    assert states["delayed"] == states["cancelled"] == 1
    assert states["not_started"] >= 5
    assert states["in_progress"] == 3
    if (today.month, today.day) > (1, 1):
        assert sum(item["overdue"] for item in items) == 3
    assert all(item["reason"] for item in items if item["status"] in ("delayed", "cancelled"))
    assert len({item["actual_on"] for item in items if item["actual_on"]}) > 1


def releases(city: City) -> None:
    with city.app.place.reading(SYSTEM) as work:
        states = Counter(work.session.scalars(select(Release.state)))
        assert list(audit.verify(work.session)) == []
        times = work.session.scalars(select(audit.AuditRow.at).order_by(audit.AuditRow.seq)).all()
    story = times[1:]  # the first line is the platform's own, on which policy it began with
    assert story == sorted(story)
    assert story[-1].year - story[0].year == 1
    assert states == {
        "published": 14,
        "withdrawn": 1,
        "superseded": 1,
        "draft": 1,
        "in_review": 1,
        "returned": 2,
    }
    assert city.get("/search?q=")["total"] == 14
    gone = city.client.get("/api/v1/datasets/bicycle-stations")
    assert gone.status_code == 410


def authorities(city: City) -> None:
    """One lets updates out, one was stopped by an update that was out of its bounds, and says why."""
    found = {row["dataset"]: row for row in city.get("/standing-authorities", "sample-content-reviewer")}
    assert {name: row["state"] for name, row in found.items()} == {
        "bus-stops": "active",
        "staple-prices": "suspended",
    }
    assert found["staple-prices"]["stopped_by"]
    assert found["bus-stops"]["stopped_by"] == []


def people(city: City) -> None:
    path = catalogue.credentials_path(city.app.settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    mine = city.get("/me", "sample-county-clerk")
    assert mine["name"] == "sample-county-clerk"
    assert city.get("/me", "sample-supervisor")["site_roles"] == ["supervisor"]


def oversight(city: City) -> None:
    orders = city.get("/rectifications?limit=100", "sample-supervisor")["results"]
    given = {
        order["subject"]: order["state"] for order in orders if order["cause"] in ("other", "not_opened")
    }
    assert sorted(given.values()) == ["closed", "open"]
    with city.app.place.reading(SYSTEM) as work:
        year = day_of(work.now).year - 1
    reports = city.get(f"/reports?year={year}")
    assert len(reports["results"]) == 14
