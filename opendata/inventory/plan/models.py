"""Items of the yearly opening plan, and which inventory lines are open to the public."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class PlanStatus(StrEnum):
    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    OPENED = "opened"
    """Never written: a public dataset opens the line, or none does."""
    DELAYED = "delayed"
    CANCELLED = "cancelled"


class OpenMethod(StrEnum):
    """开放方式."""

    DOWNLOAD = "download"
    API = "api"
    SANDBOX = "sandbox"
    CUSTOM = "custom"


class PlanItem(Base):
    """One line that its body will open in a year. What was promised first stays: a delay stands beside it."""

    __tablename__ = "plan_item"
    __table_args__ = (UniqueConstraint("year", "line_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    year: Mapped[int]
    line_id: Mapped[str] = mapped_column(ForeignKey("inventory_line.id", ondelete="CASCADE"), index=True)
    """A line that leaves the inventory leaves the plan: a withdrawal waits for nothing."""
    planned_on: Mapped[date]
    delayed_to: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(500), default="")
    """Of the delay or the cancellation."""
    lead_unit: Mapped[str] = mapped_column(String(200))
    """牵头单位."""
    responsible_unit: Mapped[str] = mapped_column(String(200))
    """责任单位."""
    open_method: Mapped[str] = mapped_column(String(20), default=OpenMethod.DOWNLOAD)
    status: Mapped[str] = mapped_column(String(20), default=PlanStatus.NOT_STARTED)
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so

    @property
    def due_on(self) -> date:
        """The last day on which it is in time."""
        return self.delayed_to or self.planned_on


class LineOpening(Base):
    """A line that a public dataset opens now. Written by `publishing` alone, as datasets come and go."""

    __tablename__ = "line_opening"

    line_id: Mapped[str] = mapped_column(
        ForeignKey("inventory_line.id", ondelete="CASCADE"), primary_key=True
    )
    opened_at: Mapped[datetime]
