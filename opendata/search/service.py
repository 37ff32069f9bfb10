"""The index follows the database: what is owed is drained in batches; a rebuild and a comparison prove that it is right."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import delete, func, not_, or_, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog import queries, vocabularies
from opendata.catalog.models import Dataset
from opendata.catalog.views import DatasetView
from opendata.core.failpoints import reach
from opendata.ports.search_index.port import (
    All,
    Answer,
    Document,
    Exact,
    Hit,
    Not,
    Request,
    SearchIndex,
    Sort,
)
from opendata.search.documents import Columns, Payload, document
from opendata.work.actor import SYSTEM
from opendata.work.pending import Pending
from opendata.work.unit import Work, Workplace

log = logging.getLogger(__name__)
BATCH = 500
_GONE = (
    select(Pending.dataset_id)
    .outerjoin(Dataset, Dataset.id == Pending.dataset_id)
    .where(or_(Dataset.id.is_(None), not_(PUBLIC_FILTER)))
    .distinct()
)
"""Datasets of which the index may still hold what nobody may see any more. Made once: every search asks it."""

ColumnsReader = Callable[[Work, Sequence[str]], Mapping[str, Columns]]
"""Columns of the loaded tables of these datasets, by dataset id; `tables` is a sibling, so `wiring` passes it in."""


PayloadMaker = Callable[[Work, Sequence[DatasetView]], Payload]
"""Called once a batch, so that what all its documents need is read once."""


@dataclass(frozen=True)
class Differences:
    """Where the index is not what the database says. Ids."""

    missing: Sequence[str] = ()
    stale: Sequence[str] = ()
    ghosts: Sequence[str] = ()
    """In the index, not public."""
    checked: int = 0

    @property
    def ids(self) -> list[str]:
        return [*self.missing, *self.stale, *self.ghosts]


@dataclass
class Indexer:
    """Writes the index. One drain at a time in a process."""

    place: Workplace
    index: SearchIndex
    payload: PayloadMaker
    columns_of: ColumnsReader
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def drain(self) -> int:
        """Brings the index up to date with everything that is owed now; returns how many datasets were written. What comes
        in while a batch is written is for the next drain: a commit of the index costs as much as twenty documents."""
        written = 0
        with self._lock:
            while True:
                batch, more = self._batch()
                written += batch
                if not more:
                    return written

    def _batch(self) -> tuple[int, bool]:
        """(datasets written, whether more was owed than fits into a batch)."""
        with self.place.reading(SYSTEM) as work:
            rows = work.session.execute(select(Pending).order_by(Pending.id).limit(BATCH)).scalars().all()
            if not rows:
                return 0, False
            owed = {row.dataset_id: row.revision for row in rows}
            documents = self._documents(work, list(owed))
        present = {d.id for d in documents}
        refused = self.index.apply(documents, [(i, r) for i, r in owed.items() if i not in present])
        if refused:
            log.error("the index refused documents", extra={"ids": list(refused)})
        reach("drain.applied")
        with self.place.writing(SYSTEM) as work:
            work.session.execute(delete(Pending).where(Pending.id.in_([row.id for row in rows])))
            reach("drain.written")
        return len(owed), len(rows) == BATCH

    def rebuild(self) -> Differences:
        """A new index from the database, swapped in when it is whole; then what changed meanwhile is written too."""
        with self.index.rebuild() as new:
            after = ""
            while True:
                with self.place.reading(SYSTEM) as work:
                    ids = queries.published_ids(work, visible=PUBLIC_FILTER, after=after, limit=BATCH)
                    if not ids:
                        break
                    new.add(self._documents(work, ids))
                after = ids[-1]
            reach("reindex.filled")
        reach("reindex.swapped")
        return self.reconcile(repair=True)

    def renew(self, *, agency_id: str) -> None:
        """A body has other titles: what the index holds of its datasets, and every package made of it, is made again. Some
        datasets at a time: nobody waits for a body that has thousands."""
        after = ""
        while True:
            with self.place.writing(SYSTEM) as work:
                ids = queries.published_ids(
                    work, visible=PUBLIC_FILTER, after=after, limit=BATCH, agency_ids=[agency_id]
                )
                for dataset in work.session.execute(select(Dataset).where(Dataset.id.in_(ids))).scalars():
                    work.touch(dataset)
                if ids:
                    work.record("agency.renewed", "agency", agency_id, datasets=len(ids))
            if len(ids) < BATCH:
                return
            after = ids[-1]

    def reconcile(self, *, repair: bool) -> Differences:
        """Compares ids and revisions. With `repair` the differences are owed again and drained."""
        self.drain()
        held = dict(self.index.revisions())
        with self.place.reading(SYSTEM) as work:
            query = select(Dataset.id, Dataset.revision).where(PUBLIC_FILTER)
            wanted = {row[0]: row[1] for row in work.session.execute(query)}
        found = Differences(
            missing=sorted(wanted.keys() - held.keys()),
            stale=sorted(i for i in wanted.keys() & held.keys() if held[i] != wanted[i]),
            ghosts=sorted(held.keys() - wanted.keys()),
            checked=len(wanted),
        )
        if repair and found.ids:
            self._owe(found.ids)
            self.drain()
        return found

    def _owe(self, ids: Sequence[str]) -> None:
        with self.place.writing(SYSTEM) as work:
            for dataset_id in ids:
                dataset = work.session.get(Dataset, dataset_id)
                if dataset is not None:
                    work.touch(dataset)
                else:
                    work.session.add(Pending(dataset_id=dataset_id, revision=1 << 40, at=work.now))

    def _documents(self, work: Work, ids: Sequence[str]) -> list[Document]:
        views = queries.published(work, ids, visible=PUBLIC_FILTER)
        present = [view.id for view in views]
        columns, payload = self.columns_of(work, present), self.payload(work, views)
        known = vocabularies.known(work, [view.meta.vocabulary_terms for view in views])
        return [document(view, columns.get(view.id, {}), payload, known) for view in views]


def owed(work: Work) -> int:
    """How many index updates are waiting."""
    return work.session.execute(select(func.count()).select_from(Pending)).scalar_one()


def find(work: Work, index: SearchIndex, request: Request) -> Answer:
    """One search; the only way from any face to the index, which holds public datasets only. It follows the database by
    a moment: what stopped being public meanwhile is neither found nor counted."""
    gone = work.session.connection().execute(_GONE).scalars().all()
    if gone:
        request = replace(request, filter=All((request.filter, Not(Exact("id", tuple(gone))))))
    return index.search(request)


def one(index: SearchIndex, dataset_id: str) -> Hit | None:
    """What the index holds of a dataset, of which the caller knows that it is public."""
    wanted = Request(filter=Exact("id", (dataset_id,)), sort=(Sort("modified"),), limit=1)
    return next(iter(index.search(wanted).hits), None)
