"""Resources of a draft: files that stream to the store, links, and what is said of them.

The bytes come before the row: the caller is let in on a read-only work, the body streams to the inbox store, and only
then a writing work opens (see edge/http.py). Table Schemas are checked in the sandbox, also outside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Query, Request
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.access.schemas import resource_out
from opendata.catalog.drafts import NewResource
from opendata.catalog.files import Stores
from opendata.catalog.library.queries import Shelf, shelf
from opendata.catalog.views import DatasetView
from opendata.core.canonical import sha256_json
from opendata.core.errors import Unauthenticated, invalid
from opendata.edge import uploads
from opendata.edge.conventions import documented, known_query
from opendata.edge.http import AppSettings, authorize, part, perform
from opendata.edge.reading import Body, read
from opendata.ports.sandbox.port import Sandbox
from opendata.ports.storage.port import ObjectWriter
from opendata.publishing import drafts, files
from opendata.publishing.api import editing
from opendata.publishing.api.editing import Asked, How
from opendata.publishing.api.forms import resource_fields
from opendata.publishing.api.schemas import AddedResource, LinkIn, ResourcePatch
from opendata.settings import Settings
from opendata.validation import service as validation
from opendata.work.unit import Work

router = APIRouter(tags=["resources"], dependencies=[Depends(known_query)])

FileStores = Annotated[Stores, Depends(part("stores"))]
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
_TEXT = {"type": "string"}
_FORM = uploads.described(
    **dict.fromkeys(
        ("name", "description", "format", "schema_name", "encoding", "delimiter", "quote"), _TEXT
    ),
    schema={"type": "string", "description": "A Table Schema as JSON"},
    sheet={"type": "string", "description": "A sheet's name or its number from 1"},
    member={"type": "string", "description": "Of a ZIP: a table's name in it, or its number from 1"},
    **{key: {"type": "integer", "minimum": 1} for key in ("header_row", "header_rows", "last_row")},
    without_total={"type": "boolean"},
    metadata={"type": "string", "description": "Any fields of the resource as one JSON object"},
)
_LINK = {"application/json": {"schema": {"$ref": "#/components/schemas/LinkIn"}}}
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
ADDED: dict[str, Any] = {"requestBody": {"required": True, "content": {**_FORM, **_LINK}}}
REPLACED: dict[str, Any] = {"requestBody": {"required": True, "content": {**_FORM, **_BYTES}}}


@router.post(
    "/datasets/{dataset}/resources",
    status_code=201,
    responses=documented(AddedResource, 201),
    openapi_extra=ADDED,
)
async def add_resource(
    request: Request, dataset: str, how: How, stores: FileStores, sandbox: Parser, settings: AppSettings
) -> Response:
    """A new resource at the end of the draft: a multipart form with a `file`, or JSON with the address of a link."""
    schemas = await authorize(request, partial(_may_add, dataset, how))
    if _is(request, "application/json"):
        body = await request.body()
        link = _link(schemas, body)
        await _check_schema(sandbox, link.table_schema)
        return await perform(
            request, partial(_add_link, dataset, how, link), digest=sha256_json(orjson.loads(body))
        )
    editing.refuse_dry_run(how)
    form = await _receive(request, stores, settings)
    file, fields = _file_of(form), resource_fields(schemas, form.fields)
    await _check_schema(sandbox, fields.get("schema"))

    def change(work: Work) -> Response:
        began = editing.begin(work, dataset, how)
        new_id, _file = files.add(work, began.dataset, began.agency, file.stored, file.filename, fields)
        return _answer(work, began, how, new_id, status=201)

    return await perform(request, change, digest=form.digest)


@router.patch("/resources/{resource}", responses=documented(AddedResource))
async def edit_resource(
    request: Request, resource: str, sent: Body[ResourcePatch], how: How, sandbox: Parser
) -> Response:
    """Sets the named fields in the draft. Another sheet or header row, or another schema, has the file judged again."""
    known = await authorize(request, partial(_may_edit, resource, how))
    wrong = sent.gather()
    with wrong:
        drafts.resource_meta(known.schemas, sent.right, keeps=known.schema_name)
    body = sent.whole(wrong)
    await _check_schema(sandbox, body.table_schema)

    def change(work: Work) -> Response:
        began = editing.begin_with_resource(work, resource, how)
        drafts.edit_resource(work, began.dataset, began.agency, resource, body.given())
        return _answer(work, began, how, resource)

    return await perform(request, change)


@router.put("/resources/{resource}/file", responses=documented(AddedResource), openapi_extra=REPLACED)
async def replace_file(
    request: Request,
    resource: str,
    how: How,
    stores: FileStores,
    settings: AppSettings,
    sandbox: Parser,
    name: Annotated[str | None, Query(max_length=300, description="The file's name, for a raw body")] = None,
) -> Response:
    """The resource's new file: a multipart form with a `file`, or the raw bytes (`application/octet-stream`) with the name
    in `?name=` or Content-Disposition. Id and download address stay."""
    editing.refuse_dry_run(how)
    known = await authorize(request, partial(_may_edit, resource, how))
    fields: dict[str, Any] = {}
    if _is(request, "multipart/form-data"):
        form = await _receive(request, stores, settings)
        received = _file_of(form)
        stored, filename, fields = (
            received.stored,
            received.filename,
            resource_fields(known.schemas, form.fields, keeps=known.schema_name),
        )
        await _check_schema(sandbox, fields.get("schema"))
    else:
        stored = await uploads.receive_raw(request, _writer(stores, settings), settings.max_upload_bytes)
        files.check_stored(stored)
        filename = name or _disposition_name(request) or known.file

    def change(work: Work) -> Response:
        began = editing.begin_with_resource(work, resource, how)
        files.replace(work, began.dataset, began.agency, resource, stored, filename, fields)
        return _answer(work, began, how, resource)

    return await perform(request, change)


@router.delete("/resources/{resource}", status_code=204, response_class=Response)
async def remove_resource(request: Request, resource: str, how: How) -> Response:
    """Takes it out of the draft; releases that show it keep showing it."""

    def change(work: Work) -> Response:
        _signed_in(work)
        began = editing.begin_with_resource(work, resource, how)
        drafts.remove_resource(work, began.dataset, began.agency, resource)
        answer = editing.finish(work, began, how)
        return answer if how.dry_run else Response(status_code=204)

    return await perform(request, change)


def _may_add(dataset: str, how: Asked, work: Work) -> Shelf:
    _signed_in(work)
    began = editing.begin(work, dataset, how)
    drafts.check_editor(work, began.agency, began.dataset)
    return shelf(work.session)


class Known(NamedTuple):
    """What an edit of a resource goes by."""

    file: str
    """The name of its present file."""
    schemas: Shelf
    schema_name: str
    """The one that it has."""


def _may_edit(resource: str, how: Asked, work: Work) -> Known:
    """Lets an editor in."""
    _signed_in(work)
    began = editing.begin_with_resource(work, resource, how)
    drafts.check_editor(work, began.agency, began.dataset)
    view = editing.present(work, began.dataset)
    found = next((r for r in view.resources if r.id == resource), None)
    name = found.file.name if found and found.file else "file"
    return Known(name, shelf(work.session), found.meta.schema_name if found else "")


def _signed_in(work: Work) -> None:
    if work.actor.id is None:
        raise Unauthenticated("token_needed")


def _add_link(dataset: str, how: Asked, link: LinkIn, work: Work) -> Response:
    began = editing.begin(work, dataset, how)
    meta = drafts.resource_meta(
        work.session, link.model_dump(mode="json", by_alias=True, include=link.model_fields_set)
    )
    _release, (resource_id,) = drafts.add_resources(work, began.dataset, began.agency, [NewResource(meta)])
    return _answer(work, began, how, resource_id, status=201)


def _answer(
    work: Work, began: editing.Editing, how: Asked, resource_id: str, *, status: int = 200
) -> Response:
    def body(view: DatasetView) -> dict[str, Any]:
        return resource_out(next(r for r in view.resources if r.id == resource_id))

    location = f"/api/v1/resources/{resource_id}" if status == 201 else None
    return editing.finish(work, began, how, status=status, body=body, location=location)


def _link(schemas: Shelf, body: bytes) -> LinkIn:
    """`Invalid` naming every wrong field, of its shape and of its meaning."""
    data = orjson.loads(body)
    if not isinstance(data, dict):
        raise invalid("body", "model_attributes_type")
    sent = read(LinkIn, data)
    wrong = sent.gather()
    with wrong:
        drafts.resource_meta(schemas, sent.right)
    return sent.whole(wrong)


async def _check_schema(sandbox: Sandbox, schema: dict[str, Any] | None) -> None:
    if schema is not None:
        await run_in_threadpool(validation.check_schema, sandbox, schema)


def _is(request: Request, kind: str) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == kind


def _writer(stores: Stores, settings: Settings) -> Callable[[], ObjectWriter]:
    return partial(stores.inbox.writer, limit=settings.max_upload_bytes)


async def _receive(request: Request, stores: Stores, settings: Settings) -> uploads.ReceivedForm:
    return await uploads.receive(
        request, _writer(stores, settings), file_field="file", limit=settings.max_upload_bytes
    )


def _file_of(form: uploads.ReceivedForm) -> uploads.ReceivedFile:
    if "file" not in form.files:
        raise invalid("file", "missing")
    file = form.files["file"]
    files.check_stored(file.stored)
    return file


def _disposition_name(request: Request) -> str | None:
    _kind, options = parse_options_header(request.headers.get("content-disposition", ""))
    value = options.get(b"filename")
    return value.decode("utf-8", "replace") if value else None
