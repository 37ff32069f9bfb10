"""How one file is laid out: everything a reader must know before the first cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import dialect, encoding, formats, formulas, records, sheets
from opendata.tabular.containers import geopackage, shapes, zipped
from opendata.tabular.plain.places import Places, likely
from opendata.tabular.shape import footer, header, hidden

SHEETS = ("xlsx", "xls", "ods")
RECORDS = ("json", "ndjson", "geojson", "kml", "gpkg", "shp")
_LOOKED_AT = 40
_OPTIONS = {
    "sheet", "member", "header_row", "header_rows", "last_row", "without_total", "encoding", "delimiter", "quote", "format", "columns",
}  # fmt: skip
_NUMBERS = {"header_row": 10_000, "header_rows": 2, "last_row": 1 << 40}
_TAIL = 16 << 10
_QUOTES = {'"': '"', "'": "'", "none": ""}


@dataclass(frozen=True)
class Layout:
    format: str
    encoding: str | None = None
    """A Python codec name; None for binary formats."""
    delimiter: str | None = None
    quote: str | None = None
    """Empty where a quote is a sign like others."""
    has_corner: bool = False
    """Of columns aligned by blanks: the first line names all but the first of them."""
    places: Places | None = None
    """Where columns aligned by blanks stand, if the whole file proves it."""
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Those of the sheets that the office program does not show."""
    member: str | None = None
    """Of a ZIP: the file in it that is read."""
    members: tuple[str, ...] = ()
    """Of a ZIP: all tables in it."""
    header_row: int = 1
    """From 1, as an editor or an office program counts lines; rows above it are not data."""
    header_rows: int = 1
    """2 for a header of two levels."""
    last_row: int | None = None
    """The last row of the table, if rows stand below it."""
    columns: tuple[str, ...] = ()
    """What the columns are called: the header's texts as they are, blank and repeated ones too, or what the publisher calls
    them."""
    labels: tuple[str, ...] = ()
    """The header's texts as they are."""
    own: tuple[str, ...] = ()
    """Labels that are no field of a schema, whatever they look like: the publisher says so."""
    notes: tuple[Mapping[str, Any], ...] = ()
    """What was found odd: `{"code": ..., **params}` with code one of format_differs, title_rows, two_header_rows,
    blank_header, repeated_header, other_sheets (read, sheets: how many, likely: the one that looks like the data, or None),
    hidden_rows, hidden_columns, other_members, formula_without_value (total, cells), footnotes, total_row,
    total_set_aside, quotes_kept, blanks_between (columns: how many there are if blanks keep them apart), places_unproved (columns:
    how many there are if they stand at fixed places), header_looks_like_data, spaces_in_header, cpg_differs (said, read),
    other_projection (name), projection_missing."""

    @property
    def header_end(self) -> int:
        """The number of the last row of the header: how many rows stand above the data."""
        return self.header_row + self.header_rows - 1

    @property
    def is_as_written(self) -> bool:
        """Whether the header is one row of the file, word by word, and nothing stands below the table."""
        return (
            self.header_rows == 1
            and self.last_row is None
            and self.columns == self.labels
            and self.quote != ""
            and self.delimiter != dialect.BLANKS
        )

    def descriptor(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "places": self.places and {"starts": list(self.places.starts), "wide": self.places.wide},
            "sheets": list(self.sheets),
            "hidden": list(self.hidden),
            "members": list(self.members),
            "columns": list(self.columns),
            "labels": list(self.labels),
            "own": list(self.own),
            "notes": list(self.notes),
        }


def layout(path: Path, name: str, options: Mapping[str, Any] | None = None) -> Layout:
    """Looks at a file. `options` may name `sheet` (name, or number from 1), `member` (of a ZIP, likewise), `header_row`
    (from 1), `header_rows` (1 or 2), `last_row`, `without_total` (a total in the last row is set aside), `encoding`, `delimiter`, `quote` (`none` for none), `format`, and
    `columns` (which field a column of the header is, empty for none); what they do not name is found out.

    Errors: TaskError `file_empty`, `sheet_empty`(sheet, sheets, likely), `not_a_table`(found), `not_as_named`(name, found): a name or option that says table,
    `option_wrong`(option), `header_missing`, `header_too_long`,
    `too_many_columns`, and those of the readers (encoding.py, sheets.py, records.py, archive.py, containers)."""
    chosen = _options(options or {})
    tables = _zipped(path, name)
    if tables:
        return _member(path, tables, chosen)
    if "member" in chosen:
        raise TaskError("option_wrong", option="member")
    kind, notes = _format(path, name, chosen)
    found = Layout(kind, notes=notes)
    if kind in SHEETS:
        found = _sheet(path, found, chosen)
    elif kind == "gpkg":
        names = geopackage.layers(path)
        layer = sheets.choose(names, chosen.get("sheet"))
        found = replace(found, sheet=layer, sheets=tuple(names), notes=_others(found, names, layer, chosen))
    elif kind == "shp":
        codec, note = shapes.encoding(path, chosen.get("encoding"))
        told = [one for one in (note, shapes.system_note(path)) if one]
        found = replace(found, encoding=codec, notes=(*notes, *told))
    elif kind == "parquet":
        return _named(replace(found, labels=tuple(records.parquet_columns(path))), [], chosen)
    elif kind != "kml":  # which says its encoding itself
        found = replace(found, encoding=encoding.detect(path, chosen.get("encoding")))
        if kind == "json":
            found = _document(path, found, chosen)
        if kind in ("csv", "tsv"):
            found = _delimited(path, found, chosen)
    rows = raw_rows(path, found)
    top = list(islice(rows, max(_LOOKED_AT, 1 + int(chosen.get("header_row", 0)))))
    if len(found.sheets) > 1 and kind in SHEETS:
        found = _beside(path, found, top, chosen)
    return _ended(path, _with_header(found, top, chosen), chain(top, rows), chosen)


