"""A full disk, a database that somebody else holds, and many hands on one dataset: over HTTP, against the real server."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from crash import HTTP, Person, Server, ask, make_place, wait_for

pytestmark = pytest.mark.crash
THREADS = 12
CSV = "代码,名称\n01,一\n02,二\n".encode()


class Office:
    """The server and its people. `once` calls without patience: what the server says is what is looked at."""

    def __init__(self, server: Server, tokens: dict[str, str]) -> None:
        self.server = server
        self.people = {name: Person(server.url, token) for name, token in tokens.items()}

    def once(self, who: str, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.people[who].token}"} | arguments.pop("headers", {})
        url = f"{self.server.url}/api/v1{path}"
        return HTTP.request(method, url, headers=headers, timeout=60, **arguments)

    def draft(self, title: str = "甲") -> str:
        answer = self.once("editor", "POST", "/datasets", json={"agency": "housing", "title": title})
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def upload(self, dataset: str, data: bytes = CSV) -> httpx.Response:
        return self.once("editor", "POST", f"/datasets/{dataset}/resources", files={"file": ("a.csv", data)})

    def in_review(self) -> dict[str, Any]:
        dataset = self.draft()
        assert self.upload(dataset).status_code == 201
        release: dict[str, Any] = self.once("editor", "POST", f"/datasets/{dataset}/releases").json()
        self.people["editor"].until(f"/releases/{release['id']}", lambda r: r["state"] == "in_review")
        return release

    def many(self, call: Callable[[int], httpx.Response], count: int = THREADS) -> list[httpx.Response]:
        """All at once. No answer is ever a 500."""
        with ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(call, range(count)))
        assert all(answer.status_code < 500 for answer in answers), [a.text for a in answers]
        return answers


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    tokens = make_place(folder / "data")
    server = Server(folder / "data", folder / "log")
    server.start()
    server.until_up()
    yield Office(server, tokens)
    server.stop()


def test_many_hands_on_one_draft_without_a_condition(office: Office) -> None:
    """Named fields merge: whoever was acknowledged last for a field is seen, and no other field is touched."""
    dataset = office.draft()
    fields = ["title", "description", "title_en"]

    def edit(n: int) -> httpx.Response:
        return office.once("editor", "PATCH", f"/datasets/{dataset}", json={fields[n % 3]: f"by {n}"})

    answers = office.many(edit)
    assert {answer.status_code for answer in answers} == {200}
    draft = office.once("editor", "GET", f"/datasets/{dataset}").json()["draft"]
    for place, name in enumerate(fields):
        assert draft[name] in {f"by {n}" for n in range(THREADS) if n % 3 == place}


def test_many_hands_on_one_draft_with_a_condition(office: Office) -> None:
    dataset = office.draft()
    etag = office.once("editor", "GET", f"/datasets/{dataset}").headers["etag"]

    def edit(n: int) -> httpx.Response:
        return office.once(
            "editor", "PATCH", f"/datasets/{dataset}", json={"title": f"by {n}"}, headers={"If-Match": etag}
        )

    answers = office.many(edit)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: THREADS - 1}
    won = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    assert office.once("editor", "GET", f"/datasets/{dataset}").json()["draft"]["title"] == f"by {won}"


def test_a_draft_is_submitted_once(office: Office) -> None:
    dataset = office.draft()
    assert office.upload(dataset).status_code == 201
    answers = office.many(lambda _: office.once("editor", "POST", f"/datasets/{dataset}/releases"))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: THREADS - 1}
    lines = """SELECT count(*) FROM audit WHERE action = 'release.submitted'
        AND subject_id IN (SELECT id FROM release WHERE dataset_id = ?)"""
    assert ask(office.server.folder, lines, dataset) == [(1,)]


def test_two_reviewers_decide_at_once(office: Office) -> None:
    """Each several times over: one decision of each kind counts, and the second of the two publishes."""
    release = office.in_review()
    path = f"/releases/{release['id']}/decisions"

    def decide(n: int) -> httpx.Response:
        kind = ("content", "secrecy")[n % 2]
        body = {"kind": kind, "outcome": "approve", "content_hash": release["content_hash"]}
        return office.once(kind, "POST", path, json=body)

    answers = office.many(decide)
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: THREADS - 2}
    office.people["editor"].until(f"/releases/{release['id']}", lambda r: r["state"] == "published")
    found = office.once("editor", "GET", f"/releases/{release['id']}").json()["decisions"]
    assert sorted(decision["kind"] for decision in found) == ["content", "secrecy"]


def test_one_idempotency_key_at_once_has_one_effect(office: Office) -> None:
    body = {"agency": "housing", "title": "一次", "name": "only-once"}
    key = {"Idempotency-Key": "at-once"}
    answers = office.many(lambda _: office.once("editor", "POST", "/datasets", json=body, headers=key), 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    assert all(a.json()["code"] == "request_running" for a in answers if a.status_code == 409)
    assert office.once("editor", "POST", "/datasets", json=body, headers=key).json()["id"] in ids
    assert ask(office.server.folder, "SELECT count(*) FROM dataset WHERE name = 'only-once'") == [(1,)]
    dataset = ids.pop()

    def send(_: int) -> httpx.Response:
        path = f"/datasets/{dataset}/resources"
        return office.once("editor", "POST", path, files={"file": ("a.csv", CSV)}, headers=key)

    assert {answer.status_code for answer in office.many(send, 8)} <= {201, 409}
    held = ask(office.server.folder, "SELECT count(*) FROM resource WHERE dataset_id = ?", dataset)
    assert held == [(1,)]


def test_a_database_that_somebody_else_holds_is_503(office: Office) -> None:
    """Longer than SQLite waits. Reading goes on, nothing half done is left, and afterwards all is well."""
    dataset = office.draft()
    holder = sqlite3.connect(office.server.folder / "opendata.db", isolation_level=None, timeout=30)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with ThreadPoolExecutor(2) as pool:
            edit = pool.submit(
                office.once, "editor", "PATCH", f"/datasets/{dataset}", json={"title": "meanwhile"}
            )
            upload = pool.submit(office.upload, dataset)
            for path in (f"/datasets/{dataset}", "/search?q=x", "/agencies"):
                assert office.once("editor", "GET", path).status_code == 200
            refused = [edit.result(), upload.result()]
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert int(answer.headers["retry-after"]) > 0
    draft = office.once("editor", "GET", f"/datasets/{dataset}").json()["draft"]
    assert (draft["title"], draft["resources"]) == ("甲", [])
    assert office.upload(dataset).status_code == 201


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MB."""
    if os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root alone")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    wait_for(lambda: subprocess.run(["umount", place], check=False).returncode == 0, "the disk's release")


