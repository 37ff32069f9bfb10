"""The verbs of rows that clients write. Who may, and whose rows they are, their caller has decided.

A change is one row of the journal in the caller's transaction: it is there, whole and for every reader, exactly if that
commits. The worker makes its part from what was sent and from the rows as they are; a lock on the table's row keeps
changes of one table in line. Folding them into the table's files is `fold`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from opendata.core.ids import new_id
from opendata.tables.models import Table, TableState
from opendata.tables.rows import orders
from opendata.tables.rows.engine import Lines, Refused, RowEngine, lines_of
from opendata.tables.rows.models import RowAlias, RowChange, RowTable
from opendata.tables.rows.types import guess, kept_as
from opendata.work.unit import Work

Check = Callable[[Mapping[str, Any], Path], None]
"""What is done with a change before it is written down: the table as it is (as tasks want it described), and the file of the
rows as they will be. It raises where they may not be."""

Words = Mapping[str, Mapping[str, Any]]
"""The dictionary of a resource (`ResourceMeta.dictionary`): what is told of columns besides their schema's words."""

MOST_PARTS = 32
"""More of them make reading slow: then they are made one."""
MOST_COLUMNS = 1000


@dataclass(frozen=True)
class Change:
    """What a verb did. `shown`: the JSON of the rows concerned, if asked for."""

    rows: int
    shown: bytes | None = None


@dataclass
class Wish:
    """What `shape` shall make of a table's columns."""

    fields: Sequence[Mapping[str, Any]] = ()
    """[{id, type, info?}], types as `types.read_type` gives them; the type of a field that is there does not count."""
    delete_fields: bool = False
    indexes: list[Any] | None = None
    records: Sequence[Any] = ()
    """Columns that only the first of them has are added, with a type by its value."""


def find(work: Work, resource_id: str, *, draft: bool, lock: bool = False) -> RowTable | None:
    query = select(RowTable).where(RowTable.resource_id == resource_id, RowTable.draft.is_(draft))
    return work.session.execute(query.with_for_update() if lock else query).scalar_one_or_none()


def loaded_lines(
    work: Work, engine: RowEngine, resource_id: str, dictionary: Words
) -> tuple[Lines, int] | None:
    """The rows that were loaded from the published file, and how many they are."""
    table = work.session.get(Table, resource_id)
    lines = _loaded(engine, table, dictionary)
    return (lines, table.row_count or 0) if table is not None and lines is not None else None


def open_table(
    work: Work, engine: RowEngine, resource_id: str, *, release: str | None, dictionary: Words
) -> RowTable | None:
    """The table to be written, locked: that of an open draft, or (None) the one that everybody sees. It begins with the
    rows that are there already; None if there are none."""
    draft = release is not None
    found = find(work, resource_id, draft=draft, lock=True)
    if found is not None and found.release_id == release:
        return found
    if found is not None:  # of a draft that has been published, or given up
        drop(work, found)
    written = find(work, resource_id, draft=False) if draft else None
    loaded = loaded_lines(work, engine, resource_id, dictionary)
    if written is None and loaded is None:
        return None
    table = new_table(work, resource_id, release=release)
    if written is not None:
        lines, table.row_count, table.next_id = lines_of(written), written.row_count, written.next_id
    elif loaded is not None:
        lines, table.row_count = loaded
        table.next_id = table.row_count + 1
    table.fields, table.primary_key = list(lines.fields), list(lines.key)
    table.base, table.base_version = lines.base, lines.base_version
    work.session.flush()
    if written is not None:
        table.indexes, table.retired = written.indexes, written.retired
        _copy_journal(work, written, table)
    return table


