"""The API's shapes of sources and runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.profile import Line
from opendata.harvest.models import Action, OutcomeState, RunState


class LimitsIn(BaseModel):
    """What a run may cost the remote and us."""

    model_config = ConfigDict(extra="forbid")

    page_bytes: int = Field(64 << 20, ge=1 << 10, le=1 << 30, description="Of one answer")
    page_seconds: float = Field(60.0, ge=1, le=600, description="For one answer")
    run_bytes: int = Field(4 << 30, ge=1 << 20, le=64 << 30, description="Of all answers of a run")
    run_requests: int = Field(20_000, ge=1, le=1_000_000)
    run_seconds: float = Field(3600.0, ge=10, le=86_400, description="For gathering all records")
    pause: float = Field(0.2, ge=0, le=60, description="Seconds between two requests to one host")


class SourcePatch(BaseModel):
    """Only the named fields change."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", max_length=100, description="Short: `a-z 0-9 _ -`")
    kind: str = Field("", max_length=30, description="What it speaks: `ckan` …")
    url: Line = Field("", max_length=2000, description="Its address, as the kind has it")
    options: dict[str, Any] = Field(default_factory=dict, description="As the kind has them")
    limits: LimitsIn = Field(default_factory=LimitsIn)
    licence: str = Field("", max_length=100, description="Of records that name none; empty: they stay drafts")
    copy_files: bool = Field(False, description="Bring the files too, through all checks; else links")
    gone_after_runs: int = Field(
        3, ge=1, le=1000, description="Archived when it is missing in so many runs in a row"
    )
    gone_after_days: int = Field(
        0, ge=0, le=3650, description="Or missing for so many days; 0: runs alone count"
    )
    schedule: str = Field(
        "",
        pattern="^(|hourly|(daily|weekly|monthly)( ([01][0-9]|2[0-3]):[0-5][0-9])?)$",
        description="`hourly`, `daily 03:00`, `weekly 03:00` (Mondays), `monthly 03:00` (the first), in Beijing time; empty: on demand",
    )
    trusted: bool = Field(
        False,
        description="Its releases go out without reviewers, by your decision; the screening still holds",
    )
    trust_reason: str = Field("", max_length=1000, description="Why, for the audit trail")
    secret: str = Field("", max_length=4000, description="A token or password; never shown again")

    def given(self) -> dict[str, Any]:
        """Of the source's own columns."""
        apart = {"trusted", "trust_reason", "secret", "agency"}
        return self.model_dump(mode="json", include=self.model_fields_set - apart)


class SourceIn(SourcePatch):
    name: str = Field(min_length=2, max_length=100, description="Short: `a-z 0-9 _ -`")
    kind: str = Field(min_length=1, max_length=30, description="What it speaks: `ckan` …")
    url: Line = Field(min_length=1, max_length=2000, description="Its address, as the kind has it")
    agency: str = Field(description="Name or id of the body whose datasets its records become")

    def whole(self) -> dict[str, Any]:
        """Every column of a new source."""
        apart = {"trusted", "trust_reason", "secret", "agency"}
        return self.model_dump(mode="json", exclude=apart)


class SourceOut(BaseModel):
    id: str
    name: str
    kind: str
    url: str
    agency: str
    options: dict[str, Any]
    limits: dict[str, Any]
    licence: str
    copy_files: bool
    gone_after_runs: int
    gone_after_days: int
    schedule: str
    next_run_at: datetime | None
    trusted: bool
    has_secret: bool
    created_at: datetime
    updated_at: datetime
    live_run: str | None = Field(description="The run that is under way or waits for a decision")


class RunIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Gather and plan; change nothing")


class DeletionsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    deletions: Literal["confirm", "refuse"] = Field(
        description="`confirm`: archive what the source does not show; `refuse`: leave it, apply the rest"
    )


class OutcomeOut(BaseModel):
    number: int
    identifier: str
    title: str
    action: Action
    state: OutcomeState
    dataset: str | None = Field(description="Its id here")
    told: list[str] = Field(
        description="Why it was refused or failed, what was left out, what stays as people wrote it"
    )
    changes: list[str]


class OutcomePage(BaseModel):
    total: int
    results: list[OutcomeOut]


class RunOut(BaseModel):
    id: str
    source: str
    status: RunState
    dry_run: bool
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    gathered: int
    expected: int | None = Field(description="How many records the source says there are")
    requests: int
    held: int = Field(description="Records that were held when it was planned")
    lost: int = Field(description="Of these, how many the source does not show")
    deletions: str = Field(description="What was decided, where somebody was asked")
    failure: str = Field(description="Why it failed")
    failure_code: str
    counts: dict[str, int]
    counts_before: dict[str, int] | None = Field(
        description="Of the last run that went through, for comparison"
    )


class RunDetail(RunOut):
    outcomes: OutcomePage


class RunPage(BaseModel):
    total: int
    results: list[RunOut]
