"""What stands in the clerk's own file: a comment at each wrong cell, and a sheet of notes behind all others. Both languages:
the file goes from hand to hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opendata.edge.messages import LANGUAGES
from opendata.tabular.layout import Layout
from opendata.tabular.workbooks.marking import Mark, Marked
from opendata.validation.telling.groups import Group, errors_of, grouped, is_complete
from opendata.validation.telling.sentences import Teller, catalogue

WIDEST = 60
"""Cells of a wrong row that are coloured."""
_VALUES = 10


def marks(report: Mapping[str, Any], schema: Mapping[str, Any], found: Layout) -> Iterator[Mark]:
    """One for each error: at its cell; at the row's first cell, the whole row coloured, for an error of a row; in the header
    for one of the header; at the header's first cell for one of the table."""
    teller = Teller(schema)
    for error in errors_of(report):
        text = "\n".join(teller.say(error).values())
        row, column = int(error.get("rowNumber") or 0), int(error.get("fieldNumber") or 0)
        width = min(len(found.columns), WIDEST) if row and not column else 1
        yield Mark(row or found.header_row, column or 1, text, width)


def sheet(
    marked: Marked,
    name: str,
    report: Mapping[str, Any],
    schema: Mapping[str, Any],
    own: Mapping[str, str],
) -> list[list[str]]:
    """The rows of the notes: what was marked, what could not be, and the errors by column, rule and bad value."""
    groups = grouped(report, schema, own)
    errors = sum(group.count for group in groups)
    told = {"name": name, "errors": errors, "cells": marked.cells, "rows": marked.rows}
    lines = ["note.title", "note.file", "note.found" if errors else "note.valid"]
    lines += [] if is_complete(report) else ["note.more"]
    lines += [] if marked.rows is None else ["note.copied"]
    lines += [] if marked.whole else ["note.cut"]
    heads = [" ".join(_both(key)) for key in ("note.column", "note.count", "note.values")]
    table = [[heads[0], *_both("note.problem"), *heads[1:]], *map(_line, groups)] if groups else []
    return [*([" ".join(_both(key, told))] for key in lines), *table]


def _line(group: Group) -> list[str]:
    column = group.column or " ".join(_both("note.whole"))
    values = "\n".join(
        f"{one.value} ×{one.count} ({', '.join(map(str, one.rows))}{', …' if one.count > len(one.rows) else ''})"
        for one in group.values[:_VALUES]
    )
    return [column, *(group.sentence[language] for language in LANGUAGES), str(group.count), values]


def _both(key: str, params: Mapping[str, Any] | None = None) -> Sequence[str]:
    return [catalogue(language)[key].format(**(params or {})) for language in LANGUAGES]
