"""Reads of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from opendata.catalog.models import Dataset, Resource, ResourceVersion
from opendata.tables.models import Table, TableState
from opendata.work.unit import Work


def columns_of(work: Work, dataset_ids: Sequence[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Columns of the ready tables of these datasets: {dataset id: {resource id: [{name, type, title?}]}}."""
    query = select(Resource.dataset_id, Table.resource_id, Table.columns).join(
        Resource, Resource.id == Table.resource_id
    )
    rows = work.session.execute(
        query.where(Resource.dataset_id.in_(dataset_ids), Table.state == TableState.READY.value)
    )
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for dataset_id, resource_id, columns in rows:
        found.setdefault(dataset_id, {})[resource_id] = columns
    return found


def states_of(work: Work, resource_ids: Sequence[str]) -> dict[str, Table]:
    """Tables by resource id, in any state."""
    rows = work.session.execute(select(Table).where(Table.resource_id.in_(resource_ids))).scalars()
    return {table.resource_id: table for table in rows}


def stale_tables(work: Work) -> list[tuple[str, str]]:
    """(resource id, file id) of published tables that were never finished: for the reconciler."""
    query = (
        select(Table.resource_id, ResourceVersion.file_id)
        .join(ResourceVersion, ResourceVersion.resource_id == Table.resource_id)
        .join(Dataset, Dataset.id == ResourceVersion.dataset_id)
        .where(
            Table.state == TableState.LOADING.value,
            ResourceVersion.until.is_(None),
            Dataset.published_id.is_not(None),
        )
    )
    return [(row[0], row[1]) for row in work.session.execute(query) if row[1]]
