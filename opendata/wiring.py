"""Settings to adapters: the one file that names an adapter, and the one place where the application is put together."""

from __future__ import annotations

import errno
import importlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

from opendata.accounts.authenticator import Authenticator
from opendata.accounts.notices import jobs as notice_jobs
from opendata.accounts.notices import queries as notice_queries
from opendata.agencies import queries as agency_queries
from opendata.agencies.delegation import queries as delegations
from opendata.catalog.codes import codes
from opendata.catalog.files import Stores
from opendata.catalog.profile import DatasetMeta
from opendata.compat.ckan.packages import TAKEN, payload
from opendata.compat.dcat.schema_org import schema_org
from opendata.core.clock import Clock, SystemClock
from opendata.core.database import open_engine
from opendata.core.errors import Conflict, DomainError, Unavailable
from opendata.core.locks import FileLock
from opendata.edge.usage.journal import Journal
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.job_queue.port import Handler, JobQueue, RetryLater
from opendata.ports.mailer.port import Mailer
from opendata.ports.sandbox.port import Sandbox
from opendata.ports.search_index.port import SearchIndex
from opendata.ports.storage.port import Storage
from opendata.ports.table_store.port import TableStore
from opendata.publishing import jobs as publishing_jobs
from opendata.publishing import policy_record, reconcile
from opendata.publishing.findings import jobs as findings_jobs
from opendata.publishing.jobs import Journey
from opendata.publishing.timing import due
from opendata.publishing.upkeep import Upkeep
from opendata.search.service import Indexer
from opendata.settings import ROOT, Settings
from opendata.supervision import schedule
from opendata.tables import jobs as tables_jobs
from opendata.tables.queries import columns_of
from opendata.tables.service import Loader
from opendata.validation import jobs as validation_jobs
from opendata.work.actor import SYSTEM
from opendata.work.unit import Workplace

log = logging.getLogger(__name__)
TICK_SECONDS = 1.0
UPKEEP_SECONDS = 3600.0
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
    fetcher: Fetcher
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
    def scoring(self) -> Path | None:
        """Where the rules of scoring are; None where supervision is switched off."""
        return self.settings.catalog_schemas if self.settings.supervision else None

    @property
    def describe(self) -> Callable[..., dict[str, Any]]:
        """A dataset for search engines, which the feeds word; for its page (a neighbour)."""
        return partial(schema_org, site_url=self.settings.site_url)

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
        return Journey(self.place, self.stores, self.sandbox, self.settings.scratch)

    @property
    def loader(self) -> Loader:
        return Loader(self.place, self.stores, self.sandbox, self.tables, self.settings.scratch)

    def handlers(self) -> dict[str, Handler]:
        """Every job by its name."""
        jobs: dict[str, Handler] = {
            "publishing.screen": partial(findings_jobs.screen, self.journey),
            "publishing.mask": partial(findings_jobs.mask, self.journey),
            "publishing.validate": partial(publishing_jobs.validate, self.journey),
            "publishing.publish": partial(publishing_jobs.publish, self.journey),
            "publishing.retract": partial(publishing_jobs.retract, self.journey),
            "validation.check": partial(validation_jobs.check, self.journey.judge),
            "accounts.mail": partial(notice_jobs.mail, self.place, self.mailer, self.settings.site_url),
            "tables.load": partial(tables_jobs.load, self.loader),
            "tables.drop": partial(tables_jobs.drop, self.loader),
            "search.reindex": self._reindex,
            schedule.JOB: partial(schedule.inspect, self.place, rules=self.scoring),
            "search.renew": self.indexer.renew,
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
        self.queue.start(self.handlers(), partial(publishing_jobs.failed, self.journey))
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
        self.index.close()
        self.place.dispose()
        self.lock.release()

    def reconcile(self, *, repair: bool) -> reconcile.Report:
        """Compares index, tables and files with the database."""
        return reconcile.compare(self.place, self.stores, self.indexer, repair=repair)

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
        upkeep = Upkeep(app.place, app.stores, app.indexer, app.settings.scratch)
        next_upkeep = time.monotonic() + UPKEEP_SECONDS
        while not self._stop.wait(TICK_SECONDS):
            guarded(partial(do_due, app))
            guarded(self._ask_for_the_day)
            if time.monotonic() >= next_upkeep:
                guarded(upkeep.run)
                next_upkeep = time.monotonic() + UPKEEP_SECONDS

    def _ask_for_the_day(self) -> None:
        self._asked = schedule.ask(self._app.place, self._asked)


def pause_after(drain: float) -> float:
    """Seconds between two drains: under a steady stream of changes the index takes a quarter of the time at most."""
    return min(max(DRAIN_SECONDS, 3 * drain), LONGEST_PAUSE_SECONDS)


def patient(job: Handler, **args: Any) -> None:
    """A job that meets a service that is down or a full disk waits for it, however long it takes: it has not failed."""
    try:
        job(**args)
    except Unavailable as down:
        raise RetryLater(down.retry_after) from down
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RetryLater(60) from error


def guarded(work: Callable[[], object]) -> None:
    """A background step that fails is logged and tried again at the next turn."""
    try:
        work()
    except DomainError as error:
        log.warning("background step put off: %s", error.code)
    except Exception:
        log.exception("background step failed")


def do_due(app: Application) -> None:
    """What is due by the clock, e-mails of notices, when tokens were used."""
    due.run(app.place, guarded)
    if app.mailer is not None:
        with app.place.reading(SYSTEM) as work:
            owed = bool(notice_queries.unmailed(work, 1))
        if owed:
            with app.place.writing(SYSTEM) as work:
                notice_jobs.ask(work)
    if app.authenticator.has_used():
        with app.place.writing(SYSTEM) as work:
            app.authenticator.save_last_used(work)


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    queue: JobQueue | None = None,
    sandbox: Sandbox | None = None,
) -> Application:
    """Puts the application together. Opens connections; starts nothing."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    settings.scratch.mkdir(exist_ok=True)
    reading = open_engine(settings.database, writing=False)
    writing = open_engine(settings.database, writing=True)
    queue = queue or _adapter("job_queue.dbos", "DbosQueue")(settings.database, workers=settings.workers)
    place = Workplace(reading, writing, clock or SystemClock(), queue)
    index = _index(settings)
    return Application(
        settings=settings,
        place=place,
        authenticator=Authenticator(delegations.roles_of),
        stores=Stores(_storage(settings, "inbox"), _storage(settings, "public")),
        sandbox=sandbox
        or _adapter("sandbox.process", "ProcessSandbox")(settings.scratch, workers=settings.workers),
        fetcher=_fetcher(settings),
        tables=_tables(settings),
        index=index,
        queue=queue,
        indexer=Indexer(place, index, payload(settings.site_url), columns_of),
        lock=FileLock(settings.data_dir / "lock"),
        mailer=_mailer(settings),
        journal=Journal(settings.data_dir / "usage", lambda: place.clock.now()),
    )


def sandbox(scratch: Path) -> Sandbox:
    """The sandbox alone, for a command that needs nothing else."""
    made: Sandbox = _adapter("sandbox.process", "ProcessSandbox")(scratch, workers=1)
    return made


def migrate(settings: Settings) -> None:
    """Brings the database to the newest schema."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", settings.database.replace("%", "%%"))
    command.upgrade(config, "head")


