"""Tasks that make a part of the journal: rows that were inserted, changed by their key, or deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from opendata.ports.table_store.engine import Session
from opendata.tables.sandboxed import cells, rendering
from opendata.tables.sandboxed.ordered import Watch
from opendata.tables.sandboxed.refusals import Refusal
from opendata.tables.sandboxed.relation import State, quoted, reading
from opendata.tables.sandboxed.where import clauses

Record = dict[str, Any]
PART = "part.parquet"
SHOWN = "records.json"
MOST_SHOWN = 32_000


def insert(
    state: Mapping[str, Any],
    records: str,
    first_id: int,
    seq: int,
    show: bool,
    output: str,
    orders: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """New rows, `_id`s counting on from `first_id`. Answers {rows, added, kills}."""
    table = State(state)
    rows = _records(records)
    names = [field["id"] for field in table.fields]
    known = set(names)
    for place, record in enumerate(rows):
        if not isinstance(record, dict):
            raise Refusal("not_an_object", place=place)
        if not record.keys() <= known:
            raise Refusal("extra_keys", place=place, names=[key for key in record if key not in known])
    columns = [[record.get(name) for record in rows] for name in names]
    ids = list(range(first_id, first_id + len(rows)))
    arrays = _arrays(table, columns)
    part = _part(table, ids, arrays, seq, [False] * len(rows))
    if orders:
        Watch(table, orders).check(part, as_sent=True)
    if table.key:
        _check_unique(table, part)
    _write(table, part, output, show)
    return {"rows": len(rows), "added": len(rows), "kills": False, "next_id": first_id + len(rows)}


def upsert(
    state: Mapping[str, Any],
    records: str,
    method: str,
    first_id: int,
    seq: int,
    show: bool,
    output: str,
    orders: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Rows changed by their key or `_id`; `upsert` adds those that are not there, `update` refuses them."""
    return _Merge(State(state), _records(records), method, first_id).run(seq, show, output, orders)


def delete(
    state: Mapping[str, Any], query: Mapping[str, Any], seq: int, show: bool, output: str
) -> dict[str, Any]:
    """Rows that meet the filters are gone. Answers {rows, added (below zero), kills}."""
    table = State(state)
    where, values = clauses(table, query)
    with reading(table) as session:
        wanted = "*" if show else "_id"
        sql = f"SELECT {wanted} FROM ({table.relation()}) AS live WHERE {where} ORDER BY _id"
        found = session.table(sql, values)
    if show:
        _show(table, found.slice(0, MOST_SHOWN), output)
    return _kill(table, found.column("_id").to_pylist(), seq, output)


def erase(state: Mapping[str, Any], orders: Mapping[str, Any], seq: int, output: str) -> dict[str, Any]:
    """Rows that row orders hide are gone. Answers {rows, added (below zero), kills, counts (rows by order)}."""
    table = State(state)
    watch = Watch(table, orders)
    answer = _kill(table, watch.hidden(), seq, output)
    return {**answer, "counts": watch.counts}


def seal(state: Mapping[str, Any], seq: int, output: str) -> dict[str, Any]:
    """A part without rows that has all columns: those that were just added are known from it."""
    table = State(state)
    none: list[pa.Array] = [pa.nulls(0, cells.stored_type(field["type"])) for field in table.fields]
    _write(table, _part(table, [], none, seq, []), output, show=False)
    return {"rows": 0, "added": 0, "kills": False}


def check_key(state: Mapping[str, Any]) -> None:
    """`Refusal("not_unique")` if rows share the key."""
    table = State(state)
    key = ", ".join(table.column(name) for name in table.key)
    filled = " AND ".join(f"{table.column(name)} IS NOT NULL" for name in table.key)
    sql = f"SELECT 1 FROM ({table.relation()}) AS live WHERE {filled} GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
    with reading(table) as session:
        if session.rows(sql, []):
            raise Refusal("not_unique")


