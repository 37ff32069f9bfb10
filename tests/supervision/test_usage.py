"""What is used (D48): views, downloads and calls of each dataset are counted once, by day, whatever dies when, and are open
data; totals equal the sum of the bodies."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from crash import HTTP, Server, wait_for
from sqlalchemy import text
from starlette.testclient import TestClient
from town import open_dataset

from opendata.application import Application
from opendata.core.clock import FixedClock
from opendata.core.ids import new_id
from opendata.edge.usage.journal import RECORD_BYTES, Journal, Use
from opendata.main import create_app
from opendata.supervision.usage import counting
from opendata.work.actor import SYSTEM

DAY = date(2026, 6, 1)
light = pytest.mark.parametrize("settings", ["light"], indirect=True)


@pytest.fixture
def used(app: Application) -> Callable[..., Any]:
    """What `/usage` tells, after counting."""

    def ask(query: str = "") -> Any:
        counting.flush(app.place, app.journal)
        answer = public(app).get(f"/api/v1/usage{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def public(app: Application) -> Any:
    return TestClient(create_app(app))


@light
def test_d48_each_kind_of_use_counts_once(
    town: Any, app: Application, used: Callable[..., Any], settle: Callable[[], None]
) -> None:
    made = open_dataset(town, settle, title="名单")
    client = public(app)
    resource = client.get(f"/api/v1/datasets/{made['id']}").json()["resources"][0]["id"]  # a call
    download = f"/api/v1/resources/{resource}/download"
    calls = (f"/api/v1/resources/{resource}/rows", f"/api/3/action/package_show?id={made['name']}",
             f"/api/3/action/datastore_search?resource_id={resource}", f"/api/v1/datasets/{made['name']}")  # fmt: skip
    views = (
        f"/zh/dataset/{made['name']}",
        f"/en/dataset/{made['name']}",
        f"/zh/dataset/{made['name']}/resource/{resource}",
    )
    for address in (*calls, *views, download):
        assert client.get(address).status_code == 200, address
    [one] = used()["results"]
    assert (one["dataset"], one["agency"]) == (made["name"], "housing")
    assert (one["views"], one["downloads"], one["calls"]) == (3, 1, 5)
    for address in views:  # from the byte cache
        client.get(address)
    client.get(download, headers={"Range": "bytes=0-9"})
    client.get(download, headers={"Range": "bytes=10-"})
    client.get(download, headers={"If-None-Match": client.head(download).headers["etag"]})
    client.head(views[0])
    client.get("/zh/dataset/no-such")
    client.get(f"/api/v1/resources/{resource}/rows?no=such")
    [one] = used()["results"]
    assert (one["views"], one["downloads"], one["calls"]) == (6, 2, 5)


@light
def test_d48_drafts_and_lists_are_no_use(
    town: Any, app: Application, used: Callable[..., Any], settle: Callable[[], None]
) -> None:
    open_dataset(town, settle, title="名单")
    draft = town.draft(title="草稿")
    resource = town.upload(draft["id"], b"a,b\n1,2\n")["id"]
    assert town.editor.get(f"/datasets/{draft['id']}").status_code == 200
    assert town.editor.get(f"/resources/{resource}/download?draft=true").status_code == 200
    for address in ("/zh/search", "/api/v1/datasets", "/api/v1/search", "/api/3/action/package_list"):
        assert public(app).get(address).status_code == 200
    assert used()["results"] == []


@light
def test_d48_totals_equal_the_sum_of_the_bodies(
    town: Any, app: Application, used: Callable[..., Any], settle: Callable[[], None], clock: FixedClock
) -> None:
    first, second = open_dataset(town, settle, title="甲"), open_dataset(town, settle, title="乙")
    water = town.people["stranger"]
    made = water.post("/datasets", json={"agency": "water", "title": "水质"}).json()
    noted = Counter({(DAY, Use.VIEW, first["id"]): 3, (DAY, Use.CALL, second["id"]): 4, (DAY, Use.DOWNLOAD, made["id"]): 5,
                     (date(2026, 5, 31), Use.VIEW, first["id"]): 7, (DAY, Use.VIEW, new_id()): 9})  # fmt: skip
    counting.count(app.place, new_id(), noted)
    found = used()
    assert found["total"] == {"views": 10, "downloads": 5, "calls": 4}
    for kind, n in found["total"].items():
        assert n == sum(uses[kind] for uses in found["agencies"].values())
    assert [one["title"] for one in found["results"]] == ["甲", "乙"], "a draft is not told of"
    assert used("?since=2026-06-01&until=2026-06-01&agency=housing")["total"]["views"] == 3
    town.editor.post(f"/datasets/{second['id']}/withdraw", json={"reason": "x"})
    settle()
    after = used()
    assert after["total"] == found["total"], "what was counted stays"
    assert [one["title"] for one in after["results"]] == ["甲"]
    rows = list(csv.DictReader(io.StringIO(public(app).get("/api/v1/usage.csv").text.lstrip("\ufeff"))))
    assert [(row["title"], row["views"], row["since"], row["until"]) for row in rows] == [
        ("甲", "10", "2026-01-01", "2026-06-01")
    ]
    wrong = public(app).get("/api/v1/usage?since=2026-06-02&until=2026-06-01")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "span_backwards")


@light
def test_d48_a_batch_counts_once(town: Any, app: Application, settle: Callable[[], None]) -> None:
    """The process may die after the commit: the next one finds the file again."""
    made = open_dataset(town, settle)
    noted = Counter({(DAY, Use.VIEW, made["id"]): 3})
    for _ in range(2):
        counting.count(app.place, "batch-1", noted)
    counting.count(app.place, "batch-2", noted)
    with app.place.reading(SYSTEM) as work:
        assert work.session.execute(text("SELECT sum(views) FROM daily_use")).scalar_one() == 6


def test_d48_a_record_holds_nothing_of_the_reader_and_outlives_its_writer(tmp_path: Path) -> None:
    clock, subject = FixedClock(datetime(2026, 6, 1, 17, tzinfo=UTC)), new_id()
    living, dead = Journal(tmp_path, clock.now), tmp_path / f"{new_id()}.open"
    living.note(Use.VIEW, subject)
    [file] = tmp_path.iterdir()
    assert file.read_text() == f"2026-06-02 v {subject}\n"
    assert len(file.read_bytes()) == RECORD_BYTES
    dead.write_bytes(file.read_bytes() * 2 + b"2026-06-02 v 0197")  # the last one was torn
    taken = {batch.id: batch.read() for batch in Journal(tmp_path, clock.now).batches()}
    assert taken == {dead.stem: Counter({(date(2026, 6, 2), Use.VIEW, subject): 2})}, (
        "the living one's is its own"
    )
    living.note(Use.DOWNLOAD, subject)
    living.note(Use.DOWNLOAD, "x" * 3)
    own = [batch for batch in living.batches() if batch.id != dead.stem]
    assert [sum(batch.read().values()) for batch in own] == [2]
    for batch in living.batches():
        batch.forget()
    assert list(tmp_path.iterdir()) == []


def test_d48_noting_a_use_is_cheap(tmp_path: Path) -> None:
    journal, subject = Journal(tmp_path, FixedClock(datetime(2026, 6, 1, tzinfo=UTC)).now), new_id()
    began = time.perf_counter()
    for _ in range(2000):
        journal.note(Use.VIEW, subject)
    assert (time.perf_counter() - began) / 2000 < 0.001
    [batch] = journal.batches()
    assert batch.read()[DAY, Use.VIEW, subject] == 2000


def test_d48_a_file_that_is_locked_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / f"{new_id()}.open"
    path.write_bytes(b"")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert list(Journal(tmp_path, FixedClock(datetime(2026, 6, 1, tzinfo=UTC)).now).batches()) == []
    assert len(list(Journal(tmp_path, FixedClock(datetime(2026, 6, 1, tzinfo=UTC)).now).batches())) == 1


@light
@pytest.mark.crash
def test_d48_uses_are_counted_once_over_kill_9(
    office: Any, app: Application, settle: Callable[[], None], tmp_path: Path
) -> None:
    """A server that serves and dies: while it counts, after it has counted, and in between by a hand of ours."""
    made = open_dataset(office, settle)
    folder = app.settings.data_dir
    app.close()
    server = Server(folder, tmp_path / "log")
    served = unanswered = 0
    for point in ("usage.written", "usage.committed", ""):
        server.start(point)
        server.until_up()
        for _ in range(20):
            try:
                assert HTTP.get(f"{server.url}/zh/dataset/{made['name']}", timeout=60).status_code == 200
                served += 1
            except httpx.TransportError:  # it died with the request in its hands
                unanswered += 1
                break
        if point:
            wait_for(lambda: not server.lives(), "the death", pause=0.2)
        else:
            server.kill()
    server.start()
    server.until_up()
    wait_for(lambda: not os.listdir(folder / "usage"), "the count", pause=0.2)
    found = HTTP.get(f"{server.url}/api/v1/usage", timeout=60).json()["total"]
    server.stop()
    assert served <= found["views"] <= served + unanswered
    assert served > 20
    assert (found["downloads"], found["calls"]) == (0, 0)
