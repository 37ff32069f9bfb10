"""Stands between the cells of a table and frictionless' rows: frictionless gets the doubtful ones only, under their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Protocol

import polars as pl
from frictionless import Check, FrictionlessException, system
from frictionless.resources import TableResource

from opendata.tabular.plain.blocks import Block
from opendata.tabular.plain.text import NotPlain
from opendata.validation.proof import delimited
from opendata.validation.proof.ahead import ahead
from opendata.validation.proof.delimited import Batch, Rows
from opendata.validation.proof.digest import Digest
from opendata.validation.proof.plan import Look, Plan, plan
from opendata.validation.proof.spreadsheets import sheets

Numbered = tuple[int, list[Any]]
Mark = tuple[int, int | None, str | None, str | None]
"""Rows of a chunk, and the bytes and hashes that frictionless knew after reading them."""
CHUNK = 5_000
Progress = Callable[[int], None]


class Onlooker(Protocol):
    """Sees all cells of a table, if they are read by columns."""

    is_ended: bool

    def show(self, frame: pl.DataFrame) -> None: ...


class Feed:
    """Takes the place of a dialect's `read_enumerated_content_stream` while its table is validated.

    `resource.stats` say at every row what they would say if frictionless had read all rows before it."""

    def __init__(
        self,
        resource: TableResource,
        checks: Sequence[Check],
        progress: Progress,
        onlooker: Onlooker | None = None,
    ) -> None:
        self.plan: Plan | None = None
        """Known when the first row is asked for."""
        self.doubted: tuple[int, ...] | None = None
        """Of the row that was given last, the places of the only cells that may be wrong; None where nobody knows."""
        self._resource = resource
        self._checks = checks
        self._progress = progress
        self._onlooker = onlooker
        self._all: Iterator[Numbered] = iter(())
        self._done = 0
        """Rows that were given or left out."""
        self._is_full = False
        """The header alone reached the limit: the first row ends it, whatever is in it."""
        self._settle: Callable[[], None] = self._fill_up

    def __call__(self, cells: Iterable[list[Any]]) -> Iterator[Numbered]:
        dialect = self._resource.dialect
        rows: Iterator[Numbered] = type(dialect).read_enumerated_content_stream(dialect, cells)
        if cells is self._resource.sample:
            return rows
        self._all = rows
        return self._doubtful()

    def settle(self) -> None:
        """Nobody will ask for another row: `resource.stats` say how far frictionless would have read."""
        self._settle()

    def _fill_up(self) -> None:
        self._is_full = True

    def _doubtful(self) -> Iterator[Numbered]:
        self._settle = lambda: None
        self.plan = known = None if self._is_full else plan(self._resource, self._checks)
        if known is None:
            yield from self._every()
            return
        if delimited.is_delimited(self._resource):
            digest = Digest()
            try:
                yield from self._by_columns(known, digest)
                stats = self._resource.stats
                stats.bytes, stats.md5, stats.sha256 = digest.finish()
                self._seen_all()
                return
            except NotPlain:
                self._settle = lambda: None
                self._resource.stats.rows = self._done
                _skip(self._all, self._done)
            finally:
                digest.abandon()
        elif not known.is_checked and not known.is_linked and sheets.is_sheet(self._resource, known.columns):
            try:
                yield from self._by_sheet(known)
                return
            except NotPlain:
                _skip(self._all, self._done)
        yield from self._every() if known.keys else self._by_chunks(known)

    def _by_sheet(self, known: Plan) -> Iterator[Numbered]:
        first = delimited.first_row(self._resource)
        for batch in sheets.Sheet(self._resource, known.columns, first):
            start, look = self._done, known.look(batch.part)
            doubt = ~look.clean | batch.odd
            numbers, places = doubt.arg_true().to_list(), look.doubts(doubt)
            odd = batch.odd.filter(doubt).to_list()
            for number, row, at, is_odd in zip(numbers, batch.rows(doubt), places, odd, strict=True):
                self._done = self._resource.stats.rows = start + number
                self.doubted = None if is_odd else at
                yield first + self._done, row
            self._done = self._resource.stats.rows = start + batch.num_rows
            self._progress(self._done)
        stats = self._resource.stats
        stats.bytes, stats.md5, stats.sha256 = Digest.of(delimited.path(self._resource)).finish()

    def _every(self) -> Iterator[Numbered]:
        self.doubted = None
        for row in self._all:
            yield row
            self._done += 1
            if self._done % CHUNK == 0:
                self._progress(self._done)

    def _by_columns(self, known: Plan, digest: Digest) -> Iterator[Numbered]:
        rows = Rows(self._resource, known.names, known.used, digest)
        self._settle = partial(self._stop, rows, digest)
        if known.keys:
            yield from self._by_keys(known, rows)
        else:
            for batch in ahead(rows):
                self._show(batch, known)
                look = known.look(batch.part)
                yield from self._given(batch, ~look.clean, look)
        self._resource.stats.rows = self._done
        self._settle = lambda: None

    def _show(self, batch: Block | Batch, known: Plan) -> None:
        if self._onlooker is not None:
            self._onlooker.show(batch.part(known.names))

    def _seen_all(self) -> None:
        if self._onlooker is not None:
            self._onlooker.is_ended = True

    def _by_keys(self, known: Plan, rows: Rows) -> Iterator[Numbered]:
        doubted = self._doubted(known, rows)
        if not doubted.any():
            self._done = doubted.len()
            return
        for batch in rows:
            yield from self._given(batch, doubted.slice(self._done, batch.num_rows), None)

    def _given(self, batch: Block | Batch, doubt: pl.Series, look: Look | None) -> Iterator[Numbered]:
        """The doubtful rows of a batch."""
        start, first = self._done, delimited.first_row(self._resource)
        if doubt.any():
            names = self.plan.names if self.plan else []
            cells = batch.part(names).filter(doubt).rows()
            places = look.doubts(doubt) if look else [None] * len(cells)
            for number, row, self.doubted in zip(doubt.arg_true().to_list(), cells, places, strict=True):
                self._done = self._resource.stats.rows = start + number
                yield first + self._done, list(row)
        self._done = start + batch.num_rows
        self._progress(self._done)

    def _stop(self, rows: Rows, digest: Digest) -> None:
        """Puts into the stats how far frictionless reads the file for the row that was given last."""
        digest.abandon()
        if not rows.are_lines:
            _skip(self._all, self._done + 1)
            return
        stats = self._resource.stats
        before = stats.bytes, stats.md5, stats.sha256
        made: Any = system.create_loader(self._resource)
        with made.open() as loader:
            _skip(loader.text_stream, delimited.first_row(self._resource) + self._done)
        if (stats.bytes or 0) <= (before[0] or 0):  # the sample reached further
            stats.bytes, stats.md5, stats.sha256 = before

    def _doubted(self, known: Plan, rows: Rows) -> pl.Series:
        """Of every row, whether it is doubtful: keys need a look at the whole table before."""
        doubts, seen = [], 0
        try:
            for batch in ahead(rows):
                self._show(batch, known)
                seen += batch.num_rows
                self._progress(seen)
                doubts.append(~(known.look(batch.part).clean & known.learn(batch.part)))
        except (ValueError, TypeError, ArithmeticError):
            raise NotPlain from None  # a key that cannot be hashed: frictionless will say so
        self._seen_all()
        if known.has_repeated():
            doubts = [doubt | known.repeated(batch.part) for doubt, batch in zip(doubts, rows, strict=True)]
        return pl.concat(doubts) if doubts else pl.Series(dtype=pl.Boolean)

    def _by_chunks(self, known: Plan) -> Iterator[Numbered]:
        """Rows as frictionless reads them, looked at some thousand at a time."""
        failure: FrictionlessException | None = None
        while failure is None:
            chunk: list[Numbered] = []
            marks = [self._mark(0)]
            try:
                self._fill(chunk, marks)
            except FrictionlessException as error:
                failure = error
            if not chunk:
                break
            self._settle = partial(self._restore, marks, self._done)
            start = self._done
            for place, self.doubted in _doubtful_places(chunk, known):
                self._done = self._resource.stats.rows = start + place
                yield chunk[place]
            self._done = self._resource.stats.rows = start + len(chunk)
            self._settle = lambda: None
            self._progress(self._done)
        if failure is not None:
            raise failure

    def _fill(self, chunk: list[Numbered], marks: list[Mark]) -> None:
        stats = self._resource.stats
        for row in islice(self._all, CHUNK):
            chunk.append(row)
            if stats.bytes != marks[-1][1] or stats.md5 != marks[-1][2]:
                marks.append(self._mark(len(chunk)))

    def _mark(self, rows: int) -> Mark:
        stats = self._resource.stats
        return rows, stats.bytes, stats.md5, stats.sha256

    def _restore(self, marks: list[Mark], start: int) -> None:
        """Rows were read ahead: back to what was known after the last one that counts."""
        read = self._done - start + 1
        stats = self._resource.stats
        _, stats.bytes, stats.md5, stats.sha256 = [mark for mark in marks if mark[0] <= read][-1]


def _skip(rows: Iterable[Any], count: int) -> None:
    deque(islice(rows, count), maxlen=0)


def _doubtful_places(chunk: list[Numbered], known: Plan) -> list[tuple[int, tuple[int, ...] | None]]:
    """Places in the chunk, each with those of its cells that may be wrong (None: all)."""
    even = [place for place, (_, cells) in enumerate(chunk) if len(cells) == len(known.names)]
    columns = zip(*(chunk[place][1] for place in even), strict=True)
    doubts: dict[int, tuple[int, ...] | None] = dict.fromkeys(range(len(chunk)))
    try:
        frame = pl.DataFrame(
            [
                pl.Series(name, cells, dtype=pl.String)
                for name, cells in zip(known.names, columns, strict=False)
            ]
        )
    except TypeError:  # not all cells are text
        return list(doubts.items())
    if not frame.height or (
        known.is_checked and len(even) < len(chunk)
    ):  # checks meet the rows in their order
        return list(doubts.items())
    look = known.look(frame.select)
    for clean in look.clean.arg_true().to_list():
        del doubts[even[clean]]
    if not sum(frame.null_count().row(0)):  # else only frictionless says which of them are blank
        doubtful = (~look.clean).arg_true().to_list()
        doubts.update(zip((even[n] for n in doubtful), look.doubts(~look.clean), strict=True))
    return list(doubts.items())
