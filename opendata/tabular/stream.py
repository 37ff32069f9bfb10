"""The rows of a laid-out file as frames of text, a bounded number at a time, and as one canonical CSV."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import dialect, records, sheets
from opendata.tabular.layout import SHEETS, Layout, content, raw_rows
from opendata.tabular.plain import text

CELLS = 400_000
"""Cells of a frame: about 50 MB while they are Python texts."""

_STEP = 4096
_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030")


@dataclass
class Tally:
    """Counts that belong to a whole reading."""

    rows: int = 0
    blank: int = 0
    """Rows without any filled cell: not loaded (frictionless reports them as `blank-row`)."""
    short: int = 0
    """Rows with fewer cells than the header: filled up with empty cells."""
    empty: int = 0
    """Lines of a delimited file without any cell: blank, and counted as such too when they are left out."""
    long: int = 0
    """Rows with more cells than the header: the cells beyond are not loaded."""


def frames(path: Path, found: Layout, tally: Tally | None = None) -> Iterator[pl.DataFrame]:
    """Text columns named `c0`, `c1`, ... in the order of the file, without the header and without blank rows."""
    tally = tally if tally is not None else Tally()
    for frame in every_row(path, found, tally):
        kept = without_blank(frame)
        tally.blank += frame.height - kept.height
        tally.rows += kept.height
        if kept.height:
            yield kept


def write_csv(
    path: Path,
    found: Layout,
    out: Path,
    *,
    keep_lines: bool = False,
    source: Iterable[pl.DataFrame] | None = None,
) -> Tally:
    """The table as UTF-8 CSV with commas: header, then the rows without blank ones. With `keep_lines` the blank rows stay
    and the lines above the header are there as empty cells, so that row numbers are those of the original. `source`: frames to write in place of all of the file's."""
    tally = Tally()
    with out.open("wb") as file:
        head = [pl.DataFrame([list(found.columns)], orient="row", schema=_schema(len(found.columns)))]
        if keep_lines and found.header_end > 1:
            head.insert(0, pl.DataFrame({"c0": ["-"] * (found.header_end - 1)}))
        if source is None:
            source = every_row(path, found, tally) if keep_lines else frames(path, found, tally)
        for part in head:
            part.write_csv(file, include_header=False)
        for frame in source:
            frame.write_csv(file, include_header=False, line_terminator="\n")
    return tally


def _schema(width: int) -> dict[str, type[pl.String]]:
    return {f"c{place}": pl.String for place in range(width)}


def every_row(path: Path, found: Layout, tally: Tally) -> Iterator[pl.DataFrame]:
    """Like `frames`, with the blank rows, so that places are those of the file; only uneven and empty rows are counted."""
    return _parquet(path, found) if found.format == "parquet" else _rows(path, found, tally)


def _parquet(path: Path, found: Layout) -> Iterator[pl.DataFrame]:
    return records.parquet_frames(content(path, found), max(1, CELLS // len(found.columns)))


def _rows(path: Path, found: Layout, tally: Tally) -> Iterator[pl.DataFrame]:
    width = len(found.columns)
    done = 0
    is_cut = found.delimiter not in (None, dialect.BLANKS)
    is_text = is_cut and found.encoding in _ENCODINGS and found.quote
    if is_text and found.header_end == 1 and found.last_row is None:
        names = [f"c{place}" for place in range(width)]
        try:
            for frame in text.frames(
                content(path, found), found.encoding or "", found.delimiter or "", found.quote or "", names
            ):
                yield frame
                done += frame.height
            return
        except text.NotPlain:
            pass  # go on cell by cell behind the rows already given
    rows = islice(raw_rows(path, found), found.header_end + done, found.last_row)
    yield from _evened(rows, width, tally, trim=found.format in SHEETS)
    sheets.close_workbook()


def _evened(rows: Iterator[list[str]], width: int, tally: Tally, *, trim: bool) -> Iterator[pl.DataFrame]:
    names = [f"c{place}" for place in range(width)]
    while True:
        with _no_collection():
            frame = _next_frame(rows, names, tally, trim=trim)
        if frame is None:
            return
        yield frame


def _next_frame(
    rows: Iterator[list[str]], names: list[str], tally: Tally, *, trim: bool
) -> pl.DataFrame | None:
    chunk = _chunk(rows, max(1, CELLS // len(names)))
    if not chunk:
        return None
    _even(chunk, len(names), tally, trim=trim)
    columns = zip(*chunk, strict=True)
    return pl.DataFrame(
        [pl.Series(name, column, dtype=pl.String) for name, column in zip(names, columns, strict=True)]
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Rows of text hold no cycles, but their number sets off the collector again and again: a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _chunk(rows: Iterator[list[str]], most: int) -> list[list[str]]:
    """Up to `most` rows, fewer when their cells are long (looked at on every hundredth row, so that it costs nothing)."""
    chunk: list[list[str]] = []
    size = 0
    while len(chunk) < most and size < 2 << 20:
        part = list(islice(rows, min(_STEP, most - len(chunk))))
        if not part:
            break
        chunk += part
        size += sum(sum(map(len, row)) for row in part[::100])
    return chunk


def _even(chunk: list[list[str]], width: int, tally: Tally, *, trim: bool) -> None:
    """Gives every row the header's number of cells, in place."""
    if set(map(len, chunk)) == {width}:
        return
    for place, row in enumerate(chunk):
        if len(row) == width:
            continue
        if len(row) > dialect.COLUMNS * 10:
            raise TaskError("too_many_columns", limit=dialect.COLUMNS, columns=len(row))
        if not row:
            tally.empty += 1
        elif len(row) < width:
            tally.short += 1
        # A sheet is a rectangle: blank cells beyond the header are no cells.
        if len(row) > width and (not trim or any(row[width:])):
            tally.long += 1
        chunk[place] = row[:width] + [""] * (width - len(row))


def without_blank(frame: pl.DataFrame) -> pl.DataFrame:
    if not (frame.to_series(0) == "").any():
        return frame
    return frame.filter(pl.any_horizontal(pl.all() != ""))
