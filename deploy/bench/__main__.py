"""Measures the platform on this machine, beside a CKAN if one is named, and writes docs/benchmarks.md.

    make bench                     this server: validation, the catalogue, CKAN's clients, files, screening, pages of rows, memory, second start, feeds,
                                   a harvest
    make bench ARGS=--stack        also the full stack and files on S3 (starts PostgreSQL, MinIO, Elasticsearch)
    make bench ARGS=--full         the sizes of the targets: a file of 5 GiB (default 1 GiB)
    make bench ARGS=--quick        small sizes, to see that it works; writes no document

BENCH_PEER_URL, BENCH_PEER_TOKEN, BENCH_PEER_PIDS: a CKAN on this machine that is measured in turns with us; it needs a
token of a sysadmin and gets the same datasets (10,000 take a CKAN about 13 minutes; those that are there count).
BENCH_DIR: where the temporary data lie.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import asking
import bulk
import clients
import feeds
import files
import harvest
import report
import screening
import server
import validation
from asking import Plan
from client import Failed
from loops import Side
from results import Results, table
from server import Ours

CASES = (
    "validation",
    "catalogue",
    "clients",
    "files",
    "screening",
    "pages",
    "large",
    "start",
    "feeds",
    "harvest",
)


def main() -> int:
    options = _options()
    if options.stack and not all(os.environ.get(name) for name in server.SERVICES.values()):
        return _with_services()
    # Also who is told to end stops the servers first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    results, began = Results(), time.monotonic()
    load, peer = os.getloadavg()[0], server.peer()
    print(report.machine(), flush=True)
    stopped = ""
    try:
        _measure(options, peer, results)
    except Failed as reason:
        stopped = f"\nStopped, nothing written: {reason}"
    lines = ([line.case, line.side, line.figure, line.target, line.verdict] for line in results.lines)
    print("\n" + "\n".join(table(["case", "side", "figure", "target", ""], lines)))
    if stopped:
        print(stopped, file=sys.stderr)
        return 1
    if options.write:
        run = report.Run(" ".join(sys.argv[1:]), peer.name if peer else None, time.monotonic() - began, load)
        report.write(options.write, results, run)
        print(f"\nWritten: {options.write}")
    return 0


def _measure(options: argparse.Namespace, peer: Side | None, results: Results) -> None:
    with ExitStack() as stack:
        if "validation" in options.cases:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR"))))
            _title("Validation")
            validation.measure(folder, options.check_rows, results)
        ours = [stack.enter_context(server.embedded())]
        if options.stack:
            ours.append(stack.enter_context(server.full_stack()))
        sides = [*(one.side for one in ours), *([peer] if peer else [])]
        if "catalogue" in options.cases:
            plan = Plan(options.datasets, options.seconds, options.rounds, options.creates)
            _title("Catalogue")
            asking.load(sides, plan, results)
            asking.memory(sides, sides[0].name, results)
            asking.measure(sides, peer.name if peer else None, plan, results)
            for one in ours:
                bulk.reindex(one, results, options.datasets)
                bulk.batches(one, results, options.batch)
        if "clients" in options.cases:
            _title("CKAN's clients")
            clients.measure(sides, peer.name if peer else None, _clients(options), results)
        for one in ours:
            _files(options, one, results)
        if "screening" in options.cases:
            _title("Screening")
            screening.measure(ours[0].folder, options.csv_rows, results)
        if "feeds" in options.cases:
            _title("Feeds")
            feeds.measure(ours[0], options.feed_datasets, results)
    if "harvest" in options.cases:
        _title("Harvest")
        harvest.measure(peer, options.stack, options.harvest_datasets, results)
    if options.stack and "large" in options.cases:
        with server.on_s3() as one:
            _title(f"Large files: {one.name}")
            files.large(one, options.megabytes, results)


def _clients(options: argparse.Namespace) -> clients.Plan:
    datasets = options.datasets if "catalogue" in options.cases else 0
    rows, batch = options.batch_rows, options.batch_rows // 20
    return clients.Plan(rows, batch, 100, datasets, options.seconds, options.rounds)


def _files(options: argparse.Namespace, ours: Ours, results: Results) -> None:
    cases: Sequence[str] = options.cases
    _title(f"Files: {ours.name}")
    if "files" in cases:
        files.verdict(ours, options.sheet_rows, results)
        files.judged(ours, options.csv_rows, results)
        files.arrival(ours, options.csv_rows, results)
    if "pages" in cases:
        files.pages(ours, options.table_rows, options.pages, results)
    if "large" in cases:
        files.large(ours, options.megabytes, results)
    if "start" in cases:
        files.second_start(ours, results)


def _title(text: str) -> None:
    print(f"\n{text} (load {os.getloadavg()[0]:.1f})", flush=True)


def _with_services() -> int:
    """The same again, with the services started around it."""
    command = [sys.executable, str(server.ROOT / "deploy/services"), "run", "--require"]
    command += ["--only", ",".join(server.SERVICES), "--", sys.executable, *sys.argv]
    return subprocess.run(command, check=False).returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="5 GiB for the large file")
    parser.add_argument("--quick", action="store_true", help="small sizes, no document")
    parser.add_argument("--stack", action="store_true", help="also the full stack")
    parser.add_argument("--cases", type=_cases, default=CASES, help=f"some of {','.join(CASES)}")
    parser.add_argument(
        "--write", type=Path, help="the document (default docs/benchmarks.md, if all cases run)"
    )
    for name, (_quick, normal) in SIZES.items():
        parser.add_argument(f"--{name}", type=type(normal), help=f"default {normal:,}")
    options = parser.parse_args()
    for name, (quick, normal) in SIZES.items():
        field = name.replace("-", "_")
        if getattr(options, field) is None:
            setattr(options, field, quick if options.quick else normal)
    if options.full:
        options.megabytes = 5 << 10
    if options.write is None and not options.quick and options.cases == CASES:
        options.write = server.ROOT / "docs/benchmarks.md"
    return options


SIZES: dict[str, tuple[float, float]] = {
    "datasets": (200, 10_000),
    "seconds": (1.0, 10.0),
    "rounds": (1, 3),
    "creates": (20, 200),
    "batch": (100, 1_000),
    "batch-rows": (2_000, 100_000),
    "feed-datasets": (500, 100_000),
    "harvest-datasets": (200, 10_000),
    "sheet-rows": (1_000, 10_000),
    "csv-rows": (20_000, 1_000_000),
    "table-rows": (50_000, 5_000_000),
    "pages": (100, 1000),
    "check-rows": (20_000, 1_000_000),
    "megabytes": (64, 1024),
}
"""(with --quick, otherwise)"""


def _cases(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - set(CASES):
        raise argparse.ArgumentTypeError(f"no such case: {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
