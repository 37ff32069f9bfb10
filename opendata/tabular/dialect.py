"""How a delimited text file is cut into cells, and which of its rows is the header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv

from opendata.ports.sandbox.port import TaskError

DELIMITERS = (",", ";", "\t", "|")
HEADER_BYTES = 1 << 20
CELL_CHARACTERS = 1 << 20
COLUMNS = 2000
_SAMPLE_LINES = 200
_STRAY = 0.2
_TOLD = re.compile("\ufeff?[\"']?sep=([,;\t|])[\"']?\r?\n", re.IGNORECASE)
"""What Excel reads and other programs write for it."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    quote: str
    """Empty where a quote is a sign like others."""

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Rows as Python's csv module cuts them, which is also how frictionless does."""
        if not self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)


def sample(path: Path, encoding: str) -> str:
    """The first lines of a file as text. Errors: TaskError `header_too_long` for a first line over 1 MB."""
    lines: list[str] = []
    size = 0
    with path.open(encoding=encoding, newline="") as file:
        while len(lines) < _SAMPLE_LINES and size < HEADER_BYTES:
            line = file.readline(HEADER_BYTES + 1)
            if len(line) > HEADER_BYTES:
                if not lines:
                    raise TaskError("header_too_long", limit=HEADER_BYTES)
                break
            if not line:
                break
            lines.append(line)
            size += len(line)
    return "".join(lines)


def detect(text: str, prefer: str | None = None) -> Dialect:
    """The delimiter under which most lines of a sample have one number of cells above one; `prefer` wins a tie. Quotes are
    taken as signs only where lines agree far better so: one stray quote makes one cell of all that follows."""
    if (told := _TOLD.match(text)) is not None:
        return Dialect(told[1], _quote(text[told.end() :]))
    quote = _quote(text)
    candidates = sorted(DELIMITERS, key=lambda d: d != prefer)
    best, order = max((_score(text, Dialect(d, quote)), -order) for order, d in enumerate(candidates))
    plain, other = max((_score(text, Dialect(d, "")), -order) for order, d in enumerate(candidates))
    if quote in text and plain[0] >= best[0] + _STRAY and plain[1] > 1:
        return Dialect(candidates[-other], "")
    return Dialect(candidates[-order] if best > (0.0, 1) else (prefer or ","), quote)


def _quote(text: str) -> str:
    first = text.split("\n", 1)[0].strip()
    single = len(first) > 1 and first[0] == first[-1] == "'" and '"' not in first
    return "'" if single else '"'


def _score(text: str, way: Dialect) -> tuple[float, int]:
    """Share of lines in rows of the commonest width (rounded, so that one odd row does not decide), then that width."""
    try:
        rows = list(way.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return (0.0, 1)
    widths = Counter(len(row) for row in rows if row)
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return (0.0, 1)
    width = max(wide, key=lambda w: (wide[w], w))
    lines: Counter[bool] = Counter()
    for row in rows:
        if row:
            lines[len(row) == width] += 1 + sum(cell.count("\n") for cell in row)
    return (round(lines[True] / lines.total(), 1), width)


def delimited_rows(path: Path, encoding: str, way: Dialect) -> Iterator[list[str]]:
    """Errors: TaskError `cell_too_large`."""
    csv.field_size_limit(CELL_CHARACTERS)
    with path.open(encoding=encoding, newline="") as file:
        done = 0
        try:
            for row in way.reader(file):
                yield row
                done += 1
        except csv.Error:
            raise TaskError("cell_too_large", limit=CELL_CHARACTERS, line=done + 1) from None


def is_plain(path: Path, way: Dialect, width: int) -> bool:
    """Whether cutting at line ends and delimiters is all there is to it, so that any CSV reader gives the same cells:
    no quote, no blank line, no carriage return inside a line, no line over 1 MB, and as many delimiters as cells need."""
    if not way.quote:
        return False
    delimiter, quote = way.delimiter.encode(), way.quote.encode()
    delimiters = lines = 0
    last = b"\n"
    with path.open("rb") as file:
        while chunk := file.read(_BLOCK):
            joined = last + chunk
            if (
                quote in chunk
                or b"\0" in chunk
                or b"\n\n" in joined
                or b"\n\r" in joined
                or b"\n" not in chunk
            ):
                return False
            if b"\r" in chunk and joined.count(b"\r") != joined.count(b"\r\n") + joined.endswith(b"\r"):
                return False
            delimiters += chunk.count(delimiter)
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return last != b"\r" and delimiters == (lines + (last != b"\n")) * (width - 1)


def plain_frames(path: Path, way: Dialect, width: int) -> Iterator[pl.DataFrame]:
    """Frames of a UTF-8 file that `is_plain`, without its first line, ten times faster than cell by cell.

    Errors: pyarrow.ArrowInvalid when a line after all has another number of cells; what was yielded before stands."""
    names = [f"c{place}" for place in range(width)]
    with pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(block_size=4 * _BLOCK, skip_rows=1, column_names=names),
        parse_options=pa_csv.ParseOptions(
            delimiter=way.delimiter, quote_char=False, ignore_empty_lines=False
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    ) as reader:
        for batch in reader:
            yield pl.DataFrame(pl.from_arrow(batch))
