"""The audit trail: one row a change, hash-chained (`h_n = SHA256(h_{n-1} || row)`), append-only by trigger.

The rows of a unit of work are written at its commit, after the head row is locked, so the chain is in commit order and
the lock is held only for the last moment. The head's `seq` also counts every change of the catalogue: caches use it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    Integer,
    String,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from opendata.core.canonical import canonical_json
from opendata.core.database import Base, Written, table_of

GENESIS = "0" * 64


class AuditRow(Base):
    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject", "subject_type", "subject_id"),
        Index("ix_audit_actor_name", "actor_name"),
        Index("ix_audit_action", "action"),
    )

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
    actor_id: Mapped[str | None] = mapped_column(String(36))
    actor_name: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[str] = mapped_column(String(100))
    details: Mapped[dict[str, Any]]
    request_id: Mapped[str | None] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """One row: where the chain ends. Made by the first migration."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


class PublishedHead(Base):
    """Where the chain stood on a day, told to everybody: who rewrote the trail later would be found out by it."""

    __tablename__ = "audit_published_head"

    day: Mapped[date] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


_HEAD = select(AuditHead.__table__.c.seq).where(AuditHead.__table__.c.id == 1)


def head(session: Session) -> int:
    """The number of the last audit line: it counts every change."""
    seq: int = session.connection().execute(_HEAD).scalar_one()
    return seq


@dataclass(frozen=True)
class Entry:
    """A change to be recorded at commit."""

    action: str
    subject_type: str
    subject_id: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Break:
    """A place where the chain does not hold."""

    seq: int
    reason: str


FACTS = ("actor_id", "actor_name", "action", "subject_type", "subject_id", "details", "request_id", "seq")
_HEADS = AuditHead.__table__.c
_LOCKED_HEAD = select(_HEADS.seq, _HEADS.hash).where(_HEADS.id == 1).with_for_update()
_APPEND = Written(insert(table_of(AuditRow)))
_MOVE_HEAD = Written(update(table_of(AuditHead)).where(AuditHead.id == 1))


def chain_hash(previous: str, row: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the previous hash and the canonical JSON of the row's facts."""
    facts = {name: row[name] for name in FACTS} | {"at": row["at"].isoformat(timespec="microseconds")}
    return hashlib.sha256(previous.encode() + canonical_json(facts)).hexdigest()


def append(
    session: Session,
    entries: list[Entry],
    *,
    at: datetime,
    actor_id: str | None,
    actor_name: str,
    request_id: str | None,
) -> None:
    """Appends the entries to the chain within the session's transaction: three statements, however many they are."""
    seq, last = session.connection().execute(_LOCKED_HEAD).one()
    rows = []
    for entry in entries:
        seq += 1
        row = {
            "seq": seq,
            "at": at,
            "actor_id": actor_id,
            "actor_name": actor_name,
            "action": entry.action,
            "subject_type": entry.subject_type,
            "subject_id": entry.subject_id,
            "details": entry.details,
            "request_id": request_id,
            "previous_hash": last,
        }
        last = row["hash"] = chain_hash(last, row)
        rows.append(row)
    _APPEND.send(session, *rows)
    _MOVE_HEAD.send(session, {"seq": seq, "hash": last})


def verify(session: Session) -> Iterator[Break]:
    """Yields every break of the chain: an edited, deleted, reordered or inserted row, or a head (the present one, or one
    that was published on a day) that does not fit."""
    previous, expected = GENESIS, 1
    published = {head.seq: head for head in session.execute(select(PublishedHead)).scalars()}
    for row in session.execute(
        select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)
    ).scalars():
        if row.seq != expected:
            yield Break(expected, "missing")
        if row.previous_hash != previous:
            yield Break(row.seq, "does not follow the row before it")
        if row.hash != chain_hash(row.previous_hash, {name: getattr(row, name) for name in (*FACTS, "at")}):
            yield Break(row.seq, "was changed")
        if (told := published.pop(row.seq, None)) is not None and told.hash != row.hash:
            yield Break(row.seq, f"differs from the head published on {told.day}")
        previous, expected = row.hash, row.seq + 1
    for told in published.values():
        if told.seq:
            yield Break(told.seq, f"the head published on {told.day} has no row")
    head = session.execute(select(AuditHead)).scalar_one()
    if (head.seq, head.hash) != (expected - 1, previous):
        yield Break(head.seq, "the head does not fit the last row")
