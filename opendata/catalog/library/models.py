"""Versions of the city's own table schemas. What was published does not change any more: triggers of the database hold it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class SchemaState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    """No longer offered; readable for the datasets that were validated against it."""


READABLE = (SchemaState.PUBLISHED.value, SchemaState.WITHDRAWN.value)


class SchemaVersion(Base):
    """A version goes out by two people: who wrote it does not decide on it."""

    __tablename__ = "schema_version"
    __table_args__ = (
        UniqueConstraint("name", "version"),
        Index("ix_schema_version_state", "state"),
        Index("ix_schema_version_hash", "hash"),
        CheckConstraint("decided_by IS NULL OR decided_by <> author_id", name="two_people"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(14))
    state: Mapped[str] = mapped_column(String(20))
    descriptor: Mapped[dict[str, Any]]
    """The Table Schema."""
    hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 over its canonical JSON: a decision is for these contents."""
    note: Mapped[str] = mapped_column(String(1000))
    """What it is for, or what is new; public with the version."""
    author_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(36))
    """Who published it, or sent it back last."""
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(1000))
    """Why it was sent back, or withdrawn; the latter is public."""
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so
