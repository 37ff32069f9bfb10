"""The tests in several processes: their order (tests/support/order.py), and the core of each process (machine.py)."""

from __future__ import annotations

import os
from itertools import takewhile
from pathlib import Path

import pytest
from machine import core_of
from order import LONG, is_long, long_first

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_each_process_gets_its_share_and_no_test_is_lost(
    request: pytest.FixtureRequest, processes: int
) -> None:
    items = request.session.items
    ordered = long_first(items, processes)
    assert len(ordered) == len(items)
    assert set(ordered) == set(items)
    rows, left = [], ordered
    for process in range(processes):
        size = len(left) // (processes - process)
        rows.append(left[:size])
        left = left[size:]
    shares = [len(list(takewhile(is_long, row))) for row in rows]
    if len(items) > 1000:  # else, of a choice by hand, one row may be nothing but long tests
        assert sum(shares) == sum(map(is_long, items))
        waiting = processes // 2
        for alike in (shares[:waiting], shares[waiting:]):
            assert max(alike, default=0) - min(alike, default=0) <= 1


def test_what_is_called_long_is_there() -> None:
    for name in LONG:
        path, _, function = name.partition("::")
        assert f"def {function}" in (ROOT / path).read_text("utf-8"), name


def test_the_processes_share_the_cores() -> None:
    assert [core_of(f"gw{n}", 4, [2, 5]) for n in range(4)] == [2, 5, 2, 5]
    assert core_of("gw0", 1, [2, 5]) is None
    assert core_of("gw0", 1, [3]) == 3
    worker, processes = (os.environ.get(f"PYTEST_XDIST_WORKER{end}", "") for end in ("", "_COUNT"))
    if worker and hasattr(os, "sched_getaffinity") and int(processes) >= (os.cpu_count() or 1):
        assert len(os.sched_getaffinity(0)) == 1
