"""The jobs `tables.fold` and `tables.forget`: the journal's rows into the table's files, and away with what nobody reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select

from opendata.catalog.models import Dataset, Resource
from opendata.core.failpoints import reach
from opendata.ports.job_queue.port import RetryLater
from opendata.ports.sandbox.port import Limits
from opendata.ports.table_store.port import HeldFile, TableInfo
from opendata.tables.models import Table, TableState
from opendata.tables.rows.engine import Lines, RowEngine, lines_of
from opendata.tables.rows.models import RowChange, RowTable
from opendata.tables.rows.types import stored_columns
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

MANY_ROWS = 50_000
"""So many rows in the journal are folded while the client still writes; fewer wait until it is quiet."""
QUIET = timedelta(seconds=2)
_LIMITS = Limits(memory=2 << 30, cpu_seconds=300.0, wall_seconds=600.0)


@dataclass(frozen=True)
class _Seen:
    """The table as the fold found it."""

    table_id: str
    resource_id: str
    draft: bool
    lines: Lines
    retired: tuple[str, ...]


def fold(place: Workplace, engine: RowEngine, *, table_id: str, at_once: bool = False) -> None:
    """Idempotent: what is in the files stays when it is folded once more. `at_once`: a new version in any case, of the
    table's own, though the client may still write."""
    with place.reading(SYSTEM) as work:
        table = work.session.get(RowTable, table_id)
        if table is None or not (table.fold_asked or (at_once and table.fields)):
            return
        if not at_once and table.waiting < MANY_ROWS and work.now - table.updated_at < QUIET:
            raise RetryLater(1.0)
        seen = _Seen(table.id, table.resource_id, table.draft, lines_of(table), tuple(table.retired))
        with engine.room() as room:
            info = _make_version(work, engine, seen, room)
    reach("fold.made")
    with place.writing(SYSTEM) as work:
        left = _finish(work, engine, seen, info, at_once=at_once)
    engine.forget(table_id, seen.lines.seq)
    if left:
        raise RetryLater(0.1)


def forget(place: Workplace, engine: RowEngine, *, table_id: str, resource_id: str = "") -> None:
    """The files of a table that was dropped; `resource_id`: of one that everybody read, unless it has rows again."""
    engine.remove(table_id)
    engine.tables.drop(f"draft-{table_id}")
    if not resource_id:
        return
    with place.writing(SYSTEM) as work:
        # Nobody makes rows of the resource while its row is locked: they refer to it.
        work.session.execute(select(Resource.id).where(Resource.id == resource_id).with_for_update())
        written = select(RowTable.id).where(
            (RowTable.resource_id == resource_id) | (RowTable.base == resource_id)
        )
        again = work.session.execute(written.limit(1)).first() is not None
        if not again and work.session.get(Table, resource_id) is None:
            engine.tables.drop(resource_id)


def _target(seen: _Seen) -> str:
    """Drafts have a table of their own in the store: nobody who reads the public one meets their rows."""
    return f"draft-{seen.table_id}" if seen.draft else seen.resource_id


def _make_version(work: Work, engine: RowEngine, seen: _Seen, room: Path) -> TableInfo:
    columns = stored_columns(seen.lines.fields)
    target = _target(seen)
    with engine.opened(work.session, seen.lines) as (state, base):
        fields = {column["field"] for column in columns}
        rewrite = target != seen.lines.base or fields != set(state["base_fields"])
        described = [
            {
                "name": file.name,
                "path": str(file.path),
                "rows": file.rows,
                "first_id": file.first_id,
                "last_id": file.last_id,
            }
            for file in base
        ]
        answer = engine.run(
            "folding:fold",
            {"state": state, "columns": columns, "base": described, "rewrite": rewrite},
            output=room,
            limits=_LIMITS,
        )
        keep = [file for file in base if file.name in set(answer["keep"])]
        add = [
            HeldFile("", Path(file["path"]), file["rows"], file["first_id"], file["last_id"])
            for file in answer["add"]
        ]
        return engine.tables.advance(target, columns, keep=keep, add=add)


def _finish(work: Work, engine: RowEngine, seen: _Seen, info: TableInfo, *, at_once: bool) -> bool:
    """Makes the version the table's base. True if something was written meanwhile."""
    table = work.session.execute(
        select(RowTable).where(RowTable.id == seen.table_id).with_for_update()
    ).scalar_one_or_none()
    if table is None:  # dropped meanwhile
        engine.tables.drop(_target(seen))
        return False
    if (table.base, table.base_version) != (seen.lines.base, seen.lines.base_version):
        return True
    done = delete(RowChange).where(RowChange.table_id == table.id, RowChange.seq <= seen.lines.seq)
    work.session.execute(done)
    rest = select(func.coalesce(func.sum(RowChange.rows), 0)).where(RowChange.table_id == table.id)
    table.waiting = int(work.session.execute(rest).scalar_one())
    before = table.base_version if table.base == _target(seen) else None
    table.base, table.base_version = _target(seen), info.version
    table.retired = [name for name in table.retired if name not in seen.retired]
    table.fold_asked = table.seq > seen.lines.seq
    if at_once:
        table.updated_at = work.now  # every server looks for parts that are gone
    if not table.draft:
        _show(work, table, info)
    if before is not None and before > 0:
        engine.tables.prune(table.base, before - 1, (before, info.version))
    work.session.flush()
    return table.fold_asked


def _show(work: Work, table: RowTable, info: TableInfo) -> None:
    """The version is what the platform's other doors read."""
    shown = work.session.get(Table, table.resource_id)
    if shown is None:
        shown = Table(
            resource_id=table.resource_id, state=TableState.READY.value, file_id="", updated_at=work.now
        )
        work.session.add(shown)
    columns = [_column(entry) for entry in table.fields]
    if shown.columns != columns:
        dataset = work.session.get(Dataset, work.session.get_one(Resource, table.resource_id).dataset_id)
        if dataset is not None:
            work.touch(dataset)
    shown.state, shown.reason = TableState.READY.value, {}
    shown.version, shown.row_count, shown.columns = info.version, info.rows, columns
    shown.updated_at = work.now


def _column(entry: dict[str, Any]) -> dict[str, Any]:
    [column] = stored_columns([entry])
    info = entry.get("info", {})
    words = {"title": info.get("label"), "description": info.get("notes")}
    return {
        "name": column["name"],
        "type": column["type"],
        **{key: str(text) for key, text in words.items() if text},
    }
