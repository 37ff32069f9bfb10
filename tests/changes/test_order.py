"""Many write at once on real PostgreSQL, and readers follow: nobody misses a change, all see the same order."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from databases import VARIABLE, own_database
from starlette.testclient import TestClient

from opendata.catalog.models import Dataset
from opendata.settings import Settings
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} not set"),
]
WRITERS, COMMITS, DATASETS = 12, 40, 8


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """PostgreSQL, everything else in folders."""
    with own_database(request.getfixturevalue("full_staffed").database) as database:
        yield Settings(data_dir=tmp_path / "data", database_url=database, run_jobs=False)


def test_readers_miss_nothing_while_many_write(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    ids = [office.link(title=f"数据集{n}") for n in range(DATASETS)]
    for dataset in ids:
        office.publish(dataset, settle)
    done = threading.Event()
    with ThreadPoolExecutor(WRITERS + 2) as pool:
        readers = [pool.submit(follow, client, done) for _ in range(2)]
        writers = [pool.submit(write, office.app, ids, seed) for seed in range(WRITERS)]
        try:
            touched = [one for writer in writers for one in writer.result()]
        finally:
            done.set()
        seen = [reader.result() for reader in readers]
    whole = follow(client, done)
    assert seen == [whole, whole]
    assert [int(change["cursor"].partition("-")[0], 16) for change in whole] == [*range(1, len(whole) + 1)]
    assert len(whole) == DATASETS + len(touched)
    revisions = defaultdict(list)
    for change in whole:
        revisions[change["id"]].append(change["revision"])
    assert all(told == sorted(set(told)) for told in revisions.values())


def write(app: Any, ids: list[str], seed: int) -> list[str]:
    """Short and long transactions, so that those that began first do not end first. What they changed."""
    chance, changed = random.Random(seed), []
    for _ in range(COMMITS):
        some = sorted(chance.sample(ids, chance.choice((1, 1, 2))))
        with app.place.writing(SYSTEM) as work:
            for dataset in some:
                touch(work, dataset)
                time.sleep(chance.random() / 100)
        changed += some
    return changed


def touch(work: Work, dataset: str) -> None:
    work.touch(work.session.get_one(Dataset, dataset))
    work.session.flush()


def follow(client: TestClient, done: threading.Event) -> list[dict[str, Any]]:
    """Reads on and on until nobody writes any more, and then to the end."""
    found: list[dict[str, Any]] = []
    since = ""
    while True:
        last = done.is_set()
        page = client.get("/api/v1/changes", params={"since": since, "limit": 7}).json()
        found, since = found + page["results"], page["next"]
        if last and not page["more"]:
            return found
