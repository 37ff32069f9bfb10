"""The order of the tests in several processes: tests/support/order.py."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest
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
