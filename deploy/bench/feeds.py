"""The case of the feeds: a catalogue of the size of a province, seeded beside the program, read whole by harvesters and search
engines, and written as files."""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import catalogue
import processes
from client import Failed
from results import Results
from server import ROOT, Ours

SAMPLES = 50
"""Datasets that are made as everybody makes them; all others are copies of them."""
ROUNDS = 5
SITEMAP_MS = 300
"""For a part of 50,000 addresses."""
PROGRAM = """
import json, sys, time
from opendata.feeds.dumps import queries
from opendata.settings import Settings
from opendata.wiring import build
from opendata.work.actor import SYSTEM
app = build(Settings.from_env())
maker = app.dump_maker
if sys.argv[1] == "renew":
    with app.place.reading(SYSTEM) as work:
        waiting = len(queries.spoiled(work, queries.parts(work)))
    assert waiting, "nothing is spoiled"
cpu, began = time.process_time(), time.perf_counter()
maker.daily() if sys.argv[1] == "daily" else maker.renew()
print(json.dumps([time.perf_counter() - began, time.process_time() - cpu, PEAK]))
app.close()
""".replace("PEAK", processes.PEAK_MB)
"""Prints seconds, those of CPU without the sandbox, and resident megabytes."""


def measure(ours: Ours, datasets: int, results: Results) -> None:
    first = fill(ours, datasets)
    named = f"{datasets:,} datasets"
    _read(ours, results, f"part of the site map, {named}", "/sitemap-1.xml", ROUNDS, SITEMAP_MS)
    _read(ours, results, f"page of the catalogue in Turtle, {named}", "/catalog.ttl?page=%d", ROUNDS, 300)
    _read(ours, results, f"data.json, {named}, before the day's files", "/data.json", 1)
    _files(ours, results, f"the day's files, {named}", "daily")
    _read(ours, results, f"data.json, {named}", "/data.json", 3)
    ours.side.client().rest("POST", f"/datasets/{first}/withdraw", {"reason": "measured"})
    _files(ours, results, f"the day's files after a withdrawal, {named}", "renew")


def fill(ours: Ours, datasets: int) -> str:
    """So many public datasets, of which the search knows the samples only; the id of the first."""
    client = ours.side.client()
    catalogue.prepare(client)
    mark = uuid.uuid4().hex[:6]
    for number in range(SAMPLES):
        client.action("package_create", catalogue.dataset(number, f"feeds-{mark}-{number}"))
    _settle(ours)
    ours.stop()
    seed(ours.folder / "data" / "opendata.db", f"feeds-{mark}-", datasets)
    ours.start()
    _settle(ours)
    return str(client.rest("GET", f"/datasets/feeds-{mark}-0")["id"])


def seed(database: Path, prefix: str, datasets: int) -> None:
    """Copies of the samples until there are so many."""
    draw = random.Random(1)  # noqa: S311 - no secret
    with sqlite3.connect(database) as held:
        held.row_factory = sqlite3.Row
        query = "SELECT * FROM dataset WHERE name LIKE ? AND published_id IS NOT NULL"
        samples = [dict(row) for row in held.execute(query, (f"{prefix}%",))]
        if len(samples) < SAMPLES:
            raise Failed(f"{len(samples)} of {SAMPLES} samples are public")
        parts = [_parts(held, sample) for sample in samples]
        guards = held.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for guard in guards:  # what is public has to have been reviewed
            held.execute(f'DROP TRIGGER "{guard["name"]}"')
        made: dict[str, list[dict[str, Any]]] = {}
        for number in range(datasets - len(samples)):
            for table, row in _copy(*parts[number % len(parts)], f"{prefix}c{number}", draw):
                made.setdefault(table, []).append(row)
            if number % 5000 == 4999:
                _insert(held, made)
        _insert(held, made)
        for guard in guards:
            held.execute(guard["sql"])
    held.close()


Parts = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]