def content(path: Path, found: Layout) -> Path:
    """The file that holds the table: the member of a ZIP, else the file itself."""
    return zipped.unpacked(path, found.member) if found.member is not None else path


def raw_rows(path: Path, found: Layout) -> Iterator[list[str]]:
    """All rows as text from line 1 on, the header among them; a blank line of a CSV is []. Not for Parquet."""
    path = content(path, found)
    if found.format in SHEETS:
        return sheets.sheet_rows(sheets.open_workbook(path, found.format), found.sheet or "")
    if found.format == "gpkg":
        return geopackage.rows(path, found.sheet or "")
    if found.format == "shp":
        return shapes.rows(path, found.encoding or "utf-8")
    if found.format in RECORDS:
        return records.record_rows(path, found.format, found.encoding or "utf-8", found.sheet)
    return dialect.delimited_rows(path, found.encoding or "utf-8", way(found))


def way(found: Layout) -> dialect.Dialect:
    quote = '"' if found.quote is None else found.quote
    return dialect.Dialect(found.delimiter or ",", quote, found.has_corner, found.places)


def _others(
    found: Layout, names: list[str], read: str, chosen: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ...]:
    if len(names) < 2 or "sheet" in chosen:
        return found.notes
    return (*found.notes, {"code": "other_sheets", "read": read, "sheets": len(names), "likely": None})


def _zipped(path: Path, name: str) -> list[zipped.Member]:
    """The tables in a ZIP that is nothing more than that."""
    with path.open("rb") as file:
        head = file.read(encoding.HEAD)
    if formats.extension(name) in formats.FORMATS or formats.content(name, head, path) != "zip":
        return []
    return zipped.tables(path)


def _member(path: Path, tables: list[zipped.Member], chosen: dict[str, Any]) -> Layout:
    member = zipped.choose(tables, chosen.pop("member", None))
    found = layout(zipped.unpacked(path, member.name), member.name, chosen)
    notes = found.notes
    if len(tables) > 1:
        notes = ({"code": "other_members", "read": member.name, "members": len(tables)}, *notes)
    return replace(found, member=member.name, members=tuple(one.name for one in tables), notes=notes)


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: value for name, value in options.items() if value is not None and value != ""}
    for name in chosen.keys() - _OPTIONS:
        raise TaskError("option_wrong", option=name[:40])
    for name, most in _NUMBERS.items():
        if name in chosen:
            text = str(chosen[name])
            if not text.isdecimal() or not 1 <= int(text[:15]) <= most:
                raise TaskError("option_wrong", option=name)
            chosen[name] = int(text)
    if "quote" in chosen and chosen["quote"] not in _QUOTES:
        raise TaskError("option_wrong", option="quote")
    if not isinstance(chosen.get("columns", {}), Mapping):
        raise TaskError("option_wrong", option="columns")
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
    names, unseen = sheets.sheet_names(workbook), sheets.hidden_names(workbook)
    sheet = sheets.choose(names, chosen.get("sheet"), unseen)
    notes = [*found.notes]
    if found.format == "xlsx":
        notes += hidden.notes(path, sheet)
        if (unknown := formulas.without_value(path, sheet)).total:
            cells = [list(place) for place in unknown.places]
            notes.append({"code": "formula_without_value", "total": unknown.total, "cells": cells})
    return replace(found, sheet=sheet, sheets=tuple(names), hidden=tuple(unseen), notes=tuple(notes))


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


def _document(path: Path, found: Layout, chosen: Mapping[str, Any]) -> Layout:
    """Of a JSON document with several tables: the one that is asked for, else its first."""
    names = records.tables(path, found.encoding or "utf-8")
    if not names:
        return found
    name = sheets.choose(names, chosen.get("sheet"))
    return replace(found, sheet=name, sheets=tuple(names), notes=_others(found, names, name, chosen))


def _delimited(path: Path, found: Layout, chosen: Mapping[str, Any]) -> Layout:
    text = dialect.sample(path, found.encoding or "utf-8")
    seen = dialect.detect(text, prefer="\t" if found.format == "tsv" else None)
    quote = _QUOTES[chosen["quote"]] if "quote" in chosen else seen.quote
    notes = found.notes if quote or "quote" in chosen else (*found.notes, {"code": "quotes_kept"})
    found = replace(found, delimiter=chosen.get("delimiter", seen.delimiter), quote=quote, notes=notes)
    if chosen.get("delimiter", dialect.BLANKS) != dialect.BLANKS:
        return found
    return _aligned(path, found, text, seen, is_told="delimiter" in chosen)


