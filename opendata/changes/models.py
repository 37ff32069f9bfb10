"""The log of what became of public datasets."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class ChangeKind(StrEnum):
    CREATED = "created"
    """Public for the first time, or again after a withdrawal."""
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    PURGED = "purged"
    """Withdrawn, and gone for good: its name is free."""


class Change(Base):
    """One line. Positions are given behind the lock of the audit trail, so they are in the order of commits: whoever has
    seen a position has seen all before it."""

    __tablename__ = "dataset_change"
    __table_args__ = (Index("ix_dataset_change_dataset", "dataset_id", "position"),)

    position: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    id: Mapped[str] = mapped_column(String(36), unique=True)
    """Of the change: what a receiver knows a repeated message by, and what ties a cursor to this log."""
    kind: Mapped[str] = mapped_column(String(20))
    dataset_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str | None] = mapped_column(String(100))
    """As it was then; forgotten when the dataset is purged."""
    agency_id: Mapped[str] = mapped_column(String(36), index=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str | None] = mapped_column(String(64))
    """Of the release that was public then; forgotten when the dataset is withdrawn."""
    at: Mapped[datetime]
