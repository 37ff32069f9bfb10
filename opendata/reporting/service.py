"""Targets: adding, changing, ending. Pushes: asking for one, cancelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select, update

from opendata.core.checks import is_web_address
from opendata.core.errors import Conflict, FieldError, Forbidden, Gathered
from opendata.core.ids import new_id
from opendata.core.names import check_name
from opendata.edge.reading import field_errors
from opendata.harvest import schedule
from opendata.reporting import mapping, policy, queries
from opendata.reporting.mapping import Map
from opendata.reporting.models import (
    LineState,
    PushState,
    ReportedRecord,
    ReportLine,
    ReportPush,
    ReportTarget,
)
from opendata.reporting.sending import PushBroken
from opendata.work import sealing
from opendata.work.unit import Work

JOB = "reporting.push"


def add(work: Work, fields: Mapping[str, Any]) -> ReportTarget:
    """A platform above; `fields` are columns. `Forbidden("sysadmin_only")`; `Conflict("report_target_taken")`; `Invalid` naming each wrong field."""
    check_keeper(work)
    target = ReportTarget(
        id=new_id(), created_by=work.actor.id, created_at=work.now, options={}, own_map={}, map=""
    )
    _set(work, target, fields, Gathered(check_name("name", fields["name"])))
    work.session.add(target)
    work.session.flush()
    _take_back(work, target)
    work.record("report.target_added", "report_target", target.id, **_told(target))
    return target


def edit(work: Work, target: ReportTarget, fields: Mapping[str, Any]) -> None:
    """Sets these columns. Another address is where the same platform is now: what it has of us stands."""
    check_keeper(work)
    before = _told(target)
    _set(work, target, fields, Gathered(check_name("name", fields.get("name", target.name))))
    work.session.flush()
    after = _told(target)
    changed = sorted(name for name in after if after[name] != before[name])
    work.record("report.target_edited", "report_target", target.id, fields=changed)


def end(work: Work, target: ReportTarget) -> None:
    """No more pushes. What it has it keeps; a target of that name and address goes on from there."""
    check_keeper(work)
    _check_idle(work, target)
    target.ended_at, target.next_push_at, target.secret = work.now, None, ""
    work.record("report.target_ended", "report_target", target.id, name=target.name)


def keep_secret(work: Work, target: ReportTarget, site_secret: bytes, secret: str) -> None:
    """The platform's token; an empty one is forgotten."""
    check_keeper(work)
    target.secret = sealing.seal(site_secret, f"reporting {target.id}", secret) if secret else ""
    work.session.flush()
    work.record("report.target_edited", "report_target", target.id, fields=["secret"])


def secret_of(target: ReportTarget, site_secret: bytes) -> str:
    """`PushBroken("secret_unreadable")` if the site's own secret is another one since."""
    try:
        return sealing.unseal(site_secret, f"reporting {target.id}", target.secret) if target.secret else ""
    except sealing.SealBroken:
        raise PushBroken("secret_unreadable") from None


def ask_push(
    work: Work, target: ReportTarget, *, dry_run: bool = False, again: bool = False, withdrawals: bool = False
) -> ReportPush:
    """`Conflict("report_push_live")` while another one is under way."""
    check_keeper(work)
    work.session.refresh(target, with_for_update=True)  # two who ask at once do so one after the other
    _check_idle(work, target)
    push = ReportPush(
        id=new_id(), target_id=target.id, dry_run=dry_run, again=again, withdrawals=withdrawals,
        asked_by=work.actor.id, asked_at=work.now,
    )  # fmt: skip
    work.session.add(push)
    work.session.flush()
    work.record(
        "report.push_asked", "report_push", push.id, target=target.name, dry_run=dry_run, again=again,
        withdrawals=withdrawals,
    )  # fmt: skip
    go_on(work, push, 0)
    return push


def ask_due(work: Work, target_id: str) -> None:
    """By the clock. One that is still under way is left alone until its next time."""
    target = work.session.get_one(ReportTarget, target_id, with_for_update=True)
    if target.next_push_at is None or target.next_push_at > work.now:
        return
    target.next_push_at = schedule.next_run(target.schedule, work.now)
    if queries.live_push(work, target.id) is None:
        ask_push(work, target)


