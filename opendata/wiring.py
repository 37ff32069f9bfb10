"""Settings to adapters: the one file that names an adapter, and the one place where the application is put together."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config

from opendata.access import collaborators
from opendata.accounts.authenticator import Authenticator
from opendata.agencies.delegation import queries as delegations
from opendata.application import Application
from opendata.catalog.files import Stores
from opendata.changes import log
from opendata.compat.ckan.packages import payload
from opendata.core.clock import Clock, SystemClock
from opendata.core.database import open_engine
from opendata.core.locks import FileLock
from opendata.edge.usage.journal import Journal
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.job_queue.port import JobQueue
from opendata.ports.mailer.port import Mailer
from opendata.ports.sandbox.port import Sandbox
from opendata.ports.search_index.port import SearchIndex
from opendata.ports.storage.drop import Drop
from opendata.ports.storage.port import Storage
from opendata.ports.table_store.port import TableStore
from opendata.search.service import Indexer
from opendata.settings import ROOT, Settings
from opendata.tables.queries import columns_of
from opendata.work.unit import Workplace


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
    place = Workplace(reading, writing, clock or SystemClock(), queue, log.follow)
    index = _index(settings)
    return Application(
        settings=settings,
        place=place,
        authenticator=Authenticator(delegations.roles_of, collaborators.of_user),
        stores=Stores(_storage(settings, "inbox"), _storage(settings, "public")),
        sandbox=sandbox or _sandbox(settings),
        row_sandbox=sandbox or _sandbox(settings, tasks_per_worker=10_000),
        fetcher=fetcher_of(settings),
        drop=_drop(settings),
        tables=_tables(settings),
        index=index,
        queue=queue,
        indexer=Indexer(place, index, payload(settings.site_url), columns_of),
        lock=FileLock(settings.data_dir / "lock"),
        mailer=_mailer(settings),
        journal=Journal(settings.data_dir / "usage", lambda: place.clock.now()),
    )


def _sandbox(settings: Settings, **more: int) -> Sandbox:
    adapter = _adapter("sandbox.process", "ProcessSandbox")
    made: Sandbox = adapter(settings.scratch, workers=settings.workers, **more)
    return made


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


def _drop(settings: Settings) -> Drop | None:
    address = settings.harvest_folder
    if not address:
        return None
    if address.startswith("s3+"):
        bucket: Drop = _adapter("storage.s3_drop", "S3Drop")(address)
        return bucket
    folder: Drop = _adapter("storage.local_drop", "LocalDrop")(Path(address))
    return folder


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


def fetcher_of(settings: Settings, *more: str) -> Fetcher:
    """The guarded client. `more`: `host:port` pairs that the operator has named besides those of the settings."""
    allowed = [place.strip().lower() for place in settings.fetch_allowed.split(",") if place.strip()]
    allowed += more
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
