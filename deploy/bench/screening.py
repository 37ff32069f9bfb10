"""The case of the screening: a table of a register, and one in which every column is personal, each in a process of its own
as the sandbox has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import processes
import samples
from results import Results

SECONDS, MEGABYTES = 5, 512
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys, time
from opendata.review import tasks
began = time.perf_counter()
found = tasks.scan(sys.argv[1], "rows.csv", {}, "2026-11-25", {})
seconds = time.perf_counter() - began
print(json.dumps([seconds, PEAK, len(found)]))
""".replace("PEAK", processes.PEAK_MB)
"""Prints seconds, resident megabytes and the number of findings."""


def measure(folder: Path, rows: int, results: Results) -> None:
    """Every row looked at for every rule. The better of two runs: the machine may be busy."""
    tables = {"of a register": samples.csv_table, "of personal data in every column": samples.people_table}
    for kind, make in tables.items():
        path = make(folder / "screened.csv", rows)
        size = path.stat().st_size / 1e6
        runs = [_run(path) for _ in range(2)]
        path.unlink()
        seconds, megabytes, found = min(runs)
        results.add(
            f"screening of {rows:,} rows x 12 columns {kind} ({size:.0f} MB)",
            "sandbox",
            f"{seconds:.2f} s, {megabytes:.0f} MB resident, {found:.0f} findings",
            f"under {SECONDS} s and {MEGABYTES} MB" if rows == 1_000_000 else "",
            seconds < SECONDS and megabytes < MEGABYTES if rows == 1_000_000 else None,
        )


def _run(path: Path) -> list[float]:
    command = [sys.executable, "-c", PROGRAM, str(path)]
    made = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    figures: list[float] = json.loads(made.stdout)
    return figures
