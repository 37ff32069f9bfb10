"""API shapes of a search."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from opendata.access.schemas import AgencyRef


class Segment(BaseModel):
    text: str
    hit: bool


class ResultOut(BaseModel):
    id: str
    name: str
    title: str
    title_en: str
    description: str
    agency: AgencyRef
    formats: list[str]
    licence: str
    openness: str
    update_cycle: str
    themes: list[str]
    resources: int
    modified_at: datetime | None
    highlights: dict[str, list[Segment]] = Field(
        description="Title and description around the hits, in pieces"
    )


class FacetValue(BaseModel):
    value: str
    label: str
    count: int


class SearchOut(BaseModel):
    total: int
    results: list[ResultOut]
    facets: dict[str, list[FacetValue]]
