"""How a file of a draft is read: which column is which field, what is set aside, one resource a table. Shown, and accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.catalog.views import ResourceView
from opendata.core.errors import Conflict, Invalid, NotFound
from opendata.publishing import drafts as drafting
from opendata.publishing.reading import service as readings
from opendata.validation import service as validation
from opendata.web import texts
from opendata.web.console.drafts import Place, find
from opendata.web.forms import Problem, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/dataset/{dataset:short}/files/{resource:short}")
COLUMN = "column-"
"""Fields of the form are numbered: a header's text may hold anything."""


@router.get("/columns")
def look(request: Request, language: str, dataset: str, resource: str, work: MemberWork) -> Response:
    place, file = _find(work, dataset, resource)
    return _show(request, language, work, place, file)


@router.post("/columns")
def accept(
    request: Request, language: str, dataset: str, resource: str, work: MemberWork, form: PostedForm
) -> Response:
    """What the form says of each column holds for this file and for the next delivery."""
    place, file = _find(work, dataset, resource)
    proposal = readings.of(work, file)
    columns = {
        one.column: form.text(f"{COLUMN}{number}").strip() for number, one in enumerate(proposal.columns)
    }
    total = form.text("without_total") == "yes"
    try:
        readings.accept(work, place.dataset, place.agency, file, columns, without_total=total)
    except Invalid as error:
        work.take_back()
        wrong = [Problem("", p.sentence) for p in problems(error, language)]
        return _show(request, language, work, *_find(work, dataset, resource), wrong)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="saved")


@router.post("/tables")
def split(language: str, dataset: str, resource: str, work: MemberWork, form: PostedForm) -> Response:
    """One more resource for each other table of the file."""
    place, file = _find(work, dataset, resource)
    readings.one_a_table(work, place.dataset, place.agency, file)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="saved")


def _find(work: Work, dataset: str, resource: str) -> tuple[Place, ResourceView]:
    place = find(work, dataset)
    drafting.check_editor(work, place.agency, place.dataset)
    file = place.resource(resource)
    if file is None:
        raise NotFound("resource_not_found", id=resource[:100])
    return place, file


def _show(
    request: Request,
    language: str,
    work: Work,
    place: Place,
    file: ResourceView,
    wrong: list[Problem] | None = None,
) -> Response:
    try:
        proposal = readings.of(work, file)
    except Conflict:
        return see_other(f"/{language}/console/dataset/{place.dataset.id}")
    schema = validation.named_schema(work.session, file.meta) or {}
    return page(
        request,
        "console/reading.html",
        language,
        status=422 if wrong else 200,
        place=place,
        resource=file,
        proposal=proposal,
        fields=[(str(f["name"]), str(f.get("title") or f["name"])) for f in schema.get("fields", [])],
        notes=[note for note in (_told(note, language) for note in proposal.notes) if note],
        has_total=any(note["code"] in ("total_row", "total_set_aside") for note in proposal.notes),
        prefix=COLUMN,
        problems=wrong or [],
    )


def _told(note: Mapping[str, Any], language: str) -> str:
    key = f"reading.note.{note['code']}"
    params = {k: ", ".join(map(str, v)) if isinstance(v, list) else v for k, v in note.items() if k != "code"}
    return texts.text(key, language, **params) if texts.has(key, language) else ""
