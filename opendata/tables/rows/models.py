"""Tables that clients write, and the journal of what they wrote since the last fold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column

from opendata.core.database import Base


class RowTable(Base):
    """The rows of a resource as clients write them: a Delta version (`base`) and the changes since. A resource has one
    that everybody sees, and under the `reviewed` policy another one, `draft`, that becomes the file of its open draft."""

    __tablename__ = "row_table"
    __table_args__ = (UniqueConstraint("resource_id", "draft"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    draft: Mapped[bool]
    release_id: Mapped[str | None] = mapped_column(String(36))
    """The open draft whose rows these are; of another one they say nothing."""
    fields: Mapped[list[Any]] = mapped_column(default=list)
    """[{id, field (its column in the files), type, info?}]."""
    primary_key: Mapped[list[Any]] = mapped_column(default=list)
    indexes: Mapped[list[Any]] = mapped_column(default=list)
    retired: Mapped[list[Any]] = mapped_column(default=list)
    """Columns in the files that belong to no field any more: no new field gets their names."""
    base: Mapped[str | None] = mapped_column(String(100))
    """The table of the store whose version `base_version` lies under the changes; None: there is nothing yet."""
    base_version: Mapped[int | None]
    next_id: Mapped[int] = mapped_column(BigInteger, default=1)
    row_count: Mapped[int] = mapped_column(BigInteger, default=0)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last change."""
    waiting: Mapped[int] = mapped_column(BigInteger, default=0)
    """Rows in the journal."""
    fold_asked: Mapped[bool] = mapped_column(default=False)
    frozen: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last change that is in the draft's file."""
    frozen_file: Mapped[str | None] = mapped_column(String(36))
    """The file that was made of the rows; another one replaces them."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class RowChange(Base):
    """One change: rows as a Parquet file, which later changes and the fold put over the base."""

    __tablename__ = "row_change"

    table_id: Mapped[str] = mapped_column(ForeignKey("row_table.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    rows: Mapped[int]
    kills: Mapped[bool]
    """Whether it replaces or deletes rows that were there."""
    part: Mapped[str] = mapped_column(String(36))
    """The name of its file where it is kept for the workers."""
    body: Mapped[bytes] = deferred(mapped_column(LargeBinary))


class RowAlias(Base):
    """Another name of a resource's rows."""

    __tablename__ = "row_alias"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), index=True)
