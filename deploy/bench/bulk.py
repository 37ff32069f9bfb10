"""What concerns many datasets at once: a batch beside single calls, and a new index while readers ask."""

from __future__ import annotations

import time
from random import Random
from threading import Thread
from typing import Any

import catalogue
import loops
from client import Client
from results import Results
from server import Ours

REINDEX_SECONDS = 30
"""For 10,000 datasets."""
READERS = 2
POLL_SECONDS = 0.1
BATCH = 500


def batches(ours: Ours, results: Results, datasets: int) -> None:
    """The same datasets (three links each) by POST /datasets with their links one by one, and by POST /datasets/batch."""
    client, mark = ours.side.client(), f"{int(time.time()):x}"
    alone, together = [range(start, start + datasets) for start in (0, datasets)]
    began = time.perf_counter()
    for number in alone:
        body = _body(number, mark)
        links = body.pop("resources")
        made = client.rest("POST", "/datasets", body)
        for link in links:
            client.rest("POST", f"/datasets/{made['id']}/resources", link)
    single = datasets / (time.perf_counter() - began)
    began = time.perf_counter()
    for start in range(together.start, together.stop, BATCH):
        numbers = range(start, min(start + BATCH, together.stop))
        told = client.rest("POST", "/datasets/batch", {"datasets": [_body(n, mark) for n in numbers]})
        assert told["refused"] == 0, told  # noqa: S101 - another figure would be none
    batch = datasets / (time.perf_counter() - began)
    results.add("datasets with 3 links, one call each", ours.name, f"{single:.0f}/s")
    results.add(
        f"datasets with 3 links, {BATCH} a call", ours.name, f"{batch:.0f}/s, {batch / single:.1f} times"
    )


def _body(number: int, mark: str) -> dict[str, Any]:
    links = [{"name": f"part {n}", "url": f"http://example.org/{number}/{n}.csv"} for n in range(3)]
    return {
        "agency": "bench-org-00", "title": f"Batch {number}", "name": f"batch-{mark}-{number}", "resources": links,
    }  # fmt: skip


def reindex(ours: Ours, results: Results, datasets: int) -> None:
    """A whole new index of the catalogue, while two readers search; how long it takes, and what the readers notice."""
    took: list[float] = []
    worker = Thread(target=lambda: took.append(_reindexed(ours)))
    worker.start()
    asked = loops.Measured(0, None)
    while worker.is_alive():
        run = loops.for_seconds(ours.side, _search, 1.0, READERS, seed=len(asked.all))
        asked.times.setdefault("search", []).extend(run.all)
    worker.join()
    quiet = loops.for_seconds(ours.side, _search, 3.0, READERS, seed=1)
    seconds = took[0]
    p99 = [loops.quantile(run.all, 0.99) for run in (asked, quiet)]
    figure = f"{seconds:.1f} s; searches p99 {p99[0]:.1f} ms, afterwards {p99[1]:.1f} ms"
    limit = REINDEX_SECONDS * max(1.0, datasets / 10_000)
    results.add(
        f"reindex of {datasets:,} datasets while serving",
        ours.name,
        figure,
        f"under {limit:.0f} s",
        seconds < limit,
    )


def _reindexed(ours: Ours) -> float:
    """Seconds from the beginning of the job to its end; where the command does the work itself, those of the command."""
    command = Thread(target=ours.command, args=("reindex",))
    client = ours.side.client()
    while not _is_idle(client):
        time.sleep(POLL_SECONDS)
    began, running = time.perf_counter(), False
    command.start()
    while True:
        busy = not _is_idle(client)
        if busy and not running:
            began, running = time.perf_counter(), True
        if not busy and not command.is_alive():
            client.close()
            return time.perf_counter() - began
        time.sleep(POLL_SECONDS)


def _is_idle(client: Client) -> bool:
    return b"\nopendata_jobs_idle 1.0" in client.request("GET", "/metrics").body


def _search(client: Client, draw: Random) -> str:
    _kind, arguments = catalogue.unheard(draw)
    client.ask("package_search", arguments)
    return "search"
