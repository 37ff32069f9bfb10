"""Which resource has rows, of which file, and why not if it has none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class TableState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    NONE = "none"
    """This file gives no rows; `reason` says why."""
    FAILED = "failed"


_READY = text("state = 'ready'")


class Table(Base):
    __tablename__ = "resource_table"
    __table_args__ = (
        Index("ix_resource_table_rows", "row_count", sqlite_where=_READY, postgresql_where=_READY),
    )

    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{code, params}."""
    file_id: Mapped[str] = mapped_column(String(36))
    version: Mapped[int | None]
    """The Delta version whose rows are those of the file."""
    row_count: Mapped[int | None] = mapped_column(BigInteger)
    columns: Mapped[list[Any]] = mapped_column(default=list)
    """[{name, type, title?, description?}]."""
    nulled: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{column: cells that did not fit their type and are null in the table}."""
    recipe: Mapped[str | None] = mapped_column(String(64))
    """Hash of what the ready rows were made of: bytes, read options, schema."""
    updated_at: Mapped[datetime] = mapped_column(index=True)
