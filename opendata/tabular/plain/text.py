"""The bytes of a delimited file as UTF-8, as long as any reader cuts them alike."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import polars as pl

from opendata.tabular.plain.blocks import Block

BLOCK = 4 << 20
"""A multiple of the 8 KiB that frictionless decodes at once: where bytes are broken, it loses the rows of that piece only."""
_LINE = 1 << 20
_LONGEST_LINE = 16 << 20


class NotPlain(Exception):
    """What comes next is not to be read by columns. The rows before are right."""


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Text:
    """A file as UTF-8 without a mark, for pyarrow to read. Raises `NotPlain` in place of a block with something odd in it."""

    closed = False

    def __init__(self, file: Source, encoding: str, quote: str, first: int, *, turns_ends: bool) -> None:
        self.is_quoted = False
        """Whether a quote was met: only then can a row be more than one line."""
        self._turns_ends = turns_ends
        """Whether frictionless turns the ends of lines within cells too: of other formats than csv."""
        self._file = file
        self._quote = quote.encode()
        self._decoder = None if encoding.startswith("utf-8") else codecs.getincrementaldecoder(encoding)()
        self._rest = b""
        self._last = b"\n"
        """A blank first line is a blank line too."""
        self._above = first
        """Lines up to the first row, at most: the reader would pass over blank ones there, and refuses them below."""
        self._mark = codecs.BOM_UTF8

    def read(self, size: int = BLOCK) -> bytes:
        if not self._rest:
            self._rest = self._next(size)
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def unread(self, block: bytes) -> None:
        """Gives it again at the next reading."""
        self._rest = block + self._rest

    def lines(self) -> Iterator[bytes]:
        """Blocks of whole lines, as long as there is no quote; what comes then is left for `read`."""
        while True:
            block = self._next(BLOCK)
            whole = self._rest + block
            if self.is_quoted:
                self._rest = whole
                return
            end = whole.rfind(b"\n") + 1 if block else len(whole)
            self._rest = whole[end:]
            if end:
                yield whole[:end]
            elif not block:
                return
            elif len(whole) > _LONGEST_LINE:
                raise NotPlain

    def close(self) -> None:
        self.closed = True

    def _next(self, size: int) -> bytes:
        block = self._block(size)
        self._look(block)
        return block

    def _block(self, size: int) -> bytes:
        block = self._file.read(size)
        if self._decoder is None:
            block, self._mark = block.removeprefix(self._mark), b""
            return block
        try:
            text = self._decoder.decode(block, final=not block)
            while block and not text:
                block = self._file.read(size)
                text = self._decoder.decode(block, final=not block)
            return text.encode()
        except UnicodeError:
            raise NotPlain from None

    def _look(self, block: bytes) -> None:
        if b"\0" in block or self._has_odd_returns(block) or self._has_blank_top(block):
            raise NotPlain
        self.is_quoted = self.is_quoted or self._quote in block
        if self._turns_ends and self.is_quoted and b"\r" in block:
            raise NotPlain
        self._last = block[-1:]

    def _has_odd_returns(self, block: bytes) -> bool:
        """Whether a carriage return is anything but the first half of the end of a line with something in it."""
        if b"\r" not in block and self._last != b"\r":
            return False
        joined = self._last + block
        pairs = joined.count(b"\r\n")
        return b"\n\r" in joined or joined.count(b"\r") != pairs + (bool(block) and block.endswith(b"\r"))

    def _has_blank_top(self, block: bytes) -> bool:
        if self._above <= 0:
            return False
        self._above -= block.count(b"\n")
        return b"\n\n" in self._last + block


def behind(block: bytes, lines: int) -> int | None:
    """Where the line after so many lines begins; None if they are not all in there."""
    start = 0
    for _ in range(lines):
        start = block.find(b"\n", start) + 1
        if not start:
            return None
    return start


def frames(path: Path, encoding: str, delimiter: str, quote: str, names: list[str]) -> Iterator[pl.DataFrame]:
    """The rows below the first line, up to the first block in which cutting at line ends and delimiters is not all there is
    to it (then `NotPlain`; what was yielded before stands): a quote, a blank or uneven line, a line over 1 MB."""
    above = 1
    with path.open("rb") as file:
        source = Text(file, encoding, quote, 2, turns_ends=False)
        for block in source.lines():
            start = behind(block, above)
            if start is None or any(
                block.find(b"\n", place, place + _LINE) < 0 for place in range(0, len(block) - _LINE, _LINE)
            ):
                raise NotPlain
            above = 0
            try:
                if start < len(block):
                    yield Block(block[start:], names, delimiter, names, read_all=True).part(names)
            except ValueError:
                raise NotPlain from None
    if source.is_quoted:
        raise NotPlain
