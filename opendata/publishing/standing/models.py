"""An authority, its approvals, and the releases that went out under it. The database's own guard reads all three."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base

STANDING_POLICY = "standing"
"""`Release.policy` of a release that an authority let pass; the guard reads it."""


class Standing(StrEnum):
    PROPOSED = "proposed"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """An update was out of bounds: both reviewers are asked again."""
    ENDED = "ended"


class StandingAuthority(Base):
    """Its terms never change: other terms are another authority."""

    __tablename__ = "standing_authority"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    agency_id: Mapped[str] = mapped_column(String(36))
    line_id: Mapped[str] = mapped_column(String(36))
    source_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    """The account that delivers the updates, alone."""
    schema_hash: Mapped[str] = mapped_column(String(64))
    """Of the columns and types of all files, and the versions of their schemas."""
    baseline: Mapped[dict[str, Any]]
    """By resource: rows, and by column the share of cells that hold something (0 to 1)."""
    rows_drift: Mapped[int]
    """Percent by which the number of rows may differ from the baseline."""
    filled_drift: Mapped[int]
    """Percentage points by which the filled share of a column may differ."""
    expires_on: Mapped[date]
    """The last day, Beijing time."""
    reason: Mapped[str] = mapped_column(String(1000))
    terms_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default=Standing.PROPOSED.value)
    stopped_by: Mapped[list[Any]] = mapped_column(default=list)
    """[{code, params}]: why it was suspended."""
    proposed_by: Mapped[str | None] = mapped_column(String(36))
    proposed_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class StandingApproval(Base):
    __tablename__ = "standing_approval"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    authority_id: Mapped[str] = mapped_column(ForeignKey("standing_authority.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    terms_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str]
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    on_behalf_of: Mapped[str | None] = mapped_column(String(36))
    approved_at: Mapped[datetime]
    void_at: Mapped[datetime | None]
    """When a suspension made it void."""


class StandingPassage(Base):
    """A release that an authority let pass, with what was measured."""

    __tablename__ = "standing_passage"

    release_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    authority_id: Mapped[str] = mapped_column(ForeignKey("standing_authority.id"), index=True)
    facts: Mapped[dict[str, Any]]
    passed_at: Mapped[datetime]
