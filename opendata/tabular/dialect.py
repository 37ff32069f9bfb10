"""How a delimited text file is cut into cells, and which of its rows is the header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from opendata.ports.sandbox.port import TaskError

DELIMITERS = (",", ";", "\t", "|")
BLANKS = " "
"""As a delimiter: any number of blanks and tabs, as columns are aligned by them. A line is a row then."""
HEADER_BYTES = 1 << 20
CELL_CHARACTERS = 1 << 20
COLUMNS = 2000
_SAMPLE_LINES = 200
_STRAY = 0.2
_CERTAIN = 3
"""Columns that no text of one column has by chance in every line: names of people are two words."""
_ALIKE = 0.8
_NOTHING = (0.0, 1)
"""The score of what cuts no line."""
_TOLD = re.compile("\ufeff?[\"']?sep=([,;\t|])[\"']?\r?\n", re.IGNORECASE)
"""What Excel reads and other programs write for it."""


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    quote: str
    """Empty where a quote is a sign like others."""

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Rows as Python's csv module cuts them, which is also how frictionless does."""
        if self.delimiter == BLANKS:
            return (_words(line, self.quote) for line in lines)
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
    if plain[0] >= best[0] + _STRAY and plain[1] > 1 and _swallows(text, Dialect(candidates[-order], quote)):
        return Dialect(candidates[-other], "")
    found = candidates[-order] if best > _NOTHING else (prefer or ",")
    may_be_blanks = best == _NOTHING or (found == "\t" and best[0] < 1)  # tabs, too, align columns
    if prefer is None and may_be_blanks and (seen := aligned(text)) is not None and seen.is_certain:
        return Dialect(BLANKS, quote)
    return Dialect(found, quote)


def is_one_column(text: str, way: Dialect) -> bool:
    """Whether no line of a sample has more than one cell."""
    return _score(text, way) == _NOTHING


@dataclass(frozen=True)
class Aligned:
    """Columns that blanks alone keep apart."""

    columns: int
    is_certain: bool
    """Else a person is asked."""


def aligned(text: str) -> Aligned | None:
    """Whether most lines of a sample have one number of words above one."""
    quote = _quote(text)
    try:
        widths = Counter(len(words) for line in text.splitlines() if (words := _words(line, quote)))
    except csv.Error:
        return None
    if not widths or widths.total() < _CERTAIN:
        return None
    width, count = widths.most_common(1)[0]
    if width < 2 or count < _ALIKE * widths.total():
        return None
    return Aligned(width, is_certain=width >= _CERTAIN and len(widths) == 1)


def _words(line: str, quote: str) -> list[str]:
    """The cells of a line that are kept apart by blanks; a quoted one may hold some."""
    plain = line.strip(" \t\r\n").replace("\t", " ")
    if not quote or quote not in plain:
        return re.split(" +", plain) if plain else []
    return next(csv.reader([plain], delimiter=" ", quotechar=quote, skipinitialspace=True), [])


def _swallows(text: str, way: Dialect) -> bool:
    """Whether a quote makes one cell of several lines."""
    try:
        return any("\n" in cell for row in way.reader(io.StringIO(text, newline="")) for cell in row)
    except csv.Error:
        return True


def _quote(text: str) -> str:
    first = text.split("\n", 1)[0].strip()
    single = len(first) > 1 and first[0] == first[-1] == "'" and '"' not in first
    return "'" if single else '"'


def _score(text: str, way: Dialect) -> tuple[float, int]:
    """Share of lines in rows of the commonest width (rounded, so that one odd row does not decide), then that width."""
    try:
        rows = list(way.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return _NOTHING
    widths = Counter(len(row) for row in rows if row)
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return _NOTHING
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
