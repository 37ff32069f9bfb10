"""Files of a draft: they stream to the inbox store first, then become rows. Also the door by which the desk reads them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.access import download, policy
from opendata.access import service as access
from opendata.access.download import Sending
from opendata.agencies import queries as agencies
from opendata.catalog.files import Stores
from opendata.catalog.views import ResourceView
from opendata.core.errors import (
    DomainError,
    FieldError,
    Forbidden,
    Gathered,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    invalid,
)
from opendata.edge import uploads
from opendata.edge.http import AppSettings, part
from opendata.edge.uploads import ReceivedForm
from opendata.inventory import queries as inventory
from opendata.ports.storage.port import ObjectMissing
from opendata.publishing import drafts as drafting
from opendata.publishing import files
from opendata.settings import Settings
from opendata.web.console.drafts import Place, editable, find, new_form, show
from opendata.web.console.editing import fields_of
from opendata.web.forms import Form, problems
from opendata.web.http import MemberWork, PostedForm, change, let_in
from opendata.web.render import see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console")
FileStores = Annotated[Stores, Depends(part("stores"))]
NEW_FIELDS = ("agency", "title", "description", "keywords", "domain", "update_cycle", "file")
DRAFT = "/dataset/{dataset:short}"
REFUSED = (Invalid, TooLarge)


@router.post("/new")
async def create(request: Request, language: str, stores: FileStores, settings: AppSettings) -> Response:
    """A dataset with its first draft and, in the same form, its first file."""
    await let_in(request, _may_create)
    try:
        received = await _receive(request, stores, settings)
    except REFUSED as error:
        return await _new_again(request, language, Form(), error)
    form = Form.of(received.fields)
    try:
        dataset_id = await change(request, form, partial(_create, form, received))
    except REFUSED as error:
        return await _new_again(request, language, form, error)
    return see_other(f"/{language}/console/dataset/{dataset_id}", done="created")


@router.post(DRAFT + "/files")
async def add(
    request: Request, language: str, dataset: str, stores: FileStores, settings: AppSettings
) -> Response:
    """One more file."""

    def act(place: Place, received: ReceivedForm, work: Work) -> None:
        file = _file_of(received)
        files.add(work, place.dataset, place.agency, file.stored, file.filename, {})

    return await _upload(request, language, dataset, act, stores, settings)


@router.post(DRAFT + "/files/{resource:short}")
async def replace(
    request: Request,
    language: str,
    dataset: str,
    resource: str,
    stores: FileStores,
    settings: AppSettings,
) -> Response:
    """Another file for a resource; its id and its address stay."""

    def act(place: Place, received: ReceivedForm, work: Work) -> None:
        file = _file_of(received)
        _of(place, resource)
        files.replace(work, place.dataset, place.agency, resource, file.stored, file.filename)

    return await _upload(request, language, dataset, act, stores, settings)


@router.post(DRAFT + "/files/{resource:short}/reading")
def reading(
    request: Request, language: str, dataset: str, resource: str, work: MemberWork, form: PostedForm
) -> Response:
    """The name of a file, the schema it is checked against, and how its table is found in it."""
    place = find(work, dataset)
    file = _of(place, resource)
    asked = ("sheet", "header_row", "encoding")
    kept = {name: value for name, value in file.meta.options.stored().items() if name not in asked}
    options = kept | {name: form.text(name) for name in asked if form.text(name)}
    fields: dict[str, Any] = {
        "name": form.text("name"),
        "description": form.text("description"),
        "schema_name": form.text("schema_name"),
        "options": options,
    }
    try:
        drafting.edit_resource(work, place.dataset, place.agency, resource, fields)
    except Invalid as error:
        work.take_back()
        return show(request, language, work, find(work, dataset), problems(error, language))
    return see_other(_page_of(language, place), done="saved")


@router.post(DRAFT + "/files/{resource:short}/sheet")
def read_sheet(language: str, dataset: str, resource: str, work: MemberWork, form: PostedForm) -> Response:
    """The sheet that was proposed is the one that is read; the other ways of reading stay, but for the header's row."""
    place = find(work, dataset)
    found = _of(place, resource)
    options = {**found.meta.options.stored(), "sheet": form.text("sheet"), "header_row": None}
    drafting.edit_resource(work, place.dataset, place.agency, resource, {"options": options})
    return see_other(_page_of(language, place), done="saved")


