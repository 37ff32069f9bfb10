"""Who reviews for whom in a body, from one day to another."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Delegation(Base):
    """The delegate has, on these days, the reviewing roles that the absent person was granted in the body itself."""

    __tablename__ = "delegation"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    absent_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    delegate_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(500))
    made_by: Mapped[str | None] = mapped_column(String(36))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was ended before its last day."""
