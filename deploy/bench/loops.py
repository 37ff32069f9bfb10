"""Closed loops: so many clients, each asking again as soon as it is answered; what that took by the clock and in processor time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import processes
from client import Client

Ask = Callable[[Client, Random], str]
"""One request; returns the name of its kind."""


@dataclass(frozen=True)
class Side:
    """A server under measurement. `pids`: roots of all its processes, empty if unknown."""

    name: str
    base: str
    token: str
    pids: Sequence[int] = ()

    def client(self, *, public: bool = False) -> Client:
        return Client(self.base, "" if public else self.token)


@dataclass
class Measured:
    """One run of one loop. Times in milliseconds."""

    seconds: float
    cpu_ms: float | None
    times: dict[str, list[float]] = field(default_factory=dict)

    @property
    def all(self) -> list[float]:
        return [time for times in self.times.values() for time in times]

    @property
    def rate(self) -> float:
        return len(self.all) / self.seconds


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def for_seconds(
    side: Side, ask: Ask, seconds: float, clients: int, *, seed: int = 0, public: bool = False
) -> Measured:
    """`clients` ask for so long; another seed gives other questions."""
    end = time.perf_counter() + seconds
    return _run(side, ask, clients, lambda: time.perf_counter() < end, seed=seed, public=public)


def each(side: Side, do: Callable[[Client, int], object], numbers: range, clients: int) -> Measured:
    """Does something once for each number."""
    waiting: Iterator[int] = iter(numbers)
    lock = threading.Lock()
    mine = threading.local()

    def more() -> bool:
        with lock:
            mine.number = next(waiting, None)
        return mine.number is not None

    def ask(client: Client, _draw: Random) -> str:
        do(client, mine.number)
        return "each"

    return _run(side, ask, clients, more)


def _run(
    side: Side, ask: Ask, clients: int, more: Callable[[], bool], *, seed: int = 0, public: bool = False
) -> Measured:
    times: dict[str, list[float]] = defaultdict(list)
    lock = threading.Lock()
    errors: list[BaseException] = []

    def loop(start: int) -> None:
        client = side.client(public=public)
        draw = Random(start)  # noqa: S311 - the same questions on every side
        try:
            while not errors and more():
                began = time.perf_counter()
                kind = ask(client, draw)
                took = (time.perf_counter() - began) * 1000
                with lock:
                    times[kind].append(took)
        except BaseException as error:
            errors.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=loop, args=(1000 * seed + number,)) for number in range(clients)]
    cpu, began = processes.cpu_seconds(side.pids), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    seconds, after = time.perf_counter() - began, processes.cpu_seconds(side.pids)
    count = sum(map(len, times.values()))
    cost = (after - cpu) * 1000 / count if cpu is not None and after is not None and count else None
    return Measured(seconds, cost, dict(times))