class _Merge:
    """Records put over the rows that have their keys, in the order in which they were sent."""

    def __init__(self, table: State, records: list[Any], method: str, first_id: int) -> None:
        self._table = table
        self._records = records
        self._method = method
        self._next_id = first_id
        self._names = [field["id"] for field in table.fields]
        self._by_id: dict[int, Record] = {}
        self._by_key: dict[tuple[Any, ...], int] = {}
        self._there: set[int] = set()
        self._changed: dict[int, None] = {}

    def run(self, seq: int, show: bool, output: str, orders: Mapping[str, Any] | None) -> dict[str, Any]:
        for place, record in enumerate(self._records):
            self._check(record, place)
        self._load()
        for place, record in enumerate(self._records):
            self._put(record, place)
        ids = sorted(self._changed)
        columns = [[self._by_id[row].get(name) for row in ids] for name in self._names]
        arrays = [
            pa.array(column, cells.stored_type(field["type"]))
            for column, field in zip(columns, self._table.fields, strict=True)
        ]
        part = _part(self._table, ids, arrays, seq, [False] * len(ids))
        if orders:
            Watch(self._table, orders).check(part, as_sent=False)
        _write(self._table, part, output, show)
        added = sum(1 for row in ids if row not in self._there)
        return {"rows": len(ids), "added": added, "kills": added < len(ids), "next_id": self._next_id}

    def _check(self, record: Any, place: int) -> None:
        if not isinstance(record, dict):
            raise Refusal("not_an_object", place=place)
        if "_id" not in record:
            if not self._table.key:
                raise Refusal("no_key")
            missing = [name for name in self._table.key if name not in record]
            if missing:
                raise Refusal("key_missing", names=missing)
        unknown = [name for name in record if name not in self._table.by_id and name != "_id"]
        if unknown:
            raise Refusal("unknown_fields", names=unknown)

    def _load(self) -> None:
        """The rows that are meant, as they are now."""
        ids = [_whole(record["_id"]) for record in self._records if "_id" in record]
        keys = [
            self._key_of(record, place) for place, record in enumerate(self._records) if "_id" not in record
        ]
        if self._table.empty:
            return
        with reading(self._table) as session:
            if ids:
                session.give("wanted", pa.table({"wanted_id": pa.array(ids, pa.int64())}))
                self._take(session, "_id IN (SELECT wanted_id FROM wanted)")
            if self._table.key:
                # Rows that the ids name may be given keys that others have.
                keys += [self._key_of(r, p) for p, r in enumerate(self._records)
                         if "_id" in r and all(name in r for name in self._table.key)]  # fmt: skip
            keys = [key for key in dict.fromkeys(keys) if None not in key]
            if keys:
                fields = [self._table.by_id[name] for name in self._table.key]
                arrays = [
                    pa.array([key[place] for key in keys], cells.stored_type(field["type"]))
                    for place, field in enumerate(fields)
                ]
                session.give("keyed", pa.table(arrays, names=[f"k{place}" for place in range(len(fields))]))
                pairs = [f"keyed.k{p} = live.{quoted(f['field'])}" for p, f in enumerate(fields)]
                self._take(session, f"EXISTS (SELECT 1 FROM keyed WHERE {' AND '.join(pairs)})")

    def _take(self, session: Session, condition: str) -> None:
        sql = f"SELECT * FROM ({self._table.relation()}) AS live WHERE {condition}"
        found = session.table(sql, [])
        ids = found.column("_id").to_pylist()
        columns = [found.column(field["field"]).to_pylist() for field in self._table.fields]
        for row, *values in zip(ids, *columns, strict=True):
            record = dict(zip(self._names, values, strict=True))
            self._by_id[row] = record
            self._there.add(row)
            if self._table.key:
                self._by_key[tuple(record[name] for name in self._table.key)] = row

    def _put(self, record: Record, place: int) -> None:
        row = self._row_of(record, place)
        given = {name: self._cell(name, value, place) for name, value in record.items() if name != "_id"}
        if row is None or row not in self._by_id:
            if self._method == "update":
                names = ["_id"] if "_id" in record else self._table.key
                raise Refusal("key_not_found", values=[record[name] for name in names])
            if row is None:
                row, self._next_id = self._next_id, self._next_id + 1
            self._next_id = max(self._next_id, row + 1)
            self._by_id[row] = dict.fromkeys(self._names)
        target = self._by_id[row]
        old = tuple(target[name] for name in self._table.key)
        target.update(given)
        self._changed[row] = None
        if self._table.key:
            self._rekey(row, old, tuple(target[name] for name in self._table.key), place)

    def _rekey(self, row: int, old: tuple[Any, ...], new: tuple[Any, ...], place: int) -> None:
        if None in new:
            return
        if self._by_key.get(new, row) != row:
            raise Refusal("duplicate", names=self._table.key, values=[str(v) for v in new], place=place)
        if self._by_key.get(old) == row:
            del self._by_key[old]
        self._by_key[new] = row

    def _row_of(self, record: Record, place: int) -> int | None:
        if "_id" in record:
            return _whole(record["_id"])
        key = self._key_of(record, place)
        return None if None in key else self._by_key.get(key)

    def _key_of(self, record: Record, place: int) -> tuple[Any, ...]:
        return tuple(self._cell(name, record[name], place) for name in self._table.key)

    def _cell(self, name: str, value: Any, place: int) -> Any:
        try:
            return cells.cell(value, self._table.kind(name))
        except cells.Refused as refused:
            raise _bad_cell(name, str(refused), place) from None


