"""Sources: adding, changing, trusting, ending. Runs: asking for one, deciding what is gone, cancelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select, update

from opendata.agencies.models import Agency
from opendata.catalog.codes import codes
from opendata.core.checks import is_web_address
from opendata.core.errors import Conflict, FieldError, Forbidden, Gathered, Invalid
from opendata.core.ids import new_id
from opendata.core.names import check_name
from opendata.edge.reading import field_errors
from opendata.harvest import policy, queries, schedule
from opendata.harvest.models import (
    HarvestOutcome,
    HarvestRun,
    HarvestSource,
    HeldRecord,
    OutcomeState,
    RunState,
)
from opendata.harvest.record import SourceBroken
from opendata.harvest.remotes.kinds import KINDS
from opendata.publishing.trust import service as trusted
from opendata.publishing.trust.models import Trust
from opendata.work import sealing
from opendata.work.unit import Work

JOB = "harvest.run"


def add(work: Work, agency: Agency, fields: Mapping[str, Any]) -> HarvestSource:
    """A source; its datasets become the body's. `Forbidden`; `Conflict("harvest_name_taken")`; `Invalid` naming each wrong
    field."""
    _check_keeper(work)
    source = HarvestSource(
        id=new_id(), agency_id=agency.id, created_by=work.actor.id, created_at=work.now, options={}, limits={}
    )
    wrong = Gathered(check_name("name", fields["name"]))
    _set(work, source, fields, wrong)
    _check_free(work, source)
    work.session.add(source)
    work.session.flush()
    _take_back(work, source)
    work.record("harvest.source_added", "harvest_source", source.id, **_told(source), agency=agency.name)
    return source


def edit(work: Work, source: HarvestSource, fields: Mapping[str, Any]) -> None:
    """Sets these fields. A source that is asked elsewhere, or as another kind, is another source for whoever trusted it."""
    _check_keeper(work)
    before = _told(source)
    _set(work, source, fields, Gathered(check_name("name", fields.get("name", source.name))))
    _check_free(work, source)
    work.session.flush()
    after = _told(source)
    changed = sorted(name for name in after if after[name] != before[name])
    if {"url", "kind", "options"} & set(changed):
        trust(work, source, wanted=False)
    work.record("harvest.source_edited", "harvest_source", source.id, fields=changed)


def trust(work: Work, source: HarvestSource, *, wanted: bool, reason: str = "") -> None:
    """An administrator's decision whether its releases go out without reviewers."""
    _check_keeper(work)
    standing = work.session.get(Trust, source.trust_id) if source.trust_id else None
    if wanted == (standing is not None):
        return
    if standing is not None:
        trusted.end(work, standing)
        source.trust_id = None
    else:
        told = f"{source.name} ({source.kind}) {source.url}"
        source.trust_id = trusted.grant(work, queries.agency_of(work, source), told, reason).id
    work.session.flush()


def keep_secret(work: Work, source: HarvestSource, site_secret: bytes, secret: str) -> None:
    """A remote's password or token; an empty one is forgotten. A database is asked where its secret says: whoever trusted the
    source trusted that."""
    _check_keeper(work)
    source.secret = sealing.seal(site_secret, f"harvest {source.id}", secret) if secret else ""
    if source.kind == "database":
        trust(work, source, wanted=False)
    work.session.flush()
    work.record("harvest.source_edited", "harvest_source", source.id, fields=["secret"])


def secret_of(source: HarvestSource, site_secret: bytes) -> str:
    """`SourceBroken("secret_unreadable")` if the site's own secret is another one since."""
    try:
        return sealing.unseal(site_secret, f"harvest {source.id}", source.secret) if source.secret else ""
    except sealing.SealBroken:
        raise SourceBroken("secret_unreadable") from None


def end(work: Work, source: HarvestSource) -> None:
    """No more runs. Its datasets stay as they are, and are the body's alone; a source of that name finds them again."""
    _check_keeper(work)
    live = queries.live_run(work, source.id)
    if live is not None:
        raise Conflict("harvest_run_live", run=live.id)
    trust(work, source, wanted=False)
    source.ended_at, source.next_run_at, source.secret = work.now, None, ""
    work.record("harvest.source_ended", "harvest_source", source.id, name=source.name)


def ask_run(work: Work, source: HarvestSource, *, dry_run: bool = False) -> HarvestRun:
    """`Conflict("harvest_run_live")` while another one is under way, or waits for a decision."""
    if not (work.actor.system or policy.may_run(work.actor, queries.agency_of(work, source))):
        raise Forbidden("agency_editor_only", agency=queries.agency_of(work, source).name)
    work.session.refresh(source, with_for_update=True)  # two who ask at once do so one after the other
    live = queries.live_run(work, source.id)
    if live is not None:
        raise Conflict("harvest_run_live", run=live.id)
    run = HarvestRun(
        id=new_id(), source_id=source.id, dry_run=dry_run, asked_by=work.actor.id, asked_at=work.now
    )
    work.session.add(run)
    work.session.flush()
    work.record("harvest.run_asked", "harvest_run", run.id, source=source.name, dry_run=dry_run)
    go_on(work, run, 0)
    return run


