"""The application of a process: its parts, its jobs, and what it does beside answering requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from opendata.accounts.authenticator import Authenticator
from opendata.accounts.notices import jobs as notice_jobs
from opendata.accounts.notices import queries as notice_queries
from opendata.agencies import queries as agency_queries
from opendata.catalog.codes import codes
from opendata.catalog.files import Stores
from opendata.catalog.profile import DatasetMeta
from opendata.changes.webhooks import delivering
from opendata.changes.webhooks.delivering import Courier
from opendata.compat.ckan.packages import TAKEN
from opendata.compat.dcat.quality import measure
from opendata.compat.dcat.schema_org import data_catalog, schema_org
from opendata.core.allocator import give_back
from opendata.core.errors import Conflict
from opendata.core.locks import FileLock
from opendata.edge.usage.journal import Journal
from opendata.feeds.dumps import making as dumps
from opendata.feeds.dumps.models import DumpPart
from opendata.feeds.terms import Site
from opendata.harvest import queries as harvest_queries
from opendata.harvest import service as harvest
from opendata.harvest.folder import Folder
from opendata.harvest.models import HarvestRun
from opendata.harvest.reading.parsing import Parser
from opendata.harvest.running.jobs import Harvester
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.job_queue.port import Handler, JobQueue
from opendata.ports.mailer.port import Mailer
from opendata.ports.sandbox.port import Sandbox
from opendata.ports.search_index.port import SearchIndex
from opendata.ports.storage.drop import Drop
from opendata.ports.table_store.port import TableStore
from opendata.publishing import jobs as publishing_jobs
from opendata.publishing import policy_record, reconcile
from opendata.publishing.findings import jobs as findings_jobs
from opendata.publishing.governance import already
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import jobs as rows_jobs
from opendata.publishing.rows import freezing
from opendata.publishing.timing import due
from opendata.publishing.upkeep import Upkeep
from opendata.reporting import queries as reporting_queries
from opendata.reporting import service as reporting
from opendata.reporting.jobs import Reporter
from opendata.search.service import Indexer
from opendata.settings import Settings
from opendata.supervision import schedule
from opendata.supervision.links import checking
from opendata.supervision.mqa.service import Measuring
from opendata.tables import jobs as tables_jobs
from opendata.tables.copies import Copies
from opendata.tables.rows.engine import RowEngine
from opendata.tables.service import Loader
from opendata.validation import jobs as validation_jobs
from opendata.validation import service as validation
from opendata.validation.preparing import Maker
from opendata.work.actor import SYSTEM
from opendata.work.secret import kept_secret
from opendata.work.steps import ask_due, ask_if_owed, guarded, patient
from opendata.work.unit import Workplace

log = logging.getLogger(__name__)
TICK_SECONDS = 1.0
DAILY = (*schedule.DAILY, dumps.DAILY)
UPKEEP_SECONDS = 3600.0
GIVE_BACK_SECONDS = 10.0
DRAIN_SECONDS = 0.2
"""Between two drains of the index, at least: what comes in meanwhile shares the cost of one commit."""
LONGEST_PAUSE_SECONDS = 2.0


@dataclass
class Application:
    """Everything that is put together once a process."""

    settings: Settings
    place: Workplace
    authenticator: Authenticator
    stores: Stores
    sandbox: Sandbox
    row_sandbox: Sandbox
    """For rows alone: a long check of a file keeps no search waiting."""
    fetcher: Fetcher
    drop: Drop | None
    """The folder into which bodies put files, if the site has one."""
    tables: TableStore
    index: SearchIndex
    queue: JobQueue
    indexer: Indexer
    lock: FileLock
    journal: Journal
    """Of what is used; a server writes it, and counts it."""
    mailer: Mailer | None = None
    background: Background | None = None

    @property
    def directory(self) -> agency_queries.Directory:
        """Names of bodies, for accounts (a floor below)."""
        return agency_queries.Directory()

    @property
    def themes(self) -> Collection[str]:
        """Codes of themes, for the negative list (a floor below)."""
        return codes().themes

    @property
    def already_public(self) -> Callable[..., list[dict[str, str]]]:
        """What is public and an entry of the negative list forbids (a floor below), its bodies told."""
        return already.told

    @property
    def scoring(self) -> Path | None:
        """Where the rules of scoring are; None where supervision is switched off."""
        return self.settings.catalog_schemas if self.settings.supervision else None

    @property
    def describe(self) -> Callable[..., dict[str, Any]]:
        """A dataset for search engines, which the feeds word; for its page (a neighbour)."""
        return partial(schema_org, site_url=self.settings.site_url)

    @property
    def describe_catalogue(self) -> Callable[..., dict[str, Any]]:
        """The same of the catalogue."""
        return partial(data_catalog, site=Site.of(self.settings))

    @cached_property
    def measuring(self) -> Measuring:
        """Metadata quality, of which the feeds know what a harvester gets."""
        return Measuring(self.place, partial(measure, site_url=self.settings.site_url))

    @cached_property
    def core_elements(self) -> Mapping[str, Any]:
        """The fixed elements of the metadata profile, for those of the city (a floor below)."""
        return DatasetMeta.elements()

    @property
    def taken_names(self) -> Collection[str]:
        """Names that no field of the city may have: elements of the catalogue, and extras that CKAN's clients know."""
        return {*DatasetMeta.model_fields, *TAKEN}

    @property
    def journey(self) -> Journey:
        return Journey(self.place, self.stores, self.sandbox, self.settings.scratch, self.secret, self.rows)

    @cached_property
    def secret(self) -> bytes:
        """The site's own, by which hashes of erased keys are salted. Servers of one site must be told one."""
        if self.settings.site_secret:
            return self.settings.site_secret.encode()
        return kept_secret(self.settings.data_dir / "secret")

    @property
    def maker(self) -> Maker:
        return Maker(self.place, self.stores, self.sandbox, self.settings.scratch)

    @property
    def dump_maker(self) -> dumps.Maker:
        return dumps.Maker(self.place, self.stores.public, self.sandbox, self.settings)

    @property
    def loader(self) -> Loader:
        return Loader(
            self.place, self.stores, self.sandbox, self.tables, self.settings.scratch, validation.inferred
        )

    @cached_property
    def rows(self) -> RowEngine:
        return RowEngine.beside(self.settings.data_dir, self.row_sandbox, self.tables, self.secret)

    @cached_property
    def harvester(self) -> Harvester:
        return Harvester(
            self.place, self.fetcher, self.stores, Folder(self.settings.data_dir / "harvest"), self.settings.site_url,
            self.settings.max_upload_bytes, Parser(self.sandbox, self.settings.scratch), self.drop, self.secret,
        )  # fmt: skip

    @cached_property
    def reporter(self) -> Reporter:
        return Reporter(self.place, self.fetcher, self.secret, self.settings.site_url)

    def handlers(self) -> dict[str, Handler]:
        """Every job by its name."""
        jobs: dict[str, Handler] = {
            "publishing.screen": partial(findings_jobs.screen, self.journey),
            "publishing.mask": partial(findings_jobs.mask, self.journey),
            "publishing.validate": partial(publishing_jobs.validate, self.journey),
            "publishing.publish": partial(publishing_jobs.publish, self.journey),
            rows_jobs.JOB: partial(rows_jobs.remove, self.journey),
            rows_jobs.DAILY: partial(rows_jobs.sweep, self.journey),
            "publishing.retract": partial(publishing_jobs.retract, self.journey),
            "validation.check": partial(validation_jobs.check, self.journey.judge),
            "validation.prepare": partial(validation_jobs.prepare, self.maker),
            "accounts.mail": partial(notice_jobs.mail, self.place, self.mailer, self.settings.site_url),
            "tables.load": partial(tables_jobs.load, self.loader),
            "tables.drop": partial(tables_jobs.drop, self.loader),
            **freezing.jobs(self.journey, self.rows),
            "search.reindex": self._reindex,
            schedule.JOB: partial(schedule.inspect, self.place, rules=self.scoring, plan=self.settings.plan),
            checking.JOB: partial(checking.check, self.place, self.fetcher),
            harvest.JOB: self.harvester.run,
            reporting.JOB: self.reporter.push,
            "search.renew": self.indexer.renew,
            **delivering.jobs(Courier(self.place, self.fetcher, self.secret, self.settings.site_url)),
            dumps.DAILY: self.dump_maker.daily,
            dumps.RENEW: self.dump_maker.renew,
        }
        return {name: partial(patient, job) for name, job in jobs.items()}

    def owns_index(self) -> bool:
        """Whether this process may write the index: the embedded one has one writer, the process that holds the lock."""
        return bool(self.settings.search_url) or self.background is not None or self.lock.acquire()

    def claim(self) -> None:
        """`Conflict("data_folder_taken")` if another process of the embedded shape runs in this data folder."""
        if not self.owns_index():
            raise Conflict("data_folder_taken", folder=str(self.settings.data_dir))

    def start(self) -> None:
        """Begins running jobs, draining the index and keeping time. Errors: `claim`."""
        self.claim()
        if self.settings.database_url and not self.settings.site_secret:
            log.warning(
                "OPENDATA_SITE_SECRET is not set: other machines cannot read what this one seals or signs"
            )
        self.queue.start(self.handlers(), self._failed)
        self.background = Background(self)
        self.background.start()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Jobs run inside the block: here, or in the server that holds the data folder."""
        if self.owns_index():
            self.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        if self.background is not None:
            self.background.stop()
            self.queue.stop()
            self.background = None

    def close(self) -> None:
        self.stop()
        self.sandbox.close()
        self.row_sandbox.close()
        self.index.close()
        self.place.dispose()
        self.lock.release()

    def reconcile(self, *, repair: bool) -> reconcile.Report:
        """Compares index, tables and files with the database."""
        return reconcile.compare(self.journey, self.indexer, repair=repair)

    def _failed(self, job: str, args: dict[str, Any], error: Exception) -> None:
        if job == harvest.JOB:
            self.harvester.give_up(args["run_id"])
        elif job == reporting.JOB:
            self.reporter.give_up(args["push_id"])
        else:
            publishing_jobs.failed(self.journey, job, args, error)

    def _reindex(self) -> None:
        self.indexer.rebuild()


class Background:
    """Two threads: one drains the index when something is owed, one does what is due by the clock."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._asked = ""
        """The day whose job this process has asked for."""
        self._dumped = -1
        """The last audit line that was looked at for the files of the whole catalogue."""
        self._copies = Copies(app.place, app.tables, app.rows)
        self._threads = [
            threading.Thread(target=self._drain, name="indexer", daemon=True),
            threading.Thread(target=self._tick, name="clock", daemon=True),
        ]

    def start(self) -> None:
        self._app.place.index_wanted = self._wanted.set
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._wanted.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def _drain(self) -> None:
        if self._app.index.needs_rebuild:
            guarded(self._app.indexer.rebuild)
        while not self._stop.is_set():
            self._wanted.wait(TICK_SECONDS)
            self._wanted.clear()
            began = time.monotonic()
            guarded(self._app.indexer.drain)
            self._stop.wait(pause_after(time.monotonic() - began))

    def _tick(self) -> None:
        app = self._app
        upkeep = Upkeep(
            app.place, app.stores, app.indexer, app.settings.scratch, (DumpPart.sha256, HarvestRun.spool)
        )
        next_upkeep = time.monotonic() + UPKEEP_SECONDS
        next_give_back = time.monotonic() + GIVE_BACK_SECONDS
        while not self._stop.wait(TICK_SECONDS):
            guarded(partial(do_due, app))
            guarded(self._ask_for_the_day)
            guarded(self._copies.follow)
            guarded(self._follow_dumps)
            guarded(app.measuring.follow)
            if time.monotonic() >= next_upkeep:
                guarded(upkeep.run)
                next_upkeep = time.monotonic() + UPKEEP_SECONDS
            if time.monotonic() >= next_give_back:
                give_back()
                next_give_back = time.monotonic() + GIVE_BACK_SECONDS

    def _ask_for_the_day(self) -> None:
        self._asked = schedule.ask(self._app.place, self._asked, DAILY)

    def _follow_dumps(self) -> None:
        self._dumped = dumps.follow(self._app.place, self._dumped)


def pause_after(drain: float) -> float:
    """Seconds between two drains: under a steady stream of changes the index takes a tenth of the time at most, and has fewer
    parts to merge."""
    return min(max(DRAIN_SECONDS, 9 * drain), LONGEST_PAUSE_SECONDS)


def do_due(app: Application) -> None:
    """What is due by the clock, harvests, pushes upward, e-mails of notices, messages of webhooks, when tokens were used."""
    due.run(app.place, guarded)
    ask_due(app.place, harvest_queries.due, harvest.ask_due)
    ask_due(app.place, reporting_queries.due, reporting.ask_due)
    if app.mailer is not None:
        ask_if_owed(app.place, lambda work: bool(notice_queries.unmailed(work, 1)), notice_jobs.ask)
    ask_if_owed(app.place, delivering.is_owed, delivering.ask)
    if app.authenticator.has_used():
        with app.place.writing(SYSTEM) as work:
            app.authenticator.save_last_used(work)


def record_policy(app: Application) -> None:
    """Writes the publication policy down if it is a new one."""
    with app.place.writing(SYSTEM) as work:
        policy_record.ensure(work, app.settings.publication_policy)