def _records(path: str) -> list[Any]:
    found = orjson.loads(Path(path).read_bytes())
    if not isinstance(found, list):
        raise Refusal("not_a_list")
    return found


def _whole(value: Any) -> int:
    try:
        return int(cells.cell(value, "int4"))
    except (cells.Refused, TypeError) as refused:
        raise _bad_cell("_id", str(refused), 0) from None


def _arrays(table: State, columns: Sequence[Sequence[Any]]) -> list[pa.Array]:
    arrays = []
    for field, values in zip(table.fields, columns, strict=True):
        try:
            arrays.append(cells.column(values, field["type"]))
        except Refusal as error:
            raise _bad_cell(field["id"], error.params["text"], error.params["place"]) from None
    return arrays


def _bad_cell(name: str, text: str, place: int) -> Refusal:
    if text.startswith("is of type "):
        text = f'column "{name}" {text}'
    return Refusal("bad_cell", text=text, place=place)


def _part(
    table: State, ids: Sequence[int], arrays: Sequence[pa.Array], seq: int, dead: Sequence[bool]
) -> pa.Table:
    own = [pa.array(ids, pa.int64()), pa.array([seq] * len(ids), pa.int64()), pa.array(dead, pa.bool_())]
    names = ["_id", "_seq", "_dead", *(field["field"] for field in table.fields)]
    return pa.table([*own, *arrays], names=names)


def _check_unique(table: State, part: pa.Table) -> None:
    """The key of new rows: twice among themselves, or there already."""
    columns = [part.column(table.by_id[name]["field"]).to_pylist() for name in table.key]
    seen: set[tuple[Any, ...]] = set()
    for place, key in enumerate(zip(*columns, strict=True)):
        if None not in key and key in seen:
            raise Refusal("duplicate", names=table.key, values=[str(v) for v in key], place=place)
        seen.add(key)
    if table.empty:
        return
    fields = [quoted(table.by_id[name]["field"]) for name in table.key]
    pairs = " AND ".join(f"new.{name} = live.{name}" for name in fields)
    given = ", ".join(f"live.{name}" for name in fields)
    sql = f"SELECT {given} FROM ({table.relation()}) AS live, new WHERE {pairs} LIMIT 1"
    with reading(table) as session:
        session.give("new", part.select([table.by_id[name]["field"] for name in table.key]))
        for row in session.rows(sql, []):
            raise Refusal("duplicate", names=table.key, values=[str(v) for v in row], place=0)


def _kill(table: State, ids: Sequence[int], seq: int, output: str) -> dict[str, Any]:
    empty = [pa.nulls(len(ids), cells.stored_type(field["type"])) for field in table.fields]
    _write(table, _part(table, ids, empty, seq, [True] * len(ids)), output, show=False)
    return {"rows": len(ids), "added": -len(ids), "kills": True}


def _write(table: State, part: pa.Table, output: str, show: bool) -> None:
    folder = Path(output)
    pq.write_table(part, folder / PART, compression="zstd", use_dictionary=False)
    if show:
        _show(table, part.slice(0, MOST_SHOWN), output)


def _show(table: State, rows: pa.Table, output: str) -> None:
    names = ["_id", *(field["id"] for field in table.fields)]
    columns: list[Any] = [rows.column("_id").to_pylist()]
    columns += [rendering.values(rows.column(f["field"]), f["type"]) for f in table.fields]
    (Path(output) / SHOWN).write_bytes(rendering.records(names, columns, "objects"))
