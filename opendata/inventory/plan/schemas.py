"""API shapes of the opening plan."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.inventory.plan.models import OpenMethod, PlanStatus

Year = Field(ge=2000, le=2100, description="计划年度")


class PlanIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line: str = Field(max_length=100, description="Id or resource code of the inventory line")
    year: int = Year
    planned_on: date = Field(description="计划开放日期, within the year")
    lead_unit: str | None = Field(None, max_length=200, description="牵头单位; the body's title if left out")
    responsible_unit: str | None = Field(
        None, max_length=200, description="责任单位; the body's title if left out"
    )
    open_method: OpenMethod | None = Field(None, description="开放方式")


class PlanPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    planned_on: date | None = Field(None, description="May only come nearer; a later date is a delay")
    delayed_to: date | None = Field(None, description="The new date of a delay; null takes it back")
    reason: str | None = Field(None, max_length=500, description="Why it is delayed or cancelled: public")
    status: PlanStatus | None = None
    lead_unit: str | None = Field(None, max_length=200)
    responsible_unit: str | None = Field(None, max_length=200)
    open_method: OpenMethod | None = None


class PlanOut(BaseModel):
    id: str
    year: int
    agency: str
    resource_code: str
    title: str
    domain: str
    openness: str
    update_cycle: str
    open_method: str
    lead_unit: str
    responsible_unit: str
    planned_on: date
    delayed_to: date | None
    due_on: date = Field(description="The last day on which it is in time")
    status: PlanStatus
    actual_on: date | None = Field(description="Since when a public dataset opens the line")
    reason: str
    overdue: bool = Field(
        description="True from the day after `due_on` while it is neither opened nor cancelled"
    )
    edition: int


class PlanPage(BaseModel):
    year: int
    total: int
    results: list[PlanOut]


class CountsOut(BaseModel):
    planned: int = Field(description="Items of the year that were not cancelled")
    opened: int = Field(description="Those of them that are open to the public now")
    inventory: int = Field(description="All inventory lines")


class ProgressOut(BaseModel):
    year: int
    total: CountsOut
    agencies: dict[str, CountsOut] = Field(description="By the body's short name")
    domains: dict[str, CountsOut] = Field(description="By priority domain")

    @classmethod
    def of(cls, year: int, total: Any, agencies: dict[str, Any], domains: dict[str, Any]) -> ProgressOut:
        return cls(
            year=year,
            total=CountsOut(**vars(total)),
            agencies={name: CountsOut(**vars(counts)) for name, counts in sorted(agencies.items())},
            domains={name: CountsOut(**vars(counts)) for name, counts in sorted(domains.items())},
        )
