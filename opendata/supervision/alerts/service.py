"""Alerts follow what is late: the daily job tells everything that is, and what is not any more is settled by that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from opendata.core.ids import new_id
from opendata.supervision import policy
from opendata.supervision.alerts.models import Alert, AlertKind
from opendata.work.unit import Work

MOST_SHOWN = 100


@dataclass(frozen=True)
class Late:
    """Something whose day has passed."""

    agency_id: str
    subject_id: str
    title: str
    due_on: date


def follow(work: Work, kind: AlertKind, late: Iterable[Late]) -> int:
    """Raises an alert for what is newly late, once for each deadline, and settles those of what is late no more. How many
    were raised."""
    now_late = {(one.subject_id, one.due_on): one for one in late}
    query = select(Alert).where(Alert.kind == kind.value, Alert.settled_at.is_(None))
    standing = {(alert.subject_id, alert.due_on): alert for alert in work.session.execute(query).scalars()}
    for key, alert in standing.items():
        if key not in now_late:
            alert.settled_at = work.now
    fresh = [one for key, one in now_late.items() if key not in standing]
    for one in fresh:
        _raise(work, kind, one)
    work.session.flush()
    return len(fresh)


def settle(work: Work, kind: AlertKind, subject_id: str) -> None:
    """The subject is dealt with."""
    query = select(Alert).where(
        Alert.kind == kind.value, Alert.subject_id == subject_id, Alert.settled_at.is_(None)
    )
    for alert in work.session.execute(query).scalars():
        alert.settled_at = work.now


def standing(work: Work, agency_ids: Collection[str] | None = None) -> Sequence[Alert]:
    """Unsettled alerts of the bodies that the actor may see, or of these of them; the longest overdue first."""
    seen = policy.seen_bodies(work)
    query = select(Alert).where(Alert.settled_at.is_(None))
    for ids in (seen, agency_ids):
        if ids is not None:
            query = query.where(Alert.agency_id.in_(ids))
    return work.session.execute(query.order_by(Alert.due_on, Alert.id).limit(MOST_SHOWN)).scalars().all()


def _raise(work: Work, kind: AlertKind, one: Late) -> None:
    """A deadline that was moved away and back raises its alert again."""
    query = select(Alert).where(
        Alert.kind == kind.value, Alert.subject_id == one.subject_id, Alert.due_on == one.due_on
    )
    alert = work.session.execute(query).scalar_one_or_none()
    if alert is None:
        alert = Alert(
            id=new_id(), agency_id=one.agency_id, kind=kind.value, subject_id=one.subject_id, title=one.title[:300],
            due_on=one.due_on, raised_at=work.now, settled_at=None,
        )  # fmt: skip
        work.session.add(alert)
    alert.settled_at = None
    work.record(
        "alert.raised",
        "alert",
        alert.id,
        kind=kind.value,
        subject=one.subject_id,
        due_on=one.due_on.isoformat(),
    )
