"""Sources: schedule, secret, trust, files, federation, and what a deleted one leaves."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from opendata.application import do_due
from opendata.catalog.models import Release
from opendata.harvest.models import HarvestRun, HarvestSource
from opendata.harvest.running import jobs
from opendata.harvest.running.jobs import Harvester
from opendata.harvest.schedule import next_run
from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.publishing.trust.models import Trust
from opendata.work.actor import SYSTEM
from tests.harvest.runs.conftest import Harvest, counted
from tests.support.mini_ckan import MiniCkan, package, resource
from tests.support.remote_site import Answer, remote_site


def other(harvest: Harvest, name: str, url: str, **fields: Any) -> Harvest:
    body = {"name": name, "kind": "ckan", "url": url, "agency": "housing", "trusted": True, **fields}
    answer = harvest.office.admin.post("/harvest/sources", json={"limits": {"pause": 0}, **body})
    assert answer.status_code == 201, answer.text
    return Harvest(harvest.office, harvest.settle, answer.json())


@pytest.mark.parametrize(
    ("schedule", "now", "then"),
    [
        ("hourly", "2026-11-23T02:17:00", "2026-11-23T03:00:00"),
        ("daily 03:00", "2026-11-23T02:17:00", "2026-11-23T19:00:00"),
        ("daily", "2026-11-23T17:59:00", "2026-11-23T18:00:00"),
        ("daily", "2026-11-23T18:00:00", "2026-11-24T18:00:00"),
        ("weekly 10:30", "2026-11-23T02:17:00", "2026-11-23T02:30:00"),
        ("weekly 10:30", "2026-11-23T02:31:00", "2026-11-30T02:30:00"),
        ("monthly 00:00", "2026-11-30T15:00:00", "2026-11-30T16:00:00"),
    ],
)
def test_when_a_source_is_due(schedule: str, now: str, then: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_run(schedule, moment) == datetime.fromisoformat(then).replace(tzinfo=UTC)


def test_by_the_clock_one_at_a_time(harvest: Harvest, ckan: MiniCkan, clock: Any) -> None:
    harvest.set(schedule="hourly")
    do_due(harvest.office.app)
    assert harvest.office.editor.get(f"{harvest.path}/runs").json()["total"] == 0
    clock.advance(hours=1)
    do_due(harvest.office.app)
    do_due(harvest.office.app)
    (run,) = harvest.office.editor.get(f"{harvest.path}/runs").json()["results"]
    clock.advance(hours=1)
    do_due(harvest.office.app)  # the first one has not begun
    assert harvest.office.editor.get(f"{harvest.path}/runs").json()["total"] == 1
    harvest.settle()
    assert counted(harvest.report(run["id"])) == {"created": 8}


def test_cancelled_before_it_begins(harvest: Harvest, ckan: MiniCkan) -> None:
    run = harvest.ask()["id"]
    assert harvest.office.editor.post(f"/harvest/runs/{run}/cancel").json()["status"] == "cancelled"
    harvest.settle()
    assert ckan.site.asked == []
    again = harvest.office.editor.post(f"/harvest/runs/{run}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "harvest_run_over")
    assert counted(harvest.run()) == {"created": 8}


@pytest.mark.parametrize("settings", ["light"], indirect=True)
def test_cancelled_in_the_moment_in_which_it_begins(
    harvest: Harvest, ckan: MiniCkan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the run and the lock on it: it stays cancelled, and the source is free."""
    begin = Harvester._begin

    def late(harvester: Harvester, run: HarvestRun) -> bool:
        monkeypatch.setattr(Harvester, "_begin", begin)
        assert harvest.office.editor.post(f"/harvest/runs/{run.id}/cancel").json()["status"] == "cancelled"
        return begin(harvester, run)

    monkeypatch.setattr(Harvester, "_begin", late)
    run = harvest.ask()["id"]
    harvest.settle()
    assert harvest.report(run)["status"] == "cancelled"
    assert ckan.site.asked == []
    assert counted(harvest.run()) == {"created": 8}


