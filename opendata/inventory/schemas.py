"""API shapes of inventory lines."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from opendata.inventory.models import DataLevel, Domain, FormatClass, Openness, ShareType, UpdateCycle


class Item(BaseModel):
    """信息项."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    type: str = Field("C", pattern="^[CNYDTLMGBIF]$", description="C N Y D T L M G B I F (guide, 数据类型)")
    length: int | None = Field(None, ge=0)


class Elements(BaseModel):
    """What a line says, but its title."""

    model_config = ConfigDict(extra="forbid")

    abstract: str | None = Field(None, max_length=2500, description="信息资源摘要")
    resource_code: str | None = Field(
        None,
        pattern=r"^[1-3][0-9]{2}[0-9]{3}[0-9]*/[0-9]+$",
        description="信息资源代码; generated if left out",
    )
    category: str | None = Field(
        None, max_length=200, pattern=r"^[1-3][0-9]{5,}$", description="信息资源分类 code"
    )
    format_class: FormatClass | None = None
    format_type: str | None = Field(None, max_length=50)
    items: list[Item] | None = Field(None, max_length=2000)
    share_type: ShareType | None = None
    share_condition: str | None = Field(None, max_length=500)
    share_method: str | None = Field(None, max_length=50)
    openness: Openness | None = None
    open_condition: str | None = Field(None, max_length=500, description="The legal basis, for a closed line")
    update_cycle: UpdateCycle | None = None
    issued_on: date | None = None
    related_codes: list[str] | None = Field(None, max_length=100)
    data_level: DataLevel | None = None
    domain: Domain | None = None
    region_code: str | None = Field(None, pattern=r"^([0-9]{2,12})?$")


class InventoryLineIn(Elements):
    """A first draft needs agency and title; the rest is filled in and flagged until the first submission."""

    agency: str = Field(description="Name or id of the providing body (信息资源提供方)")
    title: str = Field(min_length=1, max_length=300, description="信息资源名称")


class InventoryLinePatch(Elements):
    """Only the named elements change. A line stays with its body."""

    title: str | None = Field(None, min_length=1, max_length=300, description="信息资源名称")


class InventoryLineOut(BaseModel):
    id: str
    agency: str
    provider_code: str | None
    resource_code: str
    title: str
    category: str
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
    defaulted: list[str]
    edition: int
