"""Alerts of the platform's own."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class AlertKind(StrEnum):
    RECTIFICATION_OVERDUE = "rectification_overdue"
    REVIEW_OVERDUE = "review_overdue"


class Alert(Base):
    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("kind", "subject_id", "due_on"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    subject_id: Mapped[str] = mapped_column(String(36))
    """Of the order, or of the dataset."""
    title: Mapped[str] = mapped_column(String(300))
    """What it is about, as it was called when the alert was raised."""
    due_on: Mapped[date]
    """The last day on which it would have been in time."""
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
