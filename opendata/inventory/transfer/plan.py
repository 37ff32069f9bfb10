"""A list that was read against the inventory as it stands: what would be new, what would change, what is wrong and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from opendata.agencies.models import Agency
from opendata.core.errors import FieldError, Invalid
from opendata.inventory import service, versions
from opendata.inventory.elements import ELEMENTS, kept_parts
from opendata.inventory.models import InventoryLine
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.inventory.transfer.lines import ITEM, SAME_NAME, ReadLine, Row, Wrong, read_lines
from opendata.inventory.transfer.template import CITY, template
from opendata.inventory.versions import Change
from opendata.work.unit import Work

ADDED, CHANGED, UNCHANGED, WRONG = "added", "changed", "unchanged", "wrong"
_AT_ONCE = 500
_COLUMN_OF = {element: column for column, element in SAME_NAME.items()} | {
    "category": "category",
    "category_path": "category",
    "openness": "is_open",
    "open_condition": "open_condition",
    "items": "item_name",
}
_ITEM_COLUMN = {part: column for column, part in ITEM.items()}
CITY_FIELDS = "city_fields"
SHOWN = 50
"""Rows that a group of errors names."""


@dataclass
class Entry:
    """What is to become of one line of the list."""

    read: ReadLine
    action: str
    line: InventoryLine | None = None
    """The one that is there."""
    changes: Sequence[Change] = ()

    @property
    def rows(self) -> list[int]:
        return [row.number for row in self.read.rows]


@dataclass
class Group:
    """The same thing wrong in the same column with the same value."""

    column: str
    error: FieldError
    value: str
    count: int = 0
    rows: list[int] = field(default_factory=list)
    """The first of them."""


@dataclass(frozen=True)
class Plan:
    entries: Sequence[Entry]
    city: Sequence[CityField]
    """The city's own fields of lines."""

    def title(self, column: str, language: str) -> str:
        """What a column is called; empty for the row as a whole."""
        known = template().columns.get(column)
        own = next((field for field in self.city if CITY + field.name == column), None)
        return known.title(language) if known else own.said(language) if own else ""

    @property
    def counts(self) -> dict[str, int]:
        found = dict.fromkeys((ADDED, CHANGED, UNCHANGED, WRONG), 0)
        for entry in self.entries:
            found[entry.action] += 1
        return found

    @property
    def wrong(self) -> list[Wrong]:
        """Wrong cells in the order of the file."""
        return sorted((w for entry in self.entries for w in entry.read.wrong), key=lambda w: w.row)

    @property
    def secret_rows(self) -> list[int]:
        return [number for entry in self.entries if entry.read.secret for number in entry.rows]


def make(work: Work, agency: Agency, rows: Iterable[Row]) -> Plan:
    """Reads only. Each line stands for itself: one that is wrong says nothing about the others."""
    city = profile.line_fields(work)
    lines = list(read_lines(rows, agency, city))
    known = _Known(
        agency, city, _by_code(work, [line.code for line in lines if line.code]), _by_title(work, agency)
    )
    return Plan([_entry(line, known) for line in lines], city)


def grouped(wrong: Iterable[Wrong]) -> list[Group]:
    """Wrong cells by column, rule and value; the commonest first."""
    found: dict[tuple[str, str, str], Group] = {}
    for one in wrong:
        key = (one.column, one.error.code, one.value)
        group = found.setdefault(key, Group(one.column, one.error, one.value[:200]))
        group.count += 1
        if len(group.rows) < SHOWN:
            group.rows.append(one.row)
    return sorted(found.values(), key=lambda g: -g.count)


@dataclass
class _Known:
    """What every line of the list is held against."""

    agency: Agency
    city: Sequence[CityField]
    by_code: dict[str, InventoryLine]
    by_title: dict[str, list[InventoryLine]]
    taken: set[str] = field(default_factory=set)


