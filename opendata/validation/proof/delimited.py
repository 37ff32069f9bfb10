"""Delimited text to frames by columns, where that surely gives the cells that Python's csv module gives.

The two readers agree on quotes, also doubled, misplaced and open ones. They differ on blank lines, NUL, carriage returns
alone and uneven rows: those end the reading here (`NotPlain`), and the rows from there on are read as frictionless does.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

BLOCK = 4 << 20
"""A multiple of the 8 KiB that frictionless decodes at once: where bytes are broken, it loses the rows of that piece only."""
_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16", "big5")


class NotPlain(Exception):
    """What comes next is not to be read by columns. The rows before are right."""


class Text:
    """A file as UTF-8 without a mark, for pyarrow to read. Raises `NotPlain` in place of a block with something odd in it."""

    closed = False

    def __init__(self, file: BinaryIO, encoding: str, quote: str, first: int, *, turns_ends: bool) -> None:
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
            self._rest = self._block(size)
            self._look(self._rest)
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def close(self) -> None:
        self.closed = True

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


def is_delimited(resource: TableResource) -> bool:
    """Whether the rows of an open table are those of one local file with delimiters and nothing is left out of it."""
    dialect, control = resource.dialect, CsvControl.from_dialect(resource.dialect)
    return (
        resource.format in ("csv", "tsv")
        and resource.scheme == "file"
        and not (resource.compression or resource.multipart or resource.remote or resource.memory)
        and resource.encoding in _ENCODINGS
        and not (dialect.comment_char or dialect.comment_rows or dialect.skip_blank_rows)
        and len(control.delimiter.encode()) == len(control.quote_char.encode()) == 1
        and control.delimiter not in "\r\n\0"
        and control.delimiter != control.quote_char
        and control.double_quote
        and not (control.escape_char or control.skip_initial_space)
    )


class Rows:
    """The rows of an open table below its header, in batches of text with the columns `names`. One column alone is not read
    here: there a blank line would be a row.

    Errors: `NotPlain`."""

    def __init__(self, resource: TableResource, names: list[str]) -> None:
        if len(names) < 2:
            raise NotPlain
        self._resource = resource
        self._names = names
        self._text: Text | None = None

    @property
    def are_lines(self) -> bool:
        """Whether each row that was read so far is one line of the file."""
        return self._text is not None and not self._text.is_quoted

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        control = CsvControl.from_dialect(self._resource.dialect)
        first = first_row(self._resource)
        with path(self._resource).open("rb") as file:
            self._text = Text(
                file,
                self._resource.encoding or "utf-8",
                control.quote_char,
                first,
                turns_ends=self._resource.format != "csv",
            )
            try:
                with pa_csv.open_csv(
                    pa.PythonFile(self._text, mode="r"),
                    read_options=pa_csv.ReadOptions(
                        block_size=BLOCK, column_names=self._names, skip_rows_after_names=first - 1
                    ),
                    parse_options=pa_csv.ParseOptions(
                        delimiter=control.delimiter,
                        quote_char=control.quote_char,
                        newlines_in_values=True,
                        ignore_empty_lines=False,
                    ),
                    convert_options=pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False
                    ),
                ) as reader:
                    yield from reader
            except pa.ArrowInvalid:
                raise NotPlain from None


def part(batch: pa.RecordBatch, names: list[str]) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(batch.select(names)))


def first_row(resource: TableResource) -> int:
    """The number of the first row below the header."""
    dialect: Any = resource.dialect
    return int(dialect.create_first_content_row())


def path(resource: TableResource) -> Path:
    return Path(str(resource.normpath).removeprefix("file://"))
