"""What became of the files since the public release, as a reviewer reads it: name, size, rows, and the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from opendata.catalog.views import DatasetView, ResourceView
from opendata.publishing.api.changes import Difference
from opendata.web import verdicts
from opendata.web.verdicts import Verdict
from opendata.work.unit import Work

AROUND = 60
"""Characters that are shown before and after what differs in a text."""
MOST_COMPARED = 3000
NOT_IN_THE_TABLE = frozenset({"file", "table_schema", "media_type"})
"""Fields of a resource that the comparison of files tells in words."""


@dataclass(frozen=True)
class Side:
    """The file of one of the two releases."""

    resource: ResourceView
    verdict: Verdict | None

    @property
    def hash(self) -> str:
        """Enough of the SHA-256 to tell two files apart by eye."""
        return self.resource.file.sha256[:12] if self.resource.file else ""

    @property
    def columns(self) -> dict[str, str]:
        """Types by name; empty while nobody has read the file."""
        return {str(c["name"]): str(c["type"]) for c in self.verdict.columns} if self.verdict else {}


@dataclass(frozen=True)
class FileChange:
    """A file that was added (`old` is None), removed (`new` is None) or replaced."""

    resource: ResourceView
    """As the new release has it, or the old one did."""
    old: Side | None
    new: Side | None

    @property
    def compared(self) -> bool:
        """Whether the columns of both are known."""
        return bool(self.old and self.new and self.old.columns and self.new.columns)

    @property
    def added(self) -> list[str]:
        return _beyond(self.new, self.old)

    @property
    def removed(self) -> list[str]:
        return _beyond(self.old, self.new)

    @property
    def retyped(self) -> list[tuple[str, str, str]]:
        """(column, type before, type now)"""
        if self.old is None or self.new is None:
            return []
        before, now = self.old.columns, self.new.columns
        return [(name, before[name], now[name]) for name in now if before.get(name, now[name]) != now[name]]


def files(work: Work, old: DatasetView, new: DatasetView, language: str) -> list[FileChange]:
    """In the order of the new release, removed ones last. A file whose bytes and reading are the same is not there."""
    before, now = {r.id: r for r in old.resources}, {r.id: r for r in new.resources}

    def side(resource: ResourceView | None) -> Side | None:
        return Side(resource, verdicts.of(work, resource, language)) if resource else None

    return [
        FileChange(now.get(one) or before[one], side(before.get(one)), side(now.get(one)))
        for one in dict.fromkeys([*now, *before])
        if _read_as(before.get(one)) != _read_as(now.get(one))
    ]


def other_fields(changes: Sequence[Difference], files: Sequence[FileChange]) -> list[Difference]:
    """The differences that the comparison of files does not tell."""
    whole = {change.resource.id for change in files if change.old is None or change.new is None}

    def is_told(field: str) -> bool:
        head, _, rest = field.partition(".")
        resource_id, _, name = rest.partition(".")
        return head == "resources" and (resource_id in whole or name in NOT_IN_THE_TABLE)

    return [change for change in changes if not is_told(change["field"])]


def pieces(old: str, new: str) -> list[tuple[str, str]]:
    """What was taken out (`del`) and put in (`ins`) of a text, with a little of what stands around it (`same`)."""
    start = _equal(old, new)
    end = _equal(old[start:][::-1], new[start:][::-1])
    middle = old[start : len(old) - end], new[start : len(new) - end]
    found = [("same", old[max(start - AROUND, 0) : start])]
    if max(map(len, middle)) > MOST_COMPARED:  # the comparison takes the square of the length
        found += [("del", middle[0]), ("ins", middle[1])]
    else:
        for tag, a, b, c, d in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
            same = tag == "equal"
            found += [("same" if same else "del", middle[0][a:b]), ("ins", "" if same else middle[1][c:d])]
    found.append(("same", old[len(old) - end :][:AROUND]))
    before, after = ("…" if start > AROUND else ""), ("…" if end > AROUND else "")
    return [("same", before), *found, ("same", after)]


def _equal(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _read_as(resource: ResourceView | None) -> Mapping[str, Any] | None:
    if resource is None:
        return None
    meta = resource.meta
    told = {
        "url": meta.url,
        "options": meta.options.stored(),
        "schema": meta.schema_name,
        "own": meta.table_schema,
    }
    return told | ({"file": resource.file.sha256, "name": resource.file.name} if resource.file else {})


def _beyond(one: Side | None, other: Side | None) -> list[str]:
    """Columns that only `one` has."""
    known = other.columns if other else {}
    return [name for name in (one.columns if one else {}) if name not in known]
