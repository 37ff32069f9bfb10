"""API shapes of delegations."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class DelegationIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agency: str = Field(description="Name or id of the body in which the absent person reviews")
    absent: str | None = Field(None, description="Who is away: name or id; the caller, if left out")
    delegate: str = Field(description="Who reviews meanwhile: name or id; works for the body or one above it")
    first_day: date
    last_day: date = Field(description="The last day on which it holds, Beijing time")
    reason: str = Field(min_length=1, max_length=500)


class DelegationOut(BaseModel):
    id: str
    agency: str
    absent: str
    delegate: str
    first_day: date
    last_day: date
    reason: str
    made_at: datetime
    ended_at: datetime | None
    in_force: bool = Field(description="Whether it holds today")
