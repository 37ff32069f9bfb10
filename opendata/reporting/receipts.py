"""What an answer of the target changes: the line of the push, what the target has of us; and who is told of the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.core.clock import day_of
from opendata.harvest.running.fitting import told
from opendata.reporting import queries
from opendata.reporting.difference import WITHDRAWAL
from opendata.reporting.models import (
    LineState,
    PushAction,
    ReportedRecord,
    ReportLine,
    ReportPush,
    ReportTarget,
)
from opendata.reporting.sending import Receipt, Verdict
from opendata.work.unit import Work

_KEPT_PUSHES = 60
"""Reports of a target that are kept in full."""


def write(
    work: Work, push: ReportPush, number: int, sent: str, receipt: Receipt, pauses: Sequence[float]
) -> float | None:
    """The receipt of a record. `sent`: its hash. Seconds until the next attempt; None where there is none."""
    line = work.session.get_one(ReportLine, (push.id, number), with_for_update=True)
    line.status, line.message, line.next_at = receipt.status, receipt.message, None
    if receipt.verdict is Verdict.LATER:
        return _later(work, push, line, receipt, pauses)
    push.failed_in_a_row = 0
    record = _record(work, push, line)
    if receipt.verdict is Verdict.ACCEPTED:
        line.state, line.receipt = LineState.DONE.value, receipt.identifier
        _accepted(work, record, line, sent)
    else:
        line.state = LineState.REFUSED.value
        is_withdrawal = line.action == PushAction.WITHDRAWN.value
        record.refused, record.refusal = WITHDRAWAL if is_withdrawal else sent, receipt.message
    return None


def _later(
    work: Work, push: ReportPush, line: ReportLine, receipt: Receipt, pauses: Sequence[float]
) -> float | None:
    if line.attempts > len(pauses):
        push.failed_in_a_row += 1
        line.state = LineState.FAILED.value
        line.told = [*line.told, told("report_not_brought", attempts=line.attempts)]
        return None
    pause = max(pauses[line.attempts - 1], float(receipt.retry_after or 0))
    line.next_at = work.now + timedelta(seconds=pause)
    return pause


def _accepted(work: Work, record: ReportedRecord, line: ReportLine, sent: str) -> None:
    record.refused = record.refusal = ""
    record.title = line.title
    if line.action == PushAction.WITHDRAWN.value:
        record.hash, record.receipt, record.withdrawn_at = "", "", work.now
    else:
        record.hash, record.receipt, record.accepted_at = sent, line.receipt, work.now
        record.withdrawn_at = None


def _record(work: Work, push: ReportPush, line: ReportLine) -> ReportedRecord:
    found = work.session.get(ReportedRecord, (push.target_id, line.dataset_id))
    if found is None:
        found = ReportedRecord(
            target_id=push.target_id, dataset_id=line.dataset_id, title=line.title, hash="", receipt=""
        )
        work.session.add(found)
    return found


def close(work: Work, push: ReportPush, target: ReportTarget) -> None:
    """At the end of a push that went through: old reports go, and people hear of what was not taken."""
    latest = (
        select(ReportPush.id)
        .where(ReportPush.target_id == target.id)
        .order_by(ReportPush.id.desc())
        .offset(_KEPT_PUSHES)
        .limit(_KEPT_PUSHES)
    )
    if old := work.session.execute(latest).scalars().all():
        work.session.execute(delete(ReportLine).where(ReportLine.push_id.in_(old)))
    counts = queries.counts(work, push.id)
    if counts[LineState.REFUSED.value] or counts[LineState.FAILED.value]:
        _tell(work, push, target, Occasion.REPORT_INCOMPLETE, push.id)


def tell_failure(work: Work, push: ReportPush, target: ReportTarget) -> None:
    """Once a day for each target: one that is down for a night is told once."""
    _tell(work, push, target, Occasion.REPORT_FAILED, f"{target.id}:{day_of(work.now).isoformat()}")


def _tell(work: Work, push: ReportPush, target: ReportTarget, occasion: Occasion, about: str) -> None:
    people = {person for person in (target.created_by, push.asked_by) if person}
    path = f"/console/reporting/pushes/{push.id}"
    notices.tell(work, people, occasion, about=about, path=path, target=target.name)
