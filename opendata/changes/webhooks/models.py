"""Who is told of changes, and what came of telling."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """Tried in vain, to be tried again."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up after the last attempt; can be sent again by hand."""


class Webhook(Base):
    """An address that is told. It reads the log like any other follower: `position` is how far it has got, so a message is
    owed as long as the position does not say otherwise, whatever dies meanwhile."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[list[Any]]
    """Kinds of changes; none: all."""
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agency.id"), index=True)
    """Only this body's datasets."""
    position: Mapped[int] = mapped_column(BigInteger)
    """Of the last change that was dealt with."""
    asked_at: Mapped[datetime | None]
    """Since when, or since its last attempt, a job is under way that goes on from there: there is one at most, so messages
    stay in order."""
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]


class Delivery(Base):
    """One change for one webhook, from the first attempt on."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "position"),
        Index("ix_webhook_delivery_state", "webhook_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None] = mapped_column(String(30))
    """The fetcher's code of the last attempt; None after a good one."""
    status: Mapped[int | None]
    """Of the last answer."""
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    next_at: Mapped[datetime | None]
