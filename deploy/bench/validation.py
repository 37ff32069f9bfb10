"""The cases of validation: our engine beside frictionless on the same file, hashes included, both warm in one process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import processes
import samples
from client import Failed
from frictionless import Schema, system
from frictionless.resources import TableResource
from results import Results

# By name: the benchmark is checked strictly by itself, not together with the platform and its settings of mypy.
validate: Any = import_module("opendata.validation").validate
checklist: Any = import_module("opendata.validation.checks.plugin").checklist
judging: Any = import_module("opendata.validation.judging")

KINDS = {
    "id": "integer",
    "issued": "date",
    "expires": "date",
    "amount": "number",
    "employees": "integer",
    "latitude": "number",
}
NAMES = (
    "id",
    "licence_code",
    "holder",
    "address",
    "region_code",
    "kind",
    "issued",
    "expires",
    "amount",
    "employees",
    "latitude",
    "state",
)
SCHEMA: dict[str, Any] = {"fields": [{"name": name, "type": KINDS.get(name, "string")} for name in NAMES]}

_CODE = ["placeholder_missing", "full_width", "scientific_notation_id"]
CHECKS = {
    "licence_code": _CODE,
    "region_code": [*_CODE, {"type": "leading_zero_lost", "digits": 6}],
    "holder": ["placeholder_missing"],
    "address": ["placeholder_missing"],
    "issued": ["mixed_date"],
    "expires": ["mixed_date"],
    "amount": ["placeholder_missing", "unit_in_cell"],
    "employees": ["placeholder_missing", "unit_in_cell"],
}
"""As the ready schemas have them."""
CHECKED: dict[str, Any] = {
    "fields": [field | {"checks": CHECKS.get(field["name"], [])} for field in SCHEMA["fields"]],
    "checks": [
        "total_row", "title_row", "repeated_header",
        {"type": "row-constraint", "formula": "expires is None or issued is None or expires >= issued"},
    ],
}  # fmt: skip


SHARES = {1000: "0.1 %", 100: "1 %", 20: "5 %", 5: "20 %", 2: "50 %", 1: "all"}
"""One bad row in so many."""
MEMORY_MB = 700
PROFILE = 2.0
_ALONE = """
import sys, time
from pathlib import Path
from frictionless import Schema, system
from frictionless.resources import TableResource
from opendata.validation import Cancelled, validate
from opendata.validation.judging import judge_file
schema, path, most = eval(sys.argv[1]), sys.argv[2], int(sys.argv[3])
told = []
def table():
    return TableResource(path=path, schema=Schema.from_descriptor(schema))
def stop(rows):
    if rows >= most // 10:
        raise Cancelled
with system.use_context(trusted=True):
    began = time.perf_counter()
    report = validate(table(), progress=told.append)
    seconds = time.perf_counter() - began
    assert report.valid and told[-1] == most, report
    peak = PEAK
    began = time.perf_counter()
    try:
        validate(table(), progress=stop)
    except Cancelled:
        stopped = time.perf_counter() - began
    assert judge_file(Path(path), path, None, schema | {"primaryKey": ["id"]})["report"]["valid"]
    print(peak, seconds, len(told), stopped, PEAK)
