"""Delimited text to frames by columns, where that surely gives the cells that Python's csv module gives.

Up to its first quote a file is cut by `blocks`, from there on by pyarrow, which agrees with Python on quotes, also doubled,
misplaced and open ones. They differ on blank lines, NUL, carriage returns alone and uneven rows: those end the reading here
(`NotPlain`), and the rows from there on are read as frictionless does.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
from frictionless.formats import CsvControl
from frictionless.resources import TableResource

from opendata.tabular.plain import text as plain_text
from opendata.tabular.plain.blocks import Block
from opendata.tabular.plain.text import NotPlain, Text, behind
from opendata.validation.proof.digest import Digest, Watched

_ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16", "big5")


class Batch:
    """Rows that were read with all their columns."""

    def __init__(self, rows: pa.RecordBatch) -> None:
        self._rows = rows
        self.num_rows = rows.num_rows

    def part(self, names: Sequence[str]) -> pl.DataFrame:
        return pl.DataFrame(pl.from_arrow(self._rows.select(list(names))))


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

    def __init__(
        self, resource: TableResource, names: list[str], used: list[str], digest: Digest | None = None
    ) -> None:
        """`used` are those that are always looked at; `digest` is fed by the first reading."""
        if len(names) < 2:
            raise NotPlain
        self._resource = resource
        self._control = CsvControl.from_dialect(resource.dialect)
        self._names = names
        self._used = used
        self._digest = digest
        self._text: Text | None = None

    @property
    def are_lines(self) -> bool:
        """Whether each row that was read so far is one line of the file."""
        return self._text is not None and not self._text.is_quoted

    def __iter__(self) -> Iterator[Block | Batch]:
        above = first_row(self._resource) - 1
        with path(self._resource).open("rb") as file:
            digest, self._digest = self._digest, None
            self._text = text = Text(
                Watched(file, digest) if digest else file,
                self._resource.encoding or "utf-8",
                self._control.quote_char,
                above + 1,
                turns_ends=self._resource.format != "csv",
            )
            left = yield from self._blocks(text, above)
            if left is not None:
                yield from self._batches(text, left)

    def _blocks(self, text: Text, above: int) -> Generator[Block, None, int | None]:
        """Answers how many lines are above the rows that are left to be read, None for no rows."""
        read_all = False
        for block in text.lines():
            start = behind(block, above)
            try:
                if start is None:
                    raise ValueError
                if start == len(block):
                    above = 0
                    continue
                found = Block(
                    block[start:] if start else block,
                    self._names,
                    self._control.delimiter,
                    self._used,
                    read_all=read_all,
                )
            except ValueError:
                text.unread(block)
                return above
            above = 0
            yield found
            read_all = found.is_asked_all  # as the next will be
        return above if text.is_quoted else None

    def _batches(self, text: Text, above: int) -> Iterator[Batch]:
        try:
            with pa_csv.open_csv(
                pa.PythonFile(text, mode="r"),
                read_options=pa_csv.ReadOptions(
                    block_size=plain_text.BLOCK, column_names=self._names, skip_rows_after_names=above
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self._control.delimiter,
                    quote_char=self._control.quote_char,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(self._names, pa.string()), strings_can_be_null=False
                ),
            ) as reader:
                for batch in reader:
                    yield Batch(batch)
        except pa.ArrowInvalid:
            raise NotPlain from None


def first_row(resource: TableResource) -> int:
    """The number of the first row below the header."""
    dialect: Any = resource.dialect
    return int(dialect.create_first_content_row())


def path(resource: TableResource) -> Path:
    return Path(str(resource.normpath).removeprefix("file://"))
