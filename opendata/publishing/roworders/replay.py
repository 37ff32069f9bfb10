"""After a restore: bytes out of a backup may hold rows that had to go. The orders are applied to whatever bytes are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from opendata.catalog import views
from opendata.catalog.files import Stores, copy_object
from opendata.catalog.models import Dataset, File
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import RowTombstone, RowTreatment
from opendata.ports.storage.port import ObjectMissing
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import effects, purging, treating
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work


@dataclass(frozen=True)
class Back:
    """Bytes with a tombstone that are in a store again."""

    dataset_id: str
    sha256: str


def back(work: Work, stores: Stores) -> list[Back]:
    """What came back. Bytes that another dataset shows, or that wait for a second person, are no such."""
    found = []
    query = select(RowTombstone).where(RowTombstone.lifted_at.is_(None), RowTombstone.purged_at.is_not(None))
    for tombstone in work.session.execute(query).scalars():
        named = (File.sha256 == tombstone.sha256) | (File.base_sha256 == tombstone.sha256)
        is_named = work.session.execute(select(File.id).where(named).limit(1)).first() is not None
        if not is_named and _has(stores, tombstone.sha256):
            found.append(Back(tombstone.dataset_id, tombstone.sha256))
    return list(dict.fromkeys(found))


def replay(journey: Journey, came_back: Sequence[Back]) -> None:
    """Takes the rows out once more where the bytes without them are missing, and lets go of the others."""
    for dataset_id in dict.fromkeys(one.dataset_id for one in came_back):
        with journey.place.writing(SYSTEM) as work:
            for file in queries.files_of(work.session, dataset_id):
                _put_back(work, journey.stores, file)
        treating.treat(journey, dataset_id)
        purging.sweep(journey, dataset_id)
        _show_again(journey, dataset_id)


def _put_back(work: Work, stores: Stores, file: File) -> None:
    """The file is what it was before the order, shut, until the order has been applied again."""
    if _has(stores, file.sha256):
        return
    query = select(RowTombstone).where(RowTombstone.file_id == file.id, RowTombstone.lifted_at.is_(None))
    for tombstone in work.session.execute(query.order_by(RowTombstone.hidden_at)).scalars():
        if not _has(stores, tombstone.sha256):
            continue
        file.sha256, file.name, file.reading = tombstone.sha256, tombstone.name, tombstone.reading
        file.base_sha256, file.held = None, True
        if treated := work.session.get(RowTreatment, file.id):
            work.session.delete(treated)
        work.record("file.rows_back", "dataset", tombstone.dataset_id, sha256=tombstone.sha256)
        return


def _show_again(journey: Journey, dataset_id: str) -> None:
    """The public store has what is public, and the tables are made of it."""
    with journey.place.reading(SYSTEM) as work:
        files = queries.files_of(work.session, dataset_id)
        public = views.published_hashes(work.session, {file.sha256 for file in files})
    for sha256 in public:
        copy_object(journey.stores.holder(sha256), journey.stores.public, sha256)
    with journey.place.writing(SYSTEM) as work:
        dataset = work.session.get_one(Dataset, dataset_id)
        for file in queries.files_of(work.session, dataset_id):
            effects.load_again(work, dataset, file)


def _has(stores: Stores, sha256: str) -> bool:
    try:
        stores.holder(sha256)
    except ObjectMissing:
        return False
    return True
