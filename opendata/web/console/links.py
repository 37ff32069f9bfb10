"""Resources of a draft that are links: an address elsewhere instead of a file."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.catalog.drafts import NewResource
from opendata.core.errors import Invalid, NotFound
from opendata.edge.reading import read
from opendata.publishing import drafts as drafting
from opendata.publishing.api.schemas import LinkIn
from opendata.web.console.drafts import Place, Typed, find, show
from opendata.web.forms import Form, given, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import see_other

router = APIRouter(prefix="/console/dataset/{dataset:short}/links")
TEXTS = ("url", "name", "format", "description")


@router.post("")
def add(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    """One more link."""
    place = find(work, dataset)
    try:
        new = NewResource(drafting.resource_meta(work.session, _fields(form)))
        drafting.add_resources(work, place.dataset, place.agency, [new])
    except Invalid as error:
        work.take_back()
        wrong = problems(error, language, TEXTS)
        return show(request, language, work, find(work, dataset), wrong, Typed("new", form))
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="added")


@router.post("/{resource:short}")
def edit(
    request: Request, language: str, dataset: str, resource: str, work: MemberWork, form: PostedForm
) -> Response:
    """Another address, or other words, for a link; its id stays."""
    place = find(work, dataset)
    _check_link(place, resource)
    try:
        drafting.edit_resource(work, place.dataset, place.agency, resource, _fields(form))
    except Invalid as error:
        work.take_back()
        wrong = problems(error, language, TEXTS)
        return show(request, language, work, find(work, dataset), wrong, Typed(resource, form))
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="saved")


def _fields(form: Form) -> dict[str, Any]:
    """What the form sent, as the API would take it: the address begins with http:// or https://."""
    fields = given(form, TEXTS)
    sent = read(LinkIn, fields)
    sent.whole(sent.gather())
    return fields


def _check_link(place: Place, resource_id: str) -> None:
    """`NotFound("resource_not_found")` for a file, and for a resource of another dataset."""
    found = place.resource(resource_id)
    if found is None or found.file is not None:
        raise NotFound("resource_not_found", id=resource_id[:100])
