"""Inventory lines: the 13 core elements of the national guide (发改高技〔2017〕1272号) and the openness of each line."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
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


class ShareMethod(StrEnum):
    """共享方式: how other bodies get it. Kept in the words of the standard's own list (standards/china.md 2.1), which lists
    and workbooks use too."""

    UNSAID = ""
    PLATFORM = "共享平台"
    MAIL = "邮件"
    DISK = "拷盘"
    MEDIUM = "介质交换"
    MEDIUM_PAPER = "介质交换(纸质报表)"
    MEDIUM_FILE = "介质交换(电子文档)"
    SYSTEM = "系统对接"
    DATABASE = "数据库"
    DOWNLOAD = "文件下载"
    SERVICE = "服务接口"
    OTHER = "其他"


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


class Disclosure(StrEnum):
    """五公开: which part of the government's work a dataset makes public."""

    DECISION = "decision"
    EXECUTION = "execution"
    MANAGEMENT = "management"
    SERVICE = "service"
    RESULT = "result"


def _public_index(name: str, *columns: str) -> Index:
    """Of public lines alone, in the words of `policy.PUBLIC_LINES`: lists and counts read it without the rows."""
    only = text("withheld_ground = ''")
    return Index(f"ix_inventory_line_public_{name}", *columns, sqlite_where=only, postgresql_where=only)


class InventoryLine(Base):
    __tablename__ = "inventory_line"
    __table_args__ = (
        UniqueConstraint("resource_code"),
        _public_index("code", "resource_code", "id"),
        _public_index("openness", "openness", "resource_code", "id"),
        _public_index("facets", "agency_id", "domain", "openness", "data_level", "resource_code", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    """信息资源提供方; its code (提供方代码) is the agency's `uscc`."""
    resource_code: Mapped[str] = mapped_column(String(100))
    """信息资源代码: category code `/` sequence number."""
    title: Mapped[str] = mapped_column(String(300))
    category: Mapped[str] = mapped_column(String(200))
    """信息资源分类: the code of 类 项 目 细目."""
    category_path: Mapped[str] = mapped_column(String(200), default="")
    """The same in words: 部门信息资源目录/市级部门/市场监管局."""
    abstract: Mapped[str]
    format_class: Mapped[str] = mapped_column(String(20))
    format_type: Mapped[str] = mapped_column(String(50))
    items: Mapped[list[Any]]
    """信息项: [{name, type, length, level, openness}]; an item without level or openness has the line's."""
    share_type: Mapped[str] = mapped_column(String(20))
    share_condition: Mapped[str] = mapped_column(default="")
    share_method: Mapped[str] = mapped_column(String(50), default="")
    openness: Mapped[str] = mapped_column(String(20))
    open_condition: Mapped[str] = mapped_column(default="")
    """The condition of a conditional line, the legal basis of a closed one."""
    update_cycle: Mapped[str] = mapped_column(String(20))
    issued_on: Mapped[date | None]
    related_codes: Mapped[list[Any]]
    data_level: Mapped[str] = mapped_column(String(2), default=DataLevel.L1)
    domain: Mapped[str] = mapped_column(String(30), default=Domain.OTHER)
    region_code: Mapped[str] = mapped_column(String(12), default="")
    lead_unit: Mapped[str] = mapped_column(String(200), default="")
    """牵头单位 (D36, D54)."""
    responsible_unit: Mapped[str] = mapped_column(String(200), default="")
    """责任单位."""
    city_fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """地方扩展元数据: values of the city's own fields of lines (`profile`), by name."""
    withheld_ground: Mapped[str] = mapped_column(default="")
    """Why the very existence of the line is kept from the public; empty for a public line (`policy.PUBLIC_LINES`)."""
    defaulted: Mapped[list[Any]]
    """Names of elements that nobody has written yet: filled in from the body and the file."""
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
    edition: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so


class LineVersion(Base):
    """One change of a line: who, when, and the elements before and after. Outlives the line."""

    __tablename__ = "inventory_version"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    line_id: Mapped[str] = mapped_column(String(36), index=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    resource_code: Mapped[str] = mapped_column(String(100))
    """After the change."""
    edition: Mapped[int]
    """Of the line after the change; unique within it."""
    action: Mapped[str] = mapped_column(String(20))
    """created, edited, withheld, revealed, removed"""
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[str | None] = mapped_column(String(36))
    actor_name: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    list_import_id: Mapped[str | None] = mapped_column(String(36))
    """The workbook that it came with."""
    public: Mapped[bool]
    """Whether it may be shown while its line is public: not what was written while the line was withheld."""


class ListImport(Base):
    """A workbook as the console has read it, until its clerk accepts it. Lines marked as secret are not in it."""

    __tablename__ = "inventory_import"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    """Of the file."""
    rows: Mapped[list[Any]]
    """[[row number, {column: text}]]."""
    problems: Mapped[list[Any]]
    """What was wrong with rows that are not kept: [[row number, column, code, params, value]]."""
    notes: Mapped[dict[str, Any]]
    """Columns that nobody knows, and the like."""
    marked: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The clerk's workbook with the wrong cells coloured; None if nothing is wrong."""
    created_by: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(index=True)
    accepted_at: Mapped[datetime | None]
