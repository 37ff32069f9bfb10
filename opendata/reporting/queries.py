"""Reads of targets, pushes and what became of each record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true

from opendata.agencies.models import Agency
from opendata.core.database import table_of
from opendata.core.errors import Forbidden, NotFound
from opendata.core.paging import Page
from opendata.reporting import policy
from opendata.reporting.models import (
    LIVE,
    LineState,
    PushAction,
    PushState,
    ReportedRecord,
    ReportLine,
    ReportPush,
    ReportTarget,
)
from opendata.work.unit import Work

RESULTS = (LineState.REFUSED.value, LineState.FAILED.value, LineState.LEFT.value)
"""States that are counted in place of what was meant to be done."""


def check_seen(work: Work) -> None:
    """`Forbidden("report_readers")`."""
    if not policy.may_see(work.actor):
        raise Forbidden("report_readers")


def target(work: Work, id_or_name: str) -> ReportTarget:
    """`NotFound("report_target_not_found")`."""
    check_seen(work)
    named = (ReportTarget.name == id_or_name) | (ReportTarget.id == id_or_name)
    query = select(ReportTarget).where(named, ReportTarget.ended_at.is_(None))
    found = work.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("report_target_not_found", id=id_or_name[:100])
    return found


def targets(work: Work) -> Sequence[ReportTarget]:
    """By name."""
    check_seen(work)
    query = select(ReportTarget).where(ReportTarget.ended_at.is_(None)).order_by(ReportTarget.name)
    return work.session.execute(query).scalars().all()


def agency_of(work: Work, found: ReportTarget) -> Agency | None:
    return work.session.get_one(Agency, found.agency_id) if found.agency_id else None


def push(work: Work, push_id: str) -> tuple[ReportPush, ReportTarget]:
    """`NotFound("report_push_not_found")`."""
    check_seen(work)
    query = select(ReportPush, ReportTarget).join(ReportTarget, ReportTarget.id == ReportPush.target_id)
    row = work.session.execute(query.where(ReportPush.id == push_id)).one_or_none()
    if row is None:
        raise NotFound("report_push_not_found", id=push_id[:100])
    return row[0], row[1]


def pushes(work: Work, found: ReportTarget, *, offset: int = 0, limit: int = 20) -> Page[ReportPush]:
    """The latest first."""
    mine = ReportPush.target_id == found.id
    total = work.session.execute(select(func.count()).select_from(ReportPush).where(mine)).scalar_one()
    query = select(ReportPush).where(mine).order_by(ReportPush.id.desc())
    return Page(work.session.execute(query.offset(offset).limit(limit)).scalars().all(), total, offset, limit)


def live_push(work: Work, target_id: str) -> ReportPush | None:
    query = select(ReportPush).where(ReportPush.target_id == target_id, ReportPush.state.in_(LIVE))
    return work.session.execute(query).scalar_one_or_none()


def before(work: Work, found: ReportPush) -> ReportPush | None:
    """The push before that went through, for comparison."""
    query = select(ReportPush).where(
        ReportPush.target_id == found.target_id,
        ReportPush.state == PushState.DONE.value,
        ReportPush.id < found.id,
    )
    return work.session.execute(query.order_by(ReportPush.id.desc()).limit(1)).scalar_one_or_none()


def counts(work: Work, push_id: str) -> dict[str, int]:
    """Records by what is done with them; refused, failed and left ones by that."""
    found = dict.fromkeys((*(action.value for action in PushAction), *RESULTS), 0)
    query = (
        select(ReportLine.action, ReportLine.state, func.count())
        .where(ReportLine.push_id == push_id)
        .group_by(ReportLine.action, ReportLine.state)
    )
    for action, state, number in work.session.execute(query):
        found[state if state in RESULTS else action] += number
    return found


def lines(
    work: Work,
    push_id: str,
    *,
    actions: Iterable[str] = (),
    states: Iterable[str] = (),
    offset: int = 0,
    limit: int = 100,
) -> Page[ReportLine]:
    wanted: list[ColumnElement[bool]] = [ReportLine.push_id == push_id]
    for column, values in ((ReportLine.action, list(actions)), (ReportLine.state, list(states))):
        wanted.append(column.in_(values) if values else true())
    total = work.session.execute(select(func.count()).select_from(ReportLine).where(*wanted)).scalar_one()
    query = select(ReportLine).where(*wanted).order_by(ReportLine.number)
    return Page(work.session.execute(query.offset(offset).limit(limit)).scalars().all(), total, offset, limit)


def held(work: Work, target_id: str) -> int:
    """How many records the target has of us."""
    query = select(func.count()).select_from(ReportedRecord)
    mine = query.where(ReportedRecord.target_id == target_id, ReportedRecord.hash != "")
    return work.session.execute(mine).scalar_one()


@dataclass(frozen=True)
class Reported:
    """What a push compares with, of a record."""

    dataset_id: str
    title: str
    hash: str
    refused: str
    refusal: str


_columns = table_of(ReportedRecord).c
_REPORTED = select(*(_columns[name] for name in Reported.__dataclass_fields__))
_AT_ONCE = 500


def reported(work: Work, target_id: str, ids: Collection[str]) -> dict[str, Reported]:
    """What the target has, or refused, of these datasets."""
    mine = _REPORTED.where(_columns.target_id == target_id, _columns.dataset_id.in_(ids))
    return {row.dataset_id: Reported(*row) for row in work.session.execute(mine)}


def held_records(work: Work, target_id: str) -> Iterator[Reported]:
    """All that the target has of us, some at a time, in the order of ids."""
    mine = _REPORTED.where(_columns.target_id == target_id, _columns.hash != "").order_by(_columns.dataset_id)
    after = ""
    while rows := work.session.execute(mine.where(_columns.dataset_id > after).limit(_AT_ONCE)).all():
        yield from (Reported(*row) for row in rows)
        after = rows[-1].dataset_id


def due(work: Work) -> Sequence[str]:
    query = select(ReportTarget.id).where(
        ReportTarget.next_push_at <= work.now, ReportTarget.ended_at.is_(None)
    )
    return work.session.execute(query).scalars().all()
