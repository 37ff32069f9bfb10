"""Answers kept under the caller's Idempotency-Key, so that a repeated request has one effect."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class IdempotentAnswer(Base):
    __tablename__ = "idempotent_answer"

    caller: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Hash of the credentials: two tokens of one person may differ in what they may see."""
    route: Mapped[str] = mapped_column(String(300), primary_key=True)
    """Method and path."""
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(100))
    etag: Mapped[str] = mapped_column(String(200), default="")
    location: Mapped[str] = mapped_column(String(500), default="")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)
