"""From the journal to the counts: each batch in one transaction with its name, so that it counts once, whatever dies when."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from opendata.catalog.models import Dataset, Resource
from opendata.core.database import table_of
from opendata.core.errors import DomainError
from opendata.core.failpoints import reach
from opendata.edge.usage.journal import Journal, Noted, Use
from opendata.supervision.usage.models import CountedBatch, DailyUse
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

log = logging.getLogger(__name__)
FLUSH_SECONDS = 10.0
REMEMBERED = timedelta(days=30)
"""A batch that was counted is deleted at once; should that fail, so long it cannot be counted twice."""
IDS_AT_ONCE = 500
_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_COLUMNS: Mapping[Use, str] = {Use.VIEW: "views", Use.DOWNLOAD: "downloads", Use.CALL: "calls"}
_NOTHING = dict.fromkeys(_COLUMNS.values(), 0)


def flush(place: Workplace, journal: Journal) -> None:
    """Adds everything noted so far, by this process and by dead ones, to the counts."""
    for batch in journal.batches():
        count(place, batch.id, batch.read())
        reach("usage.committed")
        batch.forget()


def count(place: Workplace, batch_id: str, noted: Counter[Noted]) -> None:
    """One batch, unless it was counted before."""
    with place.writing(SYSTEM) as work:
        if work.session.get(CountedBatch, batch_id) is not None:
            return
        work.session.add(CountedBatch(id=batch_id, counted_at=work.now))
        work.session.execute(delete(CountedBatch).where(CountedBatch.counted_at < work.now - REMEMBERED))
        _add(work, noted)
        work.session.flush()
        reach("usage.written")


def _add(work: Work, noted: Counter[Noted]) -> None:
    """In the order of the keys: two servers that count at once do not wait for each other in a circle."""
    datasets = _datasets(work, {subject for _day, _use, subject in noted})
    sums: dict[tuple[date, str], dict[str, Any]] = {}
    for (day, use, subject), times in noted.items():
        if dataset_id := datasets.get(subject):
            key = day, dataset_id
            row = sums.setdefault(key, {"day": day, "dataset_id": dataset_id, **_NOTHING})
            row[_COLUMNS[use]] += times
    rows = [sums[key] for key in sorted(sums)]
    if rows:
        connection = work.session.connection()
        connection.execute(_adding(connection.dialect.name), rows)


@lru_cache
def _adding(dialect: str) -> Executable:
    """A row of a day is made, or added to. By rows of tens of thousands, while others wait to write: one by one through the
    session this took a fifth of a busy server's time."""
    table = table_of(DailyUse)
    new = _INSERTS[dialect](table)
    sums = {name: table.c[name] + new.excluded[name] for name in _COLUMNS.values()}
    found: Executable = new.on_conflict_do_update(index_elements=[table.c.day, table.c.dataset_id], set_=sums)
    return found


def _datasets(work: Work, subjects: Collection[str]) -> dict[str, str]:
    """The datasets of these ids, which are their own or their resources'; unknown ones are left out."""
    ids = sorted(subjects)
    found: dict[str, str] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        found |= {
            i: i for i in work.session.execute(select(Dataset.id).where(Dataset.id.in_(some))).scalars()
        }
        query = select(Resource.id, Resource.dataset_id).where(Resource.id.in_(some))
        found |= {row.id: row.dataset_id for row in work.session.execute(query)}
    return found


class Counting:
    """The thread of a server that counts every few seconds, and once more at the end."""

    def __init__(self, place: Workplace, journal: Journal) -> None:
        self._place = place
        self._journal = journal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._stop.wait(FLUSH_SECONDS)
            try:
                flush(self._place, self._journal)
            except (DomainError, SQLAlchemyError, OSError) as error:
                # The batch stays where it is: it is counted at the next turn, or by the next process.
                log.warning("counting of uses put off: %s", type(error).__name__)
