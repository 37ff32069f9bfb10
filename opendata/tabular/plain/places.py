"""Columns that stand at their places in the line, so that a cell may hold blanks, or nothing.

Read so only where every line of the file proves it: blanks keep the columns apart at the same places in all lines, each column
has its name in the first line, and its cells begin or end at one place. What people write for people does not do that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_COLUMNS, _LINES = 3, 4
"""Fewer prove nothing."""
_GAP = 2
"""Blanks that surely stand between columns; one alone stands between words, too."""
_SIDE_BY_SIDE = 0.8
"""Of the lines, how many have more than one cell at least."""
_LONGEST = 4096
_REFUSED = re.compile('[\t\f\v\\0"]|\r(?!\n?$)')
"""How far a tab reaches nobody knows; a page has a head; quotes are another way to write blanks."""
_BLANK = " \u3000"
_RULE = frozenset("-=_ ")
_FILLED = bytes(0 if sign in b" \r\n" else 0xFF for sign in range(256))
_FILLER = "\0"
"""Behind a sign that is as wide as two."""
_MEASURES = ("", "WF", "WFA")
"""Which signs are as wide as two (classes of Unicode's annex 11): none where a program counted characters; where it counted
bytes of a Chinese encoding, or a person looked at the screen, those of Chinese."""


@dataclass(frozen=True)
class Places:
    starts: tuple[int, ...]
    """Where each column begins, from 0."""
    wide: str
    """One of `_MEASURES`."""

    def cut(self, line: str) -> list[str]:
        """The cells of a line; none of a blank one."""
        text = line.rstrip("\r\n")
        if not text.strip(_BLANK):
            return []
        if self.wide:
            text = _spread(text, self.wide)
        ends = (*self.starts[1:], len(text))
        cells = [text[start:end] for start, end in zip(self.starts, ends, strict=True)]
        return [cell.replace(_FILLER, "").strip(_BLANK) for cell in cells]


def find(path: Path, encoding: str, sample: str) -> Places | None:
    """The places of the columns, if the whole file proves them. `sample`: its first lines, which spare most files that."""
    for wide in _MEASURES:
        shadow = _shadow(sample.splitlines(), wide)
        if shadow is None or len(_columns(_parts(shadow))) < _COLUMNS:
            continue
        with path.open(encoding=encoding, newline="\n") as file:
            shadow = _shadow(file, wide)
            file.seek(0)
            found = None if shadow is None else _proved(file, shadow, wide)
        if found is not None:
            return found
    return None


def likely(sample: str) -> int:
    """How many columns the first lines of a file suggest, 0 if none: not all that is needed, but that they have names."""
    for wide in _MEASURES:
        shadow = _shadow(sample.splitlines(), wide)
        columns = _columns(_parts(shadow or 0))
        header = next((line for line in sample.splitlines() if line.strip(_BLANK)), "")
        if len(columns) >= _COLUMNS and _names(_spread(header, wide), columns) is not None:
            return len(columns)
    return 0


def _shadow(lines: Iterable[str], wide: str) -> int | None:
    """A number with eight bits a place, set where any line has a sign. None where places say nothing."""
    found = 0
    for line in lines:
        if len(line) > _LONGEST or _REFUSED.search(line):
            return None
        found |= _shade(_spread(line, wide))
    return found


def _shade(text: str) -> int:
    return int.from_bytes(text.encode("latin-1", "replace").translate(_FILLED), "little")


def _spread(line: str, wide: str) -> str:
    """With as many characters as the line is wide. The blank of Chinese texts is one, too."""
    if line.isascii():
        return line
    if not wide:
        return line.replace("\u3000", " ")
    return "".join([_sign(sign, wide) for sign in line])


@lru_cache(maxsize=1 << 16)
def _sign(sign: str, wide: str) -> str:
    if sign == "\u3000":
        return "  "
    return sign + _FILLER if unicodedata.east_asian_width(sign) in wide else sign


def _parts(shadow: int) -> list[tuple[int, int]]:
    """(start, end) of what stands without a blank between."""
    places = shadow.to_bytes((shadow.bit_length() + 7) // 8, "little")
    parts = []
    end = 0
    while (start := places.find(0xFF, end)) >= 0:
        end = places.find(0, start)
        end = len(places) if end < 0 else end
        parts.append((start, end))
    return parts


def _columns(parts: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The parts of each column: they are nearer to each other than columns are."""
    columns: list[list[tuple[int, int]]] = []
    for part in parts:
        if columns and part[0] - columns[-1][-1][1] < _GAP:
            columns[-1].append(part)
        else:
            columns.append([part])
    return columns


def _proved(lines: Iterable[str], shadow: int, wide: str) -> Places | None:
    columns = _columns(_parts(shadow))
    rows = (text for line in lines if (text := _spread(line.rstrip("\r\n"), wide)).strip(" "))
    names = _names(next(rows, ""), columns)
    if len(columns) < _COLUMNS or names is None:
        return None
    found = Places(tuple(parts[0][0] for parts in columns), wide)
    return found if _is_sound(rows, found, names) else None


def _names(header: str, columns: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int]] | None:
    """(start, end) of the name above each column; the first may have none. Above parts with one blank between, each with a
    name, may be several columns: None for them, and for columns without a name."""
    names = []
    for place, parts in enumerate(columns):
        named = sum(bool(header[start:end].strip(" ")) for start, end in parts)
        first, last = parts[0][0], parts[-1][1]
        cell = header[first:last].rstrip(" ")
        name = cell.lstrip(" ")
        if named > 1 or named < bool(place) or " " * _GAP in name:
            return None
        names.append((first + len(cell) - len(name), first + len(cell)))
    return names


