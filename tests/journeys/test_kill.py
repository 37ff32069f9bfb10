"""kill -9 at every step of the road: nothing acknowledged is lost, nothing is there twice, the journey arrives by itself.

The server is the real one, in a process of its own, in the embedded shape. It is told to die at a failpoint, is started
again to die at the next one, and so on; the client repeats what nobody acknowledged. `make test` runs these (`crash`).
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from crash import Deaths, Person, Server, ask, copy_place, make_place, wait_for

from opendata.core.failpoints import POINTS

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "streets.csv": ("代码,名称\n" + "".join(f"{n:06d},街道{n}\n" for n in range(1, 301))).encode(),
    "areas.csv": ("code,area\n" + "".join(f"{n:04d},{n / 2}\n" for n in range(1, 41))).encode(),
}
ROWS = {"streets.csv": 300, "areas.csv": 40}
REQUEST = ["request.flushed", "request.committed"]


def of(*jobs: str) -> list[str]:
    return [point for job in jobs for point in POINTS if point.partition(".")[0] == job]


ROADS = {
    "arrival": [*REQUEST, "file.stored", *of("upload", "check")],
    "checks": [*REQUEST, *of("screen", "validate")],
    "publication": [*REQUEST, *of("publish", "load", "drain")],
    "withdrawal": [*of("reindex"), *REQUEST, *of("retract", "drop")],
}
"""Where the server dies, in the order in which it comes there."""
USE = of("usage")
"""What is used while a server dies there is counted by the next one: tests/supervision/test_usage.py."""
ARMED_FROM = {"arrival": "create", "checks": "submit", "publication": "decide", "withdrawal": "reindex"}


def test_every_failpoint_is_in_the_code_once_and_somebody_dies_there() -> None:
    used = Counter(
        node.args[0].value
        for path in (ROOT / "opendata").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reach"
        if isinstance(node.args[0], ast.Constant)
    )
    assert used == Counter(dict.fromkeys(POINTS, 1))
    assert {point for road in (*ROADS.values(), USE) for point in road} == set(POINTS)
    assert all(sentence.endswith(".") for sentence in POINTS.values())


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("place") / "data"
    return folder, make_place(folder)


class Journey:
    """One dataset on the road, step by step; the server dies from `armed_from` on."""

    def __init__(self, server: Server, tokens: dict[str, str], road: str) -> None:
        self.server = server
        self.deaths = Deaths(server, [])
        self.points, self.armed_from = ROADS[road], ARMED_FROM[road]
        self.people = {name: Person(server.url, token, self.deaths.revive) for name, token in tokens.items()}
        self.public = Person(server.url, "", self.deaths.revive)
        self.resources: dict[str, str] = {}

    def arm(self, step: str) -> None:
        """From this step on the server dies."""
        if step == self.armed_from:
            self.server.stop()
            self.deaths.points[:] = self.points
            self.deaths.begin()

    def create(self) -> None:
        self.arm("create")
        body = {"agency": "housing", "title": "南通市街道", "description": "全部街道"}
        answer = self.people["editor"].post("/datasets", "create", json=body)
        assert answer.status_code == 201, answer.text
        self.dataset = answer.json()["id"]

    def upload(self) -> None:
        for name, data in FILES.items():
            path = f"/datasets/{self.dataset}/resources"
            answer = self.people["editor"].post(
                path, f"upload {name}".replace(" ", "-"), files={"file": (name, data)}
            )
            assert answer.status_code == 201, answer.text
            self.resources[name] = answer.json()["id"]
        editor = self.people["editor"]
        for resource in self.resources.values():
            editor.until(f"/resources/{resource}/report?draft=true", lambda r: r["state"] == "done")

    def submit(self) -> None:
        self.arm("submit")
        answer = self.people["editor"].post(f"/datasets/{self.dataset}/releases", "submit")
        assert answer.status_code == 202, answer.text
        self.release = answer.json()
        self.until_release("in_review")

    def decide(self) -> None:
        self.arm("decide")
        for kind in ("content", "secrecy"):
            body = {"kind": kind, "outcome": "approve", "content_hash": self.release["content_hash"]}
            path = f"/releases/{self.release['id']}/decisions"
            answer = self.people[kind].post(path, "decide", json=body)
            assert answer.status_code == 201, answer.text
        self.until_release("published")
        for name, resource in self.resources.items():
            self.public.until(
                f"/resources/{resource}/rows?limit=1", lambda r, n=ROWS[name]: r["total_count"] == n
            )
        self.public.until("/search?q=街道", lambda found: found["total"] == 1)

    def reindex(self) -> None:
        self.arm("reindex")
        wait_for(lambda: self.deaths.revive() or self.server.answers(), "a server to ask")
        asked = self.server.command("reindex")
        assert asked.returncode == 0, asked.stderr
        self.quiet()

    def withdraw(self) -> None:
        path = f"/datasets/{self.dataset}/withdraw"
        answer = self.people["editor"].post(path, "withdraw", json={"reason": "数据有误"})
        assert answer.status_code == 200, answer.text
        self.quiet()

    def quiet(self) -> None:
        """Waits until all deaths are died, and nothing is left to do."""

        def done() -> bool:
            self.deaths.revive()
            open_jobs = ask(
                self.server.folder,
                "SELECT 1 FROM workflow_status WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')",
            )
            owed = ask(self.server.folder, "SELECT 1 FROM pending")
            return not open_jobs and not owed and self.server.answers()

        wait_for(done, "the end of the jobs", pause=0.2)

    def until_release(self, state: str) -> None:
        path = f"/releases/{self.release['id']}"
        self.people["editor"].until(path, lambda found: found["state"] == state)


def check_public(journey: Journey) -> None:
    for name, data in FILES.items():
        resource = journey.resources[name]
        assert journey.public.get(f"/resources/{resource}/download").content == data
        rows = journey.public.get(f"/resources/{resource}/rows?limit=1000").json()
        assert len(rows["results"]) == rows["total_count"] == ROWS[name]
    for word in ("街道", "南通"):
        assert [hit["id"] for hit in journey.public.get(f"/search?q={word}").json()["results"]] == [
            journey.dataset
        ]


def check_gone(journey: Journey) -> None:
    for resource in journey.resources.values():
        assert journey.public.get(f"/resources/{resource}/download").status_code == 410
        assert journey.public.get(f"/resources/{resource}/rows").status_code in (404, 410)
    assert journey.public.get("/search").json()["total"] == 0
    stores = journey.server.folder / "files"
    held = {
        which: {p.name for p in (stores / which).rglob("*") if p.is_file()} for which in ("inbox", "public")
    }
    assert held["public"] == set()
    assert held["inbox"] == {hashlib.sha256(data).hexdigest() for data in FILES.values()}
    assert ask(journey.server.folder, "SELECT 1 FROM resource_table") == []
    assert list((journey.server.folder / "tables").iterdir()) == []


def check_once(journey: Journey, *, withdrawn: bool) -> None:
    """One of everything, and one audit line for each change."""
    wanted = {"dataset": 1, "release": 1, "resource": 2, "resource_version": 2, "file": 2, "decision": 2}
    # The line was made of the dataset's own words at its publication, and goes with them.
    wanted |= (
        {"inventory_line": 0, "resource_table": 0}
        if withdrawn
        else {"inventory_line": 1, "resource_table": 2}
    )
    union = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in wanted)  # noqa: S608 - our own names
    assert dict(ask(journey.server.folder, union)) == wanted
    state = "withdrawn" if withdrawn else "published"
    assert ask(journey.server.folder, "SELECT state FROM release") == [(state,)]
    once = ["dataset.created", "release.submitted", "release.checking", "release.in_review", "review.opened", "release.content_approve",
            "release.secrecy_approve", "release.approved", "release.published"]  # fmt: skip
    lines = Counter(once) + Counter({"resource.added": 2, "file.stored": 2, "table.loaded": 2})
    lines += Counter({"dataset.withdrawn": 1, "release.withdrawn": 1} if withdrawn else {})
    lines += Counter(["inventory.created", "inventory.opened"])
    lines += Counter(["inventory.shut", "inventory.removed"] if withdrawn else [])
    kinds = "SELECT action FROM audit WHERE subject_type IN ('dataset', 'release', 'resource', 'file', 'inventory_line')"
    assert Counter(row[0] for row in ask(journey.server.folder, kinds)) == lines


@pytest.mark.crash
@pytest.mark.parametrize("road", ROADS)
def test_a_death_at_every_step(road: str, template: Any, tmp_path: Path) -> None:
    folder, tokens = template
    server = Server(copy_place(folder, tmp_path / "data"), tmp_path / "log")
    server.start()
    journey = Journey(server, tokens, road)
    try:
        for step in (journey.create, journey.upload, journey.submit, journey.decide):
            step()
        if road == "withdrawal":
            journey.reindex()
            check_public(journey)
            journey.withdraw()
        journey.quiet()
        assert journey.deaths.died_at == ROADS[road]
        (check_gone if road == "withdrawal" else check_public)(journey)
        check_once(journey, withdrawn=road == "withdrawal")
    finally:
        server.stop()
    for command in ("reconcile", "verify-audit"):
        found = server.command(command)
        assert found.returncode == 0, found.stdout + found.stderr
