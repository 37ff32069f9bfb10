"""kill -9 at every step of a run: each record is one dataset, once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from crash import Deaths, Person, Server, ask, make_place, points_of
from mini_ckan import MiniCkan, package
from remote_site import remote_site

from opendata.accounts import service as accounts
from opendata.agencies import queries as agencies
from opendata.harvest import service as harvest
from opendata.harvest.schemas import SourceIn
from opendata.settings import Settings
from opendata.wiring import build
from opendata.work.actor import ALL_SCOPES, SYSTEM, Actor

HARVEST = points_of("harvest")


@pytest.mark.crash
def test_a_death_at_every_step_of_a_harvest(tmp_path: Path) -> None:
    tokens = make_place(tmp_path / "data")
    with remote_site() as site:
        MiniCkan(site, [package(f"set-{number}") for number in range(5)])
        source = trusted_source(tmp_path / "data", site.url)
        server = Server(tmp_path / "data", tmp_path / "log", {"OPENDATA_FETCH_ALLOWED": site.place})
        deaths = Deaths(server, HARVEST)
        deaths.begin()
        editor = Person(server.url, tokens["editor"], deaths.revive)
        try:
            run = editor.post(f"/harvest/sources/{source}/runs", "run", json={}).json()["id"]
            told = editor.until(f"/harvest/runs/{run}", lambda found: found["status"] == "done")
            assert deaths.died_at == HARVEST
            assert (told["counts"]["created"], told["counts"]["failed"]) == (5, 0)
            assert editor.get("/datasets").json()["total"] == 5
            once = Counter(
                {"dataset.created": 5, "release.submitted": 5, "trust.passed": 5, "release.published": 5}
            )
            lines = Counter(row[0] for row in ask(server.folder, "SELECT action FROM audit"))
            assert {action: lines[action] for action in once} == once
        finally:
            server.stop()
    for command in ("reconcile", "verify-audit"):
        found = server.command(command)
        assert found.returncode == 0, found.stdout + found.stderr


def trusted_source(folder: Path, url: str) -> str:
    app = build(Settings(data_dir=folder))
    try:
        with app.place.writing(SYSTEM) as work:
            root = accounts.create_user(work, "root", email="root@example.org", sysadmin=True)
            work.actor = Actor(id=root.id, name="root", sysadmin=True, scopes=ALL_SCOPES)
            fields = SourceIn(name="remote", kind="ckan", url=url, agency="housing").whole()
            source = harvest.add(work, agencies.find(work, "housing"), fields)
            harvest.trust(work, source, wanted=True)
        return source.id
    finally:
        app.close()
