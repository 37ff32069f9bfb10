"""The errors of a report by column, rule and bad value, with counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opendata.validation.telling.sentences import Teller

VALUES = 20
"""Bad values of a group that are told."""
ROWS = 5
"""Rows of a bad value that are named."""
CELL = 200
"""Characters of a bad value."""


@dataclass
class Value:
    """A bad value of a group."""

    value: str
    """The cell, or the header's label; empty for a blank cell and for an error of a whole row."""
    count: int = 0
    rows: list[int] = field(default_factory=list)
    """The first rows that have it, as the file counts them; empty for an error of the header."""


@dataclass
class Group:
    """Errors of one rule in one column (of whole rows or of the table, if the column is empty)."""

    column: str
    """As the file calls it."""
    place: int
    """From 1; 0 for no column."""
    rule: str
    sentence: Mapping[str, str]
    """By language: what is wrong, and how to mend it."""
    count: int = 0
    seen: dict[str, Value] = field(default_factory=dict)

    @property
    def values(self) -> list[Value]:
        """The commonest first; at most `VALUES`."""
        return sorted(self.seen.values(), key=lambda one: -one.count)[:VALUES]

    def add(self, error: Mapping[str, Any]) -> None:
        self.count += 1
        text = str(error.get("cell") or error.get("label") or "")[:CELL]
        value = self.seen.setdefault(text, Value(text))
        value.count += 1
        row = error.get("rowNumber")
        if row and len(value.rows) < ROWS and row not in value.rows:
            value.rows.append(row)


def errors_of(report: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All errors that a report lists."""
    yield from report.get("errors") or []
    for task in report.get("tasks") or []:
        yield from task.get("errors") or []


def is_complete(report: Mapping[str, Any]) -> bool:
    """Whether the report lists all errors there are: frictionless says in a warning where it stopped."""
    warnings = [str(said) for task in report.get("tasks") or [] for said in task.get("warnings") or []]
    return not any(said.startswith("reached error limit") for said in warnings)


def grouped(
    report: Mapping[str, Any], schema: Mapping[str, Any], own: Mapping[str, str] | None = None
) -> list[Group]:
    """In the order of the columns. `own`: what the file calls a field of the schema, where it calls it otherwise."""
    teller = Teller(schema)
    found: dict[tuple[int, str, str, str], Group] = {}
    for error in errors_of(report):
        name = str(error.get("fieldName") or error.get("label") or "")
        column, place = (own or {}).get(name, name), int(error.get("fieldNumber") or 0)
        rule, sentence = teller.rule(error), teller.say(error)
        group = found.setdefault((place, column, rule, sentence["zh"]), Group(column, place, rule, sentence))
        group.add(error)
    return [found[key] for key in sorted(found, key=lambda key: key[:3])]
