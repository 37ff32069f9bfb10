"""Who follows what. It is a person's own note, like the notices that they have read: not part of the audit trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Follow(Base):
    __tablename__ = "ckan_follow"

    follower_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(36), primary_key=True, index=True)
    """Of a dataset, a group, an organization or an account: ids of all of them are different."""
    kind: Mapped[str] = mapped_column(String(20))
    """`dataset`, `group`, `organization`, `user`."""
    at: Mapped[datetime]