def record_policy(app: Application) -> None:
    """Writes the publication policy down if it is a new one."""
    with app.place.writing(SYSTEM) as work:
        policy_record.ensure(work, app.settings.publication_policy)


def _adapter(module: str, name: str) -> Any:
    """Imports only the chosen adapter: the others' libraries cost memory."""
    return getattr(importlib.import_module(f"opendata.ports.{module}"), name)


def _storage(settings: Settings, which: str) -> Storage:
    address = settings.inbox_storage if which == "inbox" else settings.storage
    if address.startswith("s3+"):
        store: Storage = _adapter("storage.s3", "S3Storage").from_url(
            address, which, scratch=settings.scratch
        )
        return store
    local: Storage = _adapter("storage.local", "LocalStorage")(Path(address) / which)
    return local


def _mailer(settings: Settings) -> Mailer | None:
    address = settings.mail_url
    if not address:
        return None
    if address.startswith(("smtp://", "smtps://")):
        server: Mailer = _adapter("mailer.smtp", "SmtpMailer")(address, settings.mail_sender)
        return server
    folder: Mailer = _adapter("mailer.outbox", "OutboxMailer")(Path(address), settings.mail_sender)
    return folder


def _index(settings: Settings) -> SearchIndex:
    if settings.search_url:
        address, _, name = settings.search_url.partition("#")
        remote: SearchIndex = _adapter("search_index.elasticsearch", "ElasticsearchIndex")(
            address, name or "opendata-datasets"
        )
        return remote
    local: SearchIndex = _adapter("search_index.embedded", "EmbeddedIndex")(settings.data_dir / "index")
    return local


def _fetcher(settings: Settings) -> Fetcher:
    allowed = [place.strip().lower() for place in settings.fetch_allowed.split(",") if place.strip()]
    guarded: Fetcher = _adapter("fetcher.guarded", "GuardedFetcher")(
        allowed, agent=f"opendata (+{settings.site_url})"
    )
    return guarded


def _tables(settings: Settings) -> TableStore:
    location = settings.storage if settings.storage.startswith("s3+") else str(settings.data_dir / "tables")
    store: TableStore = _adapter("table_store.delta", "DeltaTableStore")(
        location, cache=settings.data_dir / "table-cache"
    )
    return store
