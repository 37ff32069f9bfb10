"""Entries of the negative list (负面清单)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Ground(StrEnum):
    """不公开理由类别: 《政府信息公开条例》 articles 14 to 16."""

    STATE_SECRET = "state_secret"  # noqa: S105 - a ground, no password
    PROHIBITED_BY_LAW = "prohibited_by_law"
    ENDANGERS_SECURITY = "endangers_security"
    TRADE_SECRET = "trade_secret"  # noqa: S105 - a ground, no password
    PERSONAL_PRIVACY = "personal_privacy"
    INTERNAL_AFFAIRS = "internal_affairs"
    IN_PROCESS = "in_process"
    ENFORCEMENT_FILE = "enforcement_file"


class EntryStatus(StrEnum):
    IN_FORCE = "in_force"
    UNDER_REVIEW = "under_review"
    """Being looked at again; binds until it is lifted."""
    LIFTED = "lifted"


class NegativeEntry(Base):
    """`agency_id` and `themes` say where it applies (nothing: everywhere); `keywords` and `items` what it forbids there
    (nothing: everything). An entry without any of the four would forbid the whole catalogue, and is refused."""

    __tablename__ = "negative_entry"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    subject: Mapped[str] = mapped_column(String(500))
    """不予开放事项."""
    ground: Mapped[str] = mapped_column(String(30))
    basis: Mapped[str] = mapped_column(String(1000))
    """法律依据."""
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agency.id"), index=True)
    """The body, with those below it; None is every body."""
    themes: Mapped[list[Any]]
    keywords: Mapped[list[Any]]
    """Words anywhere in the metadata, the names of files and columns, or the titles of inventory lines."""
    items: Mapped[list[Any]]
    """Information items: words in the names of columns and of the lines' items."""
    approved_by: Mapped[str] = mapped_column(String(200))
    """审定单位."""
    valid_from: Mapped[date]
    review_on: Mapped[date]
    """下次复审日期. An entry whose day has passed binds on, and is shown as due."""
    status: Mapped[str] = mapped_column(String(20), default=EntryStatus.IN_FORCE)
    lift_reason: Mapped[str] = mapped_column(String(1000), default="")
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so
