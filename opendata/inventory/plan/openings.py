"""Which lines are open to the public: kept in step by `publishing`, read by the plan."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select

from opendata.inventory.plan.models import LineOpening
from opendata.work.unit import Work


def follow(work: Work, lines: Collection[str], opened: Collection[str]) -> None:
    """Of these lines exactly the `opened` ones are open now. One that was open before keeps its day."""
    if not lines:
        return
    query = select(LineOpening.line_id).where(LineOpening.line_id.in_(lines))
    before = set(work.session.execute(query).scalars())
    for line_id in sorted(set(opened) - before):
        work.session.add(LineOpening(line_id=line_id, opened_at=work.now))
        work.record("inventory.opened", "inventory_line", line_id)
    if gone := sorted(before - set(opened)):
        work.session.execute(delete(LineOpening).where(LineOpening.line_id.in_(gone)))
        for line_id in gone:
            work.record("inventory.shut", "inventory_line", line_id)
    work.session.flush()


def is_open(work: Work, line_id: str) -> bool:
    return work.session.get(LineOpening, line_id) is not None