def fill(path: Path) -> None:
    """Takes the last byte of the disk."""
    with path.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError:
                continue


def held(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_full_disk_is_507_and_heals_by_itself(small_disk: Path, tmp_path: Path) -> None:
    tokens = make_place(small_disk / "data")
    server = Server(small_disk / "data", tmp_path / "log")
    server.start()
    try:
        server.until_up()
        office = Office(server, tokens)
        dataset = office.draft()
        kept = held(small_disk / "data" / "files")  # the day's dumps, it may be
        too_much = office.upload(dataset, b"x" * (60 << 20))
        assert (too_much.status_code, too_much.json()["code"]) == (507, "no_space"), too_much.text
        assert too_much.headers["content-type"].startswith("application/problem+json")
        assert held(small_disk / "data" / "files") - kept < 1 << 20, "nothing is left of it"

        public = office.in_review()
        ballast = small_disk / "ballast"
        waiting = office.draft("乙")
        assert office.upload(waiting).status_code == 201
        release = office.once("editor", "POST", f"/datasets/{waiting}/releases").json()
        fill(ballast)  # while the checks run
        wait_for(
            lambda: (
                office.once(
                    "editor", "POST", "/datasets", json={"agency": "housing", "title": "丙"}
                ).status_code
                == 507
            ),
            "507 of a full database",
        )
        assert office.upload(dataset).status_code == 507
        for path in (f"/datasets/{dataset}", f"/releases/{public['id']}", "/search"):
            assert office.once("editor", "GET", path).status_code == 200
        draft = office.once("editor", "GET", f"/datasets/{dataset}").json()["draft"]
        assert draft["resources"] == []
        ballast.unlink()

        assert office.upload(dataset).status_code == 201
        office.people["editor"].until(f"/releases/{release['id']}", lambda r: r["state"] == "in_review")
        assert ask(server.folder, "SELECT count(*) FROM dataset") == [(3,)]
    finally:
        server.stop()
    for command in ("reconcile", "verify-audit"):
        found = server.command(command)
        assert found.returncode == 0, found.stdout + found.stderr
