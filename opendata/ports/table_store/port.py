"""What we ask of a table store.

A table has an id (the resource's), typed columns and a hidden row number `_id` from 1 in the order of the file. Each
replacement makes a new version; old versions stay readable until `drop` or `vacuum`. Column names are the file's own
headers (any Unicode text); they are checked against the table's columns by the store and never become query text.

Errors: `TableMissing`; `UnknownColumn(name)`; `core.errors.Unavailable("tables_unavailable")`;
`core.errors.Limited("query_too_heavy")` when a query runs out of its time or memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class TableMissing(Exception):
    pass


class UnknownColumn(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ColumnType(StrEnum):
    """Types of columns, by their Table Schema names."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


@dataclass(frozen=True)
class Column:
    name: str
    type: ColumnType


@dataclass(frozen=True)
class TableInfo:
    version: int
    rows: int
    columns: tuple[Column, ...]
    """Without `_id`."""


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    CONTAINS = "contains"
    IS_NULL = "is_null"


@dataclass(frozen=True)
class Condition:
    """One condition on one column; `value` is text as the caller wrote it (a tuple of texts for IN), and is converted
    to the column's type by the store (a text that does not convert matches nothing)."""

    column: str
    op: Op
    value: Any


@dataclass(frozen=True)
class Order:
    column: str
    descending: bool = False


@dataclass(frozen=True)
class Select:
    """A query: rows that meet all `where` and, if `search` is given, hold all its words in any text column."""

    columns: tuple[str, ...] | None = None
    where: tuple[Condition, ...] = ()
    search: str | None = None
    order: tuple[Order, ...] = ()
    offset: int = 0
    limit: int = 100
    distinct: bool = False
    count: bool = True


@dataclass(frozen=True)
class Rows:
    """`rows` are dicts in column order with `_id` first (unless `columns` left it out or `distinct` is asked for); values
    are JSON values, dates and times as ISO text, an empty cell is None. `total` counts all that match, None if not asked."""

    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    total: int | None
    version: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldFile:
    """A Parquet file of a version on this machine, its rows in the order of `_id`."""

    name: str
    path: Path
    rows: int
    first_id: int
    last_id: int


@dataclass(frozen=True)
class Held:
    """What a version is made of, for who reads it in the sandbox. `columns`: {name, field, type, local} each, `field`
    being the column's name in the files."""

    columns: Sequence[Mapping[str, Any]]
    files: Sequence[HeldFile]


class TableStore(Protocol):
    def replace(self, table: str, parquet: Path) -> TableInfo:
        """Makes the rows of a Parquet file (columns in order, no `_id`) the table's new version."""
        ...

    def info(self, table: str, version: int | None = None) -> TableInfo: ...

    def page(
        self,
        table: str,
        *,
        offset: int,
        limit: int,
        columns: Sequence[str] | None = None,
        version: int | None = None,
    ) -> Rows:
        """Rows in file order by position. Cost depends on `limit`, not on `offset`."""
        ...

    def select(self, table: str, query: Select, *, version: int | None = None) -> Rows: ...

    def hold(self, table: str, version: int) -> AbstractContextManager[Held]:
        """The files of a version, which stay while they are held."""
        ...

    def advance(
        self,
        table: str,
        columns: Sequence[Mapping[str, Any]],
        *,
        keep: Sequence[HeldFile],
        add: Sequence[HeldFile],
    ) -> TableInfo:
        """A new version out of files of an older one and of new ones, which are taken from where they lie. Their columns
        are `_id` and the `field`s."""
        ...

    def prune(self, table: str, old: int, keep: Sequence[int]) -> None:
        """Removes the files of an old version that none of `keep` has. Harmless if it is gone."""
        ...

    def drop(self, table: str) -> None:
        """Removes the table and all its versions; harmless if there is none."""
        ...

    def keep_only(self, table: str, version: int) -> int:
        """Removes the rows of every version but this one, of loads that died too, and all copies of them on this machine.
        Returns how many files went; other versions cannot be read afterwards. `TableMissing`."""
        ...

    def forget(self, table: str) -> None:
        """Removes this machine's copies of the table's files; they are fetched again when somebody reads it."""
        ...

    def tables(self) -> Sequence[str]:
        """Ids of all tables that hold rows (for the reconciler)."""
        ...
