"""Cleaning on offer: what is certain, with before and after; accepted, it makes a new file of the draft."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.files import Stores
from opendata.core.canonical import sha256_json
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import AppSettings, authorize, part, perform
from opendata.ports.sandbox.port import Sandbox
from opendata.publishing.cleaning import service
from opendata.validation.cleaning.recipe import ALWAYS, Recipe
from opendata.validation.cleaning.service import Cleaner, Proposal, to_clean, to_propose
from opendata.validation.models import Prepared
from opendata.validation.telling.annotating import Wanted
from opendata.validation.telling.schemas import SentenceOut
from opendata.validation.telling.sentences import cleaning
from opendata.validation.telling.waiting import LATER, answered, waiting
from opendata.work.unit import Work

router = APIRouter(tags=["resources"], dependencies=[Depends(known_query)])


class ExampleOut(BaseModel):
    row: int | None = Field(description="As the file counts rows; null for what concerns the file")
    before: str | None
    after: str | None = Field(description="Null for a row that is set aside")


class CleaningStepOut(BaseModel):
    id: str
    step: str
    column: str
    count: int = Field(description="Cells or rows that it changes")
    always: bool = Field(description="Done in any case: the cleaned file is a CSV in UTF-8")
    sentence: SentenceOut
    examples: list[ExampleOut]


class ProposalOut(BaseModel):
    file: str = Field(description="SHA-256 of the file that was looked at: sent back to accept")
    steps: list[CleaningStepOut]
    recipe: dict[str, Any] | None = Field(description="All steps as data; leave out those you do not want")
    kept: dict[str, Any] | None = Field(description="The recipe by which the resource was cleaned last")


class CleaningIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str = Field(max_length=64, description="`file` of the proposal")
    recipe: Recipe


class CleanedOut(BaseModel):
    file: str = Field(description="SHA-256 of the new file; the one before stays")
    rows: int
    aside: int = Field(description="Rows that were set aside")
    ignored: list[str] = Field(description="Steps whose columns the file does not have")
    recipe: dict[str, Any]


async def get_cleaner(
    settings: AppSettings,
    sandbox: Annotated[Sandbox, Depends(part("sandbox"))],
    stores: Annotated[Stores, Depends(part("stores"))],
) -> Cleaner:
    return Cleaner(sandbox, stores, settings.scratch)


Cleaners = Annotated[Cleaner, Depends(get_cleaner)]


@router.get("/resources/{resource}/cleaning", responses=documented(ProposalOut) | LATER)
async def propose_cleaning(request: Request, resource: str, cleaner: Cleaners) -> Response:
    """What can be cleaned with certainty in the draft's file (in the newest release's, if no draft is open), for those who
    edit it. Nothing is changed. In a file over 20 MB a job looks: 202, and the same call has it later."""

    def look(work: Work) -> tuple[Wanted, Recipe | None]:
        return service.wanted(work, resource), service.kept(work, resource)

    asked, kept = await authorize(request, look)
    proposal = await answered(
        request, to_propose(asked), lambda: cleaner.propose(asked), partial(cleaner.proposed, asked)
    )
    if isinstance(proposal, Prepared):
        return waiting(request, proposal)
    return json_answer(_told(asked, proposal, kept))


def _told(asked: Wanted, proposal: Proposal, kept: Recipe | None) -> dict[str, Any]:
    steps = [
        {
            "id": one.step.id,
            "step": one.step.step.value,
            "column": one.step.column,
            "count": one.count,
            "always": one.step.step in ALWAYS,
            "sentence": cleaning(one.step.step, one.step.column, one.count),
            "examples": one.examples,
        }
        for one in proposal.steps
    ]
    recipe = proposal.recipe
    return {
        "file": asked.file.sha256,
        "steps": steps,
        "recipe": recipe.stored() if recipe else None,
        "kept": kept.stored() if kept else None,
    }


@router.post("/resources/{resource}/cleaning", status_code=201, responses=documented(CleanedOut, 201) | LATER)
async def accept_cleaning(request: Request, resource: str, body: CleaningIn, cleaner: Cleaners) -> Response:
    """Cleans the file by a recipe: the proposal's, or one that was kept from the last delivery. The draft gets a new file
    (CSV in UTF-8); the file before stays where it was shown. `Stale` if the draft has another file by now. A file over 20 MB is cleaned by a job: 202, and the same
    call, sent again, gives the draft its new file."""
    asked = await authorize(request, partial(service.wanted, resource_id=resource, sha256=body.file))
    made = await answered(
        request,
        to_clean(asked, body.recipe),
        lambda: cleaner.clean(asked, body.recipe),
        partial(cleaner.cleaned, asked),
    )
    if isinstance(made, Prepared):
        return waiting(request, made)

    def change(work: Work) -> Response:
        service.accept(work, resource, asked, made, body.recipe)
        told = {"rows": made.rows, "aside": made.aside, "ignored": made.ignored}
        return json_answer({"file": made.stored.sha256, **told, "recipe": body.recipe.stored()}, status=201)

    return await perform(request, change, digest=sha256_json(body.model_dump(mode="json")))
