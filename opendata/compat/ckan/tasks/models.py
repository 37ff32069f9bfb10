"""States that outside programs report of their tasks, and translations of terms. Neither is shown to anybody on a page."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class TaskStatus(Base):
    """What a loader (xloader, DataPusher, an archiver) says of its work on something."""

    __tablename__ = "ckan_task_status"
    __table_args__ = (UniqueConstraint("entity_id", "task_type", "key"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    entity_id: Mapped[str] = mapped_column(String(200))
    entity_type: Mapped[str] = mapped_column(String(200))
    task_type: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(200))
    value: Mapped[str]
    state: Mapped[str | None]
    error: Mapped[str | None]
    last_updated: Mapped[datetime]


class TermTranslation(Base):
    __tablename__ = "ckan_term_translation"

    term: Mapped[str] = mapped_column(String(1000), primary_key=True)
    lang_code: Mapped[str] = mapped_column(String(35), primary_key=True)
    """As in BCP 47."""
    term_translation: Mapped[str]
