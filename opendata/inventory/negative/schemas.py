"""API shapes of the negative list."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from opendata.inventory.negative.models import EntryStatus, Ground

Word = Annotated[str, Field(min_length=1, max_length=100)]


class NegativeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: str | None = Field(
        None, max_length=32, pattern=r"^[A-Za-z0-9-]+$", description="条目编号; generated if left out"
    )
    subject: str = Field(min_length=1, max_length=500, description="不予公开/开放事项")
    ground: Ground = Field(description="不公开理由类别")
    basis: str = Field(min_length=1, max_length=1000, description="法律依据")
    approved_by: str = Field(min_length=1, max_length=200, description="审定单位")
    agency: str | None = Field(
        None, description="Applies to this body and those below it; to every body if left out"
    )
    themes: list[Word] = Field(
        default_factory=list, max_length=50, description="Applies to these themes only"
    )
    keywords: list[Word] = Field(default_factory=list, max_length=200, description="Forbidden words")
    items: list[Word] = Field(default_factory=list, max_length=200, description="Forbidden information items")
    valid_from: date | None = Field(None, description="生效日期; today if left out")
    review_on: date = Field(description="下次复审日期")


class NegativePatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subject: str | None = Field(None, max_length=500)
    ground: Ground | None = None
    basis: str | None = Field(None, max_length=1000)
    approved_by: str | None = Field(None, max_length=200)
    agency: str | None = Field(None, description="null: every body")
    themes: list[Word] | None = Field(None, max_length=50)
    keywords: list[Word] | None = Field(None, max_length=200)
    items: list[Word] | None = Field(None, max_length=200)
    valid_from: date | None = None
    review_on: date | None = None
    status: EntryStatus | None = None
    lift_reason: str | None = Field(None, max_length=1000, description="Why it is lifted: public")


class NegativeOut(BaseModel):
    id: str
    number: str
    subject: str
    ground: Ground
    basis: str
    approved_by: str
    agency: str | None
    themes: list[str]
    valid_from: date
    review_on: date
    review_due: bool = Field(description="The day of its review has passed; it binds on")
    status: EntryStatus
    lift_reason: str
    keywords: list[str] | None = Field(description="null for the public")
    items: list[str] | None = Field(description="null for the public")
    edition: int


class PublicMatchOut(BaseModel):
    """A public dataset that the entry forbids."""

    dataset: str
    name: str
    title: str
    agency: str
    field: str
    word: str = Field(description="The word that was met; empty: the whole body or theme")


class NegativeMade(NegativeOut):
    already_public: list[PublicMatchOut] = Field(
        description="What it forbids and is public: it stays so, and its body and the supervisors are told"
    )


class NegativePage(BaseModel):
    total: int
    results: list[NegativeOut]
