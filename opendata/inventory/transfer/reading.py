"""A stranger's list by the sandbox: read as a table, and handed back with its wrong cells marked. Never in a transaction."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opendata.core.errors import DomainError, FieldError, Invalid, invalid
from opendata.core.names import clean_file_name
from opendata.edge import messages
from opendata.inventory.profile.fields import CityField
from opendata.inventory.transfer.lines import Row, Wrong
from opendata.inventory.transfer.template import template
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed

LARGEST = 10_000_000
"""Bytes of a list: about a hundred thousand information items."""
MARKED = "marked.xlsx"


@dataclass(frozen=True)
class Parser:
    """Where it is safe to parse, and where the bytes may lie meanwhile."""

    sandbox: Sandbox
    scratch: Path


@dataclass(frozen=True)
class ReadList:
    name: str
    """Of the file."""
    rows: Sequence[Row]
    places: Mapping[str, int]
    """Place in the row, from 1, by column name."""
    notes: Mapping[str, Any]
    """`ignored_columns`: headers that nobody knows; `sheet`, `other_sheets`: what was read of a workbook."""


def read(parser: Parser, name: str, data: bytes, city: Sequence[CityField] = ()) -> ReadList:
    """The list's rows. `Invalid` naming the field `file`: it cannot be read, or has no column for the title."""
    name = clean_file_name(name)
    with _lying(parser, name, data) as path:
        table = _run(parser, "read", path, name, {}, len(data))
    return of_table(name, table, city)


def of_table(name: str, table: Mapping[str, Any], city: Sequence[CityField] = ()) -> ReadList:
    """The list in a table as the task `read` gives it. `Invalid` if it has no column for the title."""
    places, ignored = template().match(table["header"], city)
    if "name" not in places.values():
        known = "、".join(column.zh for column in template().columns.values() if column.required)
        raise invalid("file", "list_without_titles", known=known)
    rows = [
        Row(
            number, {column: (cells[place] if place < len(cells) else "") for place, column in places.items()}
        )
        for number, cells in table["rows"]
    ]
    notes = {"ignored_columns": ignored, "sheet": table["sheet"], "other_sheets": table["other_sheets"]}
    return ReadList(name, rows, {column: place + 1 for place, column in places.items()}, notes)


def mark(
    parser: Parser,
    found: ReadList,
    data: bytes,
    wrong: Iterable[Wrong],
    secret_rows: Sequence[int],
    languages: Sequence[str],
) -> bytes | None:
    """The clerk's own workbook, its wrong cells coloured and commented, rows that are marked as secret emptied. None if
    nothing is wrong, or if the workbook is too heavy to be written again."""
    marks = [(one.row, found.places.get(one.column, 1), _sentence(one, languages)) for one in wrong]
    if not marks:
        return None
    args = {"wrong": marks, "blank": list(secret_rows)}
    with _lying(parser, found.name, data) as path:
        try:
            _run(parser, "mark", path, found.name, args, len(data), output=path.parent)
        except DomainError:
            return None
        return path.with_name(MARKED).read_bytes()


@contextmanager
def _lying(parser: Parser, name: str, data: bytes) -> Iterator[Path]:
    """The bytes as a file, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="list-", dir=parser.scratch) as folder:
        path = Path(folder, "list")
        path.write_bytes(data)
        yield path


def _run(
    parser: Parser, task: str, path: Path, name: str, args: Mapping[str, Any], size: int, **more: Any
) -> Any:
    try:
        return parser.sandbox.run(
            f"opendata.inventory.transfer.tasks:{task}",
            args={"name": name, **args},
            inputs={"path": path},
            limits=Limits.for_bytes(size),
            **more,
        )
    except TaskFailed as failure:
        if failure.code == "task_crashed":
            raise invalid("file", "file_unreadable") from None
        # The codes of `tabular.layout`, each with its sentence.
        raise Invalid(fields=[FieldError("file", failure.code, failure.params)]) from None
    except LimitExceeded as failure:
        raise invalid("file", "file_too_heavy", limit=failure.limit) from None


def _sentence(wrong: Wrong, languages: Sequence[str]) -> str:
    return "\n".join(messages.field_text(wrong.error, language) for language in languages)