def cancel(work: Work, push: ReportPush) -> None:
    """What was sent stays sent. `Conflict("report_push_over")`."""
    check_keeper(work)
    work.session.refresh(push, with_for_update=True)
    if push.ended_at is not None:
        raise Conflict("report_push_over", state=push.state)
    push.cancel_asked_at = push.cancel_asked_at or work.now
    work.record("report.push_cancelled", "report_push", push.id)
    if push.state == PushState.WAITING.value:
        finish(work, push, PushState.CANCELLED)


def finish(
    work: Work, push: ReportPush, state: PushState, code: str = "", params: Mapping[str, Any] | None = None
) -> None:
    """The push is over; what it had planned and not done is told as left."""
    push.state, push.ended_at = state.value, work.now
    push.failure = {"code": code, "params": dict(params or {})} if code else {}
    if state is not PushState.PLANNED:
        open_ = ReportLine.state.in_((LineState.PLANNED.value, LineState.UNDER_WAY.value))
        mine = update(ReportLine).where(ReportLine.push_id == push.id, open_)
        work.session.execute(mine.values(state=LineState.LEFT.value, next_at=None))
    work.record("report.push_ended", "report_push", push.id, state=state.value, failure=code)


def go_on(work: Work, push: ReportPush, part: int) -> None:
    """The push's next piece of work, once."""
    work.enqueue(JOB, {"push_id": push.id, "part": part}, key=f"{JOB}:{push.id}:{part}")


def map_of(target: ReportTarget) -> Map | None:
    """None where the file that it names is no longer there."""
    return Map.model_validate(target.own_map) if target.own_map else mapping.named(target.map)


def check_keeper(work: Work) -> None:
    if not policy.may_keep(work.actor):
        raise Forbidden("sysadmin_only")


def _check_idle(work: Work, target: ReportTarget) -> None:
    live = queries.live_push(work, target.id)
    if live is not None:
        raise Conflict("report_push_live", push=live.id)


def _set(work: Work, target: ReportTarget, fields: Mapping[str, Any], wrong: Gathered) -> None:
    for name, value in fields.items():
        setattr(target, name, value)
    if not is_web_address(target.url):
        wrong.add([FieldError("url", "not_web_address", {"value": target.url[:100]})])
    wrong.add(_wrong_map(target))
    wrong.raise_if_any()
    _check_free(work, target)
    target.updated_at = work.now
    if "schedule" in fields:
        target.next_push_at = schedule.next_run(target.schedule, work.now)


def _wrong_map(target: ReportTarget) -> list[FieldError]:
    if bool(target.own_map) == bool(target.map):
        return [FieldError("map", "report_map_one")]
    try:
        used = map_of(target)
    except ValidationError as error:
        return field_errors({**e, "loc": ("own_map", *e["loc"])} for e in error.errors())
    if used is None:
        return [
            FieldError("map", "unknown_value", {"value": target.map, "known": ", ".join(mapping.names())})
        ]
    missing = [name for name in used.options if not target.options.get(name)]
    return [
        FieldError(f"options.{name}", "report_option_missing", {"what": used.options[name]})
        for name in missing
    ]


def _check_free(work: Work, target: ReportTarget) -> None:
    with work.session.no_autoflush:
        query = select(func.count()).where(
            ReportTarget.name == target.name, ReportTarget.id != target.id, ReportTarget.ended_at.is_(None)
        )
        if work.session.execute(query).scalar_one():
            raise Conflict("report_target_taken", name=target.name)


def _take_back(work: Work, target: ReportTarget) -> None:
    """What a target of that name and address, which was deleted, has of us."""
    before = select(ReportTarget.id).where(
        ReportTarget.name == target.name, ReportTarget.url == target.url, ReportTarget.ended_at.is_not(None)
    )
    theirs = update(ReportedRecord).where(ReportedRecord.target_id.in_(before))
    work.session.execute(theirs.values(target_id=target.id).execution_options(synchronize_session=False))


def _told(target: ReportTarget) -> dict[str, Any]:
    """What the audit trail says of it: no secret."""
    names = ("name", "url", "map", "own_map", "options", "agency_id", "pause", "schedule")
    return {name: getattr(target, name) for name in names}
