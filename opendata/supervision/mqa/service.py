"""Measures what is public and was not measured at its present revision."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, or_, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset
from opendata.supervision.mqa.models import MqaScore
from opendata.supervision.mqa.rubric import packed, points
from opendata.work import audit
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

BATCH = 100
SHARE = 10
"""While others write, measuring takes a tenth of the time at most: it would halve what they can do, and nobody waits for it."""
Measure = Callable[[Work, Sequence[str]], dict[str, list[str]]]
"""Codes of failed indicators by dataset id; the feeds know (a floor above), so the application passes it in."""


@dataclass
class Measuring:
    """One a process. Nothing is looked for while the audit trail stands still."""

    place: Workplace
    measure: Measure
    _seen: int = -1
    """The last line of the trail at the last look."""
    _measured: int = -1
    """And when nothing was left to measure."""
    _free_at: float = 0.0
    """Until then it leaves the machine to those who write."""

    def follow(self) -> int:
        """Measures until nothing is left, or until it is the turn of others; how many were measured."""
        done = 0
        while (head := self._head()) != self._measured:
            is_written, self._seen = head != self._seen, head
            if is_written and time.monotonic() < self._free_at:
                break
            began = time.monotonic()
            batch = self._some()
            ended = time.monotonic()
            self._free_at = ended + (SHARE - 1) * (ended - began)
            if not batch:
                self._measured = head
            done += batch
        return done

    def _head(self) -> int:
        with self.place.reading(SYSTEM) as work:
            return audit.head(work.session)

    def _some(self) -> int:
        with self.place.reading(SYSTEM) as work:
            waiting = dict(work.session.execute(_WAITING).tuples().all())
            found = self.measure(work, list(waiting)) if waiting else {}
        if not waiting:
            return 0
        with self.place.writing(SYSTEM) as work:
            work.session.execute(delete(MqaScore).where(MqaScore.dataset_id.in_(waiting)))
            work.session.add_all(
                MqaScore(
                    dataset_id=dataset_id, revision=waiting[dataset_id], points=points(failed), failing=packed(failed),
                    at=work.now,
                )
                for dataset_id, failed in found.items()
            )  # fmt: skip
        return len(found)


def forget(work: Work, dataset_id: str) -> None:
    """A link of it leads elsewhere than it did: it is measured anew."""
    if work.session.execute(delete(MqaScore).where(MqaScore.dataset_id == dataset_id)).rowcount:  # type: ignore[attr-defined]  # of a cursor
        work.record("mqa.outdated", "dataset", dataset_id)


_WAITING = (
    select(Dataset.id, Dataset.revision)
    .outerjoin(MqaScore, MqaScore.dataset_id == Dataset.id)
    .where(PUBLIC_FILTER, or_(MqaScore.dataset_id.is_(None), MqaScore.revision != Dataset.revision))
    .limit(BATCH)
)
