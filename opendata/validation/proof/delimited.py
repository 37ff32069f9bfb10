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

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = None if encoding.startswith("utf-8") else codecs.getincrementaldecoder(encoding)()
        self._rest = b""
        self._last = b"\n"
        """A blank first line is a blank line too."""
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
        joined = self._last + block
        returns = joined.count(b"\r")
        if (
            b"\0" in joined
            or b"\n\n" in joined
            or (returns and (b"\n\r" in joined or returns != joined.count(b"\r\n") + joined.endswith(b"\r")))
            or (not block and joined == b"\r")
        ):
            raise NotPlain
        self._last = joined[-1:]


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


def frames(resource: TableResource, names: list[str]) -> Iterator[pl.DataFrame]:
    """Frames of text without the rows up to the header. One column is not read here: there a blank line would be a row.

    Errors: `NotPlain`."""
    control = CsvControl.from_dialect(resource.dialect)
    if len(names) < 2:
        raise NotPlain
    with path(resource).open("rb") as file:
        try:
            with pa_csv.open_csv(
                pa.PythonFile(Text(file, resource.encoding or "utf-8"), mode="r"),
                read_options=pa_csv.ReadOptions(
                    block_size=BLOCK,
                    column_names=names,
                    skip_rows_after_names=first_row(resource) - 1,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=control.delimiter,
                    quote_char=control.quote_char,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            ) as reader:
                for batch in reader:
                    yield pl.DataFrame(pl.from_arrow(batch))
        except pa.ArrowInvalid:
            raise NotPlain from None


def first_row(resource: TableResource) -> int:
    """The number of the first row below the header."""
    dialect: Any = resource.dialect
    return int(dialect.create_first_content_row())


def path(resource: TableResource) -> Path:
    return Path(str(resource.normpath).removeprefix("file://"))
