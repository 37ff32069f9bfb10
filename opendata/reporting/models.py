"""Platforms above, pushes to them, what became of each record in a push, and what each platform has of us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base

LONGEST_RECEIPT = 500
LONGEST_MESSAGE = 2000


class PushState(StrEnum):
    WAITING = "waiting"
    COMPARING = "comparing"
    SENDING = "sending"
    PLANNED = "planned"
    """A dry run that is over: nothing was sent."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (PushState.WAITING.value, PushState.COMPARING.value, PushState.SENDING.value)
"""A target has at most one push in these states; the database keeps it so."""


class PushAction(StrEnum):
    """What a push does with a record."""

    CREATED = "created"
    """The target does not have it, or not any more."""
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    """No longer public here, or no longer of the bodies that are reported."""
    STILL_REFUSED = "still_refused"
    """The target refused exactly this before; it is not sent again until it changes."""
    THEIRS = "theirs"
    """It came from the target itself, and is not sent back."""


class LineState(StrEnum):
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    """It may have been sent already: whoever goes on from here makes sure that it does not arrive twice."""
    DONE = "done"
    REFUSED = "refused"
    """By the target, with its reason, or here already because its map has no word for a value."""
    FAILED = "failed"
    """It was tried as often as is worth while; the next push tries again."""
    LEFT = "left"
    """The push ended before its turn, or it was not to be sent any more when its turn came."""


class ReportTarget(Base):
    """A platform above (上级平台), and what is reported to it."""

    __tablename__ = "report_target"
    __table_args__ = (
        Index(
            "ix_report_target_name",
            "name",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    """A short name; the command line uses it."""
    url: Mapped[str] = mapped_column(String(2000))
    map: Mapped[str] = mapped_column(String(50), default="")
    """Name of a file of catalog_schemas/reporting; empty: `own_map`."""
    own_map: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    """What the map asks for: our code there, the name of our body."""
    agency_id: Mapped[str | None] = mapped_column(ForeignKey("agency.id"), index=True)
    """Its datasets and those of the bodies below it; None: the whole catalogue."""
    pause: Mapped[float] = mapped_column(default=0.2)
    """Seconds between two requests."""
    schedule: Mapped[str] = mapped_column(String(30), default="")
    next_push_at: Mapped[datetime | None] = mapped_column(index=True)
    secret: Mapped[str] = mapped_column(Text, default="")
    """Its token, sealed (`work/sealing.py`); empty: none."""
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)


class ReportPush(Base):
    __tablename__ = "report_push"
    __table_args__ = (
        Index(
            "ix_report_push_live",
            "target_id",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'comparing', 'sending')"),
            postgresql_where=text("state IN ('waiting', 'comparing', 'sending')"),
        ),
        Index("ix_report_push_target", "target_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    target_id: Mapped[str] = mapped_column(ForeignKey("report_target.id"))
    state: Mapped[str] = mapped_column(String(12), default=PushState.WAITING.value)
    dry_run: Mapped[bool] = mapped_column(default=False)
    again: Mapped[bool] = mapped_column(default=False)
    """What the target refused before is sent once more although it has not changed."""
    withdrawals: Mapped[bool] = mapped_column(default=False)
    """Somebody said that so many are really to be withdrawn."""
    asked_by: Mapped[str | None] = mapped_column(String(36))
    """None: its schedule did."""
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cancel_asked_at: Mapped[datetime | None]
    requests: Mapped[int] = mapped_column(default=0)
    failed_in_a_row: Mapped[int] = mapped_column(default=0)
    failure: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{code, params}: why it failed."""


class ReportLine(Base):
    """What became of a record in a push, with the target's receipt; of a dry run what would be sent."""

    __tablename__ = "report_line"

    push_id: Mapped[str] = mapped_column(ForeignKey("report_push.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dataset_id: Mapped[str] = mapped_column(String(36))
    """Our identifier there."""
    title: Mapped[str] = mapped_column(String(300))
    action: Mapped[str] = mapped_column(String(15))
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    """Not before that time; None: at once."""
    sent_at: Mapped[datetime | None]
    """Of the last attempt."""
    status: Mapped[int | None]
    """Of the target's last answer."""
    receipt: Mapped[str] = mapped_column(String(LONGEST_RECEIPT), default="")
    """The target's identifier of the record."""
    message: Mapped[str] = mapped_column(String(LONGEST_MESSAGE), default="")
    """What the target said, in its words."""
    told: Mapped[list[Any]]
    """[{code, params, path}]: why, in ours."""


class ReportedRecord(Base):
    """What a target has of a dataset, or refused."""

    __tablename__ = "report_record"

    target_id: Mapped[str] = mapped_column(ForeignKey("report_target.id"), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    title: Mapped[str] = mapped_column(String(300), default="")
    hash: Mapped[str] = mapped_column(String(64), default="")
    """Of what the target accepted last; empty: it has nothing."""
    receipt: Mapped[str] = mapped_column(String(LONGEST_RECEIPT), default="")
    refused: Mapped[str] = mapped_column(String(64), default="")
    """The hash of what it refused since."""
    refusal: Mapped[str] = mapped_column(String(LONGEST_MESSAGE), default="")
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
