"""Index work that is owed: a row (dataset, revision) written in the same transaction as the change."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Revised(Protocol):
    """A thing whose revision counts its public changes."""

    id: str
    revision: int


class Pending(Base):
    __tablename__ = "pending"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    dataset_id: Mapped[str] = mapped_column(String(36), index=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]

    # SQLite would otherwise give a freed number to a later row, and an indexer could delete what it has not read.
    __table_args__ = ({"sqlite_autoincrement": True},)
