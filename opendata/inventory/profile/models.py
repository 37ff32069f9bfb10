"""Versions of the city's own metadata fields (地方扩展元数据)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class ProfileVersion(Base):
    """All fields of the city as they stood from one change to the next. A version is never changed; the highest one is
    in force, and before the first there are none."""

    __tablename__ = "metadata_profile"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3 …"""
    fields: Mapped[list[Any]]
    """In the order of forms and pages, each as `CityField` stores it."""
    note: Mapped[str] = mapped_column(String(1000))
    """Why it was changed; public."""
    made_by: Mapped[str | None] = mapped_column(String(36))
    made_at: Mapped[datetime]
