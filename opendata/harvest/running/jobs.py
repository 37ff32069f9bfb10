"""The job of a run, in pieces: gather and plan; then record by record, a while at a time, so that a thread of the jobs is not held
for long. Killed at any step, it goes on where it was, on whichever server: what was gathered lies in the store, what is done says so."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from opendata.catalog.files import Stores
from opendata.core.errors import DomainError, NoSpace, Unavailable
from opendata.core.failpoints import reach
from opendata.harvest import queries, service
from opendata.harvest.asking import Hosts, Limits, Remote
from opendata.harvest.folder import Folder
from opendata.harvest.models import (
    Action,
    HarvestOutcome,
    HarvestRun,
    HarvestSource,
    HeldRecord,
    OutcomeState,
    RunState,
)
from opendata.harvest.pages import KnownPages
from opendata.harvest.reading.parsing import Parser
from opendata.harvest.record import Record, Sink, SourceBroken
from opendata.harvest.remotes.kinds import KINDS
from opendata.harvest.running import applying, spool, telling
from opendata.harvest.running.applying import Ready
from opendata.harvest.running.copying import Copier
from opendata.harvest.running.fitting import Told, told
from opendata.harvest.running.planning import Entry, Judge
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.job_queue.port import RetryLater
from opendata.ports.storage.drop import Drop
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

log = logging.getLogger(__name__)
PIECE_SECONDS = 30.0
_AT_ONCE = 1000
_TOUCHES = (Action.CREATED.value, Action.UPDATED.value, Action.RETURNED.value)
_LOSSES = (Action.MISSING.value, Action.GONE.value)
_KEPT_RUNS = 60
"""Reports of a source that are kept in full."""


class Planned(NamedTuple):
    """What of an outcome is kept in memory of all that a run has left to do."""

    number: int
    identifier: str
    action: str
    dataset_id: str | None


@dataclass
class Harvester:
    """What runs work with."""

    place: Workplace
    fetcher: Fetcher
    stores: Stores
    folder: Folder
    site_url: str
    largest_file: int
    parser: Parser
    drop: Drop | None
    """The folder into which bodies put files, if the site has one."""
    secret: bytes = field(repr=False)
    """The site's own."""
    hosts: Hosts = field(default_factory=Hosts)
    _gathering: threading.Lock = field(default_factory=threading.Lock)
    """One remote at a time in a process: the other threads of the jobs are for the others' work."""

    def run(self, run_id: str, part: int) -> None:
        """Job."""
        run, source = self._load(run_id)
        reach("harvest.taken")
        try:
            if run.state in (RunState.WAITING.value, RunState.GATHERING.value):
                self._gather(run, source)
            elif run.state == RunState.APPLYING.value:
                self._apply(run, source, part)
        except SourceBroken as broken:
            self._end(run_id, broken)

    def give_up(self, run_id: str) -> None:
        """The job failed for a reason that nobody foresaw."""
        self._end(run_id, SourceBroken("harvest_run_broke"))

    # -- gather and plan ---------------------------------------------------------------------------------------------

    def _gather(self, run: HarvestRun, source: HarvestSource) -> None:
        if not self._gathering.acquire(blocking=False):
            raise RetryLater(2.0)
        try:
            if not self._begin(run):
                return
            if not run.spool:  # else a run that was killed had got so far
                pages = self.folder.pages(source.id, source.secret)
                remote = self._remote(run, source, pages)
                run.spool = spool.write(self.stores.inbox, self._records(run, source, remote))
                self._note(run.id, remote, spool=run.spool)
                pages.forget_unused()
            reach("harvest.gathered")
            self._plan(run, source)
        finally:
            self._gathering.release()

    def _begin(self, run: HarvestRun) -> bool:
        """False if somebody has cancelled it in the moment in which it was taken."""
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(HarvestRun, run.id, with_for_update=True)
            if row.ended_at is not None:
                return False
            row.state, row.started_at = RunState.GATHERING.value, row.started_at or work.now
            work.session.execute(delete(HarvestOutcome).where(HarvestOutcome.run_id == run.id))
        return True

    def _remote(self, run: HarvestRun, source: HarvestSource, pages: KnownPages | None = None) -> Remote:
        return Remote(
            self.fetcher,
            source.url,
            KINDS[source.kind].options.model_validate(source.options).model_dump(),
            service.secret_of(source, self.secret),
            limits=Limits(**source.limits),
            hosts=self.hosts,
            pages=pages,
            parser=self.parser,
            drop=self.drop,
            go_on=lambda: self._go_on(run.id),
        )

    def _records(self, run: HarvestRun, source: HarvestSource, remote: Remote) -> Iterator[Any]:
        count = 0
        try:
            for count, record in enumerate(KINDS[source.kind].gather(remote), start=1):
                yield record
                if count % _AT_ONCE == 0:
                    self._note(run.id, remote)
            if not count:
                raise SourceBroken("harvest_empty", address=source.url[:200])
        except (SourceBroken, DomainError, OSError):
            raise
        except Exception as error:
            log.exception("harvest: the answer of %s cannot be read", source.name)
            reason = f"{type(error).__name__}: {error}"[:200]
            raise SourceBroken("harvest_not_a_catalogue", address=source.url[:200], reason=reason) from None

    def _note(self, run_id: str, remote: Remote, **more: str) -> None:
        with self.place.writing(SYSTEM) as work:
            seen = {"gathered": remote.seen, "expected": remote.total, "requests": remote.requests, **more}
            work.session.execute(update(HarvestRun).where(HarvestRun.id == run_id).values(**seen))

    def _plan(self, run: HarvestRun, source: HarvestSource) -> None:
        with self.place.reading(SYSTEM) as work:
            judge = Judge(work, source, self.site_url)
            entries = judge.entries(spool.read(self.stores.inbox, run.spool))
            count = 0
            while some := list(islice(entries, _AT_ONCE)):
                with self.place.writing(SYSTEM) as writing:
                    rows = [_row(run.id, number, entry) for number, entry in enumerate(some, start=count + 1)]
                    writing.session.execute(insert(HarvestOutcome), rows)
                count += len(some)
        reach("harvest.listed")
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(HarvestRun, run.id, with_for_update=True)
            row.gathered, row.held, row.lost = max(row.gathered, count - judge.lost), judge.held, judge.lost
            self._settle_plan(work, row, source, asks=judge.asks)
            reach("harvest.planned")

    def _settle_plan(self, work: Work, run: HarvestRun, source: HarvestSource, *, asks: bool) -> None:
        if run.cancel_asked_at is not None:
            service.finish(work, run, RunState.CANCELLED)
        elif run.dry_run:
            service.finish(work, run, RunState.PLANNED)
        elif asks:
            run.state = RunState.HELD.value
            work.record("harvest.run_held", "harvest_run", run.id, lost=run.lost, held=run.held)
            telling.held(work, run, source)
        else:
            run.state = RunState.APPLYING.value
            service.go_on(work, run, 1)

    # -- apply -------------------------------------------------------------------------------------------------------

    def _apply(self, run: HarvestRun, source: HarvestSource, part: int) -> None:
        ends = time.monotonic() + PIECE_SECONDS
        for outcome, record in self._left(run):
            self._go_on(run.id)
            self._one(run, source, outcome, record)
            if time.monotonic() > ends:
                with self.place.writing(SYSTEM) as work:
                    service.go_on(work, run, part + 1)
                return
        self._complete(run, source)

    def _left(self, run: HarvestRun) -> Iterator[tuple[Planned, Record | None]]:
        """What is planned and not done: records with what was gathered of them, then what is missing or gone."""
        with self.place.reading(SYSTEM) as work:
            planned = select(*(getattr(HarvestOutcome, name) for name in Planned._fields)).where(
                HarvestOutcome.run_id == run.id, HarvestOutcome.state == OutcomeState.PLANNED.value
            )
            found = work.session.execute(
                planned.order_by(HarvestOutcome.number).execution_options(yield_per=_AT_ONCE)
            )
            rows = [Planned(*row) for row in found]
        wanted = {row.identifier: row for row in rows if row.action in _TOUCHES}
        if wanted:
            for record in spool.read(self.stores.inbox, run.spool):
                row = wanted.pop(record.identifier, None)
                if row is not None and isinstance(record, Record):
                    yield row, record
        for row in rows:
            if row.action in _LOSSES:
                yield row, None

    def _one(self, run: HarvestRun, source: HarvestSource, outcome: Planned, record: Record | None) -> None:
        """A record that cannot be written is told as failed; the others go on."""
        try:
            copier = self._copier(run, source)
            ready = (
                applying.prepare(self.place, source, record, outcome.dataset_id, copier) if record else None
            )
            try:
                self._write(run, source, outcome, ready)
            except IntegrityError:  # in the same moment somebody else has taken its name: now that is seen
                self._write(run, source, outcome, ready)
            reach("harvest.committed")
        except (Unavailable, NoSpace):
            raise
        except DomainError as error:
            self._fail(run, source, outcome, _reasons(error))

    def _write(self, run: HarvestRun, source: HarvestSource, outcome: Planned, ready: Ready | None) -> None:
        with self._writing(run, source, outcome) as (work, row):
            if row.state != OutcomeState.PLANNED.value:
                return  # done by a piece of work that died before it could say so
            if ready is not None:
                applying.write(work, source, row, ready)
            else:
                _lose(work, run, source, row)
            work.session.flush()
            reach("harvest.written")

    def _copier(self, run: HarvestRun, source: HarvestSource) -> Copier:
        def opened(content: str, sink: Sink) -> str:
            gives = KINDS[source.kind].open
            if gives is None:
                raise SourceBroken("harvest_file_gone", path=content[:200])
            return gives(self._remote(run, source), content, sink)

        return Copier(self.fetcher, self.stores, self.hosts, self.largest_file, opened)

    @contextmanager
    def _writing(
        self, run: HarvestRun, source: HarvestSource, outcome: Planned
    ) -> Iterator[tuple[Work, HarvestOutcome]]:
        with self.place.writing(applying.actor_of(source)) as work:
            row = work.session.get_one(HarvestOutcome, (run.id, outcome.number), with_for_update=True)
            yield work, row

    def _fail(self, run: HarvestRun, source: HarvestSource, outcome: Planned, reasons: list[Told]) -> None:
        with self._writing(run, source, outcome) as (_work, row):
            row.state, row.told = OutcomeState.FAILED.value, [*row.told, *reasons]

    def _complete(self, run: HarvestRun, source: HarvestSource) -> None:
        with self.place.writing(SYSTEM) as work:
            row = work.session.get_one(HarvestRun, run.id, with_for_update=True)
            service.finish(work, row, RunState.DONE)
            _forget_missing(work, run)
            _forget_reports(work, source)
            telling.done(work, row, source)
            reach("harvest.done")

    # -- around ------------------------------------------------------------------------------------------------------

    def _load(self, run_id: str) -> tuple[HarvestRun, HarvestSource]:
        with self.place.reading(SYSTEM) as work:
            return queries.run(work, run_id)

    def _go_on(self, run_id: str) -> None:
        with self.place.reading(SYSTEM) as work:
            asked = select(HarvestRun.cancel_asked_at).where(HarvestRun.id == run_id)
            if work.session.execute(asked).scalar_one() is not None:
                raise SourceBroken("harvest_cancelled")

    def _end(self, run_id: str, broken: SourceBroken) -> None:
        """Cancelled, or failed; nothing counts as gone."""
        with self.place.writing(SYSTEM) as work:
            run, source = queries.run(work, run_id)
            if run.ended_at is not None:
                return
            if broken.code == "harvest_cancelled":
                service.finish(work, run, RunState.CANCELLED)
            else:
                service.finish(work, run, RunState.FAILED, broken.code, broken.params)
                telling.failed(work, run, source)


