"""What CKAN's clients do besides reading the catalogue: load a table by batches, query it, send and fetch a file, look at pages."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

import catalogue
import loops
import processes
import samples
from asking import judge
from client import Client, Failed
from loops import Side
from results import Results, Rounds

LOAD_TIMES = 5
"""At least so many times the peer's rows a second."""
TYPES = {
    "id": "int", "name": "text", "city": "text", "amount": "numeric",
    "day": "date", "flag": "bool", "lat": "float", "lon": "float",
}  # fmt: skip
CITIES = 500


@dataclass(frozen=True)
class Plan:
    """How much is sent and asked."""

    rows: int
    batch: int
    megabytes: int
    datasets: int
    """That every side holds: their pages are looked at; 0: none."""
    seconds: float
    rounds: int


@dataclass(frozen=True)
class _Load:
    seconds: float
    cpu: float | None
    dump_seconds: float
    resource: str


def measure(sides: Sequence[Side], peer: str | None, plan: Plan, results: Results) -> None:
    """All cases; what was made for them is purged."""
    made: list[tuple[Side, str]] = []
    for side in sides:
        catalogue.prepare(side.client())
    try:
        tables = _loads(sides, peer, plan, results, made)
        cases = {"datastore_search, 1 client": lambda side: partial(_query, tables[side.name])}
        if plan.datasets:
            cases["page of a dataset, 1 client"] = lambda side: partial(_page, _folder(side), plan.datasets)
        for title, asking in cases.items():
            _asked(title, sides, peer, plan, results, asking)
        for side in sides:
            _file(side, plan.megabytes, results, made)
    finally:
        for side, package in made:
            _purge(side, package)


