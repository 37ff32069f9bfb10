"""Tables as Delta Lake tables in a folder or on S3: pages by the row-group reader, everything else by DuckDB.

A table is the folder of its id, with Delta's own log, so Trino, Spark or ClickHouse read the same rows. A version's files
are written first, the log entry last and in one step: a reader sees the old or the new version, and a writer that dies
leaves files that no version names (`vacuum` removes them).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from opendata.core.errors import Unavailable
from opendata.ports.table_store.cache import FileCache
from opendata.ports.table_store.columns import (
    ID_COLUMN,
    StoredColumn,
    described,
    plan_columns,
    to_json,
    undescribed,
)
from opendata.ports.table_store.engine import Engine
from opendata.ports.table_store.location import Location, S3Options, parse_s3, store_errors
from opendata.ports.table_store.port import Held, HeldFile, Rows, Select, TableInfo, TableMissing
from opendata.ports.table_store.queries import Queries
from opendata.ports.table_store.rowfiles import DataFile, data_file, held_files, take_in, write_files
from opendata.ports.table_store.rowgroups import RowGroupReader
from opendata.ports.table_store.versions import Version, VersionLog

_TABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
_UNFINISHED_SECONDS = 24 * 3600
"""Files that no version names are a running writer's for so long."""
_LOADING_SECONDS = 600
"""The same where rows have to go: a load that writes for longer is loaded once more."""

T = TypeVar("T")


