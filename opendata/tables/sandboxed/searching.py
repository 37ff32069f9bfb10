"""The task behind `datastore_search`: a page of rows, written as JSON to a file that the server passes on as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from opendata.ports.table_store.engine import Session
from opendata.tables.sandboxed import rendering
from opendata.tables.sandboxed.relation import State, quoted, reading
from opendata.tables.sandboxed.where import clauses, words_of

RANK = 0.0607927
"""What PostgreSQL ranks a row that holds a word once; rows are found here, not ranked."""


def search(state: Mapping[str, Any], query: Mapping[str, Any], output: str) -> dict[str, Any]:
    """`query`: filters, q, full_text, plain, names (fields to give), order [[name, descending, nulls_first]], distinct,
    limit, offset, count, shape. Writes `records.json`; answers {found, total, ends: [first, last _id]}."""
    return _Search(State(state), query).run(Path(output))


class _Search:
    def __init__(self, state: State, query: Mapping[str, Any]) -> None:
        self._state = state
        self._query = query
        self._where, self._values = clauses(state, query)
        self._names: list[str] = query["names"]
        self._ranks = {_rank_name(name) for name, _ in words_of(query)}
        self._keyset = bool(query.get("keyset"))

    def run(self, output: Path) -> dict[str, Any]:
        with reading(self._state) as session:
            table = self._found(session) if self._query["limit"] else None
            found = table.num_rows if table is not None else 0
            total = self._total(session, found) if self._query["count"] else None
        shape = self._query["shape"]
        columns = [self._cells(table, place, name, shape) for place, name in enumerate(self._names)]
        (output / "records.json").write_bytes(rendering.records(self._names, columns, shape))
        ends = None
        if self._keyset and table is not None and found:
            ids = table.column("_key")
            ends = [ids[0].as_py(), ids[found - 1].as_py()]
        return {"found": found, "total": total, "ends": ends}

    def _cells(self, table: pa.Table | None, place: int, name: str, shape: str) -> list[Any]:
        if table is None:
            return []
        kind = "float8" if name in self._ranks else self._state.kind(name)
        return rendering.values(table.column(f"c{place}"), kind, csv_text=shape in ("csv", "tsv"))

    def _found(self, session: Session) -> pa.Table:
        """In two steps, unless distinct: the `_id`s of the page from narrow columns, then those rows."""
        named = ", ".join(
            f"{self._selected(name)} AS {quoted(f'c{p}')}" for p, name in enumerate(self._names)
        )
        page = [self._query["limit"], self._query["offset"]]
        live = f"FROM ({self._state.relation()}) AS live"
        if self._query["distinct"]:
            sql = f"SELECT DISTINCT {named} {live} WHERE {self._where}{self._order()} LIMIT ? OFFSET ?"
            return session.table(sql, [*self._values, *page])
        sql = f"SELECT _id {live} WHERE {self._where}{self._order()} LIMIT ? OFFSET ?"
        ids = [row[0] for row in session.rows(sql, [*self._values, *page])]
        wanted = "_id BETWEEN ? AND ? AND _id IN (SELECT unnest(CAST(? AS BIGINT[])))"
        ends = [min(ids), max(ids)] if ids else [0, 0]
        rows = session.table(f"SELECT _id AS _key, {named} {live} WHERE {wanted}", [*ends, ids])
        places = {row: place for place, row in enumerate(rows.column("_key").to_pylist())}
        return rows.take(pa.array([places[row] for row in ids], pa.int64()))

    def _selected(self, name: str) -> str:
        return f"CAST({RANK} AS DOUBLE)" if name in self._ranks else self._state.column(name)

    def _order(self) -> str:
        parts = []
        for name, descending, nulls_first in self._query["order"]:
            if name in self._ranks:
                continue
            way = "DESC" if descending else "ASC"
            nulls = "FIRST" if nulls_first else "LAST"
            parts.append(f"{self._state.column(name)} {way} NULLS {nulls}")
        if not self._query["distinct"] and "_id" not in [name for name, *_ in self._query["order"]]:
            parts.append("_id")
        return f" ORDER BY {', '.join(parts)}" if parts else ""

    def _total(self, session: Session, found: int) -> int:
        limit, offset = self._query["limit"], self._query["offset"]
        if found < limit and (found or not offset):
            return int(offset) + found
        inner = f"FROM ({self._state.relation()}) AS live WHERE {self._where}"
        if self._query["distinct"]:
            named = ", ".join(self._selected(name) for name in self._names)
            sql = f"SELECT count(*) FROM (SELECT DISTINCT {named} {inner})"
        else:
            sql = f"SELECT count(*) {inner}"
        return int(session.rows(sql, self._values)[0][0])


def _rank_name(field: str | None) -> str:
    return "rank" if field is None else f"rank {field}"
