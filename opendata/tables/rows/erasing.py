"""Rows that clients wrote and that a row order names: out of the table, and out of every version and part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from opendata.catalog.models import Dataset, Resource
from opendata.catalog.roworders.models import RowOrder
from opendata.ports.sandbox.port import Limits
from opendata.tables.models import Table, TableState
from opendata.tables.rows import fold, orders, service
from opendata.tables.rows.engine import RowEngine, lines_of
from opendata.tables.rows.models import RowTable
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

_LIMITS = Limits(memory=1 << 30, cpu_seconds=600.0, wall_seconds=900.0)


def tables_of(work: Work, dataset_id: str) -> Sequence[RowTable]:
    """The tables that clients write in the dataset, drafts too."""
    mine = select(Resource.id).where(Resource.dataset_id == dataset_id)
    query = select(RowTable).where(RowTable.resource_id.in_(mine)).order_by(RowTable.id)
    return work.session.execute(query).scalars().all()


def shut(work: Work, dataset_id: str) -> None:
    """The platform's own doors to the rows are shut until they have been erased."""
    ids = [table.resource_id for table in tables_of(work, dataset_id) if table.fields and not table.draft]
    work.session.execute(
        update(Table).where(Table.resource_id.in_(ids)).values(state=TableState.LOADING.value)
    )


def erase(place: Workplace, engine: RowEngine, table_id: str) -> None:
    """Idempotent. Afterwards nothing that the store or the journal holds of the table has the rows."""
    with place.writing(SYSTEM) as work:
        query = select(RowTable).where(RowTable.id == table_id).with_for_update()
        table = work.session.execute(query).scalar_one_or_none()
        if table is None:
            return
        if gone := _take_out(work, engine, table):
            numbers = {order: work.session.get_one(RowOrder, order).number for order in gone}
            told = {numbers[order]: rows for order, rows in gone.items()}
            dataset_id = work.session.get_one(Resource, table.resource_id).dataset_id
            work.touch(
                work.session.get_one(Dataset, dataset_id)
            )  # answers that are kept somewhere are of before
            work.record("rows.erased", "resource", table.resource_id, rows=told, draft=table.draft)
    fold.fold(place, engine, table_id=table_id, at_once=True)
    _purge(place, engine, table_id)


def count(
    work: Work, engine: RowEngine, dataset_id: str, specs: Sequence[Mapping[str, Any]], *, draft: bool
) -> int:
    """Rows of its tables that such orders would take. Blocks."""
    found = 0
    for table in tables_of(work, dataset_id):
        if table.draft is draft and table.fields:
            args = {"orders": orders.watched(work, engine, table, dataset_id, specs), "seq": 0}
            with engine.room() as room, engine.state(work.session, lines_of(table)) as state:
                answer = engine.run("changes:erase", {"state": state, **args}, output=room, limits=_LIMITS)
            found += answer["rows"]
    return found


def _take_out(work: Work, engine: RowEngine, table: RowTable) -> Mapping[str, int]:
    """Rows by order."""
    asked = orders.asked(work, engine, table)
    if asked is None:
        return {}
    args = {"orders": asked, "seq": table.seq + 1}
    with engine.room() as room, engine.state(work.session, lines_of(table)) as state:
        answer = engine.run("changes:erase", {"state": state, **args}, output=room, limits=_LIMITS)
        if not answer["rows"]:  # a draft's file stays the one that its reviewers saw
            return {}
        table.seq += 1
        service.add_part(work, engine, table, room / "part.parquet", answer)
    table.row_count += answer["added"]
    table.updated_at = work.now
    service.ask_fold(work, table)
    counts: Mapping[str, int] = answer["counts"]
    return counts


def _purge(place: Workplace, engine: RowEngine, table_id: str) -> None:
    """Older versions go. One that a fold is making at this moment is made of the newest, and stays."""
    with place.reading(SYSTEM) as work:
        table = work.session.get(RowTable, table_id)
        base, version = (table.base, table.base_version) if table is not None else (None, None)
    if base is not None and version is not None:
        for old in range(version):
            engine.tables.prune(base, old, (version,))
        engine.tables.forget(base)
    engine.remove(table_id)
