"""Reads of the audit trail, by keyset: a page costs the same at any depth. And its daily heads, for everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from opendata.core.clock import day_of
from opendata.work.actor import Actor, Scope, SiteRole
from opendata.work.audit import FACTS, AuditHead, AuditRow, PublishedHead
from opendata.work.unit import Work

BATCH = 1000
COLUMNS = ("seq", "at", "actor_id", "actor_name", "action", "subject_type", "subject_id", "details", "request_id", "previous_hash", "hash")  # fmt: skip
"""Of an exported line: all that the hash is made of (`audit.chain_hash`), and the hashes."""
assert set(FACTS) < set(COLUMNS)  # noqa: S101 - whoever exports can prove the chain


@dataclass(frozen=True)
class Filter:
    """Lines that fit everything that is set."""

    subject: str = ""
    """Id of what was changed."""
    subject_type: str = ""
    actor: str = ""
    """Sign-in name or id of who changed it."""
    action: str = ""
    """`release.published`, or `release.` for all that begin so."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""


def may_read(actor: Actor) -> bool:
    """The trail names people and what is hidden: it is for those who supervise the whole site."""
    return actor.can(Scope.READ) and actor.holds(SiteRole.SUPERVISOR)


def newest(work: Work, wanted: Filter, *, before: int | None = None, limit: int = 100) -> Sequence[AuditRow]:
    """Lines with a smaller number than `before`, the newest first."""
    query = select(AuditRow).where(*_conditions(wanted))
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return work.session.execute(query.order_by(AuditRow.seq.desc()).limit(limit)).scalars().all()


def after(work: Work, wanted: Filter, seq: int, upto: int) -> Sequence[AuditRow]:
    """The next batch of lines after that number, the oldest first, up to and with the last."""
    query = select(AuditRow).where(AuditRow.seq > seq, AuditRow.seq <= upto, *_conditions(wanted))
    return work.session.execute(query.order_by(AuditRow.seq).limit(BATCH)).scalars().all()


def head(work: Work) -> AuditHead:
    return work.session.execute(select(AuditHead).where(AuditHead.id == 1)).scalar_one()


def told(row: AuditRow) -> dict[str, Any]:
    """A line as it is exported: times to the microsecond, as they went into the hash."""
    return {name: getattr(row, name) for name in COLUMNS} | {"at": row.at.isoformat(timespec="microseconds")}


def publish_head(work: Work) -> None:
    """Writes down where the chain stands, once a day: the first time that upkeep runs on it."""
    day = day_of(work.now)
    query = select(AuditHead).where(AuditHead.id == 1).with_for_update()  # two servers: one after the other
    now = work.session.execute(query).scalar_one()
    if work.session.get(PublishedHead, day) is None:
        work.session.add(PublishedHead(day=day, seq=now.seq, hash=now.hash, at=work.now))
        work.record("audit.head_published", "audit", day.isoformat(), seq=now.seq, hash=now.hash)


def published_heads(work: Work, limit: int) -> Sequence[PublishedHead]:
    """The newest first."""
    query = select(PublishedHead).order_by(PublishedHead.day.desc()).limit(limit)
    return work.session.execute(query).scalars().all()


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.subject:
        yield AuditRow.subject_id == wanted.subject
    if wanted.subject_type:
        yield AuditRow.subject_type == wanted.subject_type
    if wanted.actor:
        yield or_(AuditRow.actor_name == wanted.actor, AuditRow.actor_id == wanted.actor)
    if wanted.action.endswith("."):
        yield AuditRow.action.startswith(wanted.action, autoescape=True)
    elif wanted.action:
        yield AuditRow.action == wanted.action
    if wanted.since is not None:
        yield AuditRow.at >= wanted.since
    if wanted.until is not None:
        yield AuditRow.at < wanted.until
