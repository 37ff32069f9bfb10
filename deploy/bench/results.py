"""What was measured, as lines that a person reads and a document keeps."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from loops import Measured, quantile


@dataclass(frozen=True)
class Line:
    """One figure. `target`: what it should be, and whether it is; empty where nothing was promised."""

    case: str
    side: str
    figure: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else ("met" if self.met else "MISSED")


@dataclass
class Rounds:
    """Runs of one case, by side: the sides took turns."""

    case: str
    by_side: dict[str, list[Measured]] = field(default_factory=lambda: defaultdict(list))

    def add(self, side: str, run: Measured) -> None:
        self.by_side[side].append(run)

    def rate(self, side: str) -> float:
        """Requests a second: the median of the runs."""
        return statistics.median(run.rate for run in self.by_side[side])

    def cpu_ms(self, side: str) -> float | None:
        known = [run.cpu_ms for run in self.by_side[side] if run.cpu_ms is not None]
        return statistics.median(known) if known else None

    def time(self, side: str, share: float) -> float:
        """Milliseconds: the median of the runs' quantiles."""
        return statistics.median(quantile(run.all, share) for run in self.by_side[side])

    def kinds(self, side: str) -> dict[str, float]:
        """p50 in milliseconds by kind of question, over all runs."""
        times: dict[str, list[float]] = defaultdict(list)
        for run in self.by_side[side]:
            for kind, found in run.times.items():
                times[kind] += found
        return {kind: quantile(found, 0.5) for kind, found in sorted(times.items())}


@dataclass
class Results:
    """Everything of one run, in the order in which it was measured."""

    rounds: list[Rounds] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def add(self, case: str, side: str, figure: str, target: str = "", met: bool | None = None) -> None:
        line = Line(case, side, figure, target, met)
        self.lines.append(line)
        print(f"  {case} · {side}: {figure}{f' ({target}: {line.verdict})' if target else ''}", flush=True)


SIDE_COLUMNS = ("requests/s", "p50 ms", "p99 ms", "CPU ms/request", "times the peer")


def side_rows(rounds: Rounds, peer: str | None) -> Iterable[list[str]]:
    """A row a side: name and SIDE_COLUMNS."""
    for side in rounds.by_side:
        cost = rounds.cpu_ms(side)
        ratio = (
            f"{rounds.rate(side) / rounds.rate(peer):.1f}" if peer in rounds.by_side and peer != side else ""
        )
        times = [f"{rounds.time(side, share):.2f}" for share in (0.5, 0.99)]
        yield [side, f"{rounds.rate(side):.1f}", *times, "" if cost is None else f"{cost:.2f}", ratio]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [
        "| " + " | ".join(head) + " |",
        "|" + "|".join("---" for _ in head) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
