"""Notices to people. The sentence is made when it is read, in the reader's language."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Occasion(StrEnum):
    """What a notice is about; `edge/messages` holds the sentence of each as `notice.<occasion>`."""

    REVIEW_WAITS = "review_waits"
    REVIEW_SOON = "review_soon"
    REVIEW_OVERDUE = "review_overdue"
    RELEASE_RETURNED = "release_returned"
    RELEASE_PUBLISHED = "release_published"
    STANDING_WAITS = "standing_waits"
    STANDING_STOPPED = "standing_stopped"
    FORBIDDEN_YET_PUBLIC = "forbidden_yet_public"
    """An entry of the negative list forbids what their body has made public already."""
    ROWS_DROPPED = "rows_dropped"
    ROWS_TO_CONFIRM = "rows_to_confirm"
    DELEGATED = "delegated"
    DELEGATION_ENDED = "delegation_ended"
    HARVEST_FAILED = "harvest_failed"
    HARVEST_HELD = "harvest_held"
    """More is missing at the source than is believed without asking."""
    HARVEST_INCOMPLETE = "harvest_incomplete"
    REPORT_FAILED = "report_failed"
    REPORT_INCOMPLETE = "report_incomplete"


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (UniqueConstraint("user_id", "key"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    key: Mapped[str] = mapped_column(String(120))
    """One notice a person for each: whoever tells it twice has told it once."""
    occasion: Mapped[str] = mapped_column(String(30))
    params: Mapped[dict[str, Any]]
    path: Mapped[str] = mapped_column(String(200))
    """Where to act: the console's address without the language."""
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None] = mapped_column(index=True)
    """When its e-mail was asked for; stays empty where the site has no mailer."""
