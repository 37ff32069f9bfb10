"""The document of a run: the machine, the versions, every figure, both sides."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from results import SIDE_COLUMNS, Results, side_rows, table

LIBRARIES = (
    "fastapi",
    "uvicorn",
    "sqlalchemy",
    "tantivy",
    "polars",
    "duckdb",
    "deltalake",
    "pyarrow",
    "frictionless",
    "dbos",
)
ABOUT = """\
# Benchmarks

Written by `make bench` from one run; `make bench` again replaces it. How it measures:

- The server runs as an operator runs it: its own process on loopback, policy `direct`, a new data folder, log level INFO.
- The sides take turns, case by case and round by round, so that a busy minute of the machine hits both; a figure is the
  median of the rounds. Every side holds the same datasets and is asked the same questions, in the same order, by clients
  that keep their connection if the server lets them and send a token, as CKAN's clients do.
- A search case mixes eight kinds of questions; some come again and are then answered from memory, on every side that has
  one. The case *never asked before* shows the engines without that help.
- CPU time is that of all processes of a side, from `/proc`: steadier than the clock on a shared machine. Memory is
  proportional (PSS): pages that processes share count once.
- One machine runs the clients and all sides, so rates are those of a server that shares its cores with its callers.

To repeat it: `make bench` (this server alone), `make bench ARGS=--stack` (also PostgreSQL, MinIO and Elasticsearch),
`BENCH_PEER_URL=http://127.0.0.1:5000 BENCH_PEER_TOKEN=… BENCH_PEER_PIDS=… make bench` (beside a CKAN that has no other
datasets), `ARGS=--full` for the sizes of the targets, `ARGS=--help` for the rest.
"""


@dataclass(frozen=True)
class Run:
    """What a reader must know besides the figures."""

    arguments: str
    peer: str | None
    seconds: float
    load_before: float


def write(path: Path, results: Results, run: Run) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_document(results, run)) + "\n", encoding="utf-8")


def machine() -> str:
    """Processor, cores, memory, system."""
    model = _field("/proc/cpuinfo", "model name") or platform.machine()
    total = int((_field("/proc/meminfo", "MemTotal") or "0").split()[0]) / (1 << 20)
    return f"{model}, {os.cpu_count()} cores, {total:.0f} GB; Linux {platform.release()}; Python {platform.python_version()}"


def _document(results: Results, run: Run) -> Iterator[str]:
    yield ABOUT
    yield "## The run"
    yield ""
    yield f"- {time.strftime('%Y-%m-%d %H:%M')} UTC, {run.seconds / 60:.0f} minutes; revision {_revision()}; arguments: `{run.arguments or 'none'}`"
    yield f"- {machine()}; load before the run {run.load_before:.1f}"
    yield "- " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield f"- Beside: {run.peer or 'nothing'}"
    yield ""
    yield from _targets(results)
    if results.rounds:
        yield "## Requests, side by side"
        yield ""
    for rounds in results.rounds:
        yield f"### {rounds.case}"
        yield ""
        yield from table(["side", *SIDE_COLUMNS], side_rows(rounds, run.peer))
        kinds = {side: rounds.kinds(side) for side in rounds.by_side}
        names = sorted({kind for found in kinds.values() for kind in found})
        if len(names) > 1:
            yield ""
            rows = ([side, *(f"{found[name]:.2f}" for name in names)] for side, found in kinds.items())
            yield from table(["p50 ms", *names], rows)
        yield ""
    yield "## Everything that was measured"
    yield ""
    yield from table(["case", "side", "figure"], ([x.case, x.side, x.figure] for x in results.lines))


def _targets(results: Results) -> Iterator[str]:
    promised = [line for line in results.lines if line.met is not None]
    if promised:
        yield "## Targets"
        yield ""
        rows = ([x.case, x.side, x.figure, x.target, x.verdict] for x in promised)
        yield from table(["case", "side", "figure", "target", ""], rows)
        yield ""


def _revision() -> str:
    command = ["git", "-c", "safe.directory=*", "describe", "--always", "--dirty"]
    found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
