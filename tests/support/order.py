"""The order of the tests: what takes long comes first, so that no process works alone at the end.

`--dist=worksteal` gives each process a row of tests that stand together and lets idle ones steal from the ends of the
others' rows. So each row begins with its share of the long tests. Those that mostly wait, for a server to die and to come back, begin
fewer than half of the rows, those that compute the others: two that wait at once would leave a core idle.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pytest

WAITING = ("crash",)
COMPUTING = ("browser", "heavy")
LONG = {
    "tests/publishing/test_role_matrix.py",
    "tests/tabular/test_yield.py",
    "tests/ports/test_storage.py::test_300_mb_pass_with_flat_memory",
    "tests/properties/test_search_equality.py",
    "tests/journeys/test_leaks.py",
}
"""Files and tests that take tens of seconds on two cores, without a marker that says so."""


def long_first(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in rows for that many processes, one row after the other."""
    waiting = [item for item in items if _marked(item, WAITING)]
    computing = [item for item in items if is_long(item) and not _marked(item, WAITING)]
    begun = _begun(waiting, computing, processes)
    short = iter([item for item in items if not is_long(item)])
    rows: list[pytest.Item] = []
    for process in range(processes):
        size = (len(items) - len(rows)) // (processes - process)  # as the scheduler cuts them
        share = begun[process]
        rows += share
        rows += islice(short, max(0, size - len(share)))
    return rows + list(short)


def _begun(
    waiting: list[pytest.Item], computing: list[pytest.Item], processes: int
) -> list[list[pytest.Item]]:
    """What each row begins with."""
    if processes == 1:
        return [waiting + computing]
    first = processes // 2
    return [waiting[row::first] for row in range(first)] + [
        computing[row :: processes - first] for row in range(processes - first)
    ]


def without_samples(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Those to run, and the samples of what runs whole anyway."""
    whole = {_function(item) for item in items if _marked(item, ("heavy",))}
    repeated = {item for item in items if _marked(item, ("sample",)) and _function(item) in whole}
    return [item for item in items if item not in repeated], list(repeated)


def is_long(item: pytest.Item) -> bool:
    return _marked(item, WAITING + COMPUTING) or not LONG.isdisjoint((item.location[0], _function(item)))


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _marked(item: pytest.Item, names: Sequence[str]) -> bool:
    return any(item.get_closest_marker(name) for name in names)
