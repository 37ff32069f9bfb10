"""Reads of tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from opendata.catalog.models import Dataset, Resource, ResourceVersion
from opendata.catalog.roworders.models import RowOrder
from opendata.tables.models import Table, TableState
from opendata.tables.rows.models import RowChange, RowTable
from opendata.work.unit import Work


def columns_of(work: Work, dataset_ids: Sequence[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Columns of the ready tables of these datasets, and of those that clients write: {dataset id: {resource id:
    [{name, type, title?}]}}."""
    query = (
        select(Resource.dataset_id, Resource.id, Table.columns, RowTable.fields)
        .outerjoin(Table, (Table.resource_id == Resource.id) & (Table.state == TableState.READY.value))
        .outerjoin(RowTable, (RowTable.resource_id == Resource.id) & RowTable.draft.is_(False))
    )
    rows = work.session.execute(
        query.where(
            Resource.dataset_id.in_(dataset_ids), Table.resource_id.is_not(None) | RowTable.id.is_not(None)
        )
    )
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for dataset_id, resource_id, columns, fields in rows:
        written = [{"name": entry["id"], "type": entry["type"]} for entry in fields or ()]
        found.setdefault(dataset_id, {})[resource_id] = columns or written
    return found


def states_of(work: Work, resource_ids: Sequence[str]) -> dict[str, Table]:
    """Tables by resource id, in any state."""
    rows = work.session.execute(select(Table).where(Table.resource_id.in_(resource_ids))).scalars()
    return {table.resource_id: table for table in rows}


def changed_by_orders(work: Work, since: datetime | None) -> list[tuple[str, datetime]]:
    """(resource id, when) of the tables that were made anew since then, of datasets with row orders."""
    query = (
        select(Table.resource_id, Table.updated_at)
        .join(Resource, Resource.id == Table.resource_id)
        .where(Resource.dataset_id.in_(select(RowOrder.dataset_id)))
    )
    if since is not None:
        query = query.where(Table.updated_at > since)
    return [(row[0], row[1]) for row in work.session.execute(query)]


def written_under_orders(work: Work, since: datetime | None) -> list[tuple[RowTable, Sequence[RowChange]]]:
    """Tables that clients write, with their journals, that changed since then, of datasets with row orders."""
    query = (
        select(RowTable)
        .join(Resource, Resource.id == RowTable.resource_id)
        .where(Resource.dataset_id.in_(select(RowOrder.dataset_id)))
    )
    if since is not None:
        query = query.where(RowTable.updated_at > since)
    found = []
    for table in work.session.execute(query).scalars().all():
        journal = select(RowChange).where(RowChange.table_id == table.id)
        found.append((table, work.session.execute(journal).scalars().all()))
    return found


def stale_tables(work: Work) -> list[tuple[str, str]]:
    """(resource id, file id) of published tables that were never finished: for the reconciler."""
    written = select(RowTable.resource_id).where(RowTable.draft.is_(False))
    query = (
        select(Table.resource_id, ResourceVersion.file_id)
        .join(ResourceVersion, ResourceVersion.resource_id == Table.resource_id)
        .join(Dataset, Dataset.id == ResourceVersion.dataset_id)
        .where(
            Table.state == TableState.LOADING.value,
            ResourceVersion.until.is_(None),
            Dataset.published_id.is_not(None),
            Table.resource_id.not_in(written),  # rows that clients wrote are made of no file
        )
    )
    return [(row[0], row[1]) for row in work.session.execute(query) if row[1]]
