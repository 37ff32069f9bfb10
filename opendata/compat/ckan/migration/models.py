"""What has been taken from which CKAN, so that a second run takes only what is new there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Imported(Base):
    __tablename__ = "ckan_imported"

    source: Mapped[str] = mapped_column(String(500), primary_key=True)
    """Address of the site."""
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """`organization`, `group`, `user`, `dataset`, `file`."""
    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    """The object's id, there and here."""
    hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was read of it; of a file, of its bytes."""
    taken_at: Mapped[datetime]
