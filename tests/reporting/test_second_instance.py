"""A city reports to a province that runs this platform too: a real second instance on a loopback port."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from asking import Asking
from click.testing import CliRunner
from office import Office

from opendata.application import do_due, record_policy
from opendata.cli import cli
from opendata.main import create_app
from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.ports.job_queue.inline import InlineQueue
from opendata.ports.sandbox.inline import InlineSandbox
from opendata.settings import Settings
from opendata.wiring import build, migrate
from tests.reporting.conftest import Reporting, counted, lines

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
pytestmark = light


@dataclass
class Above:
    """The province: its own office, with the body that takes the city's catalogue."""

    office: Office
    url: str

    def settle(self) -> None:
        self.office.app.queue.drain(retry=True)
        do_due(self.office.app)
        self.office.app.queue.drain()

    def datasets(self) -> dict[str, dict[str, Any]]:
        """By title, with their drafts."""
        found = self.office.editor.get("/datasets", params={"drafts": "true", "limit": 100}).json()["results"]
        public = self.office.client.get("/api/v1/datasets", params={"limit": 100}).json()["results"]
        return {one["title"]: one for one in [*found, *public]}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Above]:
    settings = Settings(data_dir=tmp_path / "province", site_url="http://province", run_jobs=False)
    migrate(settings)
    app = build(settings, queue=InlineQueue(), sandbox=InlineSandbox())
    record_policy(app)
    app.queue.start(app.handlers(), lambda job, args, error: None)
    server = uvicorn.Server(
        uvicorn.Config(create_app(app), port=0, log_config=None, lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    with Asking(create_app(app)) as client:
        office = Office(app, client, agency="nantong")
        office.furnish()
        yield Above(office, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    server.should_exit = True
    thread.join(timeout=30)
    app.close()


@pytest.fixture
def city(office: Any, settle: Callable[[], None], clock: Any, instance: Above) -> Reporting:
    office.app.reporter.fetcher = GuardedFetcher([instance.url.removeprefix("http://")])
    body = {
        "name": "province", "url": instance.url, "map": "opendata", "options": {"agency": "nantong"}, "pause": 0,
        "secret": instance.office.editor.token,
    }  # fmt: skip
    answer = office.admin.post("/reporting/targets", json=body)
    assert answer.status_code == 201, answer.text
    return Reporting(office, settle, clock, answer.json())


def test_the_provinces_reviewers_get_it_and_its_readers_then(city: Reporting, instance: Above) -> None:
    park, street = city.publish("公园", "街道", keywords=["名录"], update_cycle="yearly")
    first = city.push()
    assert (first["status"], counted(first)) == ("done", {"created": 2}), first
    assert lines(first)["公园"]["receipt"] == instance.datasets()["公园"]["id"]
    assert instance.office.client.get("/api/v1/datasets").json()["total"] == 0, (
        "its own two reviews come first"
    )
    publish(instance)
    found = instance.office.client.get(f"/api/v1/datasets/{instance.datasets()['公园']['id']}").json()
    assert (found["update_cycle"], found["keywords"], found["source_id"]) == ("yearly", ["名录"], park)
    assert [one["url"] for one in found["resources"]] == ["https://example.org/a.csv"]
    assert found["extras"]["uri"].startswith("http://testserver/zh/dataset/")

    assert counted(city.push()) == {"unchanged": 2}
    city.edit(street, title="街道名录")
    assert counted(city.push()) == {"updated": 1, "unchanged": 1}
    publish(instance)
    assert set(instance.datasets()) == {"公园", "街道名录"}

    city.withdraw(park)
    city.withdraw(street)
    assert counted(city.push()) == {"withdrawn": 2}
    assert instance.office.client.get(f"/api/v1/datasets/{found['id']}").status_code == 410
    city.edit(park, description="又开放")
    assert counted(city.push()) == {"created": 1}
    publish(instance)
    assert instance.office.client.get(f"/api/v1/datasets/{found['id']}").status_code == 200, (
        "with the same id"
    )


def publish(instance: Above) -> None:
    """The province's reviewers approve what waits."""
    instance.settle()
    for draft in instance.office.editor.get("/datasets", params={"drafts": "true", "limit": 100}).json()[
        "results"
    ]:
        shown = instance.office.editor.get(f"/datasets/{draft['id']}").json()["draft"]
        assert shown["release_state"] == "in_review", shown
        for kind in ("content", "secrecy"):
            assert instance.office.decide(shown["release"], kind).status_code == 201
    instance.settle()


def test_what_it_refuses_it_says_field_by_field(city: Reporting, instance: Above) -> None:
    city.publish("公园")
    city.set(options={"agency": "nobody"})
    wrong = city.push()
    assert (wrong["failure_code"], counted(wrong)) == ("report_wrong_address", {"left": 1})
    city.set(options={"agency": "nantong"}, secret="ogd_none")
    assert city.push()["failure_code"] == "report_not_let_in"
    city.set(secret=instance.office.content.token)
    assert city.push()["failure_code"] == "report_not_let_in"
    city.set(secret=instance.office.editor.token)
    assert counted(city.push()) == {"created": 1}


def test_by_the_command_line(city: Reporting, instance: Above, monkeypatch: pytest.MonkeyPatch) -> None:
    city.publish("公园")
    settings = city.office.app.settings
    monkeypatch.setenv("OPENDATA_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("OPENDATA_SITE_URL", settings.site_url)
    monkeypatch.setenv("OPENDATA_FETCH_ALLOWED", instance.url.removeprefix("http://"))

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(cli, ["report", *arguments], catch_exceptions=False)

    plan = run("run", "province", "--dry-run")
    assert (plan.exit_code, "planned: created 1" in plan.output) == (0, True), plan.output
    assert instance.datasets() == {}
    done = run("run", "province")
    assert (done.exit_code, "done: created 1" in done.output) == (0, True), done.output
    assert set(instance.datasets()) == {"公园"}
    assert "province\t" in run("targets").output
    changed = city.office.admin.patch(f"/reporting/targets/{city.target['id']}", json={"secret": "ogd_none"})
    assert changed.status_code == 200, changed.text
    city.edit(city.office.client.get("/api/v1/datasets").json()["results"][0]["id"], description="新")
    failed = run("run", "province")
    assert failed.exit_code == 1
    assert "does not let us in" in failed.output
