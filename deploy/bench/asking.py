"""The cases of the catalogue: create, search, show, memory at rest. The sides take turns, so that a busy minute hits both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import catalogue
import loops
import processes
from client import Client, Failed
from loops import Side
from results import Results, Rounds

SETTLE_SECONDS = 300
LOADERS = 2
MEMORY_MB = 400
REST_SECONDS = 15


@dataclass(frozen=True)
class Plan:
    """How much is asked."""

    datasets: int
    seconds: float
    rounds: int
    creates: int


@dataclass(frozen=True)
class Case:
    """A closed loop. `times`: how many times the peer's rate it should reach; 0: nothing was promised."""

    title: str
    ask: Callable[[Client, Random], str]
    clients: int
    times: float = 0
    public: bool = False
    under_p50: bool = False
    """p99 should lie under the peer's p50."""


def load(sides: Sequence[Side], plan: Plan, results: Results) -> None:
    """Brings every side to the full number of datasets by package_create, two clients at a time."""
    for side in sides:
        client = side.client()
        catalogue.prepare(client)
        there = _count(client)
        if there >= plan.datasets:
            print(f"  {side.name}: {there} datasets are there already", flush=True)
            continue
        run = loops.each(side, _create, range(there, plan.datasets), LOADERS)
        cost = "" if run.cpu_ms is None else f", {run.cpu_ms:.1f} ms of CPU each"
        times = [loops.quantile(run.all, share) for share in (0.5, 0.99)]
        figure = f"{run.rate:.1f}/s, p50 {times[0]:.1f} ms, p99 {times[1]:.1f} ms{cost}"
        results.add(f"load of {plan.datasets - there:,} datasets, {LOADERS} clients", side.name, figure)
        _settle(side, plan.datasets)


def measure(sides: Sequence[Side], peer: str | None, plan: Plan, results: Results) -> None:
    """All cases, round by round, side by side."""
    for side in sides:
        loops.for_seconds(side, _search, min(5, plan.seconds), 1, seed=99)
    _creates(sides, peer, plan, results)
    for case in _cases(plan.datasets):
        rounds = Rounds(case.title)
        for number in range(plan.rounds):
            for side in sides:
                run = loops.for_seconds(
                    side, case.ask, plan.seconds, case.clients, seed=number + 1, public=case.public
                )
                rounds.add(side.name, run)
        results.rounds.append(rounds)
        judge(rounds, sides, peer, case.times, results, under_p50=case.under_p50)


def memory(sides: Sequence[Side], ours: str, results: Results) -> None:
    """Proportional memory of all processes after a while without requests."""
    time.sleep(REST_SECONDS)
    for side in sides:
        found = processes.pss_mb(side.pids)
        if found is None:
            continue
        count = len(processes.tree(side.pids))
        target = f"under {MEMORY_MB} MB" if side.name == ours else ""
        met = found < MEMORY_MB if target else None
        results.add(
            "memory at rest, PSS of all processes", side.name, f"{found:.0f} MB in {count}", target, met
        )


def _cases(datasets: int) -> list[Case]:
    show = partial(_show, datasets)
    return [
        Case("package_search, 1 client", _search, 1, times=5, under_p50=True),
        Case("package_search, 4 clients", _search, 4, times=5),
        Case("package_search, questions never asked before, 1 client", _ask_unheard, 1),
        Case("package_show, 1 client", show, 1, times=10),
        Case("package_show, 4 clients", show, 4, times=10),
        Case("package_show without a token, 1 client", show, 1, public=True),
    ]


def _creates(sides: Sequence[Side], peer: str | None, plan: Plan, results: Results) -> None:
    rounds = Rounds(f"package_create, {LOADERS} clients")
    mark = f"{int(time.time()):x}"
    for number in range(plan.rounds):
        for side in sides:
            numbers = range(1_000_000 + number * plan.creates, 1_000_000 + (number + 1) * plan.creates)
            rounds.add(side.name, loops.each(side, partial(_create, mark=mark), numbers, LOADERS))
    results.rounds.append(rounds)
    judge(rounds, sides, peer, 5, results)


def judge(
    rounds: Rounds,
    sides: Sequence[Side],
    peer: str | None,
    times: float,
    results: Results,
    *,
    under_p50: bool = False,
) -> None:
    """A line for each side; the first one's beside the target."""
    for side in sides:
        name = side.name
        p50, p99, cost = rounds.time(name, 0.5), rounds.time(name, 0.99), rounds.cpu_ms(name)
        spent = "" if cost is None else f", {cost:.2f} ms CPU"
        figure = f"{rounds.rate(name):.1f}/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms{spent}"
        if peer is None or name == peer:
            results.add(rounds.case, name, figure)
            continue
        ratio = rounds.rate(name) / rounds.rate(peer)
        target = f"at least {times:g} times the peer" if times and name == sides[0].name else ""
        results.add(
            rounds.case,
            name,
            f"{figure}; {ratio:.1f} times the peer",
            target,
            ratio >= times if target else None,
        )
        if under_p50 and name == sides[0].name:
            limit = rounds.time(peer, 0.5)
            results.add(
                rounds.case, name, f"p99 {p99:.2f} ms", f"under the peer's p50, {limit:.2f} ms", p99 < limit
            )


def _create(client: Client, number: int, mark: str = "") -> None:
    name = f"bench-{mark}-{number:07d}" if mark else None
    client.action("package_create", catalogue.dataset(number, name))


def _search(client: Client, draw: Random) -> str:
    kind, arguments = catalogue.mixed(draw)
    client.ask("package_search", arguments)
    return kind


def _ask_unheard(client: Client, draw: Random) -> str:
    kind, arguments = catalogue.unheard(draw)
    client.ask("package_search", arguments)
    return kind


def _show(datasets: int, client: Client, draw: Random) -> str:
    client.ask("package_show", {"id": catalogue.name_of(draw.randrange(datasets))})
    return "show"


def _settle(side: Side, datasets: int) -> None:
    """Waits until the index has caught up."""
    end = time.monotonic() + SETTLE_SECONDS
    while _count(side.client()) < datasets:
        if time.monotonic() > end:
            raise Failed(f"{side.name}: {datasets} datasets were made, search does not find them all")
        time.sleep(0.2)


def _count(client: Client) -> int:
    return int(client.action("package_search", {"rows": 0})["count"])
