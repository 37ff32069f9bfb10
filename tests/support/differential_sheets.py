"""Cases of workbooks: cells of every kind in every type of field, sheets with gaps and odd ends, and XML that others write."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

import openpyxl
from differential import Case, Tables, column, schema
from openpyxl.cell import WriteOnlyCell

CELLS: list[Any] = [
    1, 0, -3, 12.5, 1.0, 1e20, 1e-7, 123456789012345678, True, False, None, "", " ", "1", " 2 ", "x", "1.5", "true", "2026-01-01",
    "a&b", "<t>", "a>b", '"', "南通", "_x000D_", "x005F_", "two\nlines", " led", "#N/A", "None", "=1+1",
    date(2026, 1, 1), date(1900, 1, 1), date(1900, 3, 1), datetime(2026, 1, 1, 12, 30), datetime(2026, 1, 1), time(8, 30),
    timedelta(hours=30), timedelta(days=3),
]  # fmt: skip
SPECS: list[dict[str, Any]] = [
    column("a"), column("a", required=True), column("a", unique=True), column("a", maxLength=2), column("a", pattern="[0-9x]+"),
    column("a", enum=["1", "x"]), column("a", "any"), column("a", "any", required=True), column("a", "integer"),
    column("a", "integer", minimum=1), column("a", "integer", enum=[1, 12]), column("a", "integer", required=True),
    column("a", "integer", bareNumber=False), column("a", "integer", unique=True), column("a", "number"),
    column("a", "number", maximum=12.4), column("a", "number", enum=[12.5]), column("a", "number", groupChar=","),
    column("a", "number", floatNumber=True), column("a", "boolean"), column("a", "boolean", required=True),
    column("a", "boolean", trueValues=["1"], falseValues=["x"]), column("a", "boolean", enum=[True]), column("a", "date"),
    column("a", "date", required=True), column("a", "date", minimum="2000-01-01"), column("a", "date", format="%d/%m/%Y"),
    column("a", "date", format="any"), column("a", "datetime"), column("a", "time"), column("a", "year"), column("a", "duration"),
]  # fmt: skip


def sheets(tables: Tables) -> Iterator[Case]:
    rows = [
        ["a", "b"],
        *([1, "x"] for _ in range(3)),
        *([cell, "x"] for cell in CELLS),
        *([2, cell] for cell in CELLS),
    ]
    for name, write in (("shared", shared), ("inline", inline)):
        path = tables.write(write(rows), ".xlsx")
        for spec in SPECS:
            described = schema(spec, column("b"))
            for limit in (3, 1000):
                yield Case(f"{name} {spec} {limit}", path, {"schema": described}, {"limit_errors": limit})
        keyed = schema(column("a", "any"), column("b"), primaryKey=["a"])
        yield Case(f"{name} keyed", path, {"schema": keyed})
        for missing in (["", "x"], ["1"], ["None"], []):
            described = schema(column("a", "integer"), column("b"), missingValues=missing)
            yield Case(f"{name} {missing}", path, {"schema": described})


def layouts(tables: Tables) -> Iterator[Case]:
    """Where the rows are, and how the XML says it."""
    two = schema(column("a", "integer"), column("b", required=True), column("c", "date"))
    rows: list[list[Any]] = [["a", "b", "c"], *([n, f"t{n}", date(2026, 1, 1)] for n in range(40))]
    made = {
        name: write(part)
        for (name, write), part in product((("shared", shared), ("inline", inline)), (rows,))
    }
    for (name, data), (change, edit) in product(made.items(), EDITS.items()):
        path = tables.write(edited(data, edit), ".xlsx")
        yield Case(f"{name} {change}", path, {"schema": two})
        yield Case(f"{name} {change} limit", path, {"schema": two}, {"limit_errors": 1})
    odd = {
        "blank rows": [*rows[:9], [], [None, None, None], *rows[9:], []], "short": [*rows, [1], [2, "x"]], "long": [*rows, [1, "x", None, 4]],
        "gaps": [row if n % 7 else [row[0], None, row[2]] for n, row in enumerate(rows)], "title": [["t"], [], *rows], "header alone": rows[:1],
        "nothing": [], "narrow": [row[:2] for row in rows],
    }  # fmt: skip
    for (name, table), write in product(odd.items(), (shared, inline)):
        path = tables.write(write(table), ".xlsx")
        for dialect in (
            {},
            {"headerRows": [3]},
            {"header": False},
            {"commentRows": [2]},
            {"skipBlankRows": True},
        ):
            yield Case(f"{name} {write.__name__} {dialect}", path, {"schema": two, "dialect": dialect})
    for control in (
        {"sheet": "other"},
        {"sheet": 2},
        {"sheet": 9},
        {"preserveFormatting": True},
        {"fillMergedCells": True},
        {"stringified": True},
    ):
        path = tables.write(shared(rows, other=True), ".xlsx")
        yield Case(f"control {control}", path, {"schema": two, "dialect": {"excel": control}})


def shared(rows: Sequence[Sequence[Any]], *, other: bool = False) -> bytes:
    """As office programs write: texts by their numbers."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    if other:
        for row in [["a", "b", "c"], [1, "x", "y"], ["?", None, date(2026, 1, 1)]]:
            (book["other"] if "other" in book.sheetnames else book.create_sheet("other")).append(row)
    return _with_shared_texts(_saved(book))


