"""Public bodies and the roles people have in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class AgencyKind(StrEnum):
    """What sort of public body it is (D08: institutions and enterprises keep inventories too)."""

    GOVERNMENT_DEPARTMENT = "government_department"
    PUBLIC_INSTITUTION = "public_institution"
    PUBLIC_ENTERPRISE = "public_enterprise"


class Agency(Base):
    __tablename__ = "agency"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    """The short name in addresses: lower-case letters, digits, `-` and `_`."""
    title: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200), default="")
    kind: Mapped[str] = mapped_column(String(30), default=AgencyKind.GOVERNMENT_DEPARTMENT)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("agency.id"), index=True)
    lineage: Mapped[list[Any]]
    """Its own id, then its ancestors', nearest first."""
    uscc: Mapped[str | None] = mapped_column(String(18), unique=True)
    """Unified social credit code (统一社会信用代码, GB 32100)."""
    region_code: Mapped[str] = mapped_column(String(12), default="")
    """GB/T 2260."""
    description: Mapped[str] = mapped_column(default="")
    responsible_leader: Mapped[str] = mapped_column(String(100), default="")
    office: Mapped[str] = mapped_column(String(200), default="")
    contact_name: Mapped[str] = mapped_column(String(100), default="")
    contact_phone: Mapped[str] = mapped_column(String(50), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    image_url: Mapped[str] = mapped_column(String(1000), default="")
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    edition: Mapped[int] = mapped_column(default=1)
    """Counts edits; the ETag."""

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so


class Membership(Base):
    __tablename__ = "membership"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(30), primary_key=True)
    granted_at: Mapped[datetime]
