"""Which lines are open to the public: kept in step by `publishing`, read by the plan."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, insert

from opendata.core.database import Written, table_of
from opendata.inventory.plan.models import LineOpening
from opendata.work.unit import Work

_OPEN = Written(insert(table_of(LineOpening)))


def change(work: Work, opened: Collection[str], shut: Collection[str]) -> None:
    """These lines are open from now on, and those are no more."""
    if opened:
        _OPEN.send(work.session, *({"line_id": one, "opened_at": work.now} for one in sorted(opened)))
    if shut:
        work.session.execute(delete(LineOpening).where(LineOpening.line_id.in_(shut)))
    for line_id in sorted(opened):
        work.record("inventory.opened", "inventory_line", line_id)
    for line_id in sorted(shut):
        work.record("inventory.shut", "inventory_line", line_id)


def is_open(work: Work, line_id: str) -> bool:
    return work.session.get(LineOpening, line_id) is not None
