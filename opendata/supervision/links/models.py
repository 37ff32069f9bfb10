"""What came of asking a link."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base

REACHED = "reached"
BUSY = (429, 503)
"""Whoever answers so is there, and wants to be asked later."""


class LinkCheck(Base):
    """One look at one address. The last ones in a row say whether it is broken; the newest, what is known of its file."""

    __tablename__ = "link_check"
    __table_args__ = (Index("ix_link_check_resource", "resource_id", "day"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    resource_id: Mapped[str] = mapped_column(String(36))
    dataset_id: Mapped[str] = mapped_column(String(36))
    url: Mapped[str] = mapped_column(String(5000))
    day: Mapped[date] = mapped_column(index=True)
    """In Beijing."""
    outcome: Mapped[str] = mapped_column(String(30))
    """`reached`, or the fetcher's code."""
    status: Mapped[int | None]
    """Of the answer, where it was no good one."""
    at: Mapped[datetime]
    etag: Mapped[str] = mapped_column(String(200), default="")
    """This and the next two as the server told them last, at this look or an earlier one."""
    last_modified: Mapped[str] = mapped_column(String(60), default="")
    length: Mapped[int | None] = mapped_column(BigInteger)
    changed: Mapped[bool] = mapped_column(default=False)
    """Whether the file was another one than at the look before."""
    changed_on: Mapped[date | None]
    """Since when the file has been as it is: the server's own word, else when a look noticed it. None: nothing is told."""
    retry_at: Mapped[datetime | None]
    """Until then the host wants to be left alone."""
