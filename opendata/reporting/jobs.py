"""The job of a push, in pieces: compare, then send record by record. Before a record is sent it is marked; its receipt is written
with what the target has from now on. Killed at any step, the push goes on where it was: a record that is marked and has no
receipt may have arrived, and is sent again only where that makes no second one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select

from opendata.catalog import queries as catalog
from opendata.catalog.models import Dataset
from opendata.core.failpoints import reach
from opendata.harvest.asking import Hosts
from opendata.harvest.running.fitting import Told, told
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.job_queue.port import RetryLater
from opendata.reporting import queries, receipts, service
from opendata.reporting.difference import (
    Difference,
    Entry,
    Ready,
    options_of,
    prepared,
    public_now,
    reason_of,
)
from opendata.reporting.mapping import Map
from opendata.reporting.models import (
    LineState,
    PushAction,
    PushState,
    ReportedRecord,
    ReportLine,
    ReportPush,
    ReportTarget,
)
from opendata.reporting.sending import PushBroken, Receipt, Verdict, Wire
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

PIECE_SECONDS = 30.0
PAUSES = (2.0, 10.0, 60.0, 300.0)
"""Seconds before each further attempt; then the record is left for the next push."""
LONGEST_WAIT = 3600
"""A target that wants to be left alone for longer ends the push."""
MOST_IN_A_ROW = 3
"""Records that could not be brought, one after the other: then it is the target that is down."""
_AT_ONCE = 1000


@dataclass(frozen=True)
class Parcel:
    """What is to be sent of one record."""

    line: ReportLine
    facts: Mapping[str, Any]
    hash: str
    receipt: str
    """The target's identifier, where it has the record."""
    doubt: bool
    """It may have been sent before."""


@dataclass
class Reporter:
    """What pushes work with."""

    place: Workplace
    fetcher: Fetcher
    secret: bytes = field(repr=False)
    """The site's own."""
    site_url: str
    hosts: Hosts = field(default_factory=Hosts)

    def push(self, push_id: str, part: int) -> None:
        """Job."""
        with self.place.reading(SYSTEM) as work:
            push, target = queries.push(work, push_id)
        reach("report.taken")
        try:
            used = service.map_of(target)
            if used is None:
                raise PushBroken("report_no_map", name=target.map)
            if push.state in (PushState.WAITING.value, PushState.COMPARING.value):
                self._compare(push, target, used)
            elif push.state == PushState.SENDING.value:
                self._send(push, target, used, part)
        except PushBroken as broken:
            self._end(push_id, broken)

    def give_up(self, push_id: str) -> None:
        """The job failed for a reason that nobody foresaw."""
        self._end(push_id, PushBroken("report_push_broke"))

    # -- compare -----------------------------------------------------------------------------------------------------

    def _begin(self, push: ReportPush) -> bool:
        """False if somebody has cancelled it in the moment in which it was taken."""
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(ReportPush, push.id, with_for_update=True)
            if row.ended_at is not None:
                return False
            row.state, row.started_at = PushState.COMPARING.value, row.started_at or work.now
            work.session.execute(delete(ReportLine).where(ReportLine.push_id == push.id))
        return True

    def _compare(self, push: ReportPush, target: ReportTarget, used: Map) -> None:
        if not self._begin(push):
            return
        with self.place.reading(SYSTEM) as work:
            found = Difference(work, target, used, self.site_url, again=push.again)
            entries, count = found.entries(), 0
            while some := list(islice(entries, _AT_ONCE)):
                with self.place.writing(SYSTEM) as writing:
                    rows = [
                        _row(push.id, number, entry) for number, entry in enumerate(some, start=count + 1)
                    ]
                    writing.session.execute(insert(ReportLine), rows)
                count += len(some)
                self._go_on(push.id)
        reach("report.listed")
        if found.asks and not (push.withdrawals or push.dry_run):
            raise PushBroken("report_much_withdrawn", count=found.withdrawn, held=found.held)
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(ReportPush, push.id, with_for_update=True)
            if row.cancel_asked_at is not None:
                service.finish(work, row, PushState.CANCELLED)
            elif row.dry_run:
                service.finish(work, row, PushState.PLANNED)
            else:
                row.state = PushState.SENDING.value
                service.go_on(work, row, 1)
            reach("report.planned")

    # -- send --------------------------------------------------------------------------------------------------------

    def _send(self, push: ReportPush, target: ReportTarget, used: Map, part: int) -> None:
        ends = time.monotonic() + PIECE_SECONDS
        wire = Wire(
            self.fetcher, self.hosts, target.url, service.secret_of(target, self.secret), used, target.pause
        )
        for number in self._left(push):
            self._go_on(push.id)
            self._one(push, target, wire, number)
            if time.monotonic() > ends:
                with self.place.writing(SYSTEM) as work:
                    service.go_on(work, push, part + 1)
                return
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(ReportPush, push.id, with_for_update=True)
            service.finish(work, row, PushState.DONE)
            receipts.close(work, row, target)
            reach("report.done")

    def _left(self, push: ReportPush) -> list[int]:
        open_ = (LineState.PLANNED.value, LineState.UNDER_WAY.value)
        mine = select(ReportLine.number).where(ReportLine.push_id == push.id, ReportLine.state.in_(open_))
        with self.place.reading(SYSTEM) as work:
            return list(work.session.execute(mine.order_by(ReportLine.number)).scalars())

    def _one(self, push: ReportPush, target: ReportTarget, wire: Wire, number: int) -> None:
        with self.place.writing(SYSTEM) as work:
            parcel = self._mark(work, push, target, wire.map, number)
        if parcel is None:
            return
        reach("report.marked")
        before = wire.requests
        receipt = _bring(wire, parcel)
        reach("report.sent")
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(ReportPush, push.id, with_for_update=True)
            row.requests += wire.requests - before
            wait = receipts.write(work, row, parcel.line.number, parcel.hash, receipt, PAUSES)
            reach("report.written")
        reach("report.committed")
        if receipt.retry_after is not None and receipt.retry_after > LONGEST_WAIT:
            raise PushBroken("report_asked_to_wait", seconds=receipt.retry_after)
        if row.failed_in_a_row >= MOST_IN_A_ROW:
            raise PushBroken("report_down")
        if wait is not None:
            raise RetryLater(wait)

    def _mark(
        self, work: Work, push: ReportPush, target: ReportTarget, used: Map, number: int
    ) -> Parcel | None:
        """The record is under way from now on. None for one that is not to be sent (any more)."""
        line = work.session.get_one(ReportLine, (push.id, number), with_for_update=True)
        if line.state not in (LineState.PLANNED.value, LineState.UNDER_WAY.value):
            return None  # done by a piece of work that died before it could say so
        if line.next_at is not None and line.next_at > work.now:
            raise RetryLater((line.next_at - work.now) / timedelta(seconds=1))
        ready = self._ready(work, target, used, line)
        if not isinstance(ready, Ready):
            line.state, line.told = LineState.LEFT.value, [*line.told, ready]
            return None
        known = work.session.get(ReportedRecord, (target.id, line.dataset_id))
        doubt = line.state == LineState.UNDER_WAY.value
        line.state, line.sent_at, line.attempts = LineState.UNDER_WAY.value, work.now, line.attempts + 1
        receipt = known.receipt if known is not None and known.hash else ""
        facts = {
            **ready.facts,
            **options_of(target),
            "receipt": receipt,
            "key": f"{push.id}-{number}-{ready.hash[:12]}",
        }
        return Parcel(line, facts, ready.hash, receipt, doubt)

    def _ready(self, work: Work, target: ReportTarget, used: Map, line: ReportLine) -> Ready | Told:
        """As it is public at this moment, or why it is not sent."""
        view = public_now(work, target, line.dataset_id)
        if line.action == PushAction.WITHDRAWN.value:
            if view is not None:
                return told("report_public_again")
            dataset = work.session.get_one(Dataset, line.dataset_id)
            return Ready({"identifier": dataset.id, "reason": reason_of(dataset)}, "")
        if view is None:
            return told("report_not_public_now")
        lines = catalog.lines_of(work, [view.id]).get(view.id, ())
        return prepared(target, used, view, lines, self.site_url)

    # -- around ------------------------------------------------------------------------------------------------------

    def _go_on(self, push_id: str) -> None:
        with self.place.reading(SYSTEM) as work:
            asked = select(ReportPush.cancel_asked_at).where(ReportPush.id == push_id)
            if work.session.execute(asked).scalar_one() is not None:
                raise PushBroken("report_cancelled")

    def _end(self, push_id: str, broken: PushBroken) -> None:
        """Cancelled, or failed; what was sent stays sent."""
        with self.place.writing(SYSTEM) as work:
            push, target = queries.push(work, push_id)
            if push.ended_at is not None:
                return
            if broken.code == "report_cancelled":
                service.finish(work, push, PushState.CANCELLED)
            else:
                service.finish(work, push, PushState.FAILED, broken.code, broken.params)
                receipts.tell_failure(work, push, target)


