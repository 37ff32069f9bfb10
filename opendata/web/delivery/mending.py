"""What helps a clerk to mend a draft's file: the file itself with its wrong cells marked, and a cleaning on offer."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.responses import Response

from opendata.catalog.files import Stores
from opendata.catalog.profile import ReadOptions
from opendata.core.errors import DomainError, Invalid, Stale, TooLarge, Unavailable, invalid
from opendata.edge.http import AppSettings, part
from opendata.ports.sandbox.port import Sandbox
from opendata.publishing.cleaning import service as cleaning
from opendata.validation import preparing
from opendata.validation.cleaning.recipe import ALWAYS, Recipe
from opendata.validation.cleaning.service import Cleaner, Proposal, to_clean, to_propose
from opendata.validation.models import Prepared
from opendata.validation.telling import annotating, sentences
from opendata.validation.telling.annotating import Wanted
from opendata.validation.telling.waiting import answered
from opendata.web.console.drafts import Place, find
from opendata.web.forms import Form, problems
from opendata.web.http import PostedForm, change, let_in
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console")
FILE = "/dataset/{dataset:short}/files/{resource:short}"
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
FileStores = Annotated[Stores, Depends(part("stores"))]
REFUSED = (Invalid, Stale, TooLarge, Unavailable)


async def get_cleaner(sandbox: Parser, stores: FileStores, settings: AppSettings) -> Cleaner:
    return Cleaner(sandbox, stores, settings.scratch)


Cleaners = Annotated[Cleaner, Depends(get_cleaner)]


@router.get(FILE + "/marked")
async def marked(
    request: Request,
    language: str,
    dataset: str,
    resource: str,
    sandbox: Parser,
    stores: FileStores,
    settings: AppSettings,
) -> Response:
    """For those who work for the body, as the file itself."""

    def may(work: Work) -> Wanted:
        find(work, dataset)
        return annotating.wanted(work, resource, draft=True)

    asked = await let_in(request, may)
    made = await answered(
        request,
        annotating.question(asked),
        lambda: annotating.annotate_resource(sandbox, stores, settings.scratch, asked),
        lambda found: annotating.restored(stores, found),
    )
    if isinstance(made, Prepared):
        return _wait(request, language)
    return annotating.answer(made, asked.file.name)


@router.get(FILE + "/cleaning")
async def proposal(
    request: Request, language: str, dataset: str, resource: str, cleaner: Cleaners
) -> Response:
    """What can be cleaned with certainty, each step with before and after."""
    return await _show(request, language, dataset, resource, cleaner)


@router.post(FILE + "/cleaning")
async def clean(
    request: Request, language: str, dataset: str, resource: str, cleaner: Cleaners, form: PostedForm
) -> Response:
    """Accepts it: the draft gets a new file, for the file that was looked at only."""
    try:
        recipe = _recipe(form)
        seen = form.text("file") or "-"
        asked, place = await let_in(request, lambda work: _wanted(work, dataset, resource, seen))
        made = await answered(
            request,
            to_clean(asked, recipe),
            lambda: cleaner.clean(asked, recipe),
            partial(cleaner.cleaned, asked),
        )
        if isinstance(made, Prepared):
            return await _show(request, language, dataset, resource, cleaner, cleaning_now=True)
        await change(request, form, lambda work: cleaning.accept(work, resource, asked, made, recipe))
    except REFUSED as error:
        return await _show(request, language, dataset, resource, cleaner, error)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="cleaned")


async def _show(
    request: Request,
    language: str,
    dataset: str,
    resource: str,
    cleaner: Cleaner,
    wrong: DomainError | None = None,
    cleaning_now: bool = False,
) -> Response:
    asked, place = await let_in(request, lambda work: _wanted(work, dataset, resource))
    kept = await let_in(request, lambda work: cleaning.kept(work, resource))
    found = Proposal([], ReadOptions())
    try:
        told = await answered(
            request, to_propose(asked), lambda: cleaner.propose(asked), partial(cleaner.proposed, asked)
        )
        if isinstance(told, Prepared):
            return _wait(request, language)
        found = told
    except REFUSED as error:
        wrong = wrong or error
    return page(
        request,
        "console/cleaning.html",
        language,
        place=place,
        resource=place.resource(resource),
        file=asked.file,
        steps=[(one, sentences.cleaning(one.step.step, one.step.column, one.count)) for one in found.steps],
        always=ALWAYS,
        recipe=found.recipe,
        kept=kept,
        cleaning_now=cleaning_now,
        wrong=problems(wrong, language) if wrong else (),
    )


def _wait(request: Request, language: str) -> Response:
    """A job is at it; the browser looks again by itself."""
    headers = {"Refresh": str(preparing.RETRY_SECONDS)}
    return page(request, "console/waiting.html", language, status=202, headers=headers)


def _wanted(work: Work, dataset: str, resource: str, sha256: str = "") -> tuple[Wanted, Place]:
    place = find(work, dataset)
    return cleaning.wanted(work, resource, sha256), place


def _recipe(form: Form) -> Recipe:
    """The recipe of the form, without the steps that were not ticked. `Invalid("recipe_wrong")`."""
    try:
        told = Recipe.model_validate_json(form.text("recipe"))
        if form.text("all"):
            return told
        ticked = form.many("step")
        steps = [step for step in told.steps if step.step in ALWAYS or step.id in ticked]
        return Recipe(options=told.options, steps=steps)
    except ValidationError:
        raise invalid("recipe", "recipe_wrong") from None