def _aligned(path: Path, found: Layout, text: str, seen: dialect.Dialect, *, is_told: bool) -> Layout:
    """With what is known of columns that blanks keep apart; as it is, if something else does."""
    if found.delimiter != dialect.BLANKS and dialect.cuts_most(text, seen):
        return found
    if not is_told and (places := dialect.placed(path, found.encoding or "utf-8", text, seen)) is not None:
        return replace(found, delimiter=dialect.BLANKS, places=places)
    blanks = dialect.aligned(text)
    if found.delimiter == dialect.BLANKS:
        by_words = replace(found, has_corner=blanks is not None and blanks.has_corner)
        width = 0 if blanks is None else blanks.columns
        if is_told or dialect.is_even(path, found.encoding or "utf-8", way(by_words), width):
            return by_words
        seen = dialect.detect(text, by_words=False)
        found = replace(found, delimiter=seen.delimiter)
    if dialect.is_one_column(text, seen):
        if blanks is not None:
            note = {"code": "blanks_between", "columns": blanks.columns}
            return replace(found, notes=(*found.notes, note))
        if count := likely(text):
            return replace(found, notes=(*found.notes, {"code": "places_unproved", "columns": count}))
    return found


def _with_header(found: Layout, top: list[list[str]], chosen: Mapping[str, Any]) -> Layout:
    if not any(any(row) for row in top):
        raise TaskError("file_empty")
    seen = _header(found, top, chosen)
    labels = list(seen.labels)
    if found.format in SHEETS:
        # An office program keeps a rectangle: blanks right of the last title belong to no column of the table.
        while labels and not labels[-1].strip():
            labels = labels[:-1]
    notes: list[Mapping[str, Any]] = []
    if seen.first > 1 and "header_row" not in chosen:
        notes.append({"code": "title_rows", "rows": seen.first - 1})
    if seen.rows > 1 and "header_rows" not in chosen:
        notes.append({"code": "two_header_rows", "row": seen.first})
    if all(label.strip().replace(".", "", 1).isdecimal() for label in labels):
        notes.append({"code": "header_looks_like_data"})
    found = replace(found, header_row=seen.first, header_rows=seen.rows, labels=tuple(labels))
    return _named(found, notes, chosen)


def _header(found: Layout, top: list[list[str]], chosen: Mapping[str, Any]) -> header.Header:
    if found.format in RECORDS:
        return header.at(top, int(chosen.get("header_row", 1)), levels=1)
    if "header_row" not in chosen and "header_rows" not in chosen:
        return header.find(top)
    number = int(chosen.get("header_row", 0)) or header.find(top).first
    if number > len(top) or not any(top[number - 1]):
        raise TaskError("header_missing", row=number)
    return header.at(top, number, levels=int(chosen.get("header_rows", 0)))


def _ended(path: Path, found: Layout, rows: Iterable[list[str]], chosen: Mapping[str, Any]) -> Layout:
    """With the last row of the table: the one that is named, or the one above its footnotes. `rows`: all of the file; a text
    is read to its end only if its last lines look as if something stood there."""
    if "last_row" in chosen:
        if chosen["last_row"] <= found.header_end:
            raise TaskError("option_wrong", option="last_row")
        return replace(found, last_row=chosen["last_row"])
    if found.format in RECORDS or (found.delimiter and not _looks_ended(path, found)):
        return found
    end = footer.find(_last_rows(path, found, rows), len(found.columns))
    if end is None or end.last <= found.header_end:
        return found
    notes = list(found.notes)
    if end.notes:
        found = replace(found, last_row=end.last)
        notes.append({"code": "footnotes", "rows": end.notes, "last_row": end.last})
    if end.total is not None and end.total > found.header_end + 1:
        aside = str(chosen.get("without_total", "")).lower() == "true"
        found = replace(found, last_row=end.total - 1) if aside else found
        notes.append({"code": "total_set_aside" if aside else "total_row", "row": end.total})
    return replace(found, notes=tuple(notes))


def _last_rows(path: Path, found: Layout, rows: Iterable[list[str]]) -> Iterable[tuple[int, Sequence[str]]]:
    """Rows down to the last one, with their numbers; of a workbook without those that nobody needs as text."""
    if found.format in SHEETS:
        return sheets.last_rows(sheets.open_workbook(path, found.format), found.sheet or "", footer.LOOKED_AT)
    return enumerate(rows, start=1)


def _looks_ended(path: Path, found: Layout) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return footer.looks_ended(file.read().decode(found.encoding or "utf-8", "ignore"))


def _named(found: Layout, notes: list[Mapping[str, Any]], chosen: Mapping[str, Any]) -> Layout:
    columns = found.labels
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
    called = chosen.get("columns", {})
    names = tuple(str(called.get(label) or label) for label in columns)
    own = tuple(label for label in columns if called.get(label) == "")
    return replace(found, columns=names, own=own, notes=(*found.notes, *notes))
