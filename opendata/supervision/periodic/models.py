"""Reviews that were done. When the next one is due follows from the last one, or from the first publication."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class ReviewOutcome(StrEnum):
    """What the review says should become of the dataset. Doing it is the editors' work."""

    KEEP = "keep"
    UPDATE = "update"
    RESTRICT = "restrict"
    WITHDRAW = "withdraw"


class PeriodicReview(Base):
    __tablename__ = "periodic_review"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    due_on: Mapped[date]
    """By when it had to be done."""
    outcome: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(2000))
    next_on: Mapped[date]
    """By when it has to be done again."""
    reviewed_by: Mapped[str] = mapped_column(String(36))
    reviewer_name: Mapped[str] = mapped_column(String(200))
    reviewed_at: Mapped[datetime]
