"""A body's report on a year. Its numbers never change; a trigger of the database holds them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.clock import day_of
from opendata.core.database import Base

SECTIONS = ("summary", "problems", "plans")
"""总体情况、存在问题、改进计划."""


def deadline_of(year: int) -> date:
    """The last day on which the report on a year is in time."""
    return date(year + 1, 3, 31)


class YearlyReport(Base):
    __tablename__ = "yearly_report"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    facts: Mapped[dict[str, Any]]
    """Counts by `scores.facts.Fact`, at the end of 31 December."""
    frozen_at: Mapped[datetime]
    summary: Mapped[str] = mapped_column(String(20_000), default="")
    problems: Mapped[str] = mapped_column(String(20_000), default="")
    plans: Mapped[str] = mapped_column(String(20_000), default="")
    published_at: Mapped[datetime | None]
    published_by: Mapped[str] = mapped_column(String(200), default="")
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so

    @property
    def late(self) -> bool:
        """Published after the end of March."""
        return self.published_at is not None and day_of(self.published_at) > deadline_of(self.year)
