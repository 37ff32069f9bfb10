"""Bytes that an order took away leave the stores: the public one at once, the inbox once nothing needs them any more."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, select, text

from opendata.catalog.models import File
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import RowTombstone
from opendata.core.failpoints import reach
from opendata.ports.storage.port import ObjectMissing, Storage
from opendata.publishing.jobs import Journey
from opendata.publishing.models import Upload, UploadPart
from opendata.publishing.roworders import effects
from opendata.validation.models import Prepared
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work


def purge(journey: Journey, dataset_id: str) -> None:
    """Whatever has a tombstone and is needed by nothing else. Idempotent: a tombstone says when its bytes were gone."""
    with journey.place.reading(SYSTEM) as work:
        open_ = [
            t for t in queries.tombstones(work.session, dataset_id) if not t.purged_at and not t.lifted_at
        ]
        wanted = dict.fromkeys(t.sha256 for t in open_)
    for sha256 in wanted:
        _let_go(journey, dataset_id, sha256)
        reach("rows.one_purged")


def forget_prepared(journey: Journey, hashes: Collection[str]) -> None:
    """Marked and cleaned copies of these bytes, and proposals about them: their objects first, then their rows. A copy that
    somebody took for a file is that file, and looked at as such."""
    with journey.place.writing(SYSTEM) as work:
        _lock(work)
        mine = Prepared.sha256.in_(hashes)
        copies = work.session.execute(select(Prepared.object_sha256).where(mine)).scalars().all()
        for sha256 in {copy for copy in copies if copy}:
            others = (Prepared.object_sha256 == sha256) & Prepared.sha256.not_in(hashes)
            kept = work.session.execute(select(Prepared.key).where(others).limit(1)).first() is not None
            part = select(UploadPart.sha256).where(UploadPart.sha256 == sha256).limit(1)
            kept = kept or work.session.execute(part).first() is not None
            if not kept and not _names(work, (File.sha256 == sha256) | (File.base_sha256 == sha256)):
                _remove(journey.stores.inbox, sha256)
        work.session.execute(delete(Prepared).where(mine))


def sweep(journey: Journey, dataset_id: str) -> int:
    """Bytes with a tombstone that came back, out of a backup: how many objects that were."""
    with journey.place.reading(SYSTEM) as work:
        gone = {t.sha256 for t in queries.tombstones(work.session, dataset_id) if not t.lifted_at}
    return sum(_let_go(journey, dataset_id, sha256) for sha256 in sorted(gone))


def _let_go(journey: Journey, dataset_id: str, sha256: str) -> bool:
    """Whether there was something in a store. What another dataset shows with the same bytes stays: an order binds its own."""
    removed = False
    with journey.place.writing(SYSTEM) as work:
        _lock(work)
        if _names(work, File.sha256 == sha256):
            return False
        removed |= _remove(journey.stores.public, sha256)
        if not _names(work, File.base_sha256 == sha256):
            _forget_parts(journey, work, dataset_id, sha256)
            removed |= _remove(journey.stores.inbox, sha256)
            effects.forget_facts(work, sha256)
            _mark(work, dataset_id, sha256)
        if removed:
            work.record("object.purged", "dataset", dataset_id, sha256=sha256)
    return removed


def _lock(work: Work) -> None:
    """No row may begin to name an object meanwhile."""
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(text("LOCK TABLE file, upload_part, prepared IN SHARE ROW EXCLUSIVE MODE"))


def _names(work: Work, condition: ColumnElement[bool]) -> bool:
    return work.session.execute(select(File.id).where(condition).limit(1)).first() is not None


def _remove(store: Storage, sha256: str) -> bool:
    try:
        store.stat(sha256)
    except ObjectMissing:
        return False
    store.delete(sha256)
    return True


def _forget_parts(journey: Journey, work: Work, dataset_id: str, sha256: str) -> None:
    """A large file came in parts, which lie in the inbox until the upload is forgotten."""
    mine = select(RowTombstone.file_id).where(RowTombstone.sha256 == sha256)
    uploads = select(Upload.id).where(Upload.file_id.in_(mine), Upload.dataset_id == dataset_id)
    query = select(UploadPart.sha256).where(UploadPart.upload_id.in_(uploads) | (UploadPart.sha256 == sha256))
    parts = set(work.session.execute(query).scalars())
    work.session.execute(
        delete(UploadPart).where(UploadPart.upload_id.in_(uploads) | (UploadPart.sha256 == sha256))
    )
    for part in parts - {sha256}:
        named = _names(work, File.sha256 == part) or _names(work, File.base_sha256 == part)
        if not named:
            journey.stores.inbox.delete(part)


def _mark(work: Work, dataset_id: str, sha256: str) -> None:
    query = select(RowTombstone).where(
        RowTombstone.dataset_id == dataset_id,
        RowTombstone.sha256 == sha256,
        RowTombstone.purged_at.is_(None),
        RowTombstone.lifted_at.is_(None),
    )
    for tombstone in work.session.execute(query).scalars():
        tombstone.purged_at = work.now