class DeltaTableStore:
    """`TableStore` on Delta Lake. Thread-safe; any number of processes may share a location and a cache folder.

    `location`: a folder, or `s3+http(s)://key:secret@host:port/PREFIX` (bucket `PREFIX-tables`, made if missing; `s3` says
    the same in parts). `cache`: a folder for copies of S3 files, `cache_bytes` of them at most; unused for a folder.
    `memory_limit`: bytes for all DuckDB queries of the process; `seconds`: the time limit of one `select`.
    """

    def __init__(
        self,
        location: str | Path,
        *,
        s3: S3Options | None = None,
        cache: Path,
        cache_bytes: int = 10 << 30,
        memory_limit: int = 512 << 20,
        footer_bytes: int = 32 << 20,
        seconds: float = 10.0,
    ) -> None:
        self._location = Location(s3 or parse_s3(str(location)) or Path(location))
        self._versions = VersionLog(self._location)
        self._files = FileCache(self._location, cache, cache_bytes)
        self._groups = RowGroupReader(footer_bytes)
        self._engine = Engine(self._files.root, memory=memory_limit, seconds=seconds)

    def replace(self, table: str, parquet: Path) -> TableInfo:
        """See the port. `ValueError` for a table id that is not letters, digits, `_` and `-`;
        `Invalid("column_type_unsupported")` for nested and binary columns."""
        if not _TABLE.fullmatch(table):
            raise ValueError("a table id has letters, digits, _ and - only")
        self._location.create()
        written: list[DataFile] = []
        try:
            with store_errors(), pq.ParquetFile(parquet, pre_buffer=False) as source:
                columns = plan_columns(source.schema_arrow)
                if self._location.local:
                    Path(self._location.path(table)).mkdir(exist_ok=True)
                written.extend(write_files(source, columns, self._location, table))
            return self._versions.commit(table, columns, written).info
        except BaseException:
            self._remove_files(table, written)
            raise

    def info(self, table: str, version: int | None = None) -> TableInfo:
        return self._version(table, version).info

    def page(
        self,
        table: str,
        *,
        offset: int,
        limit: int,
        columns: Sequence[str] | None = None,
        version: int | None = None,
    ) -> Rows:
        return self._retried(table, version, lambda found: self._page(found, offset, limit, columns))

    def select(self, table: str, query: Select, *, version: int | None = None) -> Rows:
        """See the port. `Rows.columns` names `_id` too where the rows hold it. An empty cell is unequal to nothing (it
        meets IS_NULL alone). DISTINCT can be ordered by selected columns only (`UnknownColumn` otherwise)."""
        return self._retried(table, version, lambda found: self._select(found, query))

    @contextmanager
    def hold(self, table: str, version: int) -> Iterator[Held]:
        found = self._version(table, version)
        with self._files.hold(table, found.files) as paths:
            yield Held([described(column) for column in found.columns], held_files(found.files, paths))

    def advance(
        self,
        table: str,
        columns: Sequence[Mapping[str, Any]],
        *,
        keep: Sequence[HeldFile],
        add: Sequence[HeldFile],
    ) -> TableInfo:
        if not _TABLE.fullmatch(table):
            raise ValueError("a table id has letters, digits, _ and - only")
        self._location.create()
        stored = [undescribed(column) for column in columns]
        with store_errors():
            new = [take_in(file, self._location, table) for file in add]
        kept = [data_file(file) for file in keep]
        files = sorted([*kept, *new], key=lambda file: file.first_id)
        return self._versions.advance(table, stored, files).info

    def prune(self, table: str, old: int, keep: Sequence[int]) -> None:
        try:
            kept = {file.name for number in keep for file in self._version(table, number).files}
            files = [file for file in self._version(table, old).files if file.name not in kept]
        except TableMissing:
            return
        self._remove_files(table, files)

    def drop(self, table: str) -> None:
        if _TABLE.fullmatch(table):
            self._versions.drop(table)
            self._files.forget(table)

    def tables(self) -> Sequence[str]:
        return self._versions.tables()

    def vacuum(self, table: str, keep: int) -> int:
        """Removes the files that only older versions than the newest `keep` (at least 1) name, and those that a dead
        writer left a day ago. Returns how many; older versions cannot be read afterwards."""
        newest = self._version(table, None).number
        return self._keep(table, range(max(0, newest - keep + 1), newest + 1), _UNFINISHED_SECONDS)

    def keep_only(self, table: str, version: int) -> int:
        """See the port. A load that is under way now is not disturbed."""
        return self._keep(table, (version,), _LOADING_SECONDS)

    def forget(self, table: str) -> None:
        if _TABLE.fullmatch(table):
            self._files.forget(table)

    def _keep(self, table: str, versions: Iterable[int], unfinished_seconds: float) -> int:
        """Removes the files that other versions name, and those that no version names and that are older than so many
        seconds."""
        newest = self._version(table, None).number
        kept = {f.name for n in versions for f in self._version(table, n).files}
        named = {f.name for n in range(newest + 1) for f in self._version(table, n).files}
        removed = 0
        for name, written_at in self._location.data_files(table):
            old = name in named or time.time() - written_at > unfinished_seconds
            if name not in kept and old:
                self._remove_files(table, [DataFile(name, 0, 0, 0)])
                removed += 1
        self._files.forget(table)
        return removed

    def close(self) -> None:
        self._engine.close()

    def _version(self, table: str, number: int | None) -> Version:
        if not _TABLE.fullmatch(table) or (number is not None and number < 0):
            raise TableMissing(table)
        return self._versions.read(table, number)

    def _retried(self, table: str, number: int | None, read: Callable[[Version], T]) -> T:
        """A file can go while it is read: dropped, vacuumed, or evicted from a shared cache. Then once more."""
        try:
            return read(self._version(table, number))
        except FileNotFoundError:
            pass
        try:
            return read(self._version(table, number))
        except FileNotFoundError:
            if number is not None:  # its files were vacuumed
                raise TableMissing(table) from None
            raise Unavailable("tables_unavailable") from None

    def _page(self, version: Version, offset: int, limit: int, names: Sequence[str] | None) -> Rows:
        selected = Queries(
            version.columns, Select(columns=None if names is None else tuple(names)), []
        ).selected
        return _rows(version, selected, self._positions(version, offset, limit, selected), version.rows)

    def _positions(
        self, version: Version, offset: int, limit: int, selected: Sequence[StoredColumn]
    ) -> pa.Table | None:
        stop = offset + limit
        span = version.span(offset, stop)
        fields = [column.field for column in selected]
        with self._files.hold(version.table, [file for file, _ in span]) as paths:
            parts = [
                self._groups.read(path, max(0, offset - start), stop - start, fields)
                for path, (_, start) in zip(paths, span, strict=True)
            ]
        return pa.concat_tables(parts) if parts else None

    def _select(self, version: Version, query: Select) -> Rows:
        if not (query.where or (query.search or "").strip() or query.order or query.distinct):
            rows = self._page(version, query.offset, query.limit, query.columns)
            return Rows(rows.columns, rows.rows, rows.total if query.count else None, rows.version)
        with self._files.hold(version.table, version.files) as paths:
            queries = Queries(version.columns, query, [str(path) for path in paths])
            if not version.files:
                return _rows(version, queries.selected, None, 0 if query.count else None)
            with self._engine.session() as session:
                if query.distinct:
                    table = session.table(*queries.distinct())
                    found = table.num_rows
                else:
                    ids = [row[0] for row in session.rows(*queries.ids())]
                    table = _in_order(session.table(*queries.by_ids(ids)), ids)
                    found = len(ids)
                total = _total_of(query, found)
                if query.count and total is None:
                    total = session.rows(*queries.count())[0][0]
        return _rows(version, queries.selected, table, total)

    def _remove_files(self, table: str, files: Sequence[DataFile]) -> None:
        for file in files:
            try:
                self._location.files.delete_file(self._location.path(table, file.name))
            except OSError:
                continue  # `vacuum` will find it


def _rows(
    version: Version, selected: Sequence[StoredColumn], table: pa.Table | None, total: int | None
) -> Rows:
    names = [column.name for column in selected]
    cells = [to_json(table.column(column.field), column) for column in selected] if table is not None else []
    rows = [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
    return Rows(tuple(column.public for column in selected), rows, total, version.number)


def _in_order(table: pa.Table, ids: Sequence[int]) -> pa.Table:
    """The rows in the order of `ids`; the engine gives them as it finds them."""
    places = {row_id: place for place, row_id in enumerate(table.column(ID_COLUMN.field).to_pylist())}
    return table.take(pa.array([places[row_id] for row_id in ids], pa.int64()))


def _total_of(query: Select, found: int) -> int | None:
    """The total, where the page itself shows it: it is the last one and not past the end."""
    last = found < query.limit and (found > 0 or query.offset == 0)
    return query.offset + found if query.count and last else None
