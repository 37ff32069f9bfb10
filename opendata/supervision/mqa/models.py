"""What a dataset's metadata are worth."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class MqaScore(Base):
    """Of one revision of a public dataset: lists and sums need no metadata."""

    __tablename__ = "mqa_score"

    dataset_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int]
    failing: Mapped[int]
    """A bit for each indicator that is not met, in the order of `rubric.INDICATORS`."""
    at: Mapped[datetime]
