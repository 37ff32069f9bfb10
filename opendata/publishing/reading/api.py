"""How a draft's file is read: the proposal, and its acceptance."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.access import service as access
from opendata.access.schemas import resource_out
from opendata.catalog.profile import ReadOptions
from opendata.catalog.views import DatasetView
from opendata.core.errors import NotFound
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.publishing.api import editing
from opendata.publishing.api.editing import Asked, Editing, How
from opendata.publishing.api.schemas import AddedResource
from opendata.publishing.reading import service as readings
from opendata.work.unit import Work

router = APIRouter(tags=["resources"], dependencies=[Depends(known_query)])
Text = Annotated[str, Field(max_length=500)]


class ReadingOut(BaseModel):
    column: str = Field(description="The header's text")
    field: str | None = Field(description="The field of the schema that it is")
    by: str = Field(
        description="accepted, name, title, title_en, national_code, alias, or loosely; empty for none"
    )


class ProposalOut(BaseModel):
    columns: list[ReadingOut]
    missing: list[str] = Field(description="Required fields without a column")
    absent: list[str] = Field(description="Optional fields without a column")
    doubtful: list[str] = Field(description="Fields whose values do not look like theirs")
    notes: list[dict[str, Any]] = Field(description="What is odd about the file: a code and its parameters")
    options: ReadOptions = Field(description="How it is read once this is accepted")
    tables: list[dict[str, str]] = Field(description="Other tables of the file: the options that read each")


class AcceptIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    columns: dict[Text, Text] | None = Field(
        None,
        max_length=2000,
        description="Fields by the header's texts, empty for none; left out: as proposed",
    )
    without_total: bool | None = Field(None, description="Whether a total at the end is set aside")


@router.get("/resources/{resource}/reading", responses=documented(ProposalOut))
def get_reading(work: SignedInWork, resource: str) -> Response:
    """How the file of the draft (without one, of the newest release) is read, as a proposal: which column is which field of its
    schema, what is set aside, which other tables it holds. For those who work for the body."""
    return json_answer(asdict(readings.of(work, access.edited(work, resource).resource)))


@router.post("/resources/{resource}/reading", responses=documented(AddedResource))
def accept_reading(work: SignedInWork, resource: str, body: AcceptIn, how: How) -> Response:
    """Accepts the proposal, or what the body says in its place. Kept with the resource for the next delivery; the file is
    judged again."""
    began, view = _begin(work, resource, how)
    shown = next(r for r in view.resources if r.id == resource)
    readings.accept(work, began.dataset, began.agency, shown, body.columns, without_total=body.without_total)
    return editing.finish(
        work, began, how, body=lambda v: resource_out(next(r for r in v.resources if r.id == resource))
    )


@router.post("/resources/{resource}/tables", status_code=201, responses=documented(list[AddedResource], 201))
def split_tables(work: SignedInWork, resource: str, how: How) -> Response:
    """One more resource in the draft for each other sheet of a workbook, or table of a ZIP."""
    began, view = _begin(work, resource, how)
    shown = next(r for r in view.resources if r.id == resource)
    ids = readings.one_a_table(work, began.dataset, began.agency, shown)
    return editing.finish(
        work, began, how, status=201, body=lambda v: [resource_out(r) for r in v.resources if r.id in ids]
    )


def _begin(work: Work, resource: str, how: Asked) -> tuple[Editing, DatasetView]:
    """`NotFound("resource_not_found")` for one that the draft does not have."""
    began = editing.begin_with_resource(work, resource, how)
    view = editing.present(work, began.dataset)
    if not any(r.id == resource for r in view.resources):
        raise NotFound("resource_not_found", id=resource[:100])
    return began, view