def _parts(held: sqlite3.Connection, dataset: dict[str, Any]) -> Parts:
    release = held.execute("SELECT * FROM release WHERE id = ?", (dataset["published_id"],)).fetchone()
    query = "SELECT * FROM resource_version WHERE dataset_id = ? AND until IS NULL"
    return dataset, dict(release), [dict(row) for row in held.execute(query, (dataset["id"],))]


def _copy(
    dataset: dict[str, Any],
    release: dict[str, Any],
    versions: list[dict[str, Any]],
    name: str,
    draw: random.Random,
) -> Iterator[tuple[str, dict[str, Any]]]:
    ids = {kind: str(uuid.UUID(int=draw.getrandbits(128))) for kind in ("dataset", "release")}
    yield "dataset", {**dataset, "id": ids["dataset"], "name": name, "published_id": ids["release"]}
    yield "release", {**release, "id": ids["release"], "dataset_id": ids["dataset"]}
    for version in versions:
        resource = str(uuid.UUID(int=draw.getrandbits(128)))
        created = {"id": resource, "dataset_id": ids["dataset"], "created_at": version["updated_at"]}
        yield "resource", created
        fresh = {name: value for name, value in version.items() if name != "id"}
        yield "resource_version", {**fresh, "resource_id": resource, "dataset_id": ids["dataset"]}
    yield (
        "mqa_score",
        {
            "dataset_id": ids["dataset"],
            "revision": dataset["revision"],
            "points": 300,
            "failing": 0,
            "at": dataset["published_at"],
        },
    )


def _insert(held: sqlite3.Connection, made: dict[str, list[dict[str, Any]]]) -> None:
    for table, rows in made.items():
        columns = ", ".join(rows[0])
        marks = ", ".join(f":{column}" for column in rows[0])
        held.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - our own names
    made.clear()


def _settle(ours: Ours) -> None:
    """Until the server has done what it does of itself."""
    quiet = 0
    while quiet < 5:
        before = processes.cpu_seconds(ours.pids) or 0.0
        time.sleep(1)
        quiet = quiet + 1 if (processes.cpu_seconds(ours.pids) or 0.0) - before < 0.1 else 0


def _read(
    ours: Ours, results: Results, case: str, path: str, rounds: int, most_ms: float | None = None
) -> None:
    """Reads it whole, some times, and throws it away: CPU of the server, size, how much its memory grew at most."""
    took, growth, size = [], [], 0
    for number in range(rounds):
        asked = path % (number * 37 + 1) if "%" in path else path
        rest, cpu = processes.rss_mb(ours.pids), processes.cpu_seconds(ours.pids) or 0.0
        most = rest
        began = time.perf_counter()
        connection = HTTPConnection("127.0.0.1", ours.port, timeout=600)
        connection.request("GET", asked)
        answer = connection.getresponse()
        size = 0
        while chunk := answer.read(1 << 20):
            size += len(chunk)
            most = max(most, processes.rss_mb(ours.pids))
        connection.close()
        took.append((time.perf_counter() - began, (processes.cpu_seconds(ours.pids) or 0.0) - cpu))
        growth.append(most - rest)
    seconds, cpu = (statistics.median(column) for column in zip(*took, strict=True))
    figure = f"{seconds * 1000:,.0f} ms, {cpu * 1000:,.0f} ms of CPU, {size / 1e6:.1f} MB; memory grew by {max(growth):.0f} MB"
    target = "" if most_ms is None else f"under {most_ms:.0f} ms"
    results.add(case, ours.name, figure, target, None if most_ms is None else cpu * 1000 < most_ms)


def _files(ours: Ours, results: Results, case: str, what: str) -> None:
    """In a process of its own, as a worker makes them; the server stands still meanwhile."""
    command = [sys.executable, "-c", PROGRAM, what]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(ours.environ))
    if done.returncode:
        raise Failed(done.stderr[-1000:])
    seconds, cpu, megabytes = json.loads(done.stdout.strip().splitlines()[-1])
    results.add(case, ours.name, f"{seconds:.1f} s, {cpu:.1f} s of CPU, {megabytes:.0f} MB resident")
