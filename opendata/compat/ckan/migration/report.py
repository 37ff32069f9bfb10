"""What became of each object."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Fate(StrEnum):
    TAKEN = "taken"
    """New here."""
    CHANGED = "changed"
    """Here already, and brought up to date."""
    EQUAL = "equal"
    """Nothing has changed since it was taken."""
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    kind: str
    id: str
    name: str
    fate: Fate
    reason: str = ""


@dataclass
class Report:
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, kind: str, thing_id: str, name: str, fate: Fate, reason: str = "") -> None:
        self.outcomes.append(Outcome(kind, thing_id, name, fate, reason))

    @property
    def refused(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.fate is Fate.REFUSED]

    def lines(self) -> Iterator[str]:
        """Counts by kind, in the order in which the kinds came."""
        for kind in dict.fromkeys(outcome.kind for outcome in self.outcomes):
            counts = Counter(outcome.fate for outcome in self.outcomes if outcome.kind == kind)
            told = ", ".join(f"{counts[fate]} {fate}" for fate in Fate if counts[fate])
            yield f"{kind}: {told}"

    def write(self, path: Path) -> None:
        """Every object with its outcome, as CSV."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["kind", "id", "name", "outcome", "reason"])
            writer.writerows([o.kind, o.id, o.name, o.fate.value, o.reason] for o in self.outcomes)
