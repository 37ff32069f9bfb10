"""kill -9 at every step of a push: each record arrives at the platform above, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from crash import Deaths, Person, Server, ask, make_place, points_of
from province import TOKEN, province

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.agencies import queries as agencies
from opendata.reporting import service as reporting
from opendata.reporting.schemas import TargetIn
from opendata.settings import Settings
from opendata.wiring import build
from opendata.work.actor import ALL_SCOPES, SYSTEM, Actor

REPORT = points_of("report")
SETS = 4


@pytest.mark.crash
def test_a_death_at_every_step_of_a_push(tmp_path: Path) -> None:
    people = make_place(tmp_path / "data")
    with province() as above:
        target, token = made(tmp_path / "data", above.url)
        settings = {"OPENDATA_FETCH_ALLOWED": above.place, "OPENDATA_PUBLICATION_POLICY": "direct"}
        server = Server(tmp_path / "data", tmp_path / "log", settings)
        server.start()
        server.until_up()
        editor = Person(server.url, people["editor"])
        for number in range(SETS):
            body = {
                "title": f"set {number}",
                "resources": [{"url": f"https://example.org/{number}.csv"}],
                "submit": True,
            }
            answer = editor.call(
                "PUT", f"/datasets/by-source/housing/{number}", json={**body, "disclosures": ["result"]}
            )
            assert answer.status_code == 201, answer.text
        editor.until("/datasets", lambda found: found["total"] == SETS)
        server.stop()
        deaths = Deaths(server, REPORT)
        deaths.begin()
        root = Person(server.url, token, deaths.revive)
        try:
            push = root.post(f"/reporting/targets/{target}/pushes", "push", json={}).json()["id"]
            told = root.until(f"/reporting/pushes/{push}", lambda found: found["status"] == "done")
            assert deaths.died_at == REPORT
            assert (told["counts"]["created"], told["counts"]["failed"]) == (SETS, 0)
            assert len(above.records) == SETS, "none twice"
            assert len({one["cata_id"] for one in above.records.values()}) == SETS
            receipts = {line["receipt"] for line in told["records"]["results"]}
            assert receipts == set(above.records)
            assert root.get(f"/reporting/targets/{target}").json()["held"] == SETS
            ended = ask(server.folder, "SELECT count(*) FROM audit WHERE action = 'report.push_ended'")
            assert ended == [(1,)]
        finally:
            server.stop()
    found = server.command("verify-audit")
    assert found.returncode == 0, found.stdout + found.stderr


def made(folder: Path, url: str) -> tuple[str, str]:
    """A target, and the token of who runs the site."""
    app = build(Settings(data_dir=folder))
    try:
        with app.place.writing(SYSTEM) as work:
            root = accounts.create_user(work, "root", email="root@example.org", sysadmin=True)
            _row, token = tokens.create(work, root, name="test")
            agencies.find(work, "housing").uscc = "113206000143000121"
            work.actor = Actor(id=root.id, name="root", sysadmin=True, scopes=ALL_SCOPES)
            body = TargetIn(name="province", url=url, map="sszd", options={"org_path": "x"}, pause=0)
            target = reporting.add(work, body.given())
            reporting.keep_secret(work, target, app.secret, TOKEN)
        return target.id, token
    finally:
        app.close()
