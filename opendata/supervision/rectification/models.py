"""Orders and the steps they took. Neither is deleted: an order that was wrong is withdrawn, with a reason."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Cause(StrEnum):
    PLANNED_NOT_OPENED = "planned_not_opened"
    UPDATE_MISSED = "update_missed"
    CLOSED_WITHOUT_BASIS = "closed_without_basis"
    FORBIDDEN_YET_PUBLIC = "forbidden_yet_public"
    LINK_BROKEN = "link_broken"
    NOT_OPENED = "not_opened"
    """应公开未公开, as a person sees it."""
    OTHER = "other"


class OrderState(StrEnum):
    OPEN = "open"
    """The body has to act and to hand in evidence."""
    ANSWERED = "answered"
    """Evidence is there; a second person has to look at it."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


SETTLED = (OrderState.CLOSED.value, OrderState.WITHDRAWN.value)


class Act(StrEnum):
    ISSUED = "issued"
    EVIDENCE = "evidence"
    RETURNED = "returned"
    EXTENDED = "extended"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Order(Base):
    __tablename__ = "rectification"
    __table_args__ = (Index("ix_rectification_state", "state", "deadline"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    """ZG-2026-001: for letters and telephone calls."""
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    cause: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(300))
    """What it is about, in a few words."""
    demand: Mapped[str] = mapped_column(String(2000))
    """What has to be done; of an order that a check issued, its sentence says it (`params`)."""
    params: Mapped[dict[str, Any]]
    """What the check found."""
    occasion: Mapped[str | None] = mapped_column(String(120), unique=True)
    """Of a check's order: the very breach, so that it is asked for once, however often it is found."""
    deadline: Mapped[date]
    state: Mapped[str] = mapped_column(String(20), default=OrderState.OPEN)
    issued_by: Mapped[str | None] = mapped_column(String(36))
    """None: the daily check."""
    issued_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so

    def overdue(self, today: date) -> bool:
        """The deadline has passed without evidence."""
        return self.state == OrderState.OPEN.value and today > self.deadline


class Step(Base):
    """One thing that happened to an order."""

    __tablename__ = "rectification_step"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("rectification.id"), index=True)
    act: Mapped[str] = mapped_column(String(20))
    text: Mapped[str] = mapped_column(String(4000))
    """The evidence in words, or the reason. Empty for evidence that the daily check gave."""
    url: Mapped[str] = mapped_column(String(2000))
    """Where the evidence can be seen."""
    actor_id: Mapped[str | None] = mapped_column(String(36))
    actor_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
