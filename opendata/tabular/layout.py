"""How one file is laid out: everything a reader must know before the first cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import dialect, encoding, formats, formulas, records, sheets

SHEETS = ("xlsx", "xls", "ods")
RECORDS = ("json", "ndjson", "geojson")
_LOOKED_AT = 40
_OPTIONS = {"sheet", "header_row", "encoding", "delimiter", "format"}


@dataclass(frozen=True)
class Layout:
    format: str
    encoding: str | None = None
    """A Python codec name; None for binary formats."""
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Those of the sheets that the office program does not show."""
    header_row: int = 1
    """From 1, as an editor or an office program counts lines; rows above it are not data."""
    columns: tuple[str, ...] = ()
    """The header's texts as they are: blank and repeated ones too."""
    notes: tuple[Mapping[str, Any], ...] = ()
    """What was found odd: `{"code": ..., **params}` with code one of format_differs, title_rows, blank_header,
    repeated_header, other_sheets (read, sheets: how many, likely: the one that looks like the data, or None),
    formula_without_value (total, cells), header_looks_like_data, spaces_in_header."""

    def descriptor(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "sheets": list(self.sheets),
            "hidden": list(self.hidden),
            "columns": list(self.columns),
            "notes": list(self.notes),
        }


def layout(path: Path, name: str, options: Mapping[str, Any] | None = None) -> Layout:
    """Looks at a file. `options` may name `sheet` (name, or number from 1), `header_row` (from 1), `encoding`,
    `delimiter`, `format`; what they do not name is found out.

    Errors: TaskError `file_empty`, `sheet_empty`(sheet, sheets, likely), `not_a_table`(found), `not_as_named`(name, found): a name or option that says table,
    `option_wrong`(option), `header_missing`, `header_too_long`,
    `too_many_columns`, and those of the readers (encoding.py, sheets.py, records.py, archive.py)."""
    chosen = _options(options or {})
    kind, notes = _format(path, name, chosen)
    found = Layout(kind, notes=notes)
    if kind in SHEETS:
        found = _sheet(path, found, chosen)
    elif kind == "parquet":
        return _named(replace(found, columns=tuple(records.parquet_columns(path))), [])
    else:
        found = replace(found, encoding=encoding.detect(path, chosen.get("encoding")))
        if kind in ("csv", "tsv"):
            found = _delimited(path, found, chosen)
    top = list(islice(raw_rows(path, found), max(_LOOKED_AT, int(chosen.get("header_row", 0)))))
    if len(found.sheets) > 1:
        found = _beside(path, found, top, chosen)
    return _with_header(found, top, chosen)


def raw_rows(path: Path, found: Layout) -> Iterator[list[str]]:
    """All rows as text from line 1 on, the header among them; a blank line of a CSV is []. Not for Parquet."""
    if found.format in SHEETS:
        return sheets.sheet_rows(sheets.open_workbook(path, found.format), found.sheet or "")
    if found.format in RECORDS:
        return records.record_rows(path, found.format, found.encoding or "utf-8")
    return dialect.delimited_rows(
        path, found.encoding or "utf-8", dialect.Dialect(found.delimiter or ",", found.quote or '"')
    )


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in options.items() if value is not None and value != ""}
    for name in chosen.keys() - _OPTIONS:
        raise TaskError("option_wrong", option=name[:40])
    if "header_row" in chosen:
        text = str(chosen["header_row"])
        if not text.isdecimal() or not 1 <= int(text[:6]) <= 10_000:
            raise TaskError("option_wrong", option="header_row")
        chosen["header_row"] = int(text)
    if "delimiter" in chosen and (
        len(str(chosen["delimiter"]).encode()) != 1 or chosen["delimiter"] in '"\r\n\0'
    ):
        raise TaskError("option_wrong", option="delimiter")
    if "format" in chosen and chosen["format"] not in formats.FORMATS:
        raise TaskError("option_wrong", option="format")
    return chosen


def _format(path: Path, name: str, chosen: Mapping[str, Any]) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    with path.open("rb") as file:
        head = file.read(encoding.HEAD)
    found = formats.content(name, head, path)
    if found == "empty":
        raise TaskError("file_empty")
    wanted = str(chosen.get("format", ""))
    if wanted and _same_family(wanted, found):
        return wanted, ()
    said = formats.extension(name)
    if wanted or (found not in formats.FORMATS and said in formats.FORMATS):
        # It claims to be a table: not to be waved through as a file for download only.
        raise TaskError("not_as_named", found=found, name=wanted or said)
    if found not in formats.FORMATS:
        raise TaskError("not_a_table", found=found, name=said)
    if said in formats.FORMATS and said != found and not _same_family(said, found):
        return found, ({"code": "format_differs", "name": said, "found": found},)
    return found, ()


