"""tus 1.0 (https://tus.io/protocols/resumable-upload): creation, termination, expiration.

`Upload-Metadata` names `filename` and `dataset` (id or name), and `resource` to give that resource a new file. Each PATCH
streams into an object of its own; what has arrived when the connection breaks is kept. When the last byte is there the
parts become one file, and the answer names the resource in `Upload-Resource`.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.catalog.files import Stores
from opendata.core.errors import DomainError, FieldError, Invalid, Stale, TooLarge, Unauthenticated, invalid
from opendata.edge import problem
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import AppSettings, SignedInWork, authorize, part, perform
from opendata.ports.storage.port import CHUNK, ObjectWriter, StoredObject
from opendata.publishing import drafts, uploads
from opendata.publishing.api import editing
from opendata.publishing.api.editing import Asked
from opendata.publishing.api.schemas import UploadOut
from opendata.publishing.models import Upload
from opendata.work.unit import Work

router = APIRouter(tags=["uploads"], dependencies=[Depends(known_query)])

VERSION = "1.0.0"
PART_TYPE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
FileStores = Annotated[Stores, Depends(part("stores"))]
Count = Annotated[int | None, Header(ge=0)]


def face(error: DomainError, request: Request, status: int | None = None) -> Response:
    """Errors under this address say which tus is spoken, also those of the layers before the calls themselves."""
    made = problem.response(error, request, status)
    made.headers["Tus-Resumable"] = VERSION
    if made.status_code == 412:
        made.headers["Tus-Version"] = VERSION
    return made


@router.options("/uploads", status_code=204, response_class=Response)
@router.options("/uploads/{upload}", status_code=204, response_class=Response, include_in_schema=False)
def options(settings: AppSettings) -> Response:
    """What this server speaks."""
    return Response(
        status_code=204,
        headers={
            **TUS,
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,termination,expiration",
            "Tus-Max-Size": str(settings.max_upload_bytes),
        },
    )


@router.post("/uploads", status_code=201, response_class=Response)
def create_upload(
    work: SignedInWork,
    settings: AppSettings,
    upload_metadata: Annotated[str, Header()] = "",
    upload_length: Count = None,
    tus_resumable: Annotated[str, Header()] = "",
) -> Response:
    """Begins an upload; its address is in Location."""
    _check_version(tus_resumable)
    if upload_length is None:
        raise invalid("Upload-Length", "missing")
    told = _metadata(upload_metadata)
    began = editing.begin(work, told["dataset"], Asked(None, False, "en"))
    drafts.check_editor(work, began.agency, began.dataset)
    resource_id = told.get("resource")
    if resource_id is not None:
        view = editing.present(work, began.dataset)
        if resource_id not in {r.id for r in view.resources}:
            raise invalid("Upload-Metadata.resource", "resource_not_found", id=resource_id[:100])
    upload = uploads.begin(
        work,
        began.dataset,
        began.agency,
        length=upload_length,
        name=told["filename"],
        limit=settings.max_upload_bytes,
        resource_id=resource_id,
    )
    where = f"{settings.site_url}/api/v1/uploads/{upload.id}"
    return Response(status_code=201, headers={**_state(upload), "Location": where})


@router.head("/uploads/{upload}", response_class=Response)
def upload_state(work: SignedInWork, upload: str, tus_resumable: Annotated[str, Header()] = "") -> Response:
    """How many bytes have arrived."""
    _check_version(tus_resumable)
    return Response(headers=_state(uploads.find(work, upload)))


@router.get("/uploads/{upload}", responses=documented(UploadOut))
def get_upload(work: SignedInWork, upload: str) -> Response:
    """The same as JSON; once it is complete with the resource that has the file."""
    found = uploads.find(work, upload)
    body = UploadOut(
        id=found.id,
        name=found.name,
        length=found.length,
        offset=found.offset,
        complete=found.file_id is not None,
        dataset=found.dataset_id,
        resource=found.resource_id if found.file_id else None,
        expires_at=found.expires_at,
    )
    return json_answer(body, headers={"Tus-Resumable": VERSION})


@router.patch("/uploads/{upload}", status_code=204, response_class=Response)
async def send_part(
    request: Request,
    upload: str,
    stores: FileStores,
    settings: AppSettings,
    upload_offset: Count = None,
    tus_resumable: Annotated[str, Header()] = "",
) -> Response:
    """More bytes, from where what has arrived ends."""
    _check_version(tus_resumable)
    if upload_offset is None:
        raise invalid("Upload-Offset", "missing")
    kind = request.headers.get("content-type", "")
    if kind != PART_TYPE:
        raise invalid("Content-Type", "unknown_value", value=kind[:100], known=PART_TYPE)
    room = await authorize(request, partial(_may_send, upload, upload_offset))
    writer = partial(stores.inbox.writer, limit=settings.max_upload_bytes)
    stored = await _receive_what_comes(request, await run_in_threadpool(writer), room)
    joined = None
    if stored.size == room:
        before = await authorize(request, partial(_hashes, upload))
        joined = await run_in_threadpool(
            uploads.join, stores, [*before, stored.sha256], settings.max_upload_bytes
        )
    return await perform(request, partial(_keep, upload, upload_offset, stored, joined))


@router.delete("/uploads/{upload}", status_code=204, response_class=Response)
def end_upload(work: SignedInWork, upload: str, tus_resumable: Annotated[str, Header()] = "") -> Response:
    """Gives the upload up."""
    _check_version(tus_resumable)
    uploads.end(work, uploads.find(work, upload, to_write=True))
    return Response(status_code=204, headers=TUS)


async def _receive_what_comes(request: Request, writer: ObjectWriter, room: int) -> StoredObject:
    """The body as an object; if the connection breaks, what came before. `TooLarge("upload_too_long")` past the length."""
    try:
        block, size, more = bytearray(), 0, True
        while more:
            message = await request.receive()
            piece: bytes = message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)
            size += len(piece)
            if size > room:
                raise TooLarge("upload_too_long", limit=room)
            block += piece
            if len(block) >= CHUNK or (not more and block):
                await run_in_threadpool(writer.write, bytes(block))
                block.clear()
        return await run_in_threadpool(writer.commit)
    except BaseException:
        await run_in_threadpool(writer.abort)
        raise


def _may_send(upload_id: str, offset: int, work: Work) -> int:
    """Lets the sender in; the bytes that are still to come."""
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    upload = uploads.find(work, upload_id)
    began = editing.begin(work, upload.dataset_id, Asked(None, False, "en"))
    drafts.check_editor(work, began.agency, began.dataset)
    uploads.check_offset(upload, offset)
    return upload.length - upload.offset


def _hashes(upload_id: str, work: Work) -> list[str]:
    return [part.sha256 for part in uploads.parts(work, uploads.find(work, upload_id))]


def _keep(
    upload_id: str, offset: int, stored: StoredObject, joined: StoredObject | None, work: Work
) -> Response:
    """Notes the part; with the last one the whole. In one transaction: a client whose part was noted and whose whole was
    not would believe that it is done."""
    upload = uploads.keep_part(work, upload_id, offset, stored)
    if joined is not None:
        uploads.complete(work, upload, joined)
    return Response(status_code=204, headers=_state(upload))


def _state(upload: Upload) -> dict[str, str]:
    headers = {
        **TUS,
        "Upload-Offset": str(upload.offset),
        "Upload-Length": str(upload.length),
        "Upload-Expires": upload.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    if upload.file_id and upload.resource_id:
        headers["Upload-Resource"] = upload.resource_id
    return headers


def _check_version(version: str) -> None:
    """`Stale("tus_version")`: the protocol asks for 412 where the client speaks another version, or says none."""
    if version != VERSION:
        wrong = {"value": version[:20], "known": VERSION}
        raise Stale(
            "tus_version", fields=[FieldError("Tus-Resumable", "unknown_value", wrong)], known=VERSION
        )


def _metadata(header: str) -> dict[str, str]:
    """`key base64, key base64` as a dictionary; `filename` and `dataset` are needed."""
    told: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            told[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise invalid("Upload-Metadata", "not_base64", name=key[:50]) from None
    lacking = [
        FieldError(f"Upload-Metadata.{key}", "missing")
        for key in ("filename", "dataset")
        if not told.get(key)
    ]
    if lacking:
        raise Invalid(fields=lacking)
    return told