def test_the_secret_is_sealed(harvest: Harvest, ckan: MiniCkan) -> None:
    app = harvest.office.app
    answer = harvest.office.admin.patch(harvest.path, json={"secret": "s3cret"})
    assert answer.json()["has_secret"]
    assert "s3cret" not in answer.text
    with app.place.reading(SYSTEM) as work:
        kept = work.session.execute(select(HarvestSource.secret)).scalar_one()
    assert "s3cret" not in kept
    assert "s3cret" not in base64.b64decode(kept).decode("latin-1")
    harvest.run()
    assert {asked.headers["authorization"] for asked in ckan.site.asked} == {"s3cret"}
    assert not harvest.office.admin.patch(harvest.path, json={"secret": ""}).json()["has_secret"]
    del ckan.site.asked[:]
    harvest.run()
    assert not any("authorization" in asked.headers for asked in ckan.site.asked)


def test_under_another_secret_of_the_site_it_is_asked_for_again(
    harvest: Harvest, ckan: MiniCkan, monkeypatch: pytest.MonkeyPatch
) -> None:
    harvest.set(secret="s3cret")
    monkeypatch.setattr(harvest.office.app.harvester, "secret", b"another")
    told = harvest.run()
    assert (told["status"], told["failure_code"]) == ("failed", "secret_unreadable")
    assert ckan.site.asked == []
    harvest.set(secret="s3cret")
    assert harvest.run()["status"] == "done"


