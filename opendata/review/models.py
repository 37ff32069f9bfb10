"""Findings of the screening and decisions of the reviewers, both bound to a content hash."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class DecisionKind(StrEnum):
    CONTENT = "content"
    """Should this be public, is it complete and right (应公开)."""
    SECRECY = "secrecy"
    """May this be public (保密审查)."""


class Outcome(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"


class Decision(Base):
    __tablename__ = "decision"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("release.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(10))
    content_hash: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str]
    field_reasons: Mapped[list[Any]] = mapped_column(default=list)
    """[{field, reason}] of a rejection: what is wrong where, as places of the content (`title`, `resources.<id>.name`)."""
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    on_behalf_of: Mapped[str | None] = mapped_column(String(36))
    """The absent reviewer whose role it was made in."""
    decided_at: Mapped[datetime]
    void_at: Mapped[datetime | None]
    """When an edit or a return made it void."""


class Finding(Base):
    """Something the screening found in one place of a release's content."""

    __tablename__ = "finding"
    __table_args__ = (UniqueConstraint("release_id", "content_hash", "resource_id", "place", "rule"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("release.id"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    resource_id: Mapped[str] = mapped_column(String(36), default="")
    """Empty: in the dataset's own metadata."""
    place: Mapped[str] = mapped_column(String(300))
    """The column, or the metadata field."""
    rule: Mapped[str] = mapped_column(String(40))
    confident: Mapped[bool]
    """A confident finding blocks."""
    count: Mapped[int]
    """Cells that hit."""
    sample: Mapped[list[Any]]
    """[{row, masked}], a few of them."""
    reason: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """Why it was decided so: a code of edge/messages (`screening.reason.*`)."""
    suggestion: Mapped[str] = mapped_column(String(20), default="mask", server_default="mask")
    """mask, drop, generalise; look: for a person to see to."""
    column_number: Mapped[int | None]
    """The column's number from 0 in the table that is read; none for a text, and for a sheet that is not."""
    found_at: Mapped[datetime]


class Waiver(Base):
    """A secrecy reviewer's record why a blocking finding may go out; for this content, and this finding in it."""

    __tablename__ = "waiver"
    __table_args__ = (UniqueConstraint("release_id", "content_hash", "resource_id", "place", "rule"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    release_id: Mapped[str] = mapped_column(String(36))
    """Kept when a draft is discarded."""
    content_hash: Mapped[str] = mapped_column(String(64))
    resource_id: Mapped[str] = mapped_column(String(36))
    place: Mapped[str] = mapped_column(String(300))
    rule: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str]
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    waived_at: Mapped[datetime]


class RowWaiver(Base):
    """A secrecy reviewer's record why values that a rule finds in a column of written rows may be public. It holds for the
    resource until it is ended: rows that are public at once have no release that it could be bound to."""

    __tablename__ = "row_waiver"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(36), index=True)
    """Kept when the resource is purged."""
    place: Mapped[str] = mapped_column(String(300))
    """The column."""
    rule: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str]
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    waived_at: Mapped[datetime]
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]


class NegativeHit(Base):
    """An entry of the negative list that forbids a release's content, and where it shows. Nobody can wave it through."""

    __tablename__ = "negative_hit"
    __table_args__ = (UniqueConstraint("release_id", "content_hash", "entry_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("release.id", ondelete="CASCADE"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    entry_id: Mapped[str] = mapped_column(ForeignKey("negative_entry.id"))
    place: Mapped[str] = mapped_column(String(300))
    word: Mapped[str] = mapped_column(String(100))
    """The word that was met; empty: the body or the theme itself."""
    found_at: Mapped[datetime]
