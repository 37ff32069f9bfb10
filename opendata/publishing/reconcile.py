"""Proof that what is derived or stored elsewhere fits the database: index, tables, files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from opendata.catalog.files import Stores
from opendata.catalog.models import Dataset, File, Release, ResourceVersion
from opendata.ports.storage.port import ObjectMissing, Storage
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import replay
from opendata.search.service import Differences, Indexer
from opendata.tables.queries import stale_tables
from opendata.validation import preparing
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work


@dataclass(frozen=True)
class Report:
    index: Differences
    tables: list[tuple[str, str]]
    """(resource id, file id) of tables whose loading never ended."""
    files: list[str]
    """SHA-256 of files that rows name and no store has, or that are public and not in the public store."""
    rows: list[str]
    """SHA-256 of bytes that a row order had purged and that are there again, out of a backup."""

    @property
    def clean(self) -> bool:
        return not (self.index.ids or self.tables or self.files or self.rows)

    def lines(self) -> Iterator[str]:
        """What an operator reads."""
        index = self.index
        yield (
            f"index: {index.checked} datasets, {len(index.missing)} missing, {len(index.stale)} stale,"
            f" {len(index.ghosts)} not public"
        )
        yield f"tables: {len(self.tables)} unfinished"
        yield f"files: {len(self.files)} missing"
        yield f"rows: {len(self.rows)} files hold rows that had to go"
        for name, ids in (("missing", index.missing), ("stale", index.stale), ("not public", index.ghosts)):
            yield from (f"  index {name}: {i}" for i in ids[:20])
        yield from (f"  table unfinished: {resource}" for resource, _ in self.tables[:20])
        yield from (f"  file missing: {sha256}" for sha256 in self.files[:20])
        yield from (f"  rows back in: {sha256}" for sha256 in self.rows[:20])


def compare(journey: Journey, indexer: Indexer, *, repair: bool) -> Report:
    """Compares everything. With `repair` row orders are applied to what a backup brought back, the index is brought right and
    unfinished tables are asked for again, prepared copies that are lost are forgotten; a missing file cannot be repaired, it has to come from the backup."""
    place, stores = journey.place, journey.stores
    with place.reading(SYSTEM) as work:
        came_back = replay.back(work, stores)
    if repair and came_back:
        replay.replay(journey, came_back)
    if repair:
        with place.writing(SYSTEM) as work:
            preparing.forget_lost(work, stores)
    index = indexer.reconcile(repair=repair)
    with place.reading(SYSTEM) as work:
        tables = stale_tables(work)
        expected = list(_expected(work, stores))
    missing = sorted({sha256 for sha256, store in expected if not _has(store, sha256)})
    if repair and tables:
        with place.writing(SYSTEM) as work:
            for resource_id, file_id in tables:
                work.enqueue("tables.load", {"resource_id": resource_id, "file_id": file_id})
    return Report(index, tables, missing, [one.sha256 for one in came_back])


def _expected(work: Work, stores: Stores) -> Iterator[tuple[str, Storage | Stores]]:
    public = set(
        work.session.execute(
            select(File.sha256)
            .join(ResourceVersion, ResourceVersion.file_id == File.id)
            .join(Dataset, Dataset.id == ResourceVersion.dataset_id)
            .join(Release, Release.id == Dataset.published_id)
            .where(
                ResourceVersion.shown_by(Release.number),
            )
        ).scalars()
    )
    yield from ((sha256, stores.public) for sha256 in public)
    yield from ((sha256, stores) for sha256 in work.session.execute(select(File.sha256).distinct()).scalars())


def _has(store: Storage | Stores, sha256: str) -> bool:
    try:
        if isinstance(store, Stores):
            store.holder(sha256)
        else:
            store.stat(sha256)
    except ObjectMissing:
        return False
    return True