@router.post(DRAFT + "/files/{resource:short}/remove")
def remove(language: str, dataset: str, resource: str, work: MemberWork) -> Response:
    place = find(work, dataset)
    _of(place, resource)
    drafting.remove_resource(work, place.dataset, place.agency, resource)
    return see_other(_page_of(language, place), done="removed")


@router.get(DRAFT + "/files/{resource:short}/download")
def fetch(
    request: Request,
    language: str,
    dataset: str,
    resource: str,
    work: MemberWork,
    stores: FileStores,
    settings: AppSettings,
) -> Response:
    """The draft's bytes, for those who work for the body."""
    find(work, dataset)
    found = access.resource(work, resource, draft=True)
    policy.check_data(work.actor, found.view)
    file = access.data_file(work, found)
    try:
        store = stores.holder(file.sha256)
    except ObjectMissing:
        raise Unavailable("file_unavailable", retry_after=60) from None
    return download.respond(request, Sending(file, store, public=False), settings)


def _may_create(work: Work) -> None:
    if not editable(work):
        raise Forbidden


def _create(form: Form, received: ReceivedForm, work: Work) -> str:
    bodies = editable(work)
    chosen = form.text("agency") or (bodies[0].name if len(bodies) == 1 else "")
    sent = {name: value for name, value in fields_of(form).items() if value not in ("", [], None)}
    needed = {"agency": chosen, "title": sent.get("title")}
    wrong = Gathered(FieldError(name, "missing") for name, value in needed.items() if not value)
    with wrong:
        drafting.dataset_meta(work, sent, sent)
    wrong.raise_if_any()
    agency = agencies.find(work, chosen)
    lines = inventory.find(work, [form.text("line")]) if form.text("line") else ()
    dataset, _release = drafting.create_dataset(work, agency, sent, lines=lines)
    if "file" in received.files:
        file = received.files["file"]
        files.add(work, dataset, agency, file.stored, file.filename, {})
    return dataset.id


async def _new_again(request: Request, language: str, form: Form, error: DomainError) -> Response:
    """What was typed stays in the form; only the file has to be chosen again."""

    def draw(work: Work) -> Response:
        return new_form(request, language, editable(work), form, problems(error, language, NEW_FIELDS))

    return await let_in(request, draw)


def _check_editor(dataset: str, work: Work) -> None:
    place = find(work, dataset)
    drafting.check_editor(work, place.agency, place.dataset)


async def _upload(
    request: Request,
    language: str,
    dataset: str,
    act: Callable[[Place, ReceivedForm, Work], None],
    stores: Stores,
    settings: Settings,
) -> Response:
    await let_in(request, partial(_check_editor, dataset))
    try:
        received = await _receive(request, stores, settings)

        def store(work: Work) -> Response:
            place = find(work, dataset)
            act(place, received, work)
            return see_other(_page_of(language, place), done="uploaded")

        return await change(request, Form.of(received.fields), store)
    except REFUSED as error:
        wrong = problems(error, language)
        return await let_in(request, lambda work: show(request, language, work, find(work, dataset), wrong))


async def _receive(request: Request, stores: Stores, settings: Settings) -> ReceivedForm:
    limit = settings.max_upload_bytes
    received = await uploads.receive(
        request, partial(stores.inbox.writer, limit=limit), file_field="file", limit=limit
    )
    if "file" in received.files:
        await run_in_threadpool(files.check_stored, received.files["file"].stored)
    return received


def _file_of(received: ReceivedForm) -> uploads.ReceivedFile:
    if "file" not in received.files:
        raise invalid("file", "missing")
    return received.files["file"]


def _of(place: Place, resource_id: str) -> ResourceView:
    """`NotFound("resource_not_found")` for a resource of another dataset."""
    found = place.resource(resource_id)
    if found is None:
        raise NotFound("resource_not_found", id=resource_id[:100])
    return found


def _page_of(language: str, place: Place) -> str:
    return f"/{language}/console/dataset/{place.dataset.id}"
