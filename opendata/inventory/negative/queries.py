"""Reads of the negative list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import bindparam, func, select

from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.inventory.negative.models import EntryStatus, NegativeEntry
from opendata.work.unit import Work

IN_FORCE = "negative list in force"
_IN_FORCE = (
    select(NegativeEntry)
    .where(NegativeEntry.status != EntryStatus.LIFTED.value, NegativeEntry.valid_from <= bindparam("today"))
    .order_by(NegativeEntry.number)
)


def in_force(work: Work) -> Sequence[NegativeEntry]:
    """What binds today: all entries that have begun and were not lifted, by number. Read once in a unit of work; that there
    are none is known until one is made."""
    today = day_of(work.now)
    if work.rule((IN_FORCE, today), ("negative_entry",), lambda: not _in_force(work, today)):
        return ()
    return _in_force(work, today)


def changed(work: Work) -> None:
    """To be called by whoever writes an entry."""
    work.forget(IN_FORCE)
    work.forget((IN_FORCE, day_of(work.now)))


def _in_force(work: Work, today: date) -> Sequence[NegativeEntry]:
    return work.once(IN_FORCE, lambda: work.session.execute(_IN_FORCE, {"today": today}).scalars().all())


def page(
    work: Work, *, status: EntryStatus | None = None, offset: int = 0, limit: int = 100
) -> Page[NegativeEntry]:
    """Entries by number, lifted ones too: why something is open again is public as well."""
    query = select(NegativeEntry)
    if status is not None:
        query = query.where(NegativeEntry.status == status.value)
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = work.session.execute(query.order_by(NegativeEntry.number).offset(offset).limit(limit))
    return Page(rows.scalars().all(), total, offset, limit)


def find(work: Work, id_or_number: str) -> NegativeEntry:
    """`NotFound("negative_entry_not_found")` if there is none."""
    query = select(NegativeEntry).where(
        (NegativeEntry.id == id_or_number) | (NegativeEntry.number == id_or_number)
    )
    entry = work.session.execute(query).scalar_one_or_none()
    if entry is None:
        raise NotFound("negative_entry_not_found", id=id_or_number[:100])
    return entry


def is_due(entry: NegativeEntry, today: date) -> bool:
    """Whether it should have been reviewed by now."""
    return entry.status != EntryStatus.LIFTED.value and entry.review_on < today