def test_another_server_goes_on_with_a_run(
    harvest: Harvest, ckan: MiniCkan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every piece is done by a server that has nothing of the run on its disk."""
    monkeypatch.setattr(jobs, "PIECE_SECONDS", 0.0)
    run = Harvester.run

    def elsewhere(harvester: Harvester, run_id: str, part: int) -> None:
        shutil.rmtree(harvester.folder.root, ignore_errors=True)
        run(harvester, run_id, part)

    monkeypatch.setattr(Harvester, "run", elsewhere)
    assert counted(harvest.run()) == {"created": 8}
    assert len(ckan.site.asked) == 3, "each page once"


class TestTrust:
    def test_it_ends_with_the_address(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.set(url=f"{ckan.site.url}/other")
        told = harvest.office.admin.get(harvest.path).json()
        assert not told["trusted"]
        harvest.set(url=ckan.site.url)
        harvest.run()
        assert harvest.public() == set()
        with harvest.office.app.place.reading(SYSTEM) as work:
            (row,) = work.session.query(Trust).all()
            assert row.ended_at is not None

    def test_the_database_lets_nothing_else_out_by_it(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.run()
        draft = harvest.office.link(title="Another")
        release = harvest.office.submit(draft)
        harvest.settle()
        place = harvest.office.app.place
        mine = update(Release).where(Release.id == release["id"])
        with pytest.raises(DBAPIError, match="guard"), place.writing(SYSTEM) as work:
            work.session.execute(mine.values(policy="trusted", state="published"))
        for change in ("UPDATE trust SET agency_id = 'x'", "DELETE FROM trust", "DELETE FROM trust_passage"):
            with pytest.raises(DBAPIError, match="guard"), place.writing(SYSTEM) as work:
                work.session.execute(text(change))

    def test_what_a_person_wrote_at_goes_to_the_reviewers(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.set(trusted=False)
        harvest.run()
        harvest.set(trusted=True)
        dataset = harvest.datasets()["Dataset set-1"]["id"]
        assert harvest.office.editor.patch(f"/datasets/{dataset}", json={"title_en": "x"}).status_code == 200
        harvest.office.submit(dataset)
        harvest.settle()
        ckan.packages[0]["notes"] = "News"
        harvest.run()
        told = harvest.office.editor.get(f"/datasets/{dataset}").json()
        assert (told["draft"]["release_state"], told["draft"]["description"]) == ("in_review", "News")


class TestFiles:
    def test_copies_go_through_all_checks_and_are_fetched_once(
        self, harvest: Harvest, ckan: MiniCkan
    ) -> None:
        data = b"a,b\n1,2\n"
        site = ckan.site
        site.pages["/good.csv"] = site.pages["/wrong.csv"] = Answer(
            data, headers={"Content-Type": "text/csv"}
        )
        ckan.packages = [
            package("files", resources=[
                resource("good", url=f"{site.url}/good.csv", hash=hashlib.sha256(data).hexdigest()),
                resource("wrong", url=f"{site.url}/wrong.csv", hash="0" * 64),
                resource("none", url=f"{site.url}/none.csv"),
            ])
        ]  # fmt: skip
        harvest.set(copy_files=True)
        run = harvest.run()
        files = {r["name"]: r for r in harvest.datasets()["Dataset files"]["resources"]}
        assert files["good.csv"]["file"]["sha256"] == hashlib.sha256(data).hexdigest()
        assert files["good.csv"]["extras"]["source_url"] == f"{site.url}/good.csv"
        assert [files[name]["url"] for name in ("wrong.csv", "none.csv")] == [
            f"{site.url}/wrong.csv",
            f"{site.url}/none.csv",
        ]
        told = run["outcomes"]["results"][0]["told"]
        assert ["SHA-256" in told[0], "404" in told[1]] == [True, True]
        site.pages["/none.csv"] = Answer(b"c\n3\n")
        site.asked.clear()
        harvest.run()
        assert "/good.csv" not in {asked.path for asked in site.asked}
        files = {r["name"]: r for r in harvest.datasets()["Dataset files"]["resources"]}
        assert files["none.csv"]["file"]["size"] == 4


class TestFederation:
    def test_the_origin_wins_and_nothing_is_opened_twice(self, harvest: Harvest, ckan: MiniCkan) -> None:
        """First by the city in between, then from the county that published it; ids stay."""
        with remote_site() as between:
            harvest.office.app.harvester.fetcher = GuardedFetcher([ckan.site.place, between.place])
            origins = [f"{ckan.site.url}/dataset/{one['id']}" for one in ckan.packages]
            copies = [
                package(f"copy-{n}", title=f"Dataset set-{n + 1}", extras=[{"key": "uri", "value": origin}])
                for n, origin in enumerate(origins)
            ]
            MiniCkan(between, [*copies, package("own")])
            city = other(harvest, "city", between.url)
            assert counted(city.run()) == {"created": 9}
            ids = {title: one["id"] for title, one in harvest.datasets().items()}
            run = harvest.run()
            assert counted(run) == {"updated": 8}
            assert {title: one["id"] for title, one in harvest.datasets().items()} == ids
            run = city.run()
            assert counted(run) == {"unchanged": 1, "refused": 8}
            refused = [o["told"][0] for o in run["outcomes"]["results"] if o["action"] == "refused"]
            assert all("held of the source remote" in why for why in refused)
            assert counted(harvest.run()) == {"unchanged": 8}

    def test_what_was_published_here_does_not_come_back(self, harvest: Harvest, ckan: MiniCkan) -> None:
        ckan.packages.append(package("ours", extras=[{"key": "uri", "value": "http://testserver/dataset/x"}]))
        run = harvest.run()
        assert counted(run) == {"created": 8, "refused": 1}

    def test_a_deleted_source_is_found_again(
        self, harvest: Harvest, ckan: MiniCkan, settle: Callable[[], None]
    ) -> None:
        harvest.run()
        ids = {title: one["id"] for title, one in harvest.datasets().items()}
        assert harvest.office.admin.delete(harvest.path).status_code == 204
        assert len(harvest.public()) == 8
        again = other(harvest, "remote", ckan.site.url)
        assert counted(again.run()) == {"unchanged": 8}
        assert harvest.office.admin.delete(again.path).status_code == 204
        renamed = other(harvest, "renamed", ckan.site.url)
        assert counted(renamed.run()) == {"updated": 8}
        assert {title: one["id"] for title, one in harvest.datasets().items()} == ids
