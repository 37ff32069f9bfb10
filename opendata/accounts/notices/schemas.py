"""API shapes of notices."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from opendata.accounts.notices.models import Occasion


class NoticeOut(BaseModel):
    id: str
    occasion: Occasion
    detail: str = Field(description="The whole as a sentence")
    path: str = Field(description="Where to act: the console's address, to be put after /zh or /en")
    at: datetime
    read_at: datetime | None


class NoticePage(BaseModel):
    total: int
    results: list[NoticeOut]


class ReadIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    notices: list[str] | None = Field(
        None, max_length=1000, description="Ids of notices that were read; all, if left out"
    )
