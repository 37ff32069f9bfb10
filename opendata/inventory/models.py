"""Inventory lines: the 13 core elements of the national guide (发改高技〔2017〕1272号) and the openness of each line."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class Openness(StrEnum):
    """开放属性: may the public have it."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    CLOSED = "closed"


class ShareType(StrEnum):
    """共享类型: may other bodies have it."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


class UpdateCycle(StrEnum):
    """更新周期."""

    REALTIME = "realtime"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    IRREGULAR = "irregular"
    NEVER = "never"


class FormatClass(StrEnum):
    """信息资源格式分类."""

    DOCUMENT = "document"
    SPREADSHEET = "spreadsheet"
    DATABASE = "database"
    IMAGE = "image"
    STREAM = "stream"
    SELF_DESCRIBING = "self_describing"
    SERVICE = "service"


class DataLevel(StrEnum):
    """数据分级."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class Domain(StrEnum):
    """The three priority domains (重点领域) and the rest."""

    LIVELIHOOD = "livelihood"
    PUBLIC_SERVICE = "public_service"
    MARKET_SUPERVISION = "market_supervision"
    OTHER = "other"


class InventoryLine(Base):
    __tablename__ = "inventory_line"
    __table_args__ = (UniqueConstraint("resource_code"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    """信息资源提供方; its code (提供方代码) is the agency's `uscc`."""
    resource_code: Mapped[str] = mapped_column(String(100))
    """信息资源代码: category code `/` sequence number."""
    title: Mapped[str] = mapped_column(String(300))
    category: Mapped[str] = mapped_column(String(200))
    """信息资源分类: the code of 类 项 目 细目."""
    abstract: Mapped[str]
    format_class: Mapped[str] = mapped_column(String(20))
    format_type: Mapped[str] = mapped_column(String(50))
    items: Mapped[list[Any]]
    """信息项: [{name, type, length}]."""
    share_type: Mapped[str] = mapped_column(String(20))
    share_condition: Mapped[str] = mapped_column(default="")
    share_method: Mapped[str] = mapped_column(String(50), default="")
    openness: Mapped[str] = mapped_column(String(20), index=True)
    open_condition: Mapped[str] = mapped_column(default="")
    """The condition of a conditional line, the legal basis of a closed one."""
    update_cycle: Mapped[str] = mapped_column(String(20))
    issued_on: Mapped[date | None]
    related_codes: Mapped[list[Any]]
    data_level: Mapped[str] = mapped_column(String(2), default=DataLevel.L1)
    domain: Mapped[str] = mapped_column(String(30), default=Domain.OTHER)
    region_code: Mapped[str] = mapped_column(String(12), default="")
    defaulted: Mapped[list[Any]]
    """Names of elements that nobody has written yet: filled in from the body and the file."""
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so