class _Column:
    """Where the cells of a column begin and end, as far as it matters."""

    def __init__(self) -> None:
        self.starts: set[int] = set()
        self.ends: set[int] = set()

    def meet(self, start: int, end: int) -> None:
        if len(self.starts) < _GAP:  # two are as good as all
            self.starts.add(start)
        if len(self.ends) < _GAP:
            self.ends.add(end)

    @property
    def is_aligned(self) -> bool:
        return 1 in (len(self.starts), len(self.ends))


def _is_sound(rows: Iterator[str], found: Places, names: Sequence[tuple[int, int]]) -> bool:
    """Whether the cells below the header are those of columns."""
    columns = [_Column() for _ in found.starts]
    count = several = 0
    for text in rows:
        filled = _meet(text, found, columns)
        if filled is None or not set(text) - _RULE:
            return False
        count += 1
        several += filled > 1
    return (
        count >= _LINES - 1
        and several >= _SIDE_BY_SIDE * count
        and all(
            column.is_aligned or (not column.starts and _is_apart(place, names, columns))
            for place, column in enumerate(columns)
        )
    )


def _meet(text: str, found: Places, columns: Sequence[_Column]) -> int | None:
    """The number of filled cells; None if one is torn."""
    filled = 0
    bounds = zip(columns, found.starts, (*found.starts[1:], len(text)), strict=True)
    for column, start, end in bounds:
        cell = text[start:end].rstrip(" ")
        if cell:
            filled += 1
            name = cell.lstrip(" ")
            if " " * _GAP in name:
                return None
            column.meet(start + len(cell) - len(name), start + len(cell))
    return filled


def _is_apart(place: int, names: Sequence[tuple[int, int]], columns: Sequence[_Column]) -> bool:
    """Whether the name of a column without cells is surely not a part of the one before or after it, written with blanks."""
    (start, end), is_last = names[place], place + 1 == len(names)
    is_own = start < end and (not place or start - names[place - 1][1] > _GAP)
    return is_own and (
        is_last or names[place + 1][0] - end > _GAP or columns[place + 1].starts == {names[place + 1][0]}
    )
