"""How a delimited text file is cut into cells, and which of its rows is the header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opendata.ports.sandbox.port import TaskError
from opendata.tabular.plain import places
from opendata.tabular.plain.places import Places

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
_FEW = 0.5
"""Of the lines: what cuts fewer alike is a sign within texts."""
_INDENT = 2
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOTHING = (0.0, 1)
"""The score of what cuts no line."""
_TOLD = re.compile("\ufeff?[\"']?sep=([,;\t|])[\"']?\r?\n", re.IGNORECASE)
"""What Excel reads and other programs write for it."""


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    quote: str
    """Empty where a quote is a sign like others."""
    has_corner: bool = False
    """Of columns aligned by blanks: the first line names all but the first of them."""
    places: Places | None = None
    """Where columns aligned by blanks stand; None if each word is a cell."""

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Rows as Python's csv module cuts them, which is also how frictionless does."""
        if self.places is not None:
            return map(self.places.cut, lines)
        if self.delimiter == BLANKS:
            return self._by_words(lines)
        if not self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)

    def _by_words(self, lines: Iterable[str]) -> Iterator[list[str]]:
        lacks_one = self.has_corner
        for line in lines:
            words = _words(line, self.quote)
            yield ["", *words] if lacks_one and words else words
            lacks_one = lacks_one and not words


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


def detect(text: str, prefer: str | None = None, *, by_words: bool = True) -> Dialect:
    """The delimiter under which most lines of a sample have one number of cells above one; `prefer` wins a tie. Quotes are
    taken as signs only where lines agree far better so: one stray quote makes one cell of all that follows. `by_words`:
    whether blanks may be what keeps cells apart."""
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
    if (
        by_words
        and prefer is None
        and may_be_blanks
        and (seen := aligned(text)) is not None
        and seen.is_certain
    ):
        return Dialect(BLANKS, quote, seen.has_corner)
    return Dialect(found, quote)


def is_one_column(text: str, way: Dialect) -> bool:
    """Whether no line of a sample has more than one cell."""
    return _score(text, way) == _NOTHING


def cuts_most(text: str, way: Dialect) -> bool:
    """Whether most lines of a sample have one number of cells above one."""
    return _score(text, way)[0] >= _FEW


def is_even(path: Path, encoding: str, way: Dialect, width: int) -> bool:
    """Whether every line of a file that is not blank has so many cells: a word that lacks moves those behind it."""
    return all(len(row) in (0, width) for row in delimited_rows(path, encoding, way))


def placed(path: Path, encoding: str, text: str, way: Dialect) -> Places | None:
    """Where the columns of a file stand, if its whole text proves that, and blanks between words do not make other ones.
    `text`: its first lines, `way`: what `detect` says of them."""
    found = places.find(path, encoding, text)
    is_other = found is not None and way.delimiter == BLANKS and len(found.starts) != _score(text, way)[1]
    return None if is_other else found


@dataclass(frozen=True)
class Aligned:
    """Columns that blanks alone keep apart."""

    columns: int
    is_certain: bool
    """Else a person is asked."""
    has_corner: bool
    """Whether the first line names all but the first of them."""


def aligned(text: str) -> Aligned | None:
    """Whether most lines of a sample have one number of words above one."""
    quote = _quote(text)
    try:
        lines = [(line, words) for line in text.splitlines() if (words := _words(line, quote))]
    except csv.Error:
        return None
    has_corner = _has_corner(lines)
    rows = [["", *words] if has_corner and not place else words for place, (_, words) in enumerate(lines)]
    widths = Counter(map(len, rows))
    if widths.total() < _CERTAIN:
        return None
    width, count = widths.most_common(1)[0]
    if width < 2 or count < _ALIKE * widths.total():
        return None
    is_certain = len(widths) == 1 and (width >= _CERTAIN or _are_pairs(rows))
    return Aligned(width, is_certain, has_corner)


def _has_corner(lines: Sequence[tuple[str, list[str]]]) -> bool:
    """Whether the first line is indented, and one word shorter than all others, which are not: as tables are printed whose
    rows have names."""
    if len(lines) <= _CERTAIN:
        return False
    (header, names), *others = lines
    indent = header[: len(header) - len(header.lstrip(" \t"))]
    return (
        len(indent.expandtabs()) >= _INDENT
        and len(names) + 1 >= _CERTAIN
        and all(len(words) == len(names) + 1 and line[0] not in " \t" for line, words in others)
    )


def _are_pairs(rows: Iterable[list[str]]) -> bool:
    """Whether all words are numbers, none of which are the thousands of the one before or after it."""
    numbers = list(rows)
    return all(_NUMBER.fullmatch(word) for row in numbers for word in row) and all(
        any("." in word for word in column) for column in zip(*numbers, strict=True)
    )


def _words(line: str, quote: str) -> list[str]:
    """The cells of a line that are kept apart by blanks; a quoted one may hold some."""
    plain = line.strip(" \t\r\n").replace("\t", " ")
    if not quote or quote not in plain:
        return re.split(" +", plain) if plain else []
    return next(csv.reader([plain], delimiter=" ", quotechar=quote, skipinitialspace=True), [])


def _swallows(text: str, way: Dialect) -> bool:
    """Whether a quote makes one cell of several lines, and is not closed as one that was meant so."""
    try:
        rows = list(way.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return True
    return any("\n" in cell for row in rows for cell in row) and not _is_well_closed(text, way)


def _is_well_closed(text: str, way: Dialect) -> bool:
    """Whether a delimiter, or the line's end, stands behind every quote that ends a cell."""
    lines = io.StringIO(text, newline="")
    try:
        for _ in csv.reader(lines, delimiter=way.delimiter, quotechar=way.quote, strict=True):
            pass
    except csv.Error:
        return False
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