def _same_family(wanted: str, found: str) -> bool:
    texts = {"csv", "tsv", "text", "json", "ndjson", "geojson", "html", "xml"}
    return wanted == found or (wanted in texts and found in texts)


def _sheet(path: Path, found: Layout, chosen: Mapping[str, Any]) -> Layout:
    workbook = sheets.open_workbook(path, found.format)
    names, hidden = sheets.sheet_names(workbook), sheets.hidden_names(workbook)
    sheet = sheets.choose(names, chosen.get("sheet"), hidden)
    notes = found.notes
    if found.format == "xlsx" and (unknown := formulas.without_value(path, sheet)).total:
        cells = [list(place) for place in unknown.places]
        notes = (*notes, {"code": "formula_without_value", "total": unknown.total, "cells": cells})
    return replace(found, sheet=sheet, sheets=tuple(names), hidden=tuple(hidden), notes=notes)


def _beside(path: Path, found: Layout, top: list[list[str]], chosen: Mapping[str, Any]) -> Layout:
    """Of a workbook with more than one sheet: that there are others, and which of them rather looks like the data. A sheet
    that is empty is no table of one column."""
    likely = sheets.likelier(sheets.open_workbook(path, found.format), found.sheet, top, found.hidden)
    if not any(any(row) for row in top):
        raise TaskError("sheet_empty", sheet=found.sheet, sheets=list(found.sheets[:100]), likely=likely)
    if "sheet" in chosen:
        return found
    note = {"code": "other_sheets", "read": found.sheet, "sheets": len(found.sheets), "likely": likely}
    return replace(found, notes=(*found.notes, note))


def _delimited(path: Path, found: Layout, chosen: Mapping[str, Any]) -> Layout:
    text = dialect.sample(path, found.encoding or "utf-8")
    way = dialect.detect(text, prefer="\t" if found.format == "tsv" else None)
    return replace(found, delimiter=chosen.get("delimiter", way.delimiter), quote=way.quote)


def _with_header(found: Layout, top: list[list[str]], chosen: Mapping[str, Any]) -> Layout:
    if not any(any(row) for row in top):
        raise TaskError("file_empty")
    number = int(chosen.get("header_row", 1 if found.format in RECORDS else dialect.find_header(top)))
    if number > len(top) or not any(top[number - 1]):
        raise TaskError("header_missing", row=number)
    labels = top[number - 1]
    if found.format in SHEETS:
        # An office program keeps a rectangle: blanks right of the last title belong to no column of the table.
        while labels and not labels[-1].strip():
            labels = labels[:-1]
    notes: list[Mapping[str, Any]] = []
    if number > 1 and "header_row" not in chosen:
        notes.append({"code": "title_rows", "rows": number - 1})
    if all(label.strip().replace(".", "", 1).isdecimal() for label in labels):
        notes.append({"code": "header_looks_like_data"})
    return _named(replace(found, header_row=number, columns=tuple(labels)), notes)


def _named(found: Layout, notes: list[Mapping[str, Any]]) -> Layout:
    columns = found.columns
    if not columns:
        raise TaskError("header_missing", row=found.header_row)
    if len(columns) > dialect.COLUMNS:
        raise TaskError("too_many_columns", limit=dialect.COLUMNS, columns=len(columns))
    if sum(map(len, columns)) > dialect.HEADER_BYTES:
        raise TaskError("header_too_long", limit=dialect.HEADER_BYTES)
    blank = [place for place, label in enumerate(columns, start=1) if not label.strip()]
    repeated = [label for label, count in Counter(columns).items() if count > 1 and label.strip()]
    spaced = [label for label in columns if label.strip() and label != label.strip()]
    if blank:
        notes.append({"code": "blank_header", "columns": blank})
    if repeated:
        notes.append({"code": "repeated_header", "names": repeated})
    if spaced:
        notes.append({"code": "spaces_in_header", "names": spaced})
    return replace(found, notes=(*found.notes, *notes))
