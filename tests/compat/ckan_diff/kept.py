"""What a difference is, and what covers it. The list of those that are meant: meant.py."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ckan_diff.comparing import NOTHING


@dataclass(frozen=True)
class Difference:
    """One place at which two answers differ."""

    area: str
    label: str
    action: str
    path: str
    ours: Any
    theirs: Any
    statuses: tuple[int, int]


@dataclass(frozen=True)
class Kept:
    """`actions` and `paths` are patterns (`*` is anything), alternatives with `|` between them. `adds`: only
    where we say something and CKAN nothing; `lacks`: the other way round. `areas`, `calls` (by their labels): only there."""

    what: str
    reason: str
    paths: str
    actions: str = "*"
    areas: str = "*"
    calls: str = "*"
    adds: bool = False
    lacks: bool = False
    broken: bool = False
    """Only where CKAN's answer is a 500."""
    statuses: tuple[int, int] | None = None
    """Only where our status and CKAN's are these."""
    whom: bool = False
    """Only where we show nobody, or refuse."""

    def covers(self, seen: Difference) -> bool:
        area, action, path, ours, theirs = seen.area, seen.action, seen.path, seen.ours, seen.theirs
        if (self.adds and theirs != NOTHING) or (self.lacks and ours != NOTHING):
            return False
        if self.broken and seen.statuses[1] != 500:
            return False
        if self.statuses is not None and seen.statuses != self.statuses:
            return False
        if self.whom and ours not in ([], NOTHING):
            return False
        if not _fits(seen.label, self.calls):
            return False
        return _fits(area, self.areas) and _fits(action, self.actions) and _fits(path, self.paths)


def _fits(text: str, patterns: str) -> bool:
    return any(re.fullmatch(_regex(pattern), text, re.DOTALL) for pattern in _ALTERNATIVES.split(patterns))


_ALTERNATIVES = re.compile(r"(?<!\|)\|(?!\|)")


def _regex(pattern: str) -> str:
    """`*` stands for any characters, unless a backslash is before it."""
    return "".join(
        ".*" if part == "*" else re.escape(part.removeprefix("\\"))
        for part in re.findall(r"\\.|\*|[^*\\]+", pattern)
    )
