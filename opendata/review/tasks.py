"""Sandbox tasks of the screening: every cell of a file, and its masked copy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from opendata.ports.sandbox.port import TaskError
from opendata.review.detect import cells, judging, masking, meaning
from opendata.review.detect.cells import Column
from opendata.review.detect.rules import Found, Rule, Suggestion
from opendata.review.detect.texts import Text
from opendata.tabular.containers import zipped
from opendata.tabular.layout import Layout, content, layout, raw_rows
from opendata.tabular.stream import Tally as Reading
from opendata.tabular.stream import frames, write_csv

Options = dict[str, Any]
Hints = Mapping[str, Mapping[str, Any]]
TEXTS = frozenset({"text", "json", "xml", "html", "csv", "tsv", "ndjson", "geojson"})
HEAD = "表头 (header)"
"""The place of what stands in a header, above it, or below the table."""
LINE = 1 << 20
"""Characters of a text that are looked at together, where it has no line ends."""


def scan(path: str, name: str, options: Options, today: str, hints: Hints) -> list[dict[str, Any]]:
    """Findings of a file as `Found`s: per column of every sheet, rows counted from 1 below the header; in the lines above
    a header; in a text that is no table line by line. `hints` are those of a ready schema, by name and title of a field."""
    source, day = Path(path), date.fromisoformat(today)
    try:
        found = layout(source, name, options)
        findings = _scan_table(source, found, day, hints, name)
        for other in _others(source, name, options, found):
            findings += [replace(f, column=None) for f in _scan_table(source, other, day, hints, name)]
        if found.member is not None:
            findings += _other_files(source, name, found, day)
        return [asdict(f) for f in findings]
    except TaskError as error:
        return [asdict(f) for f in _scan_text(source, name, day, error)]


def _others(path: Path, name: str, options: Options, found: Layout) -> Iterator[Layout]:
    """The file goes out whole, so sheets that nobody chose, and tables of an archive, are screened too."""
    own = {key: value for key, value in options.items() if key in ("encoding", "format")}
    places: list[tuple[str | None, str]] = [
        (found.member, sheet) for sheet in found.sheets if sheet != found.sheet
    ]
    for member in found.members:
        if member == found.member:
            continue
        try:
            other = layout(path, name, {"member": member})
        except TaskError:
            continue  # `_other_files` looks at it as a text
        yield other
        places += [(member, sheet) for sheet in other.sheets if sheet != other.sheet]
    for place, sheet in places:
        try:
            yield layout(path, name, {**own, "sheet": sheet, "member": place})
        except TaskError:
            continue  # an empty one


def _other_files(path: Path, name: str, found: Layout, today: date) -> list[Found]:
    """What else is in an archive: texts, and what nobody can look into."""
    findings = []
    for member in zipped.members(path):
        if member.is_table:
            try:
                layout(path, name, {"member": member.name})
                continue
            except TaskError as error:
                wrong = error
        else:
            wrong = TaskError("not_a_table", found="text")
        inside = zipped.unpacked(path, member.name)
        findings += _scan_text(inside, f"{name}/{member.name}", today, wrong)
    return findings


def _scan_table(path: Path, found: Layout, today: date, hints: Hints, name: str) -> list[Found]:
    columns = _columns(found, today, hints)
    reading = Reading()
    count(columns, frames(path, found, reading))
    where = f"{found.member}/" if len(found.members) > 1 else ""
    where += f"{found.sheet}!" if len(found.sheets) > 1 else ""
    result = _around(path, found, today, where) + _placed(judging.judge(columns), found.columns, where)
    if reading.long and found.delimiter:  # cells beyond the header are in no column
        result += _lines(content(path, found), found.encoding or "utf-8", today).found(name)
    return result


def count(columns: Sequence[Column], parts: Iterable[pl.DataFrame]) -> None:
    """Feeds the columns with the rows of a table, as texts: `c0`, `c1`, ..."""
    row = 0
    for frame in parts:
        digits, signs = cells.triggers(frame)
        for column, label in zip(columns, frame.columns, strict=True):
            column.feed(frame[label], digits[label], signs[label], row)
            if column.hint.mask == "name_if_natural_person":
                column.note_names(frame[label], _kinds(columns, column, frame), row)
        row += frame.height


def _kinds(columns: Sequence[Column], column: Column, frame: pl.DataFrame) -> pl.Series | None:
    """The column that says which rows are about natural persons, where a ready schema knows one."""
    wanted = column.hint.kinds
    return next((frame[f"c{n}"] for n, c in enumerate(columns) if wanted and c.hint.field == wanted), None)


def _around(path: Path, found: Layout, today: date, where: str) -> list[Found]:
    """Title rows, the header itself, and what stands below the table: a marking often stands there."""
    looked = Text(today)
    if found.format == "parquet":
        looked.feed([" ".join(found.columns)])
    else:
        looked.feed(" ".join(row) for row in islice(raw_rows(path, found), found.header_end))
        if found.last_row is not None:
            looked.feed(" ".join(row) for row in islice(raw_rows(path, found), found.last_row, None))
    return looked.found(where + HEAD)


def _placed(found: Sequence[Found], labels: Sequence[str], where: str) -> list[Found]:
    """Places that name one column each: with the sheet where there are several, a number where a header is repeated or blank."""
    placed = []
    for finding in found:
        number = finding.column or 0
        label = labels[number].strip()
        if not label or labels.count(labels[number]) > 1:
            label = f"{label}[{number + 1}]"
        placed.append(replace(finding, place=(where + label)[-300:]))
    return placed


def _columns(found: Layout, today: date, hints: Hints) -> list[Column]:
    return [Column(label, today, meaning.hint(hints.get(label.strip()))) for label in found.columns]


def _scan_text(path: Path, name: str, today: date, error: TaskError) -> list[Found]:
    """What is no table: a text by its lines. What cannot be read as text is said to be unscreened."""
    encoding = _text_encoding(path, error)
    if encoding is None:
        return [] if error.code == "file_empty" else [unscreened(name, "no_text")]
    return _lines(path, encoding, today).found(name)


def unscreened(name: str, reason: str, *, confident: bool = False) -> Found:
    return Found(name[:300], Rule.NOT_SCREENED, confident, 1, [], reason, Suggestion.LOOK)


def _text_encoding(path: Path, error: TaskError) -> str | None:
    """How to read what is no table; None for bytes that are no text."""
    kind = str(error.params.get("found", "")) if error.code in ("not_a_table", "not_as_named") else "text"
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if kind not in TEXTS or b"\0" in head:
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as wrong:
        return "gb18030" if wrong.start < len(head) - 4 else "utf-8"
    return "utf-8"


def _lines(path: Path, encoding: str, today: date) -> Text:
    looked = Text(today)
    with path.open(encoding=encoding, errors="replace") as file:
        number = 1
        while lines := file.readlines(LINE):
            looked.feed(lines, number)
            number += len(lines)
    return looked


def mask(
    path: str, name: str, options: Options, today: str, hints: Hints, plan: list[dict[str, Any]], output: str
) -> dict[str, Any]:
    """The file's masked copy: a table as `<output>/masked.csv`, a text that is no table as `<output>/masked.txt`, both in
    UTF-8. `plan`: `[{column, rule, suggestion}]`; without a column it is about the whole text. Answers {file, cells}.

    Other sheets, lines above the header, comments and properties of a workbook stay behind: a CSV has none."""
    source, day = Path(path), date.fromisoformat(today)
    try:
        found = layout(source, name, options)
    except TaskError as error:
        encoding = _text_encoding(source, error)
        if encoding is None:
            raise
        return _mask_text(source, encoding, day, plan, Path(output, "masked.txt"))
    counted = Counted(_columns(found, day, hints), [p for p in plan if p["column"] is not None])
    target = Path(output, "masked.csv")
    write_csv(source, found, target, source=(counted.masked(frame) for frame in frames(source, found)))
    return {"file": target.name, "cells": counted.cells}


@dataclass
class Counted:
    """A plan at work on the frames of a table."""

    columns: Sequence[Column]
    plan: Sequence[Mapping[str, Any]]
    cells: int = 0

    def masked(self, frame: pl.DataFrame) -> pl.DataFrame:
        whole = frame
        for entry in self.plan:
            label, column = f"c{entry['column']}", self.columns[entry["column"]]
            old = frame[label]
            new = _masked(old, Rule(entry["rule"]), drop=column.hint.mask == "drop")
            if column.hint.mask == "name_if_natural_person":
                people = cells.naturals(old, _kinds(self.columns, column, whole), column.hint.natural)
                new = new.zip_with(people, old)
            self.cells += int((old != new).sum())
            frame = frame.with_columns(new.alias(label))
        return frame.with_columns(
            pl.all().replace("", None)
        )  # an empty cell is written as nothing, not as ""


def _masked(column: pl.Series, rule: Rule, *, drop: bool) -> pl.Series:
    if drop:
        return pl.Series([""], dtype=pl.String).new_from_index(0, len(column))
    masks = {text: masking.cell(rule, text) for text in column.unique().to_list() if text}
    masks = {old: new for old, new in masks.items() if old != new}
    return column.replace(masks) if masks else column


def _mask_text(
    path: Path, encoding: str, today: date, plan: Sequence[Mapping[str, Any]], target: Path
) -> dict[str, Any]:
    wanted = [Rule(entry["rule"]) for entry in plan]
    changed = 0
    with (
        path.open(encoding=encoding, errors="replace", newline="") as file,
        target.open("w", newline="") as out,
    ):
        while lines := file.readlines(LINE):
            for line in lines:
                new = line
                for rule in wanted:
                    new = masking.in_text(rule, new, today)
                changed += new != line
                out.write(new)
    return {"file": target.name, "cells": changed}