def new_table(work: Work, resource_id: str, *, release: str | None) -> RowTable:
    table = RowTable(
        id=new_id(),
        resource_id=resource_id,
        draft=release is not None,
        release_id=release,
        fields=[],
        primary_key=[],
        indexes=[],
        retired=[],
        next_id=1,
        row_count=0,
        seq=0,
        waiting=0,
        fold_asked=False,
        frozen=0,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(table)
    work.session.flush()
    return table


def shape(work: Work, engine: RowEngine, table: RowTable, wish: Wish) -> None:
    """Adds and removes columns, sets what is told of them, the key and the indexes. `Refused`."""
    before = {entry["id"]: entry["field"] for entry in table.fields}
    table.fields = _fields(table.fields, table.retired, wish)
    now = {entry["id"] for entry in table.fields}
    added = now - before.keys()
    table.retired = [*table.retired, *(column for name, column in before.items() if name not in now)]
    if not set(table.primary_key) <= now:  # a key goes with any of its columns
        table.primary_key = []
    table.indexes = [
        index for index in table.indexes if set(index if isinstance(index, list) else [index]) <= now
    ]
    if added and (table.base is not None or table.seq):
        table.seq += 1
        _write(work, engine, table, "changes:seal", {"seq": table.seq})
    if wish.indexes is not None:
        table.indexes = wish.indexes


def set_key(work: Work, engine: RowEngine, table: RowTable, key: list[str]) -> None:
    """`Refused("not_unique")`."""
    if sorted(key) == sorted(table.primary_key):
        return
    table.primary_key = key
    if key and table.row_count:
        with engine.state(work.session, lines_of(table)) as state:
            engine.run("changes:check_key", {"state": state})


def insert(
    work: Work,
    engine: RowEngine,
    table: RowTable,
    records: Sequence[Any],
    *,
    show: bool,
    check: Check | None = None,
) -> Change:
    args: dict[str, Any] = {"first_id": table.next_id, "seq": table.seq + 1, "show": show}
    args["orders"] = orders.asked(work, engine, table)
    return _change(work, engine, table, "changes:insert", args, records, check)


def merge(
    work: Work,
    engine: RowEngine,
    table: RowTable,
    records: Sequence[Any],
    method: str,
    *,
    show: bool,
    check: Check | None = None,
) -> Change:
    """`update` or `upsert`."""
    args: dict[str, Any] = {"method": method, "first_id": table.next_id, "seq": table.seq + 1, "show": show}
    args["orders"] = orders.asked(work, engine, table)
    return _change(work, engine, table, "changes:upsert", args, records, check)


def delete(work: Work, engine: RowEngine, table: RowTable, filters: Any, *, show: bool) -> Change:
    args = {"query": {"filters": filters}, "seq": table.seq + 1, "show": show}
    return _change(work, engine, table, "changes:delete", args, None)


def drop(work: Work, table: RowTable) -> None:
    """The table with its dictionary and aliases. Its files go once nobody can be reading them."""
    work.session.execute(delete_rows(RowChange).where(RowChange.table_id == table.id))
    if not table.draft:
        work.session.execute(delete_rows(RowAlias).where(RowAlias.resource_id == table.resource_id))
        loaded = work.session.get(Table, table.resource_id)
        if loaded is not None:
            work.session.delete(loaded)
    work.session.delete(table)
    work.session.flush()
    shown = {} if table.draft else {"resource_id": table.resource_id}
    work.enqueue("tables.forget", {"table_id": table.id, **shown})


def _change(
    work: Work,
    engine: RowEngine,
    table: RowTable,
    task: str,
    args: Mapping[str, Any],
    records: Sequence[Any] | None,
    check: Check | None = None,
) -> Change:
    table.seq += 1
    answer, shown = _write(work, engine, table, task, args, records, check)
    table.row_count += answer["added"]
    table.next_id = max(table.next_id, answer.get("next_id", 0))
    return Change(answer["rows"], shown)


def _write(
    work: Work,
    engine: RowEngine,
    table: RowTable,
    task: str,
    args: Mapping[str, Any],
    records: Sequence[Any] | None = None,
    check: Check | None = None,
) -> tuple[dict[str, Any], bytes | None]:
    """Runs the task and writes its part into the journal."""
    with engine.room() as room, engine.state(work.session, lines_of(table)) as state:
        inputs = {}
        if records is not None:
            inputs["records"] = room / "records.in"
            inputs["records"].write_bytes(orjson.dumps(records))
        answer = engine.run(task, {"state": state, **args}, inputs=inputs, output=room)
        if check is not None and answer["rows"]:
            check(state, room / "part.parquet")
        shown = (room / "records.json").read_bytes() if args.get("show") else None
        if answer["rows"] or task == "changes:seal":
            add_part(work, engine, table, room / "part.parquet", answer)
            if len(state["parts"]) >= MOST_PARTS:
                _join(work, engine, table)
    table.updated_at = work.now
    ask_fold(work, table)
    return answer, shown


def add_part(work: Work, engine: RowEngine, table: RowTable, part: Path, answer: Mapping[str, Any]) -> None:
    change = RowChange(
        table_id=table.id,
        seq=table.seq,
        rows=answer["rows"],
        kills=answer["kills"],
        part=new_id(),
        body=part.read_bytes(),
    )
    engine.keep(change, part)
    work.session.add(change)
    table.waiting += answer["rows"]
    work.session.flush()


def _join(work: Work, engine: RowEngine, table: RowTable) -> None:
    """Makes all parts one: a million small changes are no million files to read."""
    with engine.room() as room, engine.state(work.session, lines_of(table)) as state:
        answer = engine.run("folding:join", {"state": state}, output=room)
        work.session.execute(delete_rows(RowChange).where(RowChange.table_id == table.id))
        work.session.expire_all()
        table.waiting = 0
        add_part(work, engine, table, room / "part.parquet", answer)


def ask_fold(work: Work, table: RowTable) -> None:
    """What is in the journal goes into the files once the client is quiet."""
    if not table.fold_asked:
        table.fold_asked = True
        # The rows of a draft are folded, and then written down as its file.
        work.enqueue("publishing.freeze" if table.draft else "tables.fold", {"table_id": table.id})


def _copy_journal(work: Work, source: RowTable, target: RowTable) -> None:
    changes = work.session.execute(select(RowChange).where(RowChange.table_id == source.id)).scalars().all()
    for change in changes:
        copied = RowChange(
            table_id=target.id, seq=change.seq, rows=change.rows, kills=change.kills, part=new_id(), body=change.body
        )  # fmt: skip
        work.session.add(copied)
    target.seq, target.waiting = source.seq, source.waiting
    work.session.flush()


def _loaded(engine: RowEngine, table: Table | None, dictionary: Words) -> Lines | None:
    """A table that was made from a file."""
    if table is None or table.state != TableState.READY.value or table.version is None:
        return None
    told = {column["name"]: _told(column, dictionary) for column in table.columns}
    return engine.loaded(table.resource_id, table.version, told)


def _told(column: Mapping[str, Any], dictionary: Words) -> dict[str, Any]:
    """What is known of a column: its schema's words, CKAN's own there, and over both those of the dictionary."""
    ckan = column.get("ckan") or {}
    known = ckan["info"] if isinstance(ckan.get("info"), dict) else {}
    return {**ckan, "info": {**_info(column), **known, **dictionary.get(column["name"], {})}}


def _info(column: Mapping[str, Any]) -> dict[str, str]:
    words = {"label": column.get("title"), "notes": column.get("description")}
    return {key: str(text) for key, text in words.items() if text}


def _fields(there: Sequence[Mapping[str, Any]], retired: Sequence[str], wish: Wish) -> list[dict[str, Any]]:
    """The columns as they will be: those that are there in their order, then new ones."""
    wanted = {entry["id"]: entry for entry in wish.fields}
    result = []
    for entry in there:
        if wish.delete_fields and wish.fields and entry["id"] not in wanted:
            continue
        kept = dict(entry)
        info = wanted.get(entry["id"], {}).get("info")
        if isinstance(info, dict):
            kept["info"] = info
        result.append(kept)
    used = {column.casefold() for column in (*retired, *(entry["field"] for entry in there))}
    known = {entry["id"] for entry in there}
    for name, entry in wanted.items():
        if name not in known:
            result.append(_new_field(entry, used))
    for name, kind in _guessed(wish, known | set(wanted)):
        result.append(_new_field({"id": name, "type": kind}, used))
    if len(result) > MOST_COLUMNS:
        raise Refused("too_many_columns", {"most": MOST_COLUMNS})
    return result


def _guessed(wish: Wish, known: set[str]) -> list[tuple[str, str]]:
    """Columns that only the first record has."""
    first = wish.records[0] if wish.records else {}
    return [(name, guess(value)) for name, value in first.items() if name not in known]


def _new_field(entry: Mapping[str, Any], used: set[str]) -> dict[str, Any]:
    """A column gets a name in the files that no column of the table ever had: its cells are its own."""
    safe = "".join(sign if sign.isalnum() or sign == "_" else "_" for sign in entry["id"])[:60] or "_"
    name, number = safe, 2
    while name.casefold() in used or name.startswith("_"):
        name, number = f"c{safe}_{number}", number + 1
    used.add(name.casefold())
    made = {"id": entry["id"], "field": name, "type": entry["type"]}
    kept_as(entry["type"])
    if isinstance(entry.get("info"), dict):
        made["info"] = entry["info"]
    return made
