"""The case of the harvest: a county's catalogue is brought into a city's over CKAN's API, and asked again when nothing has changed.
The county is the CKAN that is measured beside us, with all that it holds, or a second server of ours."""

from __future__ import annotations

import time
import uuid
from typing import Any

import catalogue
import feeds
import processes
import server
from client import Client, Failed
from loops import Side
from results import Results
from server import Ours

ENDED = {"done", "failed", "cancelled", "held"}
FIRST_SECONDS, AGAIN_SECONDS = 600, 60
"""For 10,000 datasets."""
MEGABYTES = 300
POLL_SECONDS = 2.0


def measure(peer: Side | None, on_stack: bool, datasets: int, results: Results) -> None:
    """The city asks with the pauses that it keeps towards any host. Memory is looked at every two seconds."""
    if peer is not None and _public(peer.client()):
        _into_city(peer.name, peer.base, on_stack, _public(peer.client()), results)
        return
    with server.embedded() as county:
        feeds.fill(county, datasets)
        county.stop()
        county.command("reindex")
        county.start()
        _into_city("a second server", county.base, on_stack, datasets, results)


def _into_city(county: str, url: str, on_stack: bool, datasets: int, results: Results) -> None:
    settings = {"OPENDATA_FETCH_ALLOWED": url.rpartition("/")[2]}
    with server.full_stack(settings) if on_stack else server.embedded(settings) as city:
        _harvest(city, county, url, datasets, results)


def _harvest(city: Ours, county: str, url: str, datasets: int, results: Results) -> None:
    client = city.side.client()
    catalogue.prepare(client)
    source = _source(client, url)
    named, scale = f"{datasets:,} datasets of {county}", max(1.0, datasets / 10_000)
    before = _public(client)
    began = time.perf_counter()
    memory = _memory(city)
    run, most = _run(client, source, city)
    applied = time.perf_counter() - began
    _expect(run, "created", datasets)
    while _public(client) < before + datasets:
        time.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - began
    figure = f"{seconds:.0f} s until all are found ({applied:.0f} s until the run has ended)"
    limit = FIRST_SECONDS * scale
    results.add(f"harvest of {named}", city.name, figure, f"under {limit:.0f} s", seconds < limit)
    told = f"{most:.0f} MB PSS at most ({memory:.0f} before)"
    results.add(f"harvest of {named}: memory", city.name, told, f"under {MEGABYTES} MB", most < MEGABYTES)
    now, began = client.rest("GET", "/changes?since=now")["next"], time.perf_counter()
    _expect(_run(client, source, city)[0], "unchanged", datasets)
    seconds, limit = time.perf_counter() - began, AGAIN_SECONDS * scale
    if client.rest("GET", f"/changes?since={now}")["results"]:
        raise Failed("the second harvest has changed a dataset")
    case = f"harvest of {named} again, unchanged"
    results.add(case, city.name, f"{seconds:.0f} s", f"under {limit:.0f} s", seconds < limit)


def _memory(city: Ours) -> float:
    """Of the process that does the jobs and its children."""
    return processes.pss_mb(city.pids[-1:]) or 0.0


def _source(client: Client, url: str) -> str:
    body = {
        "name": f"county-{uuid.uuid4().hex[:6]}", "kind": "ckan", "url": url, "agency": "bench-org-00", "licence": "cc-by",
        "trusted": True, "trust_reason": "measured",
    }  # fmt: skip
    return str(client.rest("POST", "/harvest/sources", body)["id"])


def _run(client: Client, source: str, city: Ours) -> tuple[dict[str, Any], float]:
    """A run to its end, and the most memory meanwhile."""
    run = client.rest("POST", f"/harvest/sources/{source}/runs", {})
    most = _memory(city)
    while run["status"] not in ENDED:
        time.sleep(POLL_SECONDS)
        run, most = client.rest("GET", f"/harvest/runs/{run['id']}?limit=1"), max(most, _memory(city))
    return dict(run), most


def _expect(run: dict[str, Any], action: str, datasets: int) -> None:
    if run["status"] != "done" or run["counts"].get(action) != datasets:
        raise Failed(f"the run ended as {run['status']}, {run['counts']}: {run['failure']}")


def _public(client: Client) -> int:
    return int(client.action("package_search", {"rows": 0})["count"])
