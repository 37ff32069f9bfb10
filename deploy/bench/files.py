"""The cases of files: a table from arrival to rows, a workbook's verdict, large files and memory, pages of a large table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import processes
import samples
from client import Client, Failed, file_blocks
from loops import quantile
from processes import Watch, tree
from results import Results
from server import Ours

CSV_SECONDS, REPORT_SECONDS, VERDICT_SECONDS, GROWTH_MB, PAGE_MS, START_SECONDS = 10, 4, 2, 64, 20, 5
PAGE = 100
PATIENCE = 1800
AGENCY = "bench-files"


def arrival(ours: Ours, rows: int, results: Results) -> None:
    """From the first byte of a CSV to rows that answer and a search that finds them."""
    path = samples.csv_table(ours.folder / "table.csv", rows)
    spent = processes.cpu_seconds(ours.pids) or 0.0
    found, _resource = _publish_table(ours, path, rows)
    spent = (processes.cpu_seconds(ours.pids) or 0.0) - spent
    size = path.stat().st_size / 1e6
    path.unlink()
    case = f"CSV of {rows:,} rows x 12 columns ({size:.0f} MB), from upload to rows and search"
    figure = f"{found:.1f} s, {spent:.1f} s CPU"
    target = f"under {CSV_SECONDS} s" if rows == 1_000_000 else ""
    results.add(case, ours.name, figure, target, found < CSV_SECONDS if target else None)


def judged(ours: Ours, rows: int, results: Results) -> None:
    """From the first byte of a CSV to its stored report. The parsers are warm, the bytes are new."""
    client = ours.side.client()
    seconds, spent = [], []
    for number in range(3):
        path = samples.csv_table(ours.folder / f"judged{number}.csv", rows + number)
        dataset = _dataset(client)
        cpu, began = processes.cpu_seconds(ours.pids) or 0.0, time.perf_counter()
        resource = _upload(client, dataset, path)
        arrived = time.perf_counter() - began
        _until(partial(_verdict_is_there, client, resource), pause=0.02)
        seconds.append((time.perf_counter() - began, arrived))
        spent.append((processes.cpu_seconds(ours.pids) or 0.0) - cpu)
        size = path.stat().st_size / 1e6
        path.unlink()
    found, arrived = sorted(seconds)[1]
    figure = f"{found:.1f} s (upload {arrived:.1f} s), {statistics.median(spent):.1f} s CPU"
    case = f"CSV of {rows:,} rows x 12 columns ({size:.0f} MB), from upload to stored report"
    target = f"under {REPORT_SECONDS} s" if rows == 1_000_000 else ""
    results.add(case, ours.name, figure, target, found < REPORT_SECONDS if target else None)


def verdict(ours: Ours, rows: int, results: Results, *, repeat: int = 5) -> None:
    """From the first byte of a workbook to its report in the draft. Each is another workbook: bytes that were judged before
    are not judged again. The first run also starts the parsers."""
    client = ours.side.client()
    seconds, spent = [], []
    for number in range(repeat):
        path = samples.workbook(ours.folder / "table.xlsx", rows, start=number * rows)
        dataset = _dataset(client)
        cpu, began = processes.cpu_seconds(ours.pids) or 0.0, time.perf_counter()
        resource = _upload(client, dataset, path)
        _until(partial(_verdict_is_there, client, resource), pause=0.01)
        seconds.append(time.perf_counter() - began)
        spent.append((processes.cpu_seconds(ours.pids) or 0.0) - cpu)
        path.unlink()
    found = statistics.median(seconds)
    figure = f"{found:.2f} s (the first {seconds[0]:.2f} s), {statistics.median(spent):.2f} s CPU"
    case = f"workbook of {rows:,} rows, from upload to verdict"
    results.add(case, ours.name, figure, f"under {VERDICT_SECONDS} s", found < VERDICT_SECONDS)


def large(ours: Ours, megabytes: int, results: Results) -> None:
    """A large file up, published, and down again, and how much the server's memory grew meanwhile."""
    noise = samples.Noise(megabytes << 20)
    digest = noise.sha256()
    client = ours.side.client()
    _warm(client)
    dataset = _dataset(client)
    with Watch(tree(ours.pids)) as watch:
        began = time.perf_counter()
        path = f"/api/v1/datasets/{dataset}/resources"
        resource = client.upload(path, "noise.bin", noise.blocks(), noise.size)
        up = time.perf_counter() - began
        if resource["file"]["sha256"] != digest:
            raise Failed("the server stored other bytes than were sent")
        began = time.perf_counter()
        _submit(client, dataset)
        open_after = time.perf_counter() - began
        began = time.perf_counter()
        size, headers = ours.side.client(public=True).download(resource["download"])
        down = time.perf_counter() - began
    if size != noise.size or headers.get("etag") != f'"{digest}"':
        raise Failed("the download gave other bytes than were sent")
    figure = f"up {megabytes / up:.0f} MiB/s, published after {open_after:.1f} s, down {megabytes / down:.0f} MiB/s"
    case = f"file of {megabytes / 1024:g} GiB"
    results.add(case, ours.name, figure)
    growth = f"{watch.growth:.0f} MB (from {watch.before:.0f} to {watch.most:.0f} MB resident)"
    results.add(
        f"{case}: growth of the server's memory",
        ours.name,
        growth,
        f"under {GROWTH_MB} MB",
        watch.growth < GROWTH_MB,
    )


