"""kill -9 at every step of the road: nothing acknowledged is lost, nothing is there twice, the journey arrives by itself.

The server is the real one, in a process of its own, in the embedded shape. It is told to die at a failpoint, is started
again to die at the next one, and so on; the client repeats what nobody acknowledged. `make test` runs these (`crash`).
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from crash import HTTP, Deaths, Person, Server, ask, copy_place, make_place, points_of, wait_for
from receiver import receiving

from opendata.core.failpoints import POINTS

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "streets.csv": ("代码,名称\n" + "".join(f"{n:06d},街道{n}\n" for n in range(1, 301))).encode(),
    "areas.csv": ("code,area\n" + "".join(f"{n:04d},{n / 2}\n" for n in range(1, 41))).encode(),
}
ROWS = {"streets.csv": 300, "areas.csv": 40}
REQUEST = ["request.flushed", "request.committed"]


ROADS = {
    "arrival": [*REQUEST, "file.stored", *points_of("upload", "check")],
    "checks": [*REQUEST, *points_of("screen", "validate")],
    "publication": [*REQUEST, *points_of("publish", "load", "drain")],
    "withdrawal": [*points_of("reindex"), *REQUEST, *points_of("retract", "drop")],
}
"""Where the server dies, in the order in which it comes there."""
USE = points_of("usage")
"""What is used while a server dies there is counted by the next one: tests/supervision/test_usage.py."""
ERASED_TABLE = "rows.table_erased"
ROW_ORDERS = [point for point in points_of("rows") if point != ERASED_TABLE]
"""In `test_d31_a_death_at_every_step_of_a_row_order`, while the order is placed and once more while it is confirmed."""
WEBHOOKS = points_of("webhook")
"""In `test_a_death_at_every_step_of_a_message`."""
WRITTEN = points_of("fold", "freeze")
"""And `ERASED_TABLE`: in `test_a_death_at_every_step_of_rows_that_a_client_writes`."""
HARVEST = points_of("harvest")
"""In tests/harvest/test_death.py."""
REPORT = points_of("report")
"""In tests/reporting/test_death.py."""
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
    assert {
        point
        for road in (*ROADS.values(), USE, ROW_ORDERS, WEBHOOKS, WRITTEN, [ERASED_TABLE], HARVEST, REPORT)
        for point in road
    } == set(POINTS)
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
    # What a writer that died left in `tmp/`, be it a check of /healthz, a sweep takes by its age.
    held = {
        which: {p.name for p in (stores / which / "sha256").rglob("*") if p.is_file()}
        for which in ("inbox", "public")
    }
    files = {hashlib.sha256(data).hexdigest() for data in FILES.values()}
    assert held["public"].isdisjoint(
        files
    )  # those of the whole catalogue may be there, which tell of nothing
    assert held["inbox"] == files
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


ERASED = "000007,街道7\n".encode()
ORDERS = "/row-orders/{}".format
ORDER = {"kind": "erase", "ground": "court", "reason": "x", "document": "x"}


@pytest.mark.crash
def test_d31_a_death_at_every_step_of_a_row_order(tmp_path: Path) -> None:
    tokens = make_place(tmp_path / "place")
    server = Server(copy_place(tmp_path / "place", tmp_path / "data"), tmp_path / "log")
    server.start()
    journey = Journey(server, tokens, "withdrawal")
    try:
        for step in (journey.create, journey.upload, journey.submit, journey.decide):
            step()
        order = place(journey)
        die(journey)
        arm(journey)
        told = journey.people["secrecy"].until(ORDERS(order), lambda found: found["state"] == "hidden")
        assert sum(file["rows"] for file in told["files"]) == 1
        assert journey.people["second"].post(f"{ORDERS(order)}/confirmation", "confirm").status_code == 200
        die(journey)
        journey.people["secrecy"].until(ORDERS(order), lambda found: found["state"] == "purged")
        journey.quiet()
        check_erased(journey)
    finally:
        server.stop()
    for command in ("reconcile", "verify-audit"):
        found = server.command(command)
        assert found.returncode == 0, found.stdout + found.stderr


def place(journey: Journey) -> str:
    body = {**ORDER, "dataset": journey.dataset, "columns": ["代码"], "keys": ["000007"]}
    arm(journey)
    answer = journey.people["secrecy"].post("/row-orders", "place", json=body)
    assert answer.status_code == 201, answer.text
    number: str = answer.json()["number"]
    return number


@pytest.mark.crash
def test_a_death_at_every_step_of_rows_that_a_client_writes(tmp_path: Path) -> None:
    tokens = make_place(tmp_path / "place")
    server = Server(copy_place(tmp_path / "place", tmp_path / "data"), tmp_path / "log")
    server.start()
    journey = Journey(server, tokens, "withdrawal")
    try:
        journey.create()
        arm(journey, WRITTEN)
        wait_for(server.answers, "a server to ask")
        records = [{"code": f"{n:03d}", "n": n} for n in range(50)]
        fields = [{"id": "code", "type": "text"}, {"id": "n", "type": "int4"}]
        body = {"resource": {"package_id": journey.dataset}, "fields": fields, "records": records}
        headers = {"Authorization": tokens["editor"]}
        answer = HTTP.post(
            f"{server.url}/api/3/action/datastore_create", json=body, headers=headers, timeout=60
        )
        assert answer.status_code == 200, answer.text
        resource = answer.json()["result"]["resource_id"]
        journey.quiet()
        assert journey.deaths.died_at == WRITTEN
        told = journey.people["editor"].until(
            f"/resources/{resource}/report?draft=true", lambda report: report["state"] == "done"
        )
        assert told["report"]["tasks"][0]["stats"]["rows"] == 50
        assert ask(server.folder, "SELECT count(*) FROM file WHERE name = 'rows.csv'") == [(1,)]
        arm(journey, [ERASED_TABLE])
        order = {**ORDER, "dataset": journey.dataset, "columns": ["code"], "keys": ["007"]}
        answer = journey.people["secrecy"].post("/row-orders", "place", json=order)
        assert answer.status_code == 201, answer.text
        number = answer.json()["number"]
        journey.people["secrecy"].until(ORDERS(number), lambda found: found["state"] == "hidden")
        journey.quiet()
        assert journey.deaths.died_at == [ERASED_TABLE]
    finally:
        server.stop()
    for command in ("reconcile", "verify-audit"):
        found = server.command(command)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.crash
def test_a_death_at_every_step_of_a_message(tmp_path: Path) -> None:
    """None is lost, the order stays, and one that came twice has the same id."""
    tokens = make_place(tmp_path / "place")
    with receiving() as receiver:
        allowed = {"OPENDATA_FETCH_ALLOWED": receiver.place}
        server = Server(copy_place(tmp_path / "place", tmp_path / "data"), tmp_path / "log", allowed)
        server.start()
        journey = Journey(server, tokens, "withdrawal")
        try:
            made = journey.people["keeper"].post(
                "/webhooks", "hook", json={"url": receiver.url, "agency": "housing"}
            )
            assert made.status_code == 201, made.text
            for step in (journey.create, journey.upload):
                step()
            arm(journey, WEBHOOKS)
            for step in (journey.submit, journey.decide, journey.withdraw):
                step()
            wait_for(lambda: journey.deaths.revive() or journey.deaths.over(), "all deaths")
            log = journey.public.get("/changes").json()["results"]
            hook = f"/webhooks/{made.json()['id']}"
            told = journey.people["keeper"].until(hook, lambda found: found["behind"] == 0)
        finally:
            server.stop()
    ids = [message.id for message in receiver.got]
    assert journey.deaths.died_at == WEBHOOKS
    assert list(dict.fromkeys(ids)) == [change["event"] for change in log]
    assert told["delivered"] == len(log) >= 3
    assert len(ids) > len(log), "one was sent again after the death behind its sending"
    assert all(message.is_signed_with(made.json()["secret"]) for message in receiver.got)


def arm(journey: Journey, points: Sequence[str] = ROW_ORDERS) -> None:
    """The server dies at each point from now on, in their order."""
    journey.server.stop()
    journey.deaths.points[:] = points
    journey.deaths.died_at.clear()
    journey.deaths.begin()


def die(journey: Journey) -> None:
    journey.quiet()
    assert journey.deaths.died_at == ROW_ORDERS


def check_erased(journey: Journey) -> None:
    old = FILES["streets.csv"]
    resource = journey.resources["streets.csv"]
    assert journey.public.get(f"/resources/{resource}/download").content == old.replace(ERASED, b"")
    rows: Any = journey.public.get(f"/resources/{resource}/rows?limit=1").json()
    assert rows["total_count"] == 299
    held = [path for path in (journey.server.folder / "files").rglob("*") if path.is_file()]
    assert hashlib.sha256(old).hexdigest() not in {path.name for path in held}
    assert all(ERASED not in path.read_bytes() for path in held)