def _entry(read: ReadLine, known: _Known) -> Entry:
    agency, taken = known.agency, known.taken
    line = known.by_code.get(read.code) if read.code else None
    if line is not None and line.agency_id != agency.id:
        read.refuse(
            "resource_code", FieldError("resource_code", "resource_code_taken", {"resource_code": read.code})
        )
        line = None
    elif line is None and not read.code and not read.secret:
        namesakes = known.by_title.get(read.title, [])
        if len(namesakes) > 1:
            read.refuse("name", FieldError("name", "title_ambiguous"))
        line = namesakes[0] if len(namesakes) == 1 else None
    own = line.id if line is not None else read.code or f"title {read.title}"
    if own in taken and not read.secret:
        read.refuse("name", FieldError("name", "line_repeated"))
    taken.add(own)
    # Also of a line with wrong cells: its clerk should learn everything at once.
    changes = _judge(read, known, line) if read.title and not read.secret else ()
    if read.wrong:
        return Entry(read, WRONG, line)
    if line is None:
        return Entry(read, ADDED, None, changes)
    return Entry(read, CHANGED if changes else UNCHANGED, line, changes)


def _judge(read: ReadLine, known: _Known, line: InventoryLine | None) -> Sequence[Change]:
    """What would differ. What the whole line breaks is told at the cell that it comes from."""
    fields = dict(read.fields)
    if any("name" not in item for item in fields.get("items", ())):
        del fields["items"]
    elif line is not None and "items" in fields:
        fields["items"] = read.fields["items"] = _with_parts(read, line)
    if line is not None and CITY_FIELDS in fields:
        kept = {n: v for n, v in line.city_fields.items() if CITY + n not in read.rows[0].cells}
        fields[CITY_FIELDS] = read.fields[CITY_FIELDS] = kept | fields[CITY_FIELDS]
    try:
        if line is None:
            after, before = service.complete(known.agency, fields, known.city), None
        else:
            after, before = service.changed(line, fields, known.city), versions.snapshot(line)
    except Invalid as error:
        for wrong in error.fields:
            _place(read, wrong)
        return ()
    return versions.changes(before, {name: versions.plain(after.get(name)) for name in ELEMENTS})


def _with_parts(read: ReadLine, line: InventoryLine) -> list[dict[str, Any]]:
    """The items, with what the line knows of them and the file has no column for."""
    lacking = [part for column, part in ITEM.items() if column not in read.rows[0].cells]
    return kept_parts(read.fields["items"], line.items, lacking)


def _place(read: ReadLine, error: FieldError) -> None:
    element, _, rest = error.path.partition(".")
    if element == "items" and rest:
        number, _, part = rest.partition(".")
        column, row = _ITEM_COLUMN[part], read.item_rows[int(number)]
    else:
        column = error.path if element == CITY_FIELDS else _COLUMN_OF.get(element, "")
        if column == "is_open" and "is_open" not in read.rows[0].cells:
            column = "openness"
        row = read.where.get(column, read.rows[0].number)
    if (column, row) not in {(wrong.column, wrong.row) for wrong in read.wrong}:
        read.refuse(column, error, row)


def _by_code(work: Work, codes: list[str]) -> dict[str, InventoryLine]:
    found: dict[str, InventoryLine] = {}
    for start in range(0, len(codes), _AT_ONCE):
        some = codes[start : start + _AT_ONCE]
        query = select(InventoryLine).where(InventoryLine.resource_code.in_(some))
        found |= {line.resource_code: line for line in work.session.execute(query).scalars()}
    return found


def _by_title(work: Work, agency: Agency) -> dict[str, list[InventoryLine]]:
    found: dict[str, list[InventoryLine]] = {}
    query = select(InventoryLine).where(InventoryLine.agency_id == agency.id)
    for line in work.session.execute(query.order_by(InventoryLine.resource_code)).scalars():
        found.setdefault(line.title, []).append(line)
    return found


def kept(rows: Iterable[Row], plan: Plan) -> list[list[Any]]:
    """The rows as they may be stored: none of a line that is marked as secret."""
    secret = set(plan.secret_rows)
    return [[row.number, dict(row.cells)] for row in rows if row.number not in secret]
