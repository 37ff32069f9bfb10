"""Reads of sources, runs and what is held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, func, select, true

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.harvest import policy
from opendata.harvest.models import (
    LIVE,
    Action,
    HarvestOutcome,
    HarvestRun,
    HarvestSource,
    HeldRecord,
    OutcomeState,
    RunState,
)
from opendata.work.unit import Work


def source(work: Work, id_or_name: str) -> HarvestSource:
    """`NotFound("harvest_source_not_found")`, also for one that the actor may not see."""
    named = (HarvestSource.name == id_or_name) | (HarvestSource.id == id_or_name)
    query = select(HarvestSource).where(named, HarvestSource.ended_at.is_(None))
    found = work.session.execute(query).scalar_one_or_none()
    if found is None or not policy.may_see(work.actor, agency_of(work, found)):
        raise NotFound("harvest_source_not_found", id=id_or_name[:100])
    return found


def sources(work: Work) -> list[HarvestSource]:
    """Those that the actor may see, by name."""
    query = select(HarvestSource).where(HarvestSource.ended_at.is_(None)).order_by(HarvestSource.name)
    found = work.session.execute(query).scalars().all()
    bodies = agencies.by_ids(work.session, {one.agency_id for one in found})
    return [one for one in found if policy.may_see(work.actor, bodies[one.agency_id])]


def agency_of(work: Work, found: HarvestSource) -> Agency:
    return work.session.get_one(Agency, found.agency_id)


def run(work: Work, run_id: str) -> tuple[HarvestRun, HarvestSource]:
    """`NotFound("harvest_run_not_found")`, also for one that the actor may not see."""
    query = select(HarvestRun, HarvestSource).join(HarvestSource, HarvestSource.id == HarvestRun.source_id)
    row = work.session.execute(query.where(HarvestRun.id == run_id)).one_or_none()
    if row is None or not policy.may_see(work.actor, agency_of(work, row[1])):
        raise NotFound("harvest_run_not_found", id=run_id[:100])
    return row[0], row[1]


def runs(work: Work, found: HarvestSource, *, offset: int = 0, limit: int = 20) -> Page[HarvestRun]:
    """The latest first."""
    mine = HarvestRun.source_id == found.id
    total = work.session.execute(select(func.count()).select_from(HarvestRun).where(mine)).scalar_one()
    query = select(HarvestRun).where(mine).order_by(HarvestRun.id.desc())
    return Page(work.session.execute(query.offset(offset).limit(limit)).scalars().all(), total, offset, limit)


def live_run(work: Work, source_id: str) -> HarvestRun | None:
    query = select(HarvestRun).where(HarvestRun.source_id == source_id, HarvestRun.state.in_(LIVE))
    return work.session.execute(query).scalar_one_or_none()


def before(work: Work, run: HarvestRun) -> HarvestRun | None:
    """The run before that went through, for comparison."""
    query = select(HarvestRun).where(
        HarvestRun.source_id == run.source_id,
        HarvestRun.state == RunState.DONE.value,
        HarvestRun.id < run.id,
    )
    return work.session.execute(query.order_by(HarvestRun.id.desc()).limit(1)).scalar_one_or_none()


def counts(work: Work, run_id: str) -> dict[str, int]:
    """Records by what is done with them, and `failed` and `left` by what became of that."""
    found = {action.value: 0 for action in Action} | {"failed": 0, "left": 0}
    query = (
        select(HarvestOutcome.action, HarvestOutcome.state, func.count())
        .where(HarvestOutcome.run_id == run_id)
        .group_by(HarvestOutcome.action, HarvestOutcome.state)
    )
    for action, state, number in work.session.execute(query):
        found[state if state in (OutcomeState.FAILED.value, OutcomeState.LEFT.value) else action] += number
    return found


def outcomes(
    work: Work,
    run_id: str,
    *,
    actions: Iterable[str] = (),
    states: Iterable[str] = (),
    offset: int = 0,
    limit: int = 100,
) -> Page[HarvestOutcome]:
    wanted: list[ColumnElement[bool]] = [HarvestOutcome.run_id == run_id]
    for column, values in ((HarvestOutcome.action, list(actions)), (HarvestOutcome.state, list(states))):
        wanted.append(column.in_(values) if values else true())
    total = work.session.execute(select(func.count()).select_from(HarvestOutcome).where(*wanted)).scalar_one()
    query = select(HarvestOutcome).where(*wanted).order_by(HarvestOutcome.number)
    return Page(work.session.execute(query.offset(offset).limit(limit)).scalars().all(), total, offset, limit)


def held(work: Work, dataset_id: str | None) -> HeldRecord | None:
    """Of which record a dataset was made, if it was harvested."""
    query = select(HeldRecord).where(HeldRecord.dataset_id == dataset_id)
    return work.session.execute(query).scalar_one_or_none() if dataset_id else None


def due(work: Work) -> Sequence[str]:
    query = select(HarvestSource.id).where(
        HarvestSource.next_run_at <= work.now, HarvestSource.ended_at.is_(None)
    )
    return work.session.execute(query).scalars().all()
