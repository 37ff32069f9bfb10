"""One round: from the day on which the reviewers get a content to the day on which it is decided, or taken back."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Result(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    RETURNED = "returned"
    TAKEN_BACK = "taken_back"
    """Edited, discarded or withdrawn by its author before it was decided."""


class Reminder(StrEnum):
    """How far the reviewers have been reminded."""

    NONE = "none"
    SOON = "soon"
    OVERDUE = "overdue"


class ReviewRound(Base):
    """Kept for ever: it is what the approval form (审查审批表) prints."""

    __tablename__ = "review_round"
    __table_args__ = (
        UniqueConstraint("agency_id", "year", "serial"),
        Index("ix_review_round_release", "release_id", "opened_at"),
        Index("ix_review_round_due", "result", "due_on"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[str] = mapped_column(String(140), unique=True)
    """<body's code>-<year>-<serial>"""
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    year: Mapped[int]
    serial: Mapped[int]
    release_id: Mapped[str] = mapped_column(String(36))
    """Kept when a draft is discarded."""
    content_hash: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]
    """The document (catalog.content) that the reviewers saw."""
    opened_at: Mapped[datetime]
    due_on: Mapped[date]
    official: Mapped[bool]
    """Whether the holiday calendar knew all days up to `due_on`."""
    reminded: Mapped[str] = mapped_column(String(10), default=Reminder.NONE.value)
    result: Mapped[str] = mapped_column(String(12), default=Result.OPEN.value)
    closed_at: Mapped[datetime | None]
