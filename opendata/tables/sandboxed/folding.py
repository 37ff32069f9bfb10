"""Tasks that bring the journal's rows to where they belong: many parts into one, and all of them into the table's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from opendata.ports.table_store.columns import StoredColumn, stored_schema, undescribed
from opendata.ports.table_store.rowfiles import GROUPS_PER_FILE, ROW_GROUP, write_rows
from opendata.tables.sandboxed.changes import PART
from opendata.tables.sandboxed.relation import State, files_sql, quoted, reading

FULL = ROW_GROUP * GROUPS_PER_FILE


def join(state: Mapping[str, Any], output: str) -> dict[str, Any]:
    """All parts as one: the last mention of each `_id`."""
    table = State(state)
    newest = _newest(table)
    pq.write_table(newest, Path(output) / PART, compression="zstd", use_dictionary=False)
    return {"rows": newest.num_rows, "kills": any(part["kills"] for part in table.parts)}


def fold(
    state: Mapping[str, Any],
    columns: Sequence[Mapping[str, Any]],
    base: Sequence[Mapping[str, Any]],
    rewrite: bool,
    output: str,
) -> dict[str, Any]:
    """The table's files with the journal in them. `base`: {name, path, rows, first_id, last_id} in order; `rewrite`: none
    of them can stay. Answers {keep: names, add: [{path, rows, first_id, last_id}], rows}."""
    stored = [undescribed(column) for column in columns]
    return _Fold(State(state), stored, Path(output)).run(base, rewrite)


class _Fold:
    def __init__(self, table: State, columns: Sequence[StoredColumn], output: Path) -> None:
        self._table = table
        self._columns = columns
        self._schema = stored_schema(columns)
        self._output = output
        self._keep: list[str] = []
        self._add: list[dict[str, Any]] = []
        self._rows = 0

    def run(self, base: Sequence[Mapping[str, Any]], rewrite: bool) -> dict[str, Any]:
        tail = _newest(self._table) if self._table.parts else None
        end = 0
        for place, file in enumerate(base):
            last = place == len(base) - 1
            # The last file also takes new rows while there is room in it.
            upper = None if last and file["rows"] < FULL else file["last_id"]
            mine = _between(tail, end, upper)
            end = file["last_id"] if upper is not None else _last(tail, file["last_id"])
            if not rewrite and (mine is None or not mine.num_rows):
                self._keep.append(file["name"])
                self._rows += file["rows"]
            else:
                self._write(self._merged(file["path"], mine))
        rest = _between(tail, end, None)
        if rest is not None:
            self._write(self._live(rest))
        return {"keep": self._keep, "add": self._add, "rows": self._rows}

    def _merged(self, path: str, tail: pa.Table | None) -> pa.Table:
        with pq.ParquetFile(path) as source:
            there = [name for name in self._schema.names if name in source.schema_arrow.names]
            old = self._whole(source.read(columns=there))
        if tail is None or not tail.num_rows:
            return old
        stays = pc.invert(pc.is_in(old.column("_id"), value_set=tail.column("_id").combine_chunks()))
        return pa.concat_tables([old.filter(stays), self._live(tail)]).sort_by("_id")

    def _live(self, tail: pa.Table) -> pa.Table:
        return self._whole(tail.filter(pc.invert(tail.column("_dead"))))

    def _whole(self, rows: pa.Table) -> pa.Table:
        """The columns as they are now: new ones are empty in old files."""
        cells = [
            rows.column(field.name)
            if field.name in rows.column_names
            else pa.nulls(rows.num_rows, field.type)
            for field in self._schema
        ]
        return pa.table(cells, names=self._schema.names).cast(self._schema)

    def _write(self, rows: pa.Table) -> None:
        for start in range(0, rows.num_rows, FULL):
            piece = rows.slice(start, FULL)
            path = self._output / f"{len(self._add)}.parquet"
            write_rows(path, piece, self._columns)
            ids = piece.column("_id")
            first, last = ids[0].as_py(), ids[piece.num_rows - 1].as_py()
            self._add.append({"path": str(path), "rows": piece.num_rows, "first_id": first, "last_id": last})
        self._rows += rows.num_rows


def _newest(table: State) -> pa.Table:
    """The last mention of each `_id` in the parts, by `_id`, dead ones too."""
    names = ", ".join(["_id", "_seq", "_dead", *(quoted(field["field"]) for field in table.fields)])
    sql = (
        f"SELECT {names} FROM {files_sql([part['path'] for part in table.parts])} "
        "QUALIFY row_number() OVER (PARTITION BY _id ORDER BY _seq DESC) = 1 ORDER BY _id"
    )
    with reading(table) as session:
        return session.table(sql, [])


def _between(tail: pa.Table | None, low: int, high: int | None) -> pa.Table | None:
    """Rows with `low` < `_id` <= `high`."""
    if tail is None:
        return None
    ids = tail.column("_id")
    within = pc.greater(ids, low)
    if high is not None:
        within = pc.and_(within, pc.less_equal(ids, high))
    return tail.filter(within)


def _last(tail: pa.Table | None, least: int) -> int:
    if tail is None or not tail.num_rows:
        return least
    return max(least, int(tail.column("_id")[tail.num_rows - 1].as_py()))
