"""What a file's columns hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from opendata.access import policy
from opendata.access import service as access
from opendata.edge import messages
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import ApiWork
from opendata.publishing.reading import profiles

router = APIRouter(tags=["resources"], dependencies=[Depends(known_query)])


class Estimated(BaseModel):
    value: int
    is_estimate: bool


class Listed(BaseModel):
    values: list[Any]
    is_estimate: bool


class Histogram(BaseModel):
    edges: list[float] = Field(description="One more than counts")
    counts: list[int]
    is_estimate: bool


class ColumnProfile(BaseModel):
    name: str
    type: str
    semantic_type: str = Field(description="What the values mean, by their form and by the header")
    count: int = Field(description="Filled cells")
    missing: int
    longest: int = Field(description="Characters of the longest cell")
    distinct: Estimated
    values_hidden: bool = Field(description="About people: counts only")
    min: float | str | None = None
    max: float | str | None = None
    mean: float | None = None
    quantiles: Listed | None = Field(None, description="[share, value] pairs")
    top: Listed | None = Field(None, description="The commonest values, each with its count")
    histogram: Histogram | None = None


class ProfileOut(BaseModel):
    resource: str
    file: str = Field(description="SHA-256 of the bytes that it is about")
    state: str = Field(description="`done`, `waiting` while nobody has looked yet, `no_table`")
    rows: int | None
    blank_rows: int | None
    made_at: datetime | None
    columns: list[ColumnProfile]
    problem: dict[str, Any] | None = Field(description="Why the file could not be read")


@router.get("/resources/{resource}/profile", responses=documented(ProfileOut))
def get_profile(
    work: ApiWork,
    resource: str,
    language: Language,
    draft: Annotated[bool, Query(description="Of the open draft's file (for the body's people)")] = False,
) -> Response:
    """Types, counts, ranges and commonest values of the columns of the published file, or of the draft's. What is taken from
    a sample or a sketch says `is_estimate`. Of columns about people only counts."""
    found = access.resource(work, resource, draft=draft)
    file = access.data_file(work, found)
    made = profiles.of(work, found)
    public = found.public and policy.is_data_public(found.view) and made["state"] != "waiting"
    body = {"resource": found.resource.id, "file": file.sha256, **made}
    body["problem"] = messages.problem_text(made["problem"], language)
    return json_answer(body, public=public, headers={"Vary": "Accept-Language"})
