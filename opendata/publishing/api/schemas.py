"""API shapes of the journey: what editors and reviewers send, and what they are told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from opendata.access.schemas import AgencyRef, DatasetOut, ResourceOut
from opendata.catalog.profile import DatasetMeta, Line, ResourceMeta
from opendata.review.models import DecisionKind, Outcome
from opendata.review.rounds.models import Result

LINES = Field(None, max_length=200, description="Ids or resource codes of the inventory lines that it opens")


class DatasetPatch(DatasetMeta):
    """Only the named fields change."""

    inventory: list[str] | None = LINES

    def given(self) -> dict[str, Any]:
        """The metadata fields that the caller named."""
        named = self.model_fields_set & DatasetMeta.model_fields.keys()
        return self.model_dump(mode="json", include=named)


class DatasetIn(DatasetPatch):
    """A first draft needs agency and title; the rest is filled in and flagged."""

    agency: str = Field(description="Name or id of the body")
    title: Line = Field(min_length=1, max_length=300)
    name: str | None = Field(
        None, description="Short name in addresses, 2 to 100 of a-z 0-9 _ -; made from the title if left out"
    )
    source_id: str | None = Field(None, min_length=1, max_length=200, description="The body's own identifier")


class LinkIn(ResourceMeta):
    url: Line = Field(min_length=1, max_length=5000, pattern="^https?://", description="Where it is")


class SourceIn(DatasetPatch):
    title: Line = Field(min_length=1, max_length=300)
    name: str | None = Field(None, description="Short name, for a dataset that is new")
    resources: list[LinkIn] | None = Field(
        None,
        max_length=1000,
        description="The links that it has, all of them; left out: they stay as they are",
    )
    submit: bool = Field(False, description="Hand it in too; refused as a whole if it lacks something")


class ResourcePatch(ResourceMeta):
    """Only the named fields change."""

    url: Line = Field("", max_length=5000, pattern="^(https?://.*)?$", description="Where it is, for a link")

    def given(self) -> dict[str, Any]:
        return self.model_dump(mode="json", include=self.model_fields_set, by_alias=True)


class WithdrawIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=5000, description="Why; the public reads it")


class FieldReason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str = Field(
        min_length=1,
        max_length=200,
        description="`title`, `inventory`, `resources.<id>`, `resources.<id>.name` …",
    )
    reason: str = Field(min_length=1, max_length=2000)


class SubmitIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    correction: bool = Field(
        False, description="It corrects wording or contact alone: one review is enough (the light path)"
    )


class ScheduleIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    publish_at: AwareDatetime | None = Field(
        description="Not before this time; null: as soon as it is approved. With an offset, as 2026-12-01T09:00:00+08:00"
    )


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: DecisionKind
    outcome: Outcome
    content_hash: str = Field(pattern="^[0-9a-f]{64}$", description="Of the content that was looked at")
    reason: str = Field("", max_length=5000, description="Needed for a rejection, unless fields have reasons")
    fields: list[FieldReason] = Field(
        default_factory=list, max_length=100, description="Of a rejection: what is wrong where"
    )


class Change(BaseModel):
    field: str
    old: Any
    new: Any


class Missing(BaseModel):
    field: str
    code: str
    detail: str


class Edited(DatasetOut):
    """The dataset with its draft."""


class DryRunOut(BaseModel):
    dry_run: bool = True
    changes: list[Change]
    missing: list[Missing] = Field(description="What it would still lack before it can be submitted")


class SubmittedOut(BaseModel):
    id: str
    number: int
    state: str
    sentence: str
    content_hash: str | None


class DecisionOut(BaseModel):
    id: str
    kind: str
    outcome: str
    reason: str
    content_hash: str
    fields: list[FieldReason] = Field(description="Of a rejection: what is wrong where")
    reviewer: str
    on_behalf_of: str | None = Field(description="The absent reviewer whose place was taken")
    decided_at: datetime
    void: bool = Field(description="Whether an edit or a return has made it void")


class FindingOut(BaseModel):
    id: str = Field(description="The same however often this content is screened")
    resource: str | None
    place: str
    rule: str
    blocks: bool = Field(description="Confident, and not waived")
    confident: bool
    count: int
    sample: list[Any]
    reason: str
    suggestion: str = Field(description="mask, drop, generalise, or look")
    detail: str = Field(description="The whole as a sentence")
    can_mask: bool
    waived: str | None = Field(description="Why a secrecy reviewer lets it go")
    waived_by: str | None
    waived_at: datetime | None


class ScreeningOut(BaseModel):
    id: str
    state: str
    sentence: str
    screening: list[FindingOut]


class WaiverIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    findings: list[str] = Field(min_length=1, max_length=1000, description="Ids of blocking findings")
    content_hash: str = Field(pattern="^[0-9a-f]{64}$", description="Of the content that was looked at")
    reason: str = Field(max_length=5000, description="Why it may go out; kept in the audit trail")


class MaskingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    findings: list[str] = Field(
        default_factory=list, max_length=1000, description="Ids; empty: all that block"
    )


class ValidationOut(BaseModel):
    resource: str
    name: str
    state: str
    valid: bool | None
    structural: bool | None
    error_count: int | None
    problem: dict[str, Any] | None


class DatasetRef(BaseModel):
    id: str
    name: str
    title: str
    agency: AgencyRef


class NegativeHitOut(BaseModel):
    entry: str = Field(description="The entry's number")
    subject: str
    basis: str
    field: str
    word: str = Field(description="The word that was met; empty: the whole body or theme")
    lifted: bool = Field(description="The entry was lifted since")


class RoundOut(BaseModel):
    number: str = Field(description="Of the approval form (审查审批表)")
    content_hash: str
    opened_at: datetime
    due_on: date = Field(description="The last day in time, Beijing time")
    official_calendar: bool = Field(
        description="Whether the holiday calendar knew all days up to then; else weekdays stand for some"
    )
    overdue: bool
    result: Result
    closed_at: datetime | None


class ReleaseOut(SubmittedOut):
    dataset: DatasetRef
    policy: str = Field(description="reviewed, direct, standing, or light: by one review, for a correction")
    author: str | None
    submitted_at: datetime | None
    publish_at: datetime | None = Field(description="Not before this time")
    published_at: datetime | None
    rounds: list[RoundOut] = Field(description="Each time that its content was laid before the reviewers")
    changed_since_published: list[Change] = Field(
        description="What differs from the release that is public now; empty if there is none, or it is this one"
    )
    changed_since_return: list[Change] = Field(
        description="What its author has changed since it was returned last; empty before it is handed in again"
    )
    screening: list[FindingOut] = Field(
        description="What was found in this content, confident findings first"
    )
    negative_hits: list[NegativeHitOut] = Field(description="What the negative list forbids in this content")
    validation: list[ValidationOut] = Field(description="Each file against its schema")
    decisions: list[DecisionOut]
    missing: list[Missing]


class BlockedEntry(BaseModel):
    release: str
    content_hash: str
    dataset: DatasetRef
    submitted_at: datetime | None
    screening: list[FindingOut]


class QueueEntry(BaseModel):
    release: SubmittedOut
    dataset: DatasetRef
    submitted_at: datetime | None
    decided: list[str] = Field(description="Kinds that are decided")
    for_me: list[str] = Field(description="Kinds that the caller may decide")
    reviewers: dict[str, list[str]] = Field(description="By kind: who could make the decision today")
    number: str | None = Field(description="Of the approval form")
    due_on: date | None = Field(description="The last day in time, Beijing time")
    working_days_left: int | None = Field(description="After today; negative: overdue by so many")
    official_calendar: bool | None = Field(
        description="Whether the holiday calendar knew all days up to then; else weekdays stand for some"
    )
    overdue: bool


class AddedResource(ResourceOut):
    """The new resource in the draft."""


class UploadOut(BaseModel):
    id: str
    name: str
    length: int
    offset: int
    complete: bool
    dataset: str
    resource: str | None = Field(description="Once it is complete: the resource that has the file")
    expires_at: datetime
