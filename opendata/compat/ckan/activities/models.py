"""When somebody last looked at their dashboard. What is on it stands in the audit trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Dashboard(Base):
    __tablename__ = "ckan_dashboard"

    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    viewed_at: Mapped[datetime]
