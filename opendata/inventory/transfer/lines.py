"""Rows of the template to lines: a row for each information item, the line's own columns repeated, or written once and
left empty (merged) below. A line is right as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opendata.agencies.models import Agency
from opendata.core.checks import is_uscc
from opendata.core.errors import FieldError
from opendata.inventory.elements import is_ground
from opendata.inventory.profile.fields import CityField
from opendata.inventory.transfer.cells import clean, is_secret, of_city, parse
from opendata.inventory.transfer.template import CITY, template

SAME_NAME = {
    "resource_code": "resource_code", "name": "title", "abstract": "abstract", "format_class": "format_class",
    "format_type": "format_type", "share_type": "share_type", "share_condition": "share_condition",
    "share_method": "share_method", "update_cycle": "update_cycle", "published_on": "issued_on",
    "related_codes": "related_codes", "data_level": "data_level", "domain": "domain", "region_code": "region_code",
    "lead_unit": "lead_unit", "responsible_unit": "responsible_unit",
}  # fmt: skip
"""Columns whose value is an element as it stands."""
ITEM = {"item_name": "name", "item_type": "type", "item_length": "length", "item_level": "level", "item_openness": "openness"}  # fmt: skip
_EMPTIED: Mapping[str, Any] = {
    "share_condition": "",
    "share_method": "",
    "published_on": None,
    "related_codes": [],
    "lead_unit": "",
    "responsible_unit": "",
}
"""What an empty cell means where a column is there; other empty cells leave the element as it is."""


@dataclass(frozen=True)
class Row:
    number: int
    """As the office program counts."""
    cells: Mapping[str, str]
    """Text by column name, for the columns that the file has."""


@dataclass(frozen=True)
class Wrong:
    """One wrong cell."""

    row: int
    column: str
    """Of the template; empty for the row as a whole."""
    error: FieldError
    value: str


@dataclass
class ReadLine:
    rows: list[Row]
    code: str = ""
    title: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    """Elements as `InventoryLineIn` has them, of the columns that the file has."""
    wrong: list[Wrong] = field(default_factory=list)
    item_rows: list[int] = field(default_factory=list)
    """The row of each item."""
    where: dict[str, int] = field(default_factory=dict)
    """The row in which a column's value of the line was found."""
    secret: bool = False

    def refuse(self, column: str, error: FieldError, row: int | None = None) -> None:
        number = row if row is not None else self.where.get(column, self.rows[0].number)
        cells = next((r.cells for r in self.rows if r.number == number), {})
        self.wrong.append(Wrong(number, column, error, cells.get(column, "")))


def read_lines(
    rows: Iterable[Row], agency: Agency | None, city: Sequence[CityField] = ()
) -> Iterator[ReadLine]:
    """Every line of the list with what is wrong in its cells. `agency`: whose list it has to be, if anybody's. `city`: the
    city's own fields of lines."""
    for of_line in _grouped(rows):
        line = ReadLine(of_line)
        if any(is_secret(clean(row.cells.get("secrecy", ""))) for row in of_line):
            line.secret = True
            row = next(r for r in of_line if is_secret(clean(r.cells.get("secrecy", ""))))
            line.refuse("secrecy", FieldError("secrecy", "secret_never_entered"), row.number)
        else:
            _read(line, agency)
            _read_city(line, city)
        yield line