def _loads(
    sides: Sequence[Side], peer: str | None, plan: Plan, results: Results, made: list[tuple[Side, str]]
) -> dict[str, str]:
    """The ids of the tables, by side."""
    found: dict[str, list[_Load]] = {side.name: [] for side in sides}
    for _ in range(plan.rounds):
        for side in sides:
            package = _package(side, made)
            found[side.name].append(_load(side, package, plan))
    best = {
        name: sorted(loads, key=lambda one: one.seconds)[len(loads) // 2] for name, loads in found.items()
    }
    for side in sides:
        load = best[side.name]
        spent = "" if load.cpu is None else f", {load.cpu:.1f} s CPU"
        figure = f"{plan.rows / load.seconds:,.0f} rows/s{spent}; as CSV in {load.dump_seconds:.2f} s"
        target, met = "", None
        if peer is not None and side.name != peer:
            times = best[peer].seconds / load.seconds
            figure += f"; {times:.1f} times the peer"
            if side is sides[0]:
                target, met = f"at least {LOAD_TIMES} times the peer", times >= LOAD_TIMES
        case = f"datastore: {plan.rows:,} rows x {len(TYPES)} columns in batches of {plan.batch:,}"
        results.add(case, side.name, figure, target, met)
    return {name: loads[-1].resource for name, loads in found.items()}


def _load(side: Side, package: str, plan: Plan) -> _Load:
    client, rows = side.client(), [_row(number) for number in range(plan.rows)]
    cpu, began = processes.cpu_seconds(side.pids), time.perf_counter()
    table = client.action(
        "datastore_create",
        {
            "resource": {"package_id": package, "name": "table", "format": "CSV"},
            "fields": [{"id": name, "type": kind} for name, kind in TYPES.items()],
            "records": rows[: plan.batch],
            "force": True,
        },
    )["resource_id"]
    for start in range(plan.batch, plan.rows, plan.batch):
        more = {
            "resource_id": table,
            "method": "insert",
            "records": rows[start : start + plan.batch],
            "force": True,
        }
        client.action("datastore_upsert", {**more, "calculate_record_count": start + plan.batch >= plan.rows})
    seconds, after = time.perf_counter() - began, processes.cpu_seconds(side.pids)
    total = client.action("datastore_search", {"resource_id": table, "limit": 0})["total"]
    began = time.perf_counter()
    dump = client.request("GET", f"/datastore/dump/{table}?format=csv")
    dumped = time.perf_counter() - began
    lines = dump.body.count(b"\n")
    if total != plan.rows or dump.status != 200 or lines != plan.rows + 1:
        raise Failed(f"{side.name}: of {plan.rows} rows {total} are there, {lines} lines in the file")
    spent = after - cpu if cpu is not None and after is not None else None
    return _Load(seconds, spent, dumped, str(table))


def _row(number: int) -> dict[str, Any]:
    draw = Random(number)  # noqa: S311 - the same rows on every side
    return {
        "id": number,
        "name": f"{draw.choice(catalogue.WORDS)} {draw.choice(catalogue.WORDS)}",
        "city": f"city-{number % CITIES}",
        "amount": round(draw.random() * 1e5, 2),
        "day": f"20{number % 25:02d}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "flag": bool(number % 3),
        "lat": round(draw.uniform(-90, 90), 5),
        "lon": round(draw.uniform(-180, 180), 5),
    }


def _asked(
    title: str,
    sides: Sequence[Side],
    peer: str | None,
    plan: Plan,
    results: Results,
    asking: Callable[[Side], Callable[[Client, Random], str]],
) -> None:
    rounds = Rounds(title)
    for number in range(plan.rounds):
        for side in sides:
            rounds.add(side.name, loops.for_seconds(side, asking(side), plan.seconds, 1, seed=number + 1))
    results.rounds.append(rounds)
    judge(rounds, sides, peer, 0, results)


def _query(table: str, client: Client, draw: Random) -> str:
    """One of six kinds of datastore_search."""
    forms: list[catalogue.Form] = [
        ("page", {"limit": 100, "offset": draw.randrange(0, 50_000, 100)}),
        ("filter", {"filters": json.dumps({"city": f"city-{draw.randrange(CITIES)}"}), "limit": 100}),
        ("sort", {"sort": "amount desc", "limit": 100}),
        ("words", {"q": draw.choice(catalogue.WORDS), "limit": 100}),
        ("first", {"limit": 100}),
        ("CSV", {"limit": 1000, "records_format": "csv"}),
    ]
    kind, arguments = draw.choice(forms)
    client.ask("datastore_search", {"resource_id": table, **arguments})
    return kind


def _folder(side: Side) -> str:
    """The address under which a side shows its datasets, of the language that it leads to."""
    path = f"/dataset/{catalogue.name_of(0)}"
    answer = side.client(public=True).request("GET", path)
    return (urlsplit(answer.headers["location"]).path if answer.status == 303 else path).rpartition("/")[0]


def _page(folder: str, datasets: int, client: Client, draw: Random) -> str:
    path = f"{folder}/{catalogue.name_of(draw.randrange(datasets))}"
    answer = client.request("GET", path)
    if answer.status != 200:
        raise Failed(f"{path}: HTTP {answer.status}")
    return "page"


def _file(side: Side, megabytes: int, results: Results, made: list[tuple[Side, str]]) -> None:
    """An upload by resource_create and its download by the address that the answer gives; the best of three each."""
    package, client, noise = _package(side, made), side.client(), samples.Noise(megabytes << 20)
    up, down = [], []
    for number in range(3):
        began = time.perf_counter()
        told = client.upload(
            "/api/3/action/resource_create", f"noise{number}.bin", noise.blocks(), noise.size,
            field="upload", fields={"package_id": package, "name": f"noise {number}"},
        )  # fmt: skip
        up.append(time.perf_counter() - began)
        began = time.perf_counter()
        size = _download(side, told["result"]["url"])
        down.append(time.perf_counter() - began)
        if size != noise.size:
            raise Failed(f"{side.name}: {size} of {noise.size} bytes came back")
    figure = f"up {megabytes / min(up):,.0f} MiB/s, down {megabytes / min(down):,.0f} MiB/s"
    results.add(f"file of {megabytes} MiB by resource_create and its address", side.name, figure)


def _download(side: Side, url: str) -> int:
    """Bytes; the answer's own redirects are followed, on this side's host."""
    client, path = side.client(), urlsplit(url).path
    for _ in range(3):
        head = client.request("HEAD", path)
        if head.status not in (301, 302, 303, 307):
            break
        there = urlsplit(head.headers["location"])
        path = f"{there.path}?{there.query}" if there.query else there.path
    return client.download(path)[0]


def _package(side: Side, made: list[tuple[Side, str]]) -> str:
    found = side.client().action(
        "package_create", {"name": f"bench-client-{secrets.token_hex(4)}", "owner_org": "bench-org-00"}
    )["id"]
    made.append((side, found))
    return str(found)


def _purge(side: Side, package: str) -> None:
    client = side.client()
    for action in ("package_delete", "dataset_purge"):
        client.action(action, {"id": package})
