"""kill -9 at random moments under load: what the clients saw acknowledged is compared with what is there afterwards.

`CRASH_ROUNDS` sets how often the server is killed, `CRASH_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from crash import Person, Server, ask, make_place, wait_for

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "12"))
SEED = int(os.environ.get("CRASH_SEED", "0")) or random.randrange(1, 1 << 30)
CLIENTS = 3


@dataclass
class Made:
    """What one client was told about one dataset."""

    id: str
    name: str
    data: bytes
    rows: int
    title: str
    """The last one that was acknowledged."""
    resource: str = ""
    published: bool = False


@dataclass
class Client(threading.Thread):
    """Makes and publishes datasets, one after the other, until told to stop; finishes the one it has begun."""

    number: int
    people: dict[str, Person]
    stop: threading.Event
    log: list[Made] = field(default_factory=list)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        count = 0
        try:
            while not self.stop.is_set():
                count += 1
                self.publish(f"load-{self.number}-{count}")
        except BaseException as error:
            self.failure = error

    def publish(self, name: str) -> None:
        editor = self.people["editor"]
        body = {"agency": "housing", "title": f"{name} 甲", "name": name, "description": name}
        answer = editor.post("/datasets", f"{name}-create", json=body)
        assert answer.status_code == 201, answer.text
        rows = 5 + len(self.log)
        data = "".join(["n,名\n", *(f"{n},{name}\n" for n in range(rows))]).encode()
        made = Made(answer.json()["id"], name, data, rows, body["title"])
        self.log.append(made)
        path = f"/datasets/{made.id}"
        answer = editor.post(f"{path}/resources", f"{name}-file", files={"file": (f"{name}.csv", data)})
        assert answer.status_code == 201, answer.text
        made.resource = answer.json()["id"]
        for edit in ("乙", "丙"):
            answer = editor.call("PATCH", path, json={"title": f"{name} {edit}"})
            assert answer.status_code == 200, answer.text
            made.title = f"{name} {edit}"
        release = editor.post(f"{path}/releases", f"{name}-submit").json()
        editor.until(f"/releases/{release['id']}", lambda found: found["state"] == "in_review")
        for kind in ("content", "secrecy"):
            decision = {"kind": kind, "outcome": "approve", "content_hash": release["content_hash"]}
            answer = self.people[kind].post(
                f"/releases/{release['id']}/decisions", f"{name}-decide", json=decision
            )
            assert answer.status_code == 201, answer.text
        made.published = True


@pytest.mark.crash
def test_random_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    tokens = make_place(tmp_path / "data")
    server = Server(tmp_path / "data", tmp_path / "log")
    server.start()
    stop = threading.Event()
    clients = [
        Client(n, {name: Person(server.url, token) for name, token in tokens.items()}, stop)
        for n in range(CLIENTS)
    ]
    try:
        for client in clients:
            client.start()
        for turn in range(ROUNDS):
            before = written(server)
            server.until_up()
            if turn % 3:  # else on a slow machine nothing would ever come to its end
                wait_for(lambda n=before: written(server) > n, "anything written")
            time.sleep(chance.uniform(0, 2.5))
            server.kill()
            server.start()
        stop.set()
        wait_for(lambda: not any(client.is_alive() for client in clients), "the clients' end")
        for client in clients:
            if client.failure is not None:
                raise client.failure
        log = [made for client in clients for made in client.log]
        assert all(made.published for made in log)
        wait_for(lambda: is_quiet(server), "the end of the jobs", pause=0.2)
        compare(server, log, Person(server.url, ""))
    finally:
        stop.set()
        server.stop()
    for command in ("reconcile", "verify-audit"):
        found = server.command(command)
        assert found.returncode == 0, found.stdout + found.stderr


def written(server: Server) -> int:
    seq: int = ask(server.folder, "SELECT seq FROM audit_head")[0][0]
    return seq


def is_quiet(server: Server) -> bool:
    running = "SELECT 1 FROM workflow_status WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')"
    return not ask(server.folder, running) and not ask(server.folder, "SELECT 1 FROM pending")


def compare(server: Server, log: list[Made], public: Person) -> None:
    """Lost, phantom, doubled or stale: none."""
    held = ask(server.folder, "SELECT id, name FROM dataset")
    assert Counter(held) == Counter((made.id, made.name) for made in log)
    states = ask(server.folder, "SELECT dataset_id, state, count(*) FROM release GROUP BY 1, 2")
    assert set(states) == {(made.id, "published", 1) for made in log}
    assert ask(server.folder, "SELECT count(*) FROM resource") == [(len(log),)]
    assert ask(server.folder, "SELECT count(*) FROM file") == [(len(log),)]
    assert ask(server.folder, "SELECT count(*) FROM decision") == [(2 * len(log),)]
    repeated = "SELECT action, subject_id, count(*) FROM audit WHERE action NOT IN ('dataset.edited') GROUP BY 1, 2 HAVING count(*) > 1"
    assert [
        row for row in ask(server.folder, repeated) if row[0].startswith(("release.", "table.", "file."))
    ] == []
    hits = [
        hit
        for offset in range(0, len(log) + 50, 50)
        for hit in public.get(f"/search?limit=50&offset={offset}").json()["results"]
    ]
    assert Counter(hit["id"] for hit in hits) == Counter(made.id for made in log)
    titles = {hit["id"]: hit["title"] for hit in hits}
    for made in log:
        dataset = public.get(f"/datasets/{made.id}").json()
        assert dataset["title"] == titles[made.id] == made.title
        assert public.get(f"/resources/{made.resource}/download").content == made.data
        rows: Any = public.get(f"/resources/{made.resource}/rows?limit=1000").json()
        assert [row["n"] for row in rows["results"]] == list(range(made.rows))
