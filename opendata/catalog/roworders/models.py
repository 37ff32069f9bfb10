"""Row orders, the files that were looked at, and tombstones. Guards of the database keep orders and tombstones."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class OrderKind(StrEnum):
    ERASE = "erase"
    """Rows that keys name."""
    EXPIRE = "expire"
    """Rows whose last day, in a column, is past: from the day after."""


class Ground(StrEnum):
    CREDIT_REPAIR = "credit_repair"
    """信用修复"""
    END_OF_PUBLICITY = "end_of_publicity"
    """公示截止期"""
    COURT = "court"
    PERSONAL_DATA = "personal_data"
    OTHER = "other"


class OrderState(StrEnum):
    PLACED = "placed"
    """The files are being looked at; nobody gets their bytes or rows until they have been."""
    HIDDEN = "hidden"
    """The rows are out of every door. The bytes wait in the inbox store for the second person."""
    CONFIRMED = "confirmed"
    """By a second person: the bytes are being purged."""
    PURGED = "purged"
    """The bytes are gone. The order stays in force for what is uploaded later."""
    LIFTED = "lifted"
    """Not in force any more. Rows that were hidden, not purged, are back."""


IN_FORCE = (OrderState.PLACED, OrderState.HIDDEN, OrderState.CONFIRMED, OrderState.PURGED)
FINAL = (OrderState.CONFIRMED, OrderState.PURGED)
"""States in which the bytes may not be kept."""


class RowOrder(Base):
    """Binds a dataset, in all its versions, those to come too."""

    __tablename__ = "row_order"
    __table_args__ = (UniqueConstraint("year", "serial"), Index("ix_row_order_state", "state", "placed_at"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    """`CX-<year>-<serial>`"""
    year: Mapped[int]
    serial: Mapped[int]
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    ground: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(2000))
    """For the body's people alone: it may name somebody."""
    document: Mapped[str] = mapped_column(String(200))
    """The number of the decision or letter that asks for it."""
    columns: Mapped[list[Any]]
    digests: Mapped[list[Any]]
    """Salted hashes of the keys."""
    keys: Mapped[list[Any]]
    """The keys themselves, for the second person; empty once the bytes are purged, or the order is lifted."""
    key_check: Mapped[str] = mapped_column(String(32))
    """Tells whether the site's secret is still the one that salted the hashes."""
    state: Mapped[str] = mapped_column(String(10), default=OrderState.PLACED.value)
    placed_by: Mapped[str] = mapped_column(String(36))
    placed_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]
    """When no door gave the rows any more."""
    confirmed_by: Mapped[str | None] = mapped_column(String(36))
    confirmed_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(36))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str] = mapped_column(String(2000), default="")


class ResourceFile(Base):
    """Every file that a resource ever had, in drafts that are gone too: an order looks at all of them."""

    __tablename__ = "resource_file"

    resource_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    file_id: Mapped[str] = mapped_column(String(36), primary_key=True, index=True)
    dataset_id: Mapped[str] = mapped_column(String(36), index=True)


class RowTreatment(Base):
    """How the bytes of a file stand to the orders of its dataset."""

    __tablename__ = "row_treatment"

    file_id: Mapped[str] = mapped_column(ForeignKey("file.id", ondelete="CASCADE"), primary_key=True)
    plan: Mapped[str] = mapped_column(String(64))
    """Hash over the orders, their states, and the bytes that came out."""
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Rows that each order took out of it so far."""
    next_on: Mapped[date | None]
    """When another row expires."""
    origin: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Name, media type and reading of the bytes that the rows are taken out of."""
    trouble: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{code, params}: why nobody could look into it."""
    treated_at: Mapped[datetime]


class RowTombstone(Base):
    """What is left of bytes that held a row: their hash, when they went, by which order."""

    __tablename__ = "row_tombstone"
    __table_args__ = (Index("ix_row_tombstone_sha256", "sha256"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    file_id: Mapped[str] = mapped_column(String(36), index=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("row_order.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    reading: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Name and way of reading: should the bytes come back out of a backup, the rows are taken out once more."""
    replaced_by: Mapped[str] = mapped_column(String(64))
    """The hash of the same file without the rows."""
    rows: Mapped[int]
    was_public: Mapped[bool]
    hidden_at: Mapped[datetime]
    purged_at: Mapped[datetime | None]
    """When the bytes were in no store any more."""
    lifted_at: Mapped[datetime | None]
    """When the order was lifted and the bytes were shown again."""