def _row(run_id: str, number: int, entry: Entry) -> dict[str, Any]:
    settled = entry.action in (Action.UNCHANGED, Action.REFUSED)
    return {
        "run_id": run_id,
        "number": number,
        "identifier": entry.identifier[:500],
        "title": entry.title[:300],
        "action": entry.action.value,
        "state": (OutcomeState.DONE if settled else OutcomeState.PLANNED).value,
        "dataset_id": entry.dataset_id,
        "told": [entry.why] if entry.why else [],
        "changes": [],
    }


def _lose(work: Work, run: HarvestRun, source: HarvestSource, outcome: HarvestOutcome) -> None:
    """Missing, or gone: at once where somebody confirmed it, not at all where somebody refused."""
    if run.deletions == "refuse":
        outcome.state = OutcomeState.LEFT.value
    elif run.deletions == "confirm" or outcome.action == Action.GONE.value:
        outcome.action = Action.GONE.value
        applying.archive(work, source, outcome)
    else:
        applying.miss(work, source, outcome)


def _reasons(error: DomainError) -> list[Told]:
    fields = [told(place.code, place.path, **place.params) for place in error.fields]
    return fields or [told(error.code, **error.params)]


def _forget_missing(work: Work, run: HarvestRun) -> None:
    """Records that were missing and are shown again."""
    shown = select(HarvestOutcome.identifier).where(
        HarvestOutcome.run_id == run.id, HarvestOutcome.action == Action.UNCHANGED.value
    )
    work.session.execute(
        update(HeldRecord)
        .where(
            HeldRecord.source_id == run.source_id,
            HeldRecord.missing_runs > 0,
            HeldRecord.identifier.in_(shown),
        )
        .values(missing_runs=0, missing_since=None)
        .execution_options(synchronize_session=False)
    )


def _forget_reports(work: Work, source: HarvestSource) -> None:
    """Lines of old runs; the runs themselves stay."""
    latest = (
        select(HarvestRun.id)
        .where(HarvestRun.source_id == source.id)
        .order_by(HarvestRun.id.desc())
        .offset(_KEPT_RUNS)
        .limit(_KEPT_RUNS)
    )
    old = work.session.execute(latest).scalars().all()
    if old:
        work.session.execute(delete(HarvestOutcome).where(HarvestOutcome.run_id.in_(old)))
