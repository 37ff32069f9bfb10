"""Reads of row orders and of what they did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opendata.catalog.models import Dataset, File, Release, ResourceVersion
from opendata.catalog.roworders.models import (
    IN_FORCE,
    OrderKind,
    OrderState,
    ResourceFile,
    RowOrder,
    RowTombstone,
    RowTreatment,
)
from opendata.core.errors import NotFound, Unavailable
from opendata.work.unit import Work


@dataclass(frozen=True)
class RowNotice:
    """What everybody may know of an order: that rows went, how many, when, why; not which."""

    number: str
    kind: str
    ground: str
    placed_at: datetime
    rows: int


def find(work: Work, number: str) -> RowOrder:
    """By number or id. `NotFound("row_order_not_found")`. Who may see it, the caller asks."""
    query = select(RowOrder).where((RowOrder.number == number) | (RowOrder.id == number))
    order = work.session.execute(query).scalar_one_or_none()
    if order is None:
        raise NotFound("row_order_not_found", id=number[:100])
    return order


def in_force(session: Session, dataset_id: str) -> Sequence[RowOrder]:
    """In the order in which they were placed."""
    query = select(RowOrder).where(
        RowOrder.dataset_id == dataset_id, RowOrder.state.in_([s.value for s in IN_FORCE])
    )
    return session.execute(query.order_by(RowOrder.year, RowOrder.serial)).scalars().all()


def spec(order: RowOrder) -> dict[str, Any]:
    """As the sandbox takes it."""
    by_key = order.kind == OrderKind.ERASE.value
    return {"id": order.id, "columns": order.columns, "digests": order.digests if by_key else None}


def check_applied(session: Session, dataset_id: str) -> None:
    """`Unavailable("rows_being_removed")` while an order waits to be applied: for rows that are no file's."""
    query = select(RowOrder.id).where(
        RowOrder.dataset_id == dataset_id, RowOrder.state == OrderState.PLACED.value
    )
    if session.execute(query.limit(1)).first() is not None:
        raise Unavailable("rows_being_removed", retry_after=2)


def ordered_datasets(session: Session) -> Sequence[str]:
    """Ids of the datasets with an order in force."""
    query = select(RowOrder.dataset_id).where(RowOrder.state.in_([s.value for s in IN_FORCE])).distinct()
    return session.execute(query.order_by(RowOrder.dataset_id)).scalars().all()


def files_of(session: Session, dataset_id: str) -> Sequence[File]:
    """Every file that any version or draft of the dataset has, or had."""
    mine = select(ResourceFile.file_id).where(ResourceFile.dataset_id == dataset_id)
    return session.execute(select(File).where(File.id.in_(mine)).order_by(File.uploaded_at)).scalars().all()


def treatments(session: Session, file_ids: Collection[str]) -> Mapping[str, RowTreatment]:
    query = select(RowTreatment).where(RowTreatment.file_id.in_(file_ids))
    return {row.file_id: row for row in session.execute(query).scalars()}


def tombstones(session: Session, dataset_id: str) -> Sequence[RowTombstone]:
    query = select(RowTombstone).where(RowTombstone.dataset_id == dataset_id)
    return session.execute(query.order_by(RowTombstone.hidden_at, RowTombstone.id)).scalars().all()


def public_tombstone(session: Session, sha256: str) -> tuple[RowTombstone, RowOrder] | None:
    """The tombstone of bytes that were public once."""
    query = (
        select(RowTombstone, RowOrder)
        .join(RowOrder, RowOrder.id == RowTombstone.order_id)
        .where(RowTombstone.sha256 == sha256, RowTombstone.was_public, RowTombstone.lifted_at.is_(None))
        .order_by(RowTombstone.hidden_at)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def notices(work: Work, dataset_ids: Iterable[str]) -> Mapping[str, Sequence[RowNotice]]:
    """By dataset, of the orders in force that took rows out of what is public now, the oldest first."""
    query = select(RowOrder).where(
        RowOrder.dataset_id.in_(list(dataset_ids)), RowOrder.state.in_([s.value for s in IN_FORCE])
    )
    orders = work.session.execute(query.order_by(RowOrder.year, RowOrder.serial)).scalars().all()
    found: dict[str, list[RowNotice]] = {}
    counted = {
        dataset_id: _public_rows(work.session, dataset_id) for dataset_id in {o.dataset_id for o in orders}
    }
    for order in orders:
        if rows := counted[order.dataset_id].get(order.id, 0):
            told = RowNotice(order.number, order.kind, order.ground, order.placed_at, rows)
            found.setdefault(order.dataset_id, []).append(told)
    return found


def _public_rows(session: Session, dataset_id: str) -> Mapping[str, int]:
    """Rows by order, of the files that the published release shows."""
    from_release = _published_files(session, dataset_id)
    counts: dict[str, int] = {}
    for treatment in treatments(session, from_release).values():
        for order_id, rows in treatment.counts.items():
            counts[order_id] = counts.get(order_id, 0) + int(rows)
    return counts


def _published_files(session: Session, dataset_id: str) -> Collection[str]:
    query = (
        select(ResourceVersion.file_id)
        .join(Dataset, Dataset.id == ResourceVersion.dataset_id)
        .join(Release, Release.id == Dataset.published_id)
        .where(
            Dataset.id == dataset_id,
            ResourceVersion.shown_by(Release.number),
            ResourceVersion.file_id.is_not(None),
        )
    )
    return {file_id for file_id in session.execute(query).scalars() if file_id}


def last_serial(session: Session, year: int) -> int:
    query = select(func.max(RowOrder.serial)).where(RowOrder.year == year)
    return session.execute(query).scalar() or 0


def waits(session: Session, dataset_id: str) -> bool:
    """Whether a job has something to do for the dataset."""
    states = [OrderState.PLACED.value, OrderState.CONFIRMED.value]
    query = select(RowOrder.id).where(RowOrder.dataset_id == dataset_id, RowOrder.state.in_(states)).limit(1)
    return session.execute(query).first() is not None