""".replace("PEAK", processes.PEAK_MB)


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu: float
    report: dict[str, Any]


def measure(folder: Path, rows: int, results: Results) -> None:
    small = max(rows // 10, 1000)
    path = samples.csv_table(folder / "clean.csv", rows)
    _beside(f"{rows:,} rows, clean", path, results, clock=40, cpu=25)
    _profile(path, rows, results)
    one = _spoiled(path, folder / "one.csv", 100)
    _beside(f"{rows:,} rows, 1 % bad, 1,000 errors", one, results, clock=5)
    _beside(f"{rows:,} rows, 1 % bad, all errors", one, results, clock=15, limit_errors=0)
    path = samples.csv_table(folder / "small.csv", small)
    _beside(f"{small:,} rows, clean", path, results, clock=15)
    _beside(
        f"{small:,} rows, clean, by {len(checklist(CHECKED).checks)} checks",
        path,
        results,
        clock=15,
        schema=CHECKED,
    )
    for every, share in SHARES.items():
        _beside(
            f"{small:,} rows, {share} bad, all errors",
            _spoiled(path, folder / "bad.csv", every),
            results,
            clock=1,
            limit_errors=0,
        )
    book = samples.workbook(folder / "table.xlsx", small)
    _beside(f"a workbook of {small:,} rows", book, results, clock=5)
    _workbook(book, small, results)
    _memory(samples.csv_table(folder / "large.csv", rows * 10), rows * 10, results)


def _beside(
    case: str,
    path: Path,
    results: Results,
    *,
    clock: float,
    cpu: float = 0,
    limit_errors: int = 1000,
    schema: dict[str, Any] = SCHEMA,
) -> None:
    def table() -> Any:
        return _table(path, schema)

    ours = min(
        (_run(lambda: validate(table(), checklist(schema), limit_errors=limit_errors)) for _ in range(4)),
        key=lambda run: run.seconds,
    )
    theirs = _run(lambda: table().validate(checklist(schema), limit_errors=limit_errors))
    if ours.report != theirs.report:
        raise Failed(f"{case}: the reports differ")
    _add(f"validation of {case}", ours, theirs, results, clock, cpu)


def _workbook(path: Path, rows: int, results: Results) -> None:
    """As the platform judges workbooks, whatever their layout: read by calamine, where frictionless reads by openpyxl."""
    ours = min(
        (_run(lambda: judging.validate_file(path, path.name, None, SCHEMA)) for _ in range(3)),
        key=lambda run: run.seconds,
    )
    theirs = _run(lambda: _table(path).validate())
    if not ours.report["valid"]:
        raise Failed("the workbook is not valid")
    _add(f"validation of a workbook of {rows:,} rows, as the platform reads it", ours, theirs, results, 5, 0)


def _profile(path: Path, rows: int, results: Results) -> None:
    """Types and profile in the same pass, beside the verdict alone: in pairs, so that both meet the same load."""
    pairs = []
    for _ in range(5):
        alone = _run(lambda: judging.validate_file(path, path.name, None, SCHEMA))
        both = _run(lambda: judging.judge_file(path, path.name, None, SCHEMA)["report"])
        pairs.append((both.seconds / alone.seconds, both.cpu / alone.cpu, both.seconds))
    times, cost, seconds = (statistics.median(column) for column in zip(*pairs, strict=True))
    figure = f"{seconds:.2f} s; {times:.2f} times the verdict alone, {cost:.2f} in CPU; load {os.getloadavg()[0]:.1f}"
    case = f"verdict, types and profile of {rows:,} rows in one pass"
    results.add(case, "engine", figure, f"at most {PROFILE:g} times", times <= PROFILE)


def _memory(path: Path, rows: int, results: Results) -> None:
    """A process of its own: how much of it is resident at most, how often it tells how far it is, and how soon it stops."""
    command = [sys.executable, "-c", _ALONE, repr(SCHEMA), str(path), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    path.unlink()
    if done.returncode or not done.stdout:
        raise Failed(f"validation of {rows:,} rows: {done.stderr[-500:]}")
    peak, seconds, told, stopped, judged = map(float, done.stdout.split())
    figure = f"{peak:.0f} MB resident, {seconds:.1f} s, told {told:.0f} times; stopped on demand after a tenth in {stopped:.1f} s"
    case = f"validation of {rows:,} rows x 12 in a process of its own"
    results.add(case, "engine", figure, f"under {MEMORY_MB} MB", peak < MEMORY_MB)
    case += ", and then by a key, with types and profile"
    results.add(case, "engine", f"{judged:.0f} MB resident", f"under {MEMORY_MB} MB", judged < MEMORY_MB)


def _add(case: str, ours: Run, theirs: Run, results: Results, clock: float, cpu: float) -> None:
    times, cost = theirs.seconds / ours.seconds, theirs.cpu / ours.cpu
    target = f"at least {clock:g} times" + (f", {cpu:g} in CPU" if cpu else "")
    figure = f"{ours.seconds:.2f} s, {ours.cpu:.2f} s CPU; {times:.1f} times frictionless, {cost:.1f} in CPU; load {os.getloadavg()[0]:.1f}"
    results.add(case, "engine", figure, target, times >= clock and cost >= cpu)
    results.add(case, "frictionless", f"{theirs.seconds:.2f} s, {theirs.cpu:.2f} s CPU")


def _run(work: Callable[[], Any]) -> Run:
    with system.use_context(trusted=True):
        began, spent = time.perf_counter(), time.process_time()
        report = work()
        seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    described: dict[str, Any] = report if isinstance(report, dict) else report.to_descriptor()
    for part in (described, *described["tasks"]):
        part["stats"].pop("seconds", None)
    return Run(seconds, cpu, described)


def _table(path: Path, schema: dict[str, Any] = SCHEMA) -> Any:
    return TableResource(path=str(path), schema=Schema.from_descriptor(schema))


def _spoiled(source: Path, path: Path, every: int) -> Path:
    """The table with a date that is none in every so many rows."""
    with source.open("rb") as rows, path.open("wb") as out:
        for number, line in enumerate(rows):
            out.write(line.replace(b",20", b",x20", 1) if number and number % every == 0 else line)
    return path
