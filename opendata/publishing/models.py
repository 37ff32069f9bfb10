"""Which publication policy is in force: an append-only record that the database's own guard reads."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class PolicyRecord(Base):
    """The last row holds. Written when the setting differs from it at start, with an audit line."""

    __tablename__ = "publication_policy"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    policy: Mapped[str] = mapped_column(String(10))
    since: Mapped[datetime]


class Upload(Base):
    """A resumable upload (tus 1.0) under way; its parts are objects of the inbox store."""

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36))
    length: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger, default=0)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    dataset_id: Mapped[str] = mapped_column(String(36))
    resource_id: Mapped[str | None] = mapped_column(String(36))
    file_id: Mapped[str | None] = mapped_column(String(36))
    """Set when it is complete."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UploadPart(Base):
    __tablename__ = "upload_part"

    upload_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
