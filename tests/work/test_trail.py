"""The audit trail as supervisors read it (D52, part 8): searched by keyset, exported with its proof, verified; heads are public."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from opendata.publishing.upkeep import Upkeep
from opendata.work.actor import SiteRole
from opendata.work.audit import FACTS, GENESIS, chain_hash

light = pytest.mark.parametrize("settings", ["light"], indirect=True)


@pytest.fixture
def supervisor(office: Any) -> Any:
    return office.person("watch", site_roles=[SiteRole.SUPERVISOR])


def keep(office: Any) -> None:
    app = office.app
    Upkeep(app.place, app.stores, app.indexer, app.settings.scratch).publish_head()


def test_d52_every_change_is_found_by_who_what_and_when(office: Any, supervisor: Any) -> None:
    dataset = office.draft()["id"]
    office.editor.patch(f"/datasets/{dataset}", json={"title": "另一个"})
    found = supervisor.get(f"/audit?subject={dataset}").json()["results"]
    assert [(line["action"], line["actor_name"]) for line in found][-1] == ("dataset.created", "editor")
    assert [line["seq"] for line in found] == sorted((line["seq"] for line in found), reverse=True)
    mine = supervisor.get("/audit?actor=editor&action=dataset.").json()["results"]
    assert {line["actor_name"] for line in mine} == {"editor"}
    assert {line["action"].partition(".")[0] for line in mine} == {"dataset"}
    by_id = supervisor.get(f"/audit?actor={mine[0]['actor_id']}&action=dataset.").json()["results"]
    assert by_id == mine
    at = found[-1]["at"].replace("+", "%2B")
    assert dataset in {line["subject_id"] for line in supervisor.get(f"/audit?since={at}").json()["results"]}
    assert supervisor.get(f"/audit?until={at}&subject={dataset}").json()["results"] == []
    assert supervisor.get("/audit?action=dataset_").json()["results"] == []


def test_d52_pages_by_keyset_hold_every_line_once(office: Any, supervisor: Any) -> None:
    for _ in range(4):
        office.draft()
    head = supervisor.get("/audit?limit=1").json()["head"]
    seen: list[int] = []
    before = ""
    while True:
        page = supervisor.get(f"/audit?limit=3{before}").json()
        seen += [line["seq"] for line in page["results"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == list(range(head["seq"], 0, -1))


def test_d52_an_export_proves_its_own_chain(office: Any, supervisor: Any) -> None:
    office.draft(title="=1+1")
    answer = supervisor.get("/audit/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    previous = GENESIS
    for line in lines:
        facts = {name: line[name] for name in FACTS} | {"at": datetime.fromisoformat(line["at"])}
        assert (line["previous_hash"], line["hash"]) == (previous, chain_hash(previous, facts))
        previous = line["hash"]
    assert previous == supervisor.get("/audit?limit=1").json()["head"]["hash"]
    sheet = supervisor.get(f"/audit/export?format=csv&after={lines[1]['seq']}").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sheet)))
    assert [row["hash"] for row in rows] == [line["hash"] for line in lines[2:]]
    assert supervisor.get("/audit/export?action=account.").text.count("\n") < len(lines)


@pytest.mark.parametrize(
    ("who", "status"), [("editor", 403), ("content", 403), ("watch", 200), ("root", 200)]
)
def test_d52_the_trail_is_for_supervisors(office: Any, supervisor: Any, who: str, status: int) -> None:
    for path in ("/audit", "/audit/export", "/audit/verify"):
        assert office.people[who].get(path).status_code == status, path
        assert office.client.get(f"/api/v1{path}").status_code == 401
    made = office.people[who].post("/tokens", json={"scopes": ["read"], "agency": "housing"}).json()
    bound = office.client.get("/api/v1/audit", headers={"Authorization": made["token"]})
    assert bound.status_code == 403, "a token for one body reads nothing of the others"


@light
def test_d52_the_head_is_published_once_a_day_and_a_rewritten_trail_is_found_out(
    office: Any, supervisor: Any
) -> None:
    head = supervisor.get("/audit?limit=1").json()["head"]
    keep(office)
    keep(office)
    [told] = office.client.get("/api/v1/audit/heads").json()
    assert (told["seq"], told["hash"]) == (head["seq"], head["hash"])
    assert supervisor.get("/audit/verify").json() == {
        "holds": True, "head": supervisor.get("/audit?limit=1").json()["head"], "breaks": [],
    }  # fmt: skip
    rewrite(office, head["seq"])
    verdict = supervisor.get("/audit/verify").json()
    assert verdict["holds"] is False
    assert [b["reason"] for b in verdict["breaks"]] == [f"differs from the head published on {told['day']}"]


def rewrite(office: Any, seq: int) -> None:
    """Whoever owns the database drops its guard, changes a line, and makes the chain fit again from there on."""
    engine = create_engine(office.app.settings.database)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER guard_audit_immutable"))
        previous = connection.execute(
            text("SELECT previous_hash FROM audit WHERE seq = :s"), {"s": seq}
        ).scalar_one()
        rows = connection.execute(
            text("SELECT * FROM audit WHERE seq >= :s ORDER BY seq"), {"s": seq}
        ).mappings()
        for row in list(rows):
            line = dict(row) | {
                "details": json.loads(row["details"]),
                "at": datetime.fromisoformat(row["at"] + "+00:00"),
            }
            line["actor_name"] = "nobody" if row["seq"] == seq else row["actor_name"]
            after = chain_hash(previous, line)
            change = "UPDATE audit SET actor_name = :a, previous_hash = :p, hash = :h WHERE seq = :s"
            connection.execute(
                text(change), {"a": line["actor_name"], "p": previous, "h": after, "s": row["seq"]}
            )
            previous = after
        connection.execute(text("UPDATE audit_head SET hash = :h"), {"h": previous})
    engine.dispose()
