"""API shapes of inventory lines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.inventory.elements import MOST_ITEMS
from opendata.inventory.models import (
    DataLevel,
    Domain,
    FormatClass,
    Openness,
    ShareMethod,
    ShareType,
    UpdateCycle,
)
from opendata.inventory.profile.fields import MOST_FIELDS, Value


class Item(BaseModel):
    """信息项."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    type: str = Field("C", pattern="^[CNYDTLMGBIF]$", description="C N Y D T L M G B I F (guide, 数据类型)")
    length: int | None = Field(None, ge=0, le=2_000_000_000)
    level: DataLevel | None = Field(None, description="数据分级 of the item; the line's if left out")
    openness: Openness | None = Field(
        None, description="开放属性 of the item, never more open than the line; the line's if left out"
    )


class _Elements(BaseModel):
    """The elements that people write."""

    model_config = ConfigDict(extra="forbid")

    abstract: str | None = Field(None, max_length=2500, description="信息资源摘要")
    resource_code: str | None = Field(
        None,
        pattern=r"^[1-3][0-9]{2}[0-9]{3}[0-9]*/[0-9]+$",
        max_length=100,
        description="信息资源代码: the category's code, `/`, a number; generated if left out",
    )
    category: str | None = Field(
        None,
        max_length=99,
        pattern=r"^[1-3][0-9]{5,}$",
        description="信息资源分类: the code of 类 项 目 细目",
    )
    category_path: str | None = Field(
        None, max_length=200, description="信息资源分类 in words: 类/项/目/细目"
    )
    format_class: FormatClass | None = None
    format_type: str | None = Field(None, max_length=50)
    items: list[Item] | None = Field(None, max_length=MOST_ITEMS, description="信息项")
    share_type: ShareType | None = None
    share_condition: str | None = Field(
        None, max_length=500, description="Of a line that is not shared: the basis"
    )
    share_method: ShareMethod | None = Field(None, description="共享方式; empty while nobody has said it")
    openness: Openness | None = None
    open_condition: str | None = Field(None, max_length=500, description="The legal basis, for a closed line")
    update_cycle: UpdateCycle | None = None
    issued_on: date | None = None
    related_codes: list[str] | None = Field(None, max_length=100)
    data_level: DataLevel | None = Field(
        None, description="数据分级; the highest of its open items if left out"
    )
    domain: Domain | None = None
    region_code: str | None = Field(None, pattern=r"^([0-9]{2,12})?$")
    lead_unit: str | None = Field(None, max_length=200, description="牵头单位")
    responsible_unit: str | None = Field(None, max_length=200, description="责任单位")
    city_fields: dict[str, Value] | None = Field(
        None,
        max_length=MOST_FIELDS,
        description="地方扩展元数据: values of the city's own fields of lines by name (GET /metadata-profile)",
    )


class InventoryLineIn(_Elements):
    """A first draft needs agency and title; the rest is filled in and flagged until somebody writes it."""

    agency: str = Field(description="Name or id of the providing body (信息资源提供方)")
    title: str = Field(min_length=1, max_length=300, description="信息资源名称")
    withheld_ground: str | None = Field(
        None, max_length=500, description="Enters the line withheld from the public (`PUT …/withheld`)"
    )


class InventoryLinePatch(_Elements):
    """Only the named elements change."""

    title: str | None = Field(None, min_length=1, max_length=300, description="信息资源名称")


class WithheldIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ground: str = Field(min_length=1, max_length=500, description="Why its very existence is sensitive")


class InventoryLineOut(BaseModel):
    id: str
    agency: str
    provider_code: str | None
    resource_code: str
    title: str
    category: str
    category_path: str
    abstract: str
    format_class: str
    format_type: str
    items: list[dict[str, object]]
    share_type: str
    share_condition: str
    share_method: str
    openness: str
    open_condition: str
    update_cycle: str
    issued_on: date | None
    related_codes: list[str]
    data_level: str
    domain: str
    region_code: str
    lead_unit: str
    responsible_unit: str
    city_fields: dict[str, Value]
    withheld_ground: str | None = Field(
        description="Null for a public line; others see only the body's people"
    )
    opened_at: datetime | None = Field(
        description="Since when a public dataset opens it (D19); null: none does, yet or at all (openness)"
    )
    defaulted: list[str] = Field(description="Elements that nobody has written yet")
    updated_at: datetime
    edition: int


class InventoryPage(BaseModel):
    total: int
    results: list[InventoryLineOut]


class ChangeOut(BaseModel):
    element: str
    before: Any
    after: Any


class VersionOut(BaseModel):
    """One change of a line."""

    line: str
    resource_code: str
    title: str
    edition: int
    action: str = Field(description="created, edited, withheld, revealed, removed")
    at: datetime
    by: str | None = Field(description="The account; null for those who do not work for the body")
    changes: list[ChangeOut]


class VersionPage(BaseModel):
    total: int
    results: list[VersionOut]


class LineVersionOut(VersionOut):
    """A version with the whole line as it was then."""

    content: dict[str, Any] | None


class DifferenceOut(BaseModel):
    """What became of a line between two moments."""

    kind: str = Field(description="added 新增, changed 调整, removed 取消")
    line: str
    resource_code: str
    title: str
    changes: list[ChangeOut]
