"""Reads of the inventory. What exists is public, also what is not open, and why (D03, D08)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.inventory.models import InventoryLine
from opendata.work.unit import Work


def page(
    work: Work, *, agency_id: str | None = None, words: str = "", offset: int = 0, limit: int = 100
) -> Page[InventoryLine]:
    """Lines by resource code, of one body or of all; with `words`, those whose title or code holds them."""
    query = select(InventoryLine)
    if words:
        title, code = InventoryLine.title, InventoryLine.resource_code
        query = query.where(title.icontains(words, autoescape=True) | code.icontains(words, autoescape=True))
    if agency_id is not None:
        query = query.where(InventoryLine.agency_id == agency_id)
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = work.session.execute(query.order_by(InventoryLine.resource_code).offset(offset).limit(limit))
    return Page(rows.scalars().all(), total, offset, limit)


def find(work: Work, ids: Iterable[str]) -> Sequence[InventoryLine]:
    """The lines of these ids or resource codes, in that order; `NotFound("line_not_found")` naming the first unknown one."""
    wanted = list(ids)
    query = select(InventoryLine).where(
        InventoryLine.id.in_(wanted) | InventoryLine.resource_code.in_(wanted)
    )
    found = {
        key: line for line in work.session.execute(query).scalars() for key in (line.id, line.resource_code)
    }
    missing = [i for i in wanted if i not in found]
    if missing:
        raise NotFound("line_not_found", id=missing[0][:100])
    return [found[i] for i in wanted]
