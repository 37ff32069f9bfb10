"""What may be done to the cells of a column, by what its schema says it holds; without a schema, by all of its cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opendata.tabular.infer import code_like
from opendata.validation.checks.forms import MISSING_MARKS, date_form, folded
from opendata.validation.cleaning import steps
from opendata.validation.cleaning.recipe import CELLS, Kind, Step

NUMBERS = frozenset({"integer", "number"})
TIMES = frozenset({"date", "datetime", "time", "year", "yearmonth"})
CODES = frozenset({"uscc", "resident_id", "gb11714", "gbt2260", "gbt4754", "cn_phone", "plate", "full_width"})
EXAMPLES = 3
_LOOSE = frozenset({"any", "string"})
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_FULL_DATES = frozenset({"dash", "slash", "dot", "chinese", "iso"})
Schema = Mapping[str, Any]


@dataclass
class Change:
    """What one step would do."""

    step: Step
    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    """[{row, before, after}]"""


class Column:
    """Feed it the distinct cells of a column with their counts, then read `changes`."""

    def __init__(self, name: str, described: Schema | None) -> None:
        self.name = name
        self._field = described or {}
        self._free = not described or described.get("type", "string") in _LOOSE
        self._seen: Counter[str] = Counter()
        """How many cells of a column that no schema describes are a number, a date, or neither."""
        self._changes = {step.id: Change(step) for step in self._steps()}

    def feed(self, text: str, count: int, row: int) -> None:
        self._learn(text, count)
        now = text
        for change in self._changes.values():
            after = steps.cell(change.step)(now)
            if after == now:
                continue
            change.count += count
            if len(change.examples) < EXAMPLES:
                change.examples.append({"row": row, "before": now[:200], "after": after[:200]})
            now = after if self._holds(change.step.step, surely=False) else now

    @property
    def changes(self) -> list[Change]:
        """Only those that are certain."""
        return [c for c in self._changes.values() if c.count and self._holds(c.step.step, surely=True)]

    def _steps(self) -> Iterator[Step]:
        for kind in CELLS:
            if kind is not Kind.ZEROS:
                yield Step(step=kind, column=self.name)
        for check in self._checks():
            if check.get("type") == "leading_zero_lost" and isinstance(check.get("digits"), int):
                yield Step(step=Kind.ZEROS, column=self.name, digits=check["digits"])

    def _holds(self, kind: Kind, *, surely: bool) -> bool:
        """Whether a step may touch this column. Not `surely`: before all cells are seen."""
        typed = str(self._field.get("type", "string"))
        if kind is Kind.ZEROS:
            return True
        if kind is Kind.THOUSANDS:
            return self._are("number", surely) if self._free else typed in NUMBERS and "groupChar" not in self._field  # fmt: skip
        if kind is Kind.DATE:
            return self._are("date", surely) if self._free else typed == "date" and self._field.get("format", "default") in ("default", "any")  # fmt: skip
        whole = typed in NUMBERS | TIMES or self._are("number", surely) or self._are("date", surely)
        if kind is Kind.HALF_WIDTH:
            return whole or code_like(self.name) or bool(CODES & {str(c.get("type")) for c in self._checks()})
        if kind is Kind.MISSING:
            return whole or any(c.get("type") == "placeholder_missing" for c in self._checks())
        return True

    def _are(self, kind: str, surely: bool) -> bool:
        """Whether all cells that say something are of a kind, in a column that no schema types."""
        if not self._free:
            return False
        return not surely or (self._seen[kind] > 0 and self._seen[kind] == sum(self._seen.values()))

    def _learn(self, text: str, count: int) -> None:
        plain = folded(text).strip()
        if not self._free or not plain or plain in MISSING_MARKS:
            return
        if date_form(plain)[0] in _FULL_DATES and date_form(plain)[1] is not None:
            self._seen["date"] += count
        elif _NUMBER.fullmatch(steps.cell(Step(step=Kind.THOUSANDS))(plain)):
            self._seen["number"] += count
        else:
            self._seen["other"] += count

    def _checks(self) -> list[Schema]:
        named = self._field.get("checks")
        listed = named if isinstance(named, list) else []
        return [{"type": c} if isinstance(c, str) else c for c in listed if isinstance(c, str | Mapping)]
