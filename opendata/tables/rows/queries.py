"""Reads about rows that clients write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, delete, select, true

from opendata.catalog.models import Release
from opendata.core.errors import FieldError
from opendata.tables.rows.models import RowAlias, RowChange, RowTable
from opendata.work.unit import Work


def aliased(work: Work, name: str) -> str | None:
    """The resource of an alias."""
    found = work.session.get(RowAlias, name[:200])
    return found.resource_id if found is not None else None


def aliases_of(work: Work, resource_id: str) -> Sequence[str]:
    query = select(RowAlias.name).where(RowAlias.resource_id == resource_id).order_by(RowAlias.name)
    return work.session.execute(query).scalars().all()


def based_on(work: Work, resource_ids: Sequence[str]) -> set[str]:
    """Those of the resources whose table in the store lies under rows that clients wrote."""
    query = select(RowTable.base).where(RowTable.base.in_(resource_ids))
    return {base for base in work.session.execute(query).scalars() if base}


def unfrozen(work: Work, release: Release, places: Mapping[str, str]) -> list[FieldError]:
    """Rows that are not in the draft's file yet. `places`: of its resources, by their ids."""
    query = select(RowTable.resource_id).where(
        RowTable.release_id == release.id, RowTable.draft.is_(True), RowTable.frozen < RowTable.seq
    )
    found = work.session.execute(query).scalars()
    return [FieldError(places[one], "rows_not_written_down") for one in found if one in places]


def remove(work: Work, resource_ids: Sequence[str], *, draft: bool | None = None) -> None:
    """Forgets what clients wrote, with parts and drafts; the table that everybody reads is its caller's matter."""
    either = true() if draft is None else RowTable.draft.is_(draft)
    mine = and_(RowTable.resource_id.in_(resource_ids), either)
    ids = work.session.execute(select(RowTable.id).where(mine)).scalars().all()
    for table_id in ids:
        work.enqueue("tables.forget", {"table_id": table_id})
    work.session.execute(delete(RowChange).where(RowChange.table_id.in_(ids)))
    work.session.execute(delete(RowTable).where(mine))
    if draft is None:
        work.session.execute(delete(RowAlias).where(RowAlias.resource_id.in_(resource_ids)))