def inline(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("data")
    for row in rows:
        sheet.append([WriteOnlyCell(sheet, cell) for cell in row])
    return _saved(book)


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _with_shared_texts(data: bytes) -> bytes:
    """openpyxl may write all texts in place: they are moved where other programs keep them."""
    texts: list[str] = []

    def put(found: re.Match[str]) -> str:
        texts.append(found[2])
        return f'{found[1]}t="s"><v>{len(texts) - 1}</v></c>'

    def moved(name: str, xml: str) -> str:
        if not name.startswith("xl/worksheets/"):
            return xml
        return re.sub(r'(<c [^>]*)t="inlineStr"><is>(.*?)</is></c>', put, xml, flags=re.DOTALL)

    data = _each(data, moved)
    if not texts:
        return data
    items = "".join(f"<si>{text}</si>" for text in texts)
    return _each(
        data, lambda _, xml: xml, {"xl/sharedStrings.xml": _STRINGS.format(items), "link": str(len(texts))}
    )


_STRINGS = '<?xml version="1.0" encoding="UTF-8"?>\n<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'
_PART = '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'


def _each(data: bytes, change: Any, more: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            if more and name == "xl/sharedStrings.xml":
                continue
            xml = change(name, source.read(name).decode())
            if more and name == "[Content_Types].xml" and "sharedStrings" not in xml:
                xml = xml.replace("</Types>", _PART)
            target.writestr(name, xml)
        if more:
            target.writestr("xl/sharedStrings.xml", more["xl/sharedStrings.xml"])
    return out.getvalue()


def edited(data: bytes, edit: Any) -> bytes:
    return _each(data, lambda name, xml: edit(xml) if name == "xl/worksheets/sheet1.xml" else xml)


def _sub(pattern: str, text: str, count: int = 1) -> Any:
    return lambda xml: re.sub(pattern, text, xml, count=count)


EDITS: dict[str, Any] = {
    "as it is": lambda xml: xml,
    "without dimension": _sub(r"<dimension[^>]*/>", ""),
    "a dimension too small": _sub(r'<dimension[^>]*/>|(?=<sheetViews>)', '<dimension ref="A1:C9"/>'),
    "a dimension too narrow": _sub(r'<dimension[^>]*/>|(?=<sheetViews>)', '<dimension ref="A1:B41"/>'),
    "a dimension too large": _sub(r'<dimension[^>]*/>|(?=<sheetViews>)', '<dimension ref="A1:C50"/>'),
    "without places of cells": _sub(r'<c r="[A-Z]+[0-9]+"', "<c", 0),
    "without numbers of rows": _sub(r'<row r="[0-9]+"', "<row", 0),
    "a row is not there": _sub(r'<row r="7".*?</row>', ""),
    "a row without cells": _sub(r'<row r="7"(.*?)>.*?</row>', r'<row r="7"\1></row>'),
    "an empty row": _sub(r'<row r="7".*?</row>', '<row r="7"/>'),
    "a row twice": _sub(r'(<row r="7".*?</row>)', r"\1\1"),
    "a cell twice": _sub(r'(<c r="A7".*?</c>)', r"\1\1"),
    "cells in another order": _sub(r'(<c r="A7".*?</c>)(<c r="B7".*?</c>)', r"\2\1"),
    "a wrong place": _sub(r'r="A7"', 'r="A9"'),
    "a cell beyond": _sub(r'(<c r="C7".*?</c>)', r'\1<c r="E7"><v>1</v></c>'),
    "comment": _sub(r"(</row>)", r"\1<!-- <row r=\"9\"> -->"),
    "section": _sub(r"<v>3</v>", "<v><![CDATA[3]]></v>"),
    "formula": _sub(r"<v>3</v>", "<f>1+2</f><v>3</v>"),
    "formula without a result": _sub(r"<v>3</v>", "<f>1+2</f><v></v>"),
    "formula of text": _sub(r'<c r="A7"([^>]*?)( t="n")?>(<v>.*?</v>)', r'<c r="A7"\1 t="str"><f>A1&amp;A2</f>\3'),
    "error": _sub(r'<c r="A7"([^>]*?)( t="n")?><v>.*?</v>', r'<c r="A7"\1 t="e"><v>#N/A</v>'),
    "truth": _sub(r'<c r="A7"([^>]*?)( t="n")?><v>.*?</v>', r'<c r="A7"\1 t="b"><v>1</v>'),
    "an ISO date": _sub(r'<c r="A7"([^>]*?)( t="n")?><v>.*?</v>', r'<c r="A7"\1 t="d"><v>2026-01-01</v>'),
    "no number": _sub(r"<v>3</v>", "<v>x</v>"),
    "a number with spaces": _sub(r"<v>3</v>", "<v> 3 </v>"),
    "a number with a sign": _sub(r"<v>3</v>", "<v>+3</v>"),
    "a whole number as decimals": _sub(r"<v>3</v>", "<v>3.0</v>"),
    "a number with an exponent": _sub(r"<v>3</v>", "<v>3E2</v>"),
    "a text of nobody": _sub(r't="s"><v>9</v>', 't="s"><v>999999</v>'),
    "another style": _sub(r'<c r="A7"', '<c r="A7" s="1"'),
    "a style of nobody": _sub(r'<c r="A7"', '<c r="A7" s="99"'),
    "a day that is none": _sub(r"<v>46023</v>", "<v>99999999</v>"),
    "a moment": _sub(r"<v>46023</v>", "<v>46023.5</v>"),
    "a prefix": lambda xml: xml.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?xml", "<?xml").replace("xmlns=", "xmlns:x="),
    "attributes of others": _sub(r'<row r="7"', '<row r="7" x14ac:dyDescent="0.25" spans="1:3"'),
    "lines between": lambda xml: xml.replace("</row>", "</row>\n"),
    "cut off": lambda xml: xml[: len(xml) // 2],
    "broken behind": lambda xml: xml.replace("</sheetData>", "</sheetData><mergeCells><x"),
    "merged": lambda xml: xml.replace("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="A3:A5"/></mergeCells>'),
    "control character": _sub(r"<v>3</v>", "<v>\x013</v>"),
    "runs": _sub(r'<c r="B7"([^>]*?) t="[a-zA-Z]+">.*?</c>', r'<c r="B7"\1 t="inlineStr"><is><r><t>x</t></r><r><t>y</t></r></is></c>'),
    "phonetic": _sub(r'<c r="B7"([^>]*?) t="[a-zA-Z]+">.*?</c>', r'<c r="B7"\1 t="inlineStr"><is><t>x</t><rPh sb="0" eb="1"><t>k</t></rPh></is></c>'),
    "references": _sub(r'<c r="B7"([^>]*?) t="[a-zA-Z]+">.*?</c>', r'<c r="B7"\1 t="inlineStr"><is><t>&#26377;&#x6548;&amp;</t></is></c>'),
    "an unknown kind": _sub(r'<c r="A7"([^>]*?)( t="n")?>', r'<c r="A7"\1 t="zz">'),
}  # fmt: skip
