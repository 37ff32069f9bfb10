"""Empty tables to fill in: Chinese headers, lists to choose from, one example row."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from opendata.validation.library.dictionary import Entry, Schema, entries, rules, safe, text

ROWS = 2000
"""So many rows below the header offer the lists."""
_HEAD = PatternFill("solid", fgColor="E8EEF6")
_NEEDED = PatternFill("solid", fgColor="FCE8D6")
_MADE_AT = datetime(2026, 1, 1)
"""The same schema gives the same bytes."""


def as_csv(schema: Schema) -> bytes:
    """Header and example row. With a byte order mark: spreadsheets ask for it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    told = entries(schema, "zh")
    writer.writerow([entry.title for entry in told])
    writer.writerow([safe(entry.example) for entry in told])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(schema: Schema) -> bytes:
    """A workbook: the table to fill in, how each column is filled in, and the lists of codes that it offers."""
    book = Workbook()
    book.properties.creator = ""
    book.properties.created = book.properties.modified = _MADE_AT
    table = book.active
    table.title = "数据"
    told = entries(schema, "zh")
    lists = book.create_sheet("代码表")
    for column, entry in enumerate(told, start=1):
        _column(table, column, entry)
        if entry.codes:
            _offer(table, lists, column, entry)
    table.freeze_panes = "A2"
    _guide(book.create_sheet("填写说明", 1), schema, told)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _column(table: Worksheet, column: int, entry: Entry) -> None:
    letter = get_column_letter(column)
    head = table.cell(1, column, entry.title)
    head.font, head.fill = Font(bold=True), _NEEDED if entry.required else _HEAD
    head.alignment = Alignment(wrap_text=True, vertical="center")
    told = "；".join(
        part for part in ("必填" if entry.required else "选填", entry.description, entry.privacy) if part
    )
    head.comment = Comment(told, "")
    table.column_dimensions[letter].width = max(12, min(40, 2 * len(entry.title)))
    # As text, so that the office program leaves codes and dates as they are typed.
    table.column_dimensions[letter].number_format = "@"
    example = table.cell(2, column, entry.example)
    example.number_format, example.font = "@", Font(italic=True, color="808080")


def _offer(table: Worksheet, lists: Worksheet, column: int, entry: Entry) -> None:
    """A drop-down of the field's codes. They stand in a sheet: a list in the rule itself ends at 255 characters."""
    letter = get_column_letter(column)
    lists.cell(1, column, entry.title)
    for row, code in enumerate(entry.codes, start=2):
        cell = lists.cell(row, column, code)
        cell.number_format = "@"
    choice = DataValidation(
        type="list",
        formula1=f"'代码表'!${letter}$2:${letter}${len(entry.codes) + 1}",
        allow_blank=not entry.required,
    )
    choice.error, choice.errorTitle = "请从列表中选择", entry.title[:30]
    choice.showErrorMessage = True
    choice.add(f"{letter}2:{letter}{ROWS}")
    table.add_data_validation(choice)


def _guide(sheet: Worksheet, schema: Schema, told: list[Entry]) -> None:
    sheet.append([text(schema, "title", "zh"), f"版本 {schema.get('x-version', '')}"])
    sheet.append(["第 2 行是示例，填写前请删除。橙色列必填。"])
    sheet.append([])
    sheet.append(["列", "字段名", "必填", "说明", "单位", "代码", "示例", "个人信息提示"])
    for entry in told:
        shown = [entry.title, entry.name, "是" if entry.required else "", entry.description]
        shown += [entry.unit, "、".join(entry.codes), entry.example, entry.privacy]
        sheet.append([safe(cell) for cell in shown])
    sheet.append([])
    for said, formula in rules(schema, "zh"):
        if said:
            sheet.append(["行规则", said, "", safe(formula)])
    for letter, width in zip("ABCDEFGH", (28, 24, 6, 50, 10, 40, 26, 40), strict=True):
        sheet.column_dimensions[letter].width = width
