"""Who leads a priority domain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class DomainLead(Base):
    """牵头单位 of a domain; the key lets no domain have two."""

    __tablename__ = "domain_lead"

    domain: Mapped[str] = mapped_column(String(30), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    set_by: Mapped[str | None] = mapped_column(String(36))
    set_at: Mapped[datetime]
