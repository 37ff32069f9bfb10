"""Sources, runs, what became of each record in a run, and what is held of each source."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base

LONGEST_IDENTIFIER = 500


class RunState(StrEnum):
    WAITING = "waiting"
    GATHERING = "gathering"
    HELD = "held"
    """More is missing at the remote than is believed without asking: somebody has to decide."""
    APPLYING = "applying"
    PLANNED = "planned"
    """A dry run that is over: nothing was changed."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (RunState.WAITING.value, RunState.GATHERING.value, RunState.HELD.value, RunState.APPLYING.value)
"""A source has at most one run in these states; the database keeps it so."""


class Action(StrEnum):
    """What a run does with a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RETURNED = "returned"
    """It was archived, and the remote shows it again: the same dataset comes back."""
    MISSING = "missing"
    """The remote does not show it now; it is archived when that lasts."""
    GONE = "gone"
    """Archived: withdrawn, with its id kept."""
    REFUSED = "refused"


class OutcomeState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    """It was tried and could not be done; the reason is told."""
    LEFT = "left"
    """The run ended before its turn, or a person decided so."""


class HarvestSource(Base):
    """A catalogue elsewhere, and whose datasets its records become here."""

    __tablename__ = "harvest_source"
    __table_args__ = (
        Index(
            "ix_harvest_source_name",
            "name",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    """A short name: the command line and the datasets' own identifiers use it."""
    kind: Mapped[str] = mapped_column(String(30))
    url: Mapped[str] = mapped_column(String(2000))
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    options: Mapped[dict[str, Any]]
    """As the kind has them."""
    limits: Mapped[dict[str, Any]]
    """Those of `asking.Limits` that an administrator set."""
    licence: Mapped[str] = mapped_column(String(100), default="")
    """Of records that name none; empty: they stay drafts until somebody sets one."""
    copy_files: Mapped[bool] = mapped_column(default=False)
    gone_after_runs: Mapped[int] = mapped_column(default=3)
    gone_after_days: Mapped[int] = mapped_column(default=0)
    """0: runs alone count."""
    schedule: Mapped[str] = mapped_column(String(30), default="")
    next_run_at: Mapped[datetime | None] = mapped_column(index=True)
    trust_id: Mapped[str | None] = mapped_column(ForeignKey("trust.id"))
    """The decision by which its releases go out without reviewers."""
    secret: Mapped[str] = mapped_column(Text, default="")
    """Sealed (`work/sealing.py`); empty: none."""
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """Deleted: its runs stay to be read, its datasets are the body's."""

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)


class HarvestRun(Base):
    __tablename__ = "harvest_run"
    __table_args__ = (
        Index(
            "ix_harvest_run_live",
            "source_id",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'gathering', 'held', 'applying')"),
            postgresql_where=text("state IN ('waiting', 'gathering', 'held', 'applying')"),
        ),
        Index("ix_harvest_run_source", "source_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("harvest_source.id"))
    state: Mapped[str] = mapped_column(String(12), default=RunState.WAITING.value)
    dry_run: Mapped[bool] = mapped_column(default=False)
    asked_by: Mapped[str | None] = mapped_column(String(36))
    """None: its schedule did."""
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cancel_asked_at: Mapped[datetime | None]
    gathered: Mapped[int] = mapped_column(default=0)
    """Records seen so far."""
    expected: Mapped[int | None]
    """How many the remote says there are."""
    requests: Mapped[int] = mapped_column(default=0)
    lost: Mapped[int] = mapped_column(default=0)
    """Held records that the remote does not show now."""
    held: Mapped[int] = mapped_column(default=0)
    """Records that were held when it was planned."""
    deletions: Mapped[str] = mapped_column(String(10), default="")
    """`confirm` or `refuse`, where somebody was asked."""
    decided_by: Mapped[str | None] = mapped_column(String(36))
    failure: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{code, params}: why it failed."""
    spool: Mapped[str] = mapped_column(String(64), default="")
    """The object with what was gathered, while it is needed."""


class HarvestOutcome(Base):
    """What became of a record in a run, or what the plan is."""

    __tablename__ = "harvest_outcome"

    run_id: Mapped[str] = mapped_column(ForeignKey("harvest_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """In the order in which the remote gave them; what it no longer gives comes last."""
    identifier: Mapped[str] = mapped_column(String(LONGEST_IDENTIFIER))
    title: Mapped[str] = mapped_column(String(300))
    action: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    dataset_id: Mapped[str | None] = mapped_column(String(36))
    told: Mapped[list[Any]]
    """[{code, params}]: why it was refused or failed, what was left out, what stays as people here wrote it."""
    changes: Mapped[list[Any]]
    """Fields and resources that differ from what was there."""


class HeldRecord(Base):
    """A record of a source, the dataset that it became, and what was written there: whatever differs from that by now is
    people's own work, and stays."""

    __tablename__ = "harvest_record"
    __table_args__ = (Index("ix_harvest_record_origin", "origin"),)

    source_id: Mapped[str] = mapped_column(ForeignKey("harvest_source.id"), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(LONGEST_IDENTIFIER), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), unique=True)
    hash: Mapped[str] = mapped_column(String(64))
    """Of all that the remote said of it, and of how the source was set."""
    page: Mapped[str] = mapped_column(String(2000), default="")
    origin: Mapped[str] = mapped_column(String(LONGEST_IDENTIFIER), default="")
    """Where it was published first: one dataset that comes by two ways is held once."""
    direct: Mapped[bool] = mapped_column(default=True)
    """The source is where it was published first."""
    fields: Mapped[dict[str, Any]]
    """Of the dataset, as they were written."""
    resources: Mapped[list[Any]]
    """[{id, identifier, hash, fields, file}] as they were written."""
    kept: Mapped[list[Any]] = mapped_column(default=list)
    """Names of fields and resources that stay as people here wrote them."""
    first_run_id: Mapped[str] = mapped_column(String(36))
    changed_run_id: Mapped[str] = mapped_column(String(36))
    missing_since: Mapped[datetime | None]
    missing_runs: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None]