def _grouped(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of one code belong together wherever they stand; without one, those of one title, or of none below another."""
    found: dict[tuple[str, str], list[Row]] = {}
    current: tuple[str, str] | None = None
    for row in rows:
        code, title = clean(row.cells.get("resource_code", "")), clean(row.cells.get("name", ""))
        if code:
            current = ("code", code)
        elif title and not (current and _title(found[current]) == title):
            current = ("title", title)
        elif not title and current is None:
            current = ("row", str(row.number))
        assert current is not None  # noqa: S101 - set above for the first row, whatever it holds
        found.setdefault(current, []).append(row)
    return list(found.values())


def _title(rows: list[Row]) -> str:
    return next((title for row in rows if (title := clean(row.cells.get("name", "")))), "")


def _read(line: ReadLine, agency: Agency | None) -> None:
    values = {
        name: _of_line(line, name)
        for name, column in template().columns.items()
        if column.of == "line" and name in line.rows[0].cells
    }
    line.code = values.get("resource_code") or ""
    line.title = values.get("name") or ""
    if "name" not in values:
        line.refuse("", FieldError("name", "missing"))
    if agency is not None:
        _check_provider(line, values, agency)
    for column, element in SAME_NAME.items():
        value = values.get(column)
        if value is not None:
            line.fields[element] = value
        elif column in values and column in _EMPTIED:
            line.fields[element] = _EMPTIED[column]
    category = values.get("category")
    if category:
        line.fields["category" if category.isascii() and category.isdigit() else "category_path"] = category
    if "is_open" in values or "openness" in values:
        _read_openness(line, values)
    if "item_name" in line.rows[0].cells:
        line.fields["items"] = list(_items(line))


def _read_city(line: ReadLine, city: Sequence[CityField]) -> None:
    """Values of the city's own fields, of the columns that the file has. An empty cell takes the value away."""
    columns = [one for one in city if CITY + one.name in line.rows[0].cells]
    values = {}
    for column in columns:
        text = _first(line, CITY + column.name)
        value = of_city(column, text) if text else None
        if isinstance(value, FieldError):
            line.refuse(value.path, value)
        elif value is not None:
            values[column.name] = value
    if columns:
        line.fields["city_fields"] = values


def _first(line: ReadLine, name: str) -> str:
    """The first text of a column that is written; another one below it is wrong."""
    first = ""
    for row in line.rows:
        text = clean(row.cells.get(name, ""))
        if text and not first:
            first, line.where[name] = text, row.number
        elif text and text != first:
            line.refuse(name, FieldError(name, "differs_in_line", {"first": first[:100]}), row.number)
    return first


def _of_line(line: ReadLine, name: str) -> Any:
    """The line's value of a column; None for an empty or a wrong one."""
    column, first = template().columns[name], _first(line, name)
    if not first:
        if column.required and not ("openness" in line.rows[0].cells and name == "is_open"):
            line.refuse(name, FieldError(name, "missing"))
        return None
    value = parse(column, first)
    if isinstance(value, FieldError):
        line.refuse(name, value)
        return None
    return value


def _check_provider(line: ReadLine, values: Mapping[str, Any], agency: Agency) -> None:
    """A list is one body's: a line of another one is not entered under the wrong name."""
    named, code = values.get("provider"), values.get("provider_code")
    if named and named not in (agency.title, agency.title_en, agency.name):
        line.refuse("provider", FieldError("provider", "other_provider", {"agency": agency.title}))
    if code and not is_uscc(code):
        line.refuse("provider_code", FieldError("provider_code", "bad_uscc", {"value": code[:30]}))
    elif code and agency.uscc and code != agency.uscc:
        line.refuse("provider_code", FieldError("provider_code", "other_provider", {"agency": agency.title}))


def _read_openness(line: ReadLine, values: Mapping[str, Any]) -> None:
    said, openness = values.get("is_open"), values.get("openness")
    condition = values.get("open_condition") or ""
    if template().code("openness", condition):  # 无条件开放 in the field for the condition
        openness, condition = openness or template().code("openness", condition), ""
    if said and openness and (said == "no") != (openness == "closed"):
        line.refuse("openness", FieldError("openness", "openness_contradicts"))
        return
    if openness is None and said is not None:
        openness = "closed" if said == "no" else "conditional" if is_ground(condition) else "unconditional"
    if openness is None:
        if not line.wrong:
            line.refuse("is_open", FieldError("is_open", "missing"))
        return
    line.fields |= {"openness": openness, "open_condition": condition}


def _items(line: ReadLine) -> Iterator[dict[str, Any]]:
    columns = template().columns
    for row in line.rows:
        texts = {name: clean(row.cells.get(name, "")) for name in ITEM}
        if not any(texts.values()):
            continue
        item: dict[str, Any] = {}
        for name, text in texts.items():
            needed = name == "item_name" or (columns[name].required and name in row.cells)
            value = parse(columns[name], text) if text else None
            if isinstance(value, FieldError):
                line.refuse(name, value, row.number)
            elif text:
                item[ITEM[name]] = value
            elif needed:
                line.refuse(name, FieldError(name, "missing"), row.number)
        line.item_rows.append(row.number)
        yield item
