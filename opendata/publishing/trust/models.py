"""A decision that a source is trusted, and the releases that went out by it. The database's own guard reads both."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base

TRUSTED_POLICY = "trusted"
"""`Release.policy` of a release that such a decision let pass; the guard reads it."""


class Trust(Base):
    """One body's datasets from one source. What was decided never changes: other terms are another decision."""

    __tablename__ = "trust"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    source: Mapped[str] = mapped_column(String(2200))
    """What is trusted, in words: the source's name, kind and address."""
    reason: Mapped[str] = mapped_column(String(1000))
    granted_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    granted_at: Mapped[datetime]
    ended_by: Mapped[str | None] = mapped_column(String(36))
    ended_at: Mapped[datetime | None]


class TrustPassage(Base):
    """Content that the source handed in, and nobody else touched."""

    __tablename__ = "trust_passage"

    release_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    trust_id: Mapped[str] = mapped_column(ForeignKey("trust.id"), index=True)
    at: Mapped[datetime]