def _bring(wire: Wire, parcel: Parcel) -> Receipt:
    """Sends the record by the call that fits: what the target has is updated, what it has not is created."""
    used, facts = wire.map, parcel.facts
    if parcel.line.action == PushAction.WITHDRAWN.value:
        return _withdraw(wire, parcel)
    receipt = parcel.receipt
    if parcel.doubt and not receipt and not used.repeatable:
        found = wire.find(facts)
        if found.verdict not in (Verdict.ACCEPTED, Verdict.GONE):
            return found
        receipt = found.identifier
        if receipt and used.update is None:
            return found  # it had arrived
    if receipt and used.update is not None:
        answer = wire.send(used.update, {**facts, "receipt": receipt})
        if answer.verdict is not Verdict.GONE:
            return replace(answer, identifier=answer.identifier or receipt)
    answer = wire.send(used.create, facts)
    if answer.verdict is Verdict.GONE:
        raise PushBroken("report_wrong_address", status=answer.status)
    return replace(answer, identifier=answer.identifier or receipt)


def _withdraw(wire: Wire, parcel: Parcel) -> Receipt:
    """What the target has no longer anyway is withdrawn."""
    if wire.map.withdraw is None:
        raise PushBroken("report_no_withdrawal")
    answer = wire.send(wire.map.withdraw, parcel.facts)
    gone = answer.verdict is Verdict.GONE
    return replace(answer, verdict=Verdict.ACCEPTED if gone else answer.verdict, identifier=parcel.receipt)


def _row(push_id: str, number: int, entry: Entry) -> dict[str, Any]:
    return {
        "push_id": push_id,
        "number": number,
        "dataset_id": entry.dataset_id,
        "title": entry.title[:300],
        "action": entry.action.value,
        "state": entry.state.value,
        "told": list(entry.told),
        "attempts": 0,
        "receipt": "",
        "message": "",
    }
