"""What is tidied every hour: what has expired, what dead writers left, bytes that no row names, and the index compared."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.orm import InstrumentedAttribute

from opendata.accounts.models import SignInFailure, WebSession
from opendata.catalog.files import Stores
from opendata.catalog.models import File, Image
from opendata.core.errors import DomainError
from opendata.edge import idempotency
from opendata.inventory.transfer import service as lists
from opendata.ports.storage.port import ObjectMissing, Storage
from opendata.publishing.models import Upload, UploadPart
from opendata.search.service import Indexer
from opendata.validation import preparing
from opendata.validation.models import Prepared
from opendata.work import trail
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

log = logging.getLogger(__name__)
ORPHAN_AGE = timedelta(hours=24)
"""An object is stored before its row: for so long it may lie without one."""


@dataclass(frozen=True)
class Upkeep:
    place: Workplace
    stores: Stores
    indexer: Indexer
    scratch: Path
    named: Sequence[InstrumentedAttribute[Any]] = ()
    """Columns of floors above that name objects too."""

    def run(self) -> None:
        """Each step alone: one that fails (a store that is down) is logged and waits for the next hour."""
        for step in (self.expire, self.sweep, self.collect, self.compare, self.publish_head):
            try:
                step()
            except DomainError as error:
                log.warning("upkeep put off: %s", error.code, extra={"step": step.__name__})

    def expire(self) -> None:
        """Sessions, failed sign-ins, remembered answers, unfinished uploads and unaccepted lists that are over."""
        with self.place.writing(SYSTEM) as work:
            now = work.now
            work.session.execute(delete(WebSession).where(WebSession.expires_at <= now))
            work.session.execute(
                delete(SignInFailure).where(SignInFailure.last_at <= now - timedelta(days=1))
            )
            idempotency.purge(work)
            over = select(Upload.id).where(Upload.expires_at <= now)
            work.session.execute(delete(UploadPart).where(UploadPart.upload_id.in_(over)))
            work.session.execute(delete(Upload).where(Upload.expires_at <= now))
            lists.expire(work)
            preparing.expire(work)

    def sweep(self) -> None:
        """Temporary bytes of writers and loads that died."""
        for store in (self.stores.inbox, self.stores.public):
            store.sweep_temporary(ORPHAN_AGE)
        oldest = time.time() - ORPHAN_AGE.total_seconds()
        for folder in (*self.scratch.glob("load-*"), *self.scratch.glob("dump-*")):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)

    def collect(self) -> None:
        """Objects that no row has named for a day. The rows are read again, and the age too, in the transaction that
        lets the object go, while no row can be added."""
        for store in (self.stores.inbox, self.stores.public):
            for stored in store.objects():
                with self.place.reading(SYSTEM) as work:
                    old = stored.stored_at <= work.now - ORPHAN_AGE
                    candidate = old and not self._is_named(work, stored.sha256)
                if candidate:
                    self._let_go(store, stored.sha256)

    def compare(self) -> None:
        """The index against the database, repaired where they differ."""
        found = self.indexer.reconcile(repair=True)
        if found.ids:
            log.error("the index differed from the database", extra={"ids": found.ids[:20]})

    def publish_head(self) -> None:
        """Where the audit trail stands, once a day, for everybody to keep."""
        with self.place.writing(SYSTEM) as work:
            trail.publish_head(work)

    def _let_go(self, store: Storage, sha256: str) -> None:
        with self.place.writing(SYSTEM) as work:
            if work.session.get_bind().dialect.name == "postgresql":
                tables = ", ".join(sorted({column.class_.__tablename__ for column in self._columns}))
                work.session.execute(text(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"))
            try:
                fresh = store.stat(sha256).stored_at > work.now - ORPHAN_AGE
            except ObjectMissing:
                return
            if not fresh and not self._is_named(work, sha256):
                store.delete(sha256)
                work.record("object.collected", "object", sha256)

    @property
    def _columns(self) -> Sequence[InstrumentedAttribute[Any]]:
        own = (File.sha256, File.base_sha256, Image.sha256, UploadPart.sha256, Prepared.object_sha256)
        return (*own, *self.named)

    def _is_named(self, work: Work, sha256: str) -> bool:
        return any(
            work.session.execute(select(column).where(column == sha256).limit(1)).first() is not None
            for column in self._columns
        )