def pages(ours: Ours, rows: int, count: int, results: Results) -> None:
    """Pages of 100 rows anywhere in a large table: by the client's clock, and by the server's own log."""
    path = samples.csv_table(ours.folder / "large.csv", rows)
    seconds, resource = _publish_table(ours, path, rows)
    size = path.stat().st_size / 1e6
    path.unlink()
    results.add(
        f"CSV of {rows:,} rows ({size:.0f} MB), from upload to rows and search", ours.name, f"{seconds:.1f} s"
    )
    client, draw = ours.side.client(public=True), Random(5)  # noqa: S311 - the same pages each time
    offsets = [draw.randrange(rows - PAGE) for _ in range(count)]
    for offset in offsets[:20]:
        _page(client, resource, offset)
    mark, times = ours.log_size(), []
    for offset in offsets[20:]:
        began = time.perf_counter()
        _page(client, resource, offset)
        times.append((time.perf_counter() - began) * 1000)
    at_server = ours.page_times(mark)
    for title, found in (("at the client", times), ("at the server", at_server)):
        p99 = quantile(found, 0.99)
        figure = f"p50 {quantile(found, 0.5):.1f} ms, p99 {p99:.1f} ms ({len(found)} pages)"
        target = f"p99 under {PAGE_MS} ms" if title == "at the server" else ""
        case = f"page of {PAGE} rows anywhere in {rows:,} rows, {title}"
        results.add(case, ours.name, figure, target, p99 < PAGE_MS if target else None)


def second_start(ours: Ours, results: Results) -> None:
    """Stops it and starts it again with all its data; also how long the stop took."""
    began = time.perf_counter()
    ours.stop()
    stopped = time.perf_counter() - began
    started = ours.start()
    figure = f"{started:.2f} s (it stopped in {stopped:.2f} s)"
    results.add(
        "second start until ready", ours.name, figure, f"under {START_SECONDS} s", started < START_SECONDS
    )


def _publish_table(ours: Ours, path: Path, rows: int) -> tuple[float, str]:
    """(seconds until rows and search answer, id of the resource)."""
    client, public = ours.side.client(), ours.side.client(public=True)
    dataset = _dataset(client)
    began = time.perf_counter()
    resource = _upload(client, dataset, path)
    _submit(client, dataset)
    _until(lambda: _has_rows(public, resource, rows))
    _until(lambda: _is_found(public, dataset))
    return time.perf_counter() - began, resource


def _dataset(client: Client) -> str:
    there = client.request("GET", f"/api/v1/agencies/{AGENCY}").status
    if there == 404:
        client.rest("POST", "/agencies", {"name": AGENCY, "title": "测试局"})
    made = client.rest("POST", "/datasets", {"agency": AGENCY, "title": f"Benchtable {time.time_ns():x}"})
    return str(made["id"])


def _upload(client: Client, dataset: str, path: Path) -> str:
    size = path.stat().st_size
    return str(
        client.upload(f"/api/v1/datasets/{dataset}/resources", path.name, file_blocks(path), size)["id"]
    )


def _submit(client: Client, dataset: str) -> None:
    """Hands the draft in and waits until it is public."""
    release = client.rest("POST", f"/datasets/{dataset}/releases")["id"]
    _until(lambda: _is_public(client, release))


def _is_public(client: Client, release: str) -> bool:
    found = client.rest("GET", f"/releases/{release}")
    if found["state"] in ("returned", "failed", "withdrawn"):
        raise Failed(f"the release was not published: {found['state']}: {found['sentence']}")
    return bool(found["state"] == "published")


def _has_rows(client: Client, resource: str, rows: int) -> bool:
    answer = client.request("GET", f"/api/v1/resources/{resource}/rows?limit=1&offset={rows - 1}")
    if answer.status == 200:
        found = answer.json()
        return bool(found["total_count"] == rows and len(found["results"]) == 1)
    reason = answer.json()
    if answer.status == 404 and reason.get("params", {}).get("reason") not in (None, "not_a_table"):
        raise Failed(f"no rows: {reason}")
    return False


def _is_found(client: Client, dataset: str) -> bool:
    """By the name of a column, which the index learns when the table is loaded."""
    found = client.rest("GET", "/search?q=licence_code&sort=newest&limit=10")["results"]
    return any(result["id"] == dataset for result in found)


def _verdict_is_there(client: Client, resource: str) -> bool:
    report: dict[str, Any] = client.rest("GET", f"/resources/{resource}/report?draft=true")
    if report["state"] == "waiting":
        return False
    if not report["valid"]:
        raise Failed(f"the workbook is not valid: {str(report)[:1000]}")
    return True


def _page(client: Client, resource: str, offset: int) -> None:
    answer = client.request("GET", f"/api/v1/resources/{resource}/rows?limit={PAGE}&offset={offset}")
    if answer.status != 200 or len(answer.json()["results"]) != PAGE:
        raise Failed(f"page at {offset}: HTTP {answer.status}")


def _warm(client: Client) -> None:
    """A small file goes the same way first: what a server holds once it has worked at all is not growth by size."""
    dataset = _dataset(client)
    noise = samples.Noise(8 << 20)
    made = client.upload(f"/api/v1/datasets/{dataset}/resources", "small.bin", noise.blocks(), noise.size)
    _submit(client, dataset)
    client.download(made["download"])
    client.close()


def _until(done: Callable[[], bool], pause: float = 0.05) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise Failed(f"not done after {PATIENCE} s")
        time.sleep(pause)
