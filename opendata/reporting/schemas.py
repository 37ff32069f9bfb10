"""The API's shapes of targets and pushes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.profile import Line
from opendata.reporting.models import LineState, PushAction, PushState


class TargetPatch(BaseModel):
    """Only the named fields change."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=100, description="Short: `a-z 0-9 _ -`")
    url: Line = Field("", max_length=2000, description="The platform's address; the map's paths lie below it")
    map: str = Field(
        "", max_length=50, description="Name of a map of catalog_schemas/reporting; or `own_map`"
    )
    own_map: dict[str, Any] = Field(
        default_factory=dict, description="A map of the target's own, in the same shape"
    )
    options: dict[str, str] = Field(default_factory=dict, max_length=20, description="What the map asks for")
    agency: str | None = Field(
        None,
        max_length=100,
        description="Name or id of a body: its datasets and those of the bodies below; none: all",
    )
    pause: float = Field(0.2, ge=0, le=60, description="Seconds between two requests")
    schedule: str = Field(
        "",
        pattern="^(|hourly|(daily|weekly|monthly)( ([01][0-9]|2[0-3]):[0-5][0-9])?)$",
        description="`hourly`, `daily 03:00`, `weekly 03:00` (Mondays), `monthly 03:00` (the first), in Beijing time; empty: on demand",
    )
    secret: str = Field("", max_length=4000, description="The platform's token; never shown again")

    def given(self) -> dict[str, Any]:
        """Of the target's own columns."""
        return self.model_dump(mode="json", include=self.model_fields_set - {"secret", "agency"})


class TargetIn(TargetPatch):
    name: str = Field(min_length=2, max_length=100, description="Short: `a-z 0-9 _ -`")
    url: Line = Field(
        min_length=1, max_length=2000, description="The platform's address; the map's paths lie below it"
    )

    def given(self) -> dict[str, Any]:
        """Every column of a new target."""
        return self.model_dump(mode="json", exclude={"secret", "agency"})


class TargetOut(BaseModel):
    id: str
    name: str
    url: str
    map: str
    own_map: dict[str, Any]
    options: dict[str, str]
    agency: str | None
    pause: float
    schedule: str
    next_push_at: datetime | None
    has_secret: bool
    created_at: datetime
    updated_at: datetime
    held: int = Field(description="Records that the platform has of us")
    live_push: str | None = Field(description="The push that is under way")


class MapOut(BaseModel):
    name: str
    title: str
    options: dict[str, str] = Field(description="{name: what it is}: what a target has to say")
    withdraws: bool = Field(description="Whether the platform knows a withdrawal")


class PushIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Compare; send nothing")
    again: bool = Field(False, description="Send what was refused once more although it has not changed")
    withdrawals: bool = Field(
        False, description="Withdraw also more than 5 and more than a fifth of the records"
    )


class LineOut(BaseModel):
    number: int
    dataset: str = Field(description="Its id here, by which the platform knows it")
    title: str
    action: PushAction
    state: LineState
    attempts: int
    sent_at: datetime | None
    status: int | None = Field(description="Of the platform's last answer")
    receipt: str = Field(description="The platform's identifier of the record")
    message: str = Field(description="What the platform said, in its words")
    told: list[str] = Field(description="Why, in ours")


class LinePage(BaseModel):
    total: int
    results: list[LineOut]


class PushOut(BaseModel):
    id: str
    target: str
    status: PushState
    dry_run: bool
    again: bool
    withdrawals: bool
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    requests: int
    failure: str = Field(description="Why it failed")
    failure_code: str
    counts: dict[str, int]
    counts_before: dict[str, int] | None = Field(
        description="Of the last push that went through, for comparison"
    )


class PushDetail(PushOut):
    records: LinePage


class PushPage(BaseModel):
    total: int
    results: list[PushOut]