def ask_due(work: Work, source_id: str) -> None:
    """By the clock. One that is still under way, or waits for a decision, is left alone until its next time."""
    source = work.session.get_one(HarvestSource, source_id, with_for_update=True)
    if source.next_run_at is None or source.next_run_at > work.now:
        return
    source.next_run_at = schedule.next_run(source.schedule, work.now)
    if queries.live_run(work, source.id) is None:
        ask_run(work, source)


def decide(work: Work, run: HarvestRun, source: HarvestSource, deletions: str) -> None:
    """What a held run waits for: `confirm` archives what the remote does not show any more, `refuse` leaves it alone; the
    rest of the plan is applied either way. `Conflict("harvest_not_held")`."""
    _check_runner(work, source)
    work.session.refresh(run, with_for_update=True)
    if run.state != RunState.HELD.value:
        raise Conflict("harvest_not_held", state=run.state)
    run.deletions, run.decided_by, run.state = deletions, work.actor.id, RunState.APPLYING.value
    work.record("harvest.deletions_decided", "harvest_run", run.id, deletions=deletions, lost=run.lost)
    go_on(work, run, 1)


def cancel(work: Work, run: HarvestRun, source: HarvestSource) -> None:
    """What is applied already stays. `Conflict("harvest_run_over")`."""
    _check_runner(work, source)
    work.session.refresh(run, with_for_update=True)
    if run.ended_at is not None:
        raise Conflict("harvest_run_over", state=run.state)
    run.cancel_asked_at = run.cancel_asked_at or work.now
    work.record("harvest.run_cancelled", "harvest_run", run.id, source=source.name)
    if run.state in (RunState.WAITING.value, RunState.HELD.value):
        finish(work, run, RunState.CANCELLED)


def finish(
    work: Work, run: HarvestRun, state: RunState, code: str = "", params: Mapping[str, Any] | None = None
) -> None:
    """The run is over; what it had planned and not done is told as left."""
    run.state, run.ended_at = state.value, work.now
    run.failure = {"code": code, "params": dict(params or {})} if code else {}
    run.spool = ""  # the object is tidied away as all that no row names
    if state is not RunState.PLANNED:
        planned = HarvestOutcome.state == OutcomeState.PLANNED.value
        mine = update(HarvestOutcome).where(HarvestOutcome.run_id == run.id, planned)
        work.session.execute(mine.values(state=OutcomeState.LEFT.value))
    work.record("harvest.run_ended", "harvest_run", run.id, state=state.value, failure=code)


def go_on(work: Work, run: HarvestRun, part: int) -> None:
    """The run's next piece of work, once."""
    work.enqueue(JOB, {"run_id": run.id, "part": part}, key=f"{JOB}:{run.id}:{part}")


def _set(work: Work, source: HarvestSource, fields: Mapping[str, Any], wrong: Gathered) -> None:
    for name, value in fields.items():
        setattr(source, name, value)
    kind = KINDS.get(source.kind)
    if kind is None:
        wrong.add([FieldError("kind", "unknown_value", {"value": source.kind, "known": ", ".join(KINDS)})])
    elif kind.is_web and not is_web_address(source.url):
        wrong.add([FieldError("url", "not_web_address", {"value": source.url[:100]})])
    if kind is not None:
        with wrong:
            source.options = _options(kind.options, source.options)
    if source.licence and source.licence not in codes().licences:
        known = ", ".join(codes().licences)
        wrong.add([FieldError("licence", "unknown_licence", {"value": source.licence, "known": known})])
    wrong.raise_if_any()
    source.updated_at = work.now
    if "schedule" in fields:
        source.next_run_at = schedule.next_run(source.schedule, work.now)


def _options(model: Any, sent: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = model.model_validate(sent).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise Invalid(
            fields=field_errors({**e, "loc": ("options", *e["loc"])} for e in error.errors())
        ) from None
    return found


def _check_free(work: Work, source: HarvestSource) -> None:
    with work.session.no_autoflush:
        query = select(func.count()).where(
            HarvestSource.name == source.name, HarvestSource.id != source.id, HarvestSource.ended_at.is_(None)
        )
        if work.session.execute(query).scalar_one():
            raise Conflict("harvest_name_taken", name=source.name)


def _take_back(work: Work, source: HarvestSource) -> None:
    """What a source of that name, which was deleted, had for that body."""
    before = select(HarvestSource.id).where(
        HarvestSource.name == source.name,
        HarvestSource.agency_id == source.agency_id,
        HarvestSource.ended_at.is_not(None),
    )
    theirs = update(HeldRecord).where(HeldRecord.source_id.in_(before))
    work.session.execute(theirs.values(source_id=source.id).execution_options(synchronize_session=False))


def _check_keeper(work: Work) -> None:
    if not policy.may_keep_sources(work.actor):
        raise Forbidden("sysadmin_only")


def _check_runner(work: Work, source: HarvestSource) -> None:
    agency = queries.agency_of(work, source)
    if not policy.may_run(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.name)


def _told(source: HarvestSource) -> dict[str, Any]:
    """What the audit trail says of it: no secret."""
    names = (
        "name", "kind", "url", "options", "limits", "licence", "copy_files", "gone_after_runs", "gone_after_days", "schedule",
    )  # fmt: skip
    return {name: getattr(source, name) for name in names}
