"""The versions of the tables: what the Delta log says, and how a new version gets into it."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from threading import Lock

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from opendata.core.errors import Unavailable
from opendata.ports.table_store.columns import ID, StoredColumn, read_columns, stored_schema
from opendata.ports.table_store.location import Location, store_errors
from opendata.ports.table_store.port import TableInfo, TableMissing
from opendata.ports.table_store.rowfiles import DataFile

_LOG = "_delta_log"
_REMEMBERED = 256
_ATTEMPTS = 5
_NO_CLEANUP = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
"""Old versions stay readable until `vacuum`, so their log entries stay too."""


@dataclass(frozen=True)
class Version:
    """One immutable version: its files in the order of the rows."""

    table: str
    number: int
    columns: tuple[StoredColumn, ...]
    files: tuple[DataFile, ...]

    @cached_property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @cached_property
    def _starts(self) -> list[int]:
        # Of positions, not of ids: where rows were deleted, ids have gaps.
        return [0, *accumulate(file.rows for file in self.files)][: len(self.files)]

    def span(self, start: int, stop: int) -> Sequence[tuple[DataFile, int]]:
        """The files that hold the rows at positions `start` to `stop` (0-based, `stop` excluded), each with the position
        of its first row."""
        if start >= min(stop, self.rows):
            return ()
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, min(stop, self.rows) - 1)
        return list(zip(self.files, self._starts, strict=True))[first:last]

    @property
    def info(self) -> TableInfo:
        return TableInfo(self.number, self.rows, tuple(column.public for column in self.columns))


class VersionLog:
    """Reads and writes Delta logs. A version once read is remembered; whether it is still the newest (and still there)
    is asked at each call by looking for its own log entry (and for the next one, unless its number is given), so other
    processes' changes show at once."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._newest: dict[str, int] = {}
        self._known: OrderedDict[tuple[str, int, tuple[int, int]], Version] = OrderedDict()
        self._lock = Lock()

    def read(self, table: str, number: int | None = None) -> Version:
        """The newest version, or that of the given number. `TableMissing` if there is none."""
        wanted = self._newest.get(table) if number is None else number
        if wanted is not None:
            # Whether a later one is there is asked only where the newest is wanted: S3 says no in two steps, the second a
            # listing, which costs more than all the rest of a page.
            asked = [wanted] if number is not None else [wanted, wanted + 1]
            entry, *later = self._location.stat([self._entry(table, n) for n in asked])
            known = self._known.get((table, wanted, entry)) if entry else None
            if known and not any(later):
                return known
            if entry is None:
                self._forget(table)
        return self._load(table, number)

    def commit(self, table: str, columns: Sequence[StoredColumn], files: Sequence[DataFile]) -> Version:
        """Makes the files the table's newest version. A racing writer's version comes before or after this one."""
        schema = Schema.from_arrow(stored_schema(columns))
        actions = [_add_action(file) for file in files]
        for attempt in range(_ATTEMPTS):
            try:
                self._write_entry(table, schema, actions)
                return self._written(table, files)
            except DeltaError:
                if attempt == _ATTEMPTS - 1:
                    raise Unavailable("tables_unavailable") from None
                time.sleep(0.05 * 2**attempt)
        raise AssertionError("unreachable")

    def advance(self, table: str, columns: Sequence[StoredColumn], files: Sequence[DataFile]) -> Version:
        """Makes the table's newest version of files that it has already, and of new ones, in one entry that names the
        difference alone. What a writer that died had added is taken out again."""
        if not self.exists(table):
            return self.commit(table, columns, files)
        newest = self.read(table)
        if newest.columns != tuple(columns):
            return self.commit(table, columns, files)
        wanted, there = {file.name for file in files}, {file.name for file in newest.files}
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [_add_action(f) for f in files if f.name not in there]
        actions += [RemoveAction(f.name, True, now, f.size) for f in newest.files if f.name not in wanted]
        try:
            self._open(table).create_write_transaction(
                actions,
                mode="append",
                schema=Schema.from_arrow(stored_schema(columns)),
                partition_by=[],
                commit_properties=_salted(),
                post_commithook_properties=_NO_CLEANUP,
            )
        except DeltaError:
            raise Unavailable("tables_unavailable", retry_after=1) from None
        return self._written(table, files)

    def exists(self, table: str) -> bool:
        return self._location.stat([self._entry(table, 0)])[0] is not None

    def drop(self, table: str) -> None:
        """The log goes first (by one rename where that can be), so the rows are never half there."""
        self._forget(table)
        if self._location.local is None:
            self._location.remove(f"{table}/{_LOG}")
            self._location.remove(table)
            return
        with store_errors():
            try:
                grave = f".dropped-{uuid.uuid4()}"
                self._location.files.move(self._location.path(table), self._location.path(grave))
            except FileNotFoundError:
                pass
        for folder in self._location.folders():
            if folder.startswith(".dropped-"):  # of this call, or of one that was cut short
                self._location.remove(folder)

    def tables(self) -> list[str]:
        names = [name for name in self._location.folders() if not name.startswith(".")]
        found = self._location.stat([self._entry(name, 0) for name in names])
        return [name for name, entry in zip(names, found, strict=True) if entry]

    def _forget(self, table: str) -> None:
        with self._lock:
            self._newest.pop(table, None)
            for key in [key for key in self._known if key[0] == table]:
                del self._known[key]

    def _entry(self, table: str, number: int) -> str:
        return self._location.path(table, _LOG, f"{number:020d}.json")

    def _open(self, table: str, number: int | None = None) -> DeltaTable:
        try:
            return DeltaTable(
                self._location.address(table), version=number, storage_options=self._location.storage_options
            )
        except (DeltaError, OSError):
            if not self.exists(table):
                raise TableMissing(table) from None
            if number is not None and not self._location.stat([self._entry(table, number)])[0]:
                raise TableMissing(table) from None
            raise Unavailable("tables_unavailable") from None

    def _load(self, table: str, number: int | None) -> Version:
        delta = self._open(table, number)
        version = Version(table, int(delta.version()), _columns(delta), _files(delta))
        entry = self._location.stat([self._entry(table, version.number)])[0]
        # The entry's time and size name it. Had the table been dropped and made anew since it was opened, they would
        # belong to another table of the same name, whose identity differs.
        if entry and self._open(table, version.number).metadata().id == delta.metadata().id:
            with self._lock:
                if number is None:
                    self._newest[table] = version.number
                self._known[(table, version.number, entry)] = version
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return version

    def _write_entry(self, table: str, schema: Schema, actions: list[AddAction]) -> None:
        try:
            delta = self._open(table)
        except TableMissing:
            create_table_with_add_actions(
                str(self._location.address(table)),
                schema,
                actions,
                mode="error",
                configuration={"delta.enableExpiredLogCleanup": "false"},
                storage_options=self._location.storage_options,
                commit_properties=_salted(),
                post_commithook_properties=_NO_CLEANUP,
            )
            return
        changes: list[AddAction | RemoveAction] = [*actions]  # overwriting removes the old files by itself
        delta.create_write_transaction(
            changes,
            mode="overwrite",
            schema=schema,
            partition_by=[],
            commit_properties=_salted(),
            post_commithook_properties=_NO_CLEANUP,
        )

    def _written(self, table: str, files: Sequence[DataFile]) -> Version:
        """The version just made: the newest one, or an earlier one if a racing writer was quicker since."""
        version = self.read(table)
        names = {file.name for file in files}
        while {file.name for file in version.files} != names and version.number > 0:
            version = self.read(table, version.number - 1)
        return version


def _salted() -> CommitProperties:
    """Makes log entries differ in size: S3 tells times by the second, so two entries of one name (a table dropped and
    made anew) may have the same time."""
    return CommitProperties(custom_metadata={"salt": "x" * secrets.randbelow(1000)})


def _add_action(file: DataFile) -> AddAction:
    stats = {
        "numRecords": file.rows,
        "minValues": {ID: file.first_id},
        "maxValues": {ID: file.last_id or file.first_id + file.rows - 1},
        "nullCount": {ID: 0},
    }
    return AddAction(file.name, file.size, {}, int(time.time() * 1000), True, json.dumps(stats))


def _columns(delta: DeltaTable) -> tuple[StoredColumn, ...]:
    return read_columns(json.loads(delta.schema().to_json())["fields"])


def _files(delta: DeltaTable) -> tuple[DataFile, ...]:
    actions = delta.get_add_actions(flatten=True)
    if not actions.num_rows:
        return ()
    columns = (
        actions.column(name).to_pylist()
        for name in ("path", "size_bytes", "num_records", f"min.{ID}", f"max.{ID}")
    )
    files = [DataFile(str(path), *numbers) for path, *numbers in zip(*columns, strict=True)]
    return tuple(sorted(files, key=lambda file: file.first_id))
