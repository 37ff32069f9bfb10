"""The list as CSV and as a workbook, by the template: a row for each information item, as it can be imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from opendata.agencies.models import Agency
from opendata.core.errors import TooLarge
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.profile.fields import CityField, Kind
from opendata.inventory.transfer.lines import ITEM, SAME_NAME
from opendata.inventory.transfer.template import CITY, FORMULA, Column, template
from opendata.tabular.workbooks.writing import write_text

MOST_SHEET_ROWS = 10_000
"""Of a workbook: writing one takes a second for each three thousand rows. A CSV has no such bound."""
LONGEST_CHOICES = 250
"""Characters of a list of values that office programs take."""
_ROOM = 1_000
"""Empty rows below the lines that also offer the value lists."""

Lines = Iterable[tuple[InventoryLine, Agency]]
_BY_SCHEMA = {
    "share_type": {"无条件共享": "1", "有条件共享": "2", "不予共享": "3"},
    "is_open": {"是": "true", "否": "false"},
}
_OF_SCHEMA = 21
"""Columns of the table schema: the first ones of the template."""


def to_csv(lines: Lines, city: Sequence[CityField] = (), *, bom: bool = True) -> bytes:
    """As clerks read it: UTF-8, with the mark by which office programs know it; the city's own fields last."""
    header = [*(column.zh for column in template().columns.values()), *(field.label for field in city)]
    return _csv(header, rows(lines, city), bom=bom)


def to_schema_csv(lines: Lines) -> bytes:
    """As programs read it: the columns, names and values of the table schema `resource_inventory`."""
    names = list(template().columns)[:_OF_SCHEMA]
    coded = (
        [_BY_SCHEMA.get(name, {}).get(text, text) for name, text in zip(names, row, strict=False)]
        for row in rows(lines)
    )
    return _csv(names, coded, bom=False)


def _csv(header: Sequence[str], lines: Iterable[Sequence[str]], *, bom: bool) -> bytes:
    """Cells that office programs would run as formulas begin with `'`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in lines:
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def to_xlsx(lines: Lines, city: Sequence[CityField] = ()) -> bytes:
    """`TooLarge("export_too_large")` beyond `MOST_SHEET_ROWS`. Every cell is a text; lists of values are offered."""
    columns = [*template().columns.values(), *(_of_city(field) for field in city)]
    book = Workbook(write_only=True)
    sheet = book.create_sheet("数据资源清单")
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = max(12, 2.2 * len(column.zh))
    head = [WriteOnlyCell(sheet, column.zh) for column in columns]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    count = 1
    for row in rows(lines, city):
        count += 1
        if count > MOST_SHEET_ROWS:
            raise TooLarge("export_too_large", limit=MOST_SHEET_ROWS)
        sheet.append([_cell(sheet, text) for text in row])
    for place, column in enumerate(columns, start=1):
        words = _words(column, city)
        if 0 < len(words) <= LONGEST_CHOICES:
            sheet.data_validations.append(_choices(words, get_column_letter(place), count + _ROOM))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def rows(lines: Lines, city: Sequence[CityField] = ()) -> Iterator[list[str]]:
    """The line's own columns are repeated in the row of each of its items; a line without items has one row."""
    for line, agency in lines:
        own = _own_cells(line, agency)
        for item in line.items or [{}]:
            cells = own | _item_cells(item)
            said = {
                f.name: f.shown(line.city_fields[f.name], "zh") for f in city if f.name in line.city_fields
            }
            yield [
                *(cells.get(name, "") for name in template().columns),
                *(said.get(field.name, "") for field in city),
            ]


def _own_cells(line: InventoryLine, agency: Agency) -> dict[str, str]:
    columns = template().columns
    cells = {
        column: _written(columns[column], getattr(line, element)) for column, element in SAME_NAME.items()
    }
    return cells | {
        "category": line.category_path or line.category,
        "provider": agency.title,
        "provider_code": agency.uscc or "",
        "is_open": template().label("is_open", "no" if line.openness == Openness.CLOSED else "yes"),
        "openness": template().label("openness", line.openness),
        "open_condition": line.open_condition,
        "secrecy": "非涉密",
    }


def _item_cells(item: Mapping[str, Any]) -> dict[str, str]:
    columns = template().columns
    return {column: _written(columns[column], item.get(part)) for column, part in ITEM.items()}


def _written(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value))
    return template().label(column.list, str(value)) if column.list else str(value)


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet)
    if text:
        write_text(cell, text)
    return cell


def _of_city(field: CityField) -> Column:
    return Column(CITY + field.name, field.label, field.label_en, "city")


def _words(column: Column, city: Sequence[CityField]) -> str:
    """The values that a column offers; empty for a free text."""
    if column.kind == "list":
        return ",".join(template().labels[column.list].values())
    field = next((field for field in city if CITY + field.name == column.name), None)
    if field is not None and field.kind is Kind.BOOLEAN:
        return ",".join(template().labels["is_open"].values())
    return ",".join(choice.label.replace(",", " ") for choice in field.choices) if field else ""


def _choices(words: str, letter: str, last: int) -> DataValidation:
    made = DataValidation(type="list", formula1=f'"{words}"', allow_blank=True, showErrorMessage=False)
    made.add(f"{letter}2:{letter}{last}")
    return made
