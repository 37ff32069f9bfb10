"""Counts by day, and the batches that are in them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class DailyUse(Base):
    __tablename__ = "daily_use"

    day: Mapped[date] = mapped_column(primary_key=True)
    """In Beijing."""
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), primary_key=True, index=True)
    views: Mapped[int] = mapped_column(BigInteger, default=0)
    downloads: Mapped[int] = mapped_column(BigInteger, default=0)
    calls: Mapped[int] = mapped_column(BigInteger, default=0)


class CountedBatch(Base):
    """A batch of the journal that the counts contain: it is not added again."""

    __tablename__ = "counted_batch"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(index=True)
