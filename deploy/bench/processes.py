"""What a server costs: processor time and memory of its process trees, from /proc (Linux)."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
PEAK_MB = 'int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) / 1024'
"""The most that a program had resident so far, as Python that it runs itself. Not `ru_maxrss`: a program inherits that of
the process that started it, and a benchmark that has just held a million errors of frictionless is larger than its case."""


def tree(roots: Iterable[int]) -> list[int]:
    """The processes and all that they have started."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children[int(fields[1])].append(int(entry.name))
    found: list[int] = []
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children[pid]
    return found


def cpu_seconds(roots: Sequence[int]) -> float | None:
    """Processor time so far, with that of children that have ended; None if no processes are known."""
    if not roots:
        return None
    stats = [_stat(pid) for pid in tree(roots)]
    return sum(sum(map(int, fields[11:15])) for fields in stats if fields) / TICKS


def pss_mb(roots: Sequence[int]) -> float | None:
    """Proportional memory of all processes in MB: what they share is counted once."""
    return _memory(tree(roots), "Pss:") if roots else None


def rss_mb(pids: Sequence[int]) -> float:
    """Resident memory in MB, from the cheap counter: good for looking often."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    for pid in pids:
        try:
            total += int((PROC / str(pid) / "statm").read_text().split()[1])
        except OSError:
            continue
    return total * page / 1e6


@dataclass
class Watch:
    """The largest resident memory of some processes while a block runs, looked at every 20 ms."""

    pids: Sequence[int]
    before: float = 0.0
    most: float = 0.0

    def __enter__(self) -> Watch:
        self._done = threading.Event()
        self.before = self.most = rss_mb(self.pids)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def growth(self) -> float:
        return self.most - self.before

    def _look(self) -> None:
        while not self._done.wait(0.02):
            self.most = max(self.most, rss_mb(self.pids))


def _memory(pids: Sequence[int], field: str) -> float:
    return sum(_kilobytes(pid, field) for pid in pids) * 1024 / 1e6


def _kilobytes(pid: int, field: str) -> int:
    return sum(int(line.split()[1]) for line in _lines(pid) if line.startswith(field))


def _lines(pid: int) -> Iterator[str]:
    try:
        yield from (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name, from the state on; empty if the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
