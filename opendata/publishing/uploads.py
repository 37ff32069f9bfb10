"""Resumable uploads: parts that arrived are objects of the inbox store; when all are there they are joined into one file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from opendata.access.policy import seen_drafts_filter
from opendata.agencies.models import Agency
from opendata.catalog.files import Stores, media_type
from opendata.catalog.models import Dataset
from opendata.core.errors import Conflict, NotFound, TooLarge, invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_file_name
from opendata.ports.storage.port import StoredObject
from opendata.publishing import drafts, files
from opendata.publishing.models import Upload, UploadPart
from opendata.work.unit import Work

LIFETIME = timedelta(days=7)


def begin(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    *,
    length: int,
    name: str,
    limit: int,
    resource_id: str | None = None,
) -> Upload:
    """A new upload of `length` bytes for the dataset's draft: a new resource, or the new file of one.

    Errors: `Forbidden`, `TooLarge("file_too_large")`, `Invalid("file_empty")`, `NotFound("resource_not_found")`.
    """
    drafts.check_editor(work, agency, dataset)
    if length > limit:
        raise TooLarge("file_too_large", limit=limit)
    if length == 0:
        raise invalid("file", "file_empty")
    name = clean_file_name(name)
    upload = Upload(
        id=new_id(),
        user_id=work.actor.id or "",
        length=length,
        offset=0,
        name=name,
        media_type=media_type(name),
        dataset_id=dataset.id,
        resource_id=resource_id,
        created_at=work.now,
        expires_at=work.now + LIFETIME,
    )
    work.session.add(upload)
    work.session.flush()
    return upload


def find(work: Work, upload_id: str, *, to_write: bool = False) -> Upload:
    """The caller's upload. `NotFound("upload_not_found")` for one that is unknown, over, somebody else's, or for a body
    that the caller's token may not work for."""
    query = (
        select(Upload)
        .join(Dataset, Dataset.id == Upload.dataset_id)
        .where(Upload.id == upload_id, Upload.user_id == (work.actor.id or ""), seen_drafts_filter(work))
    )
    if to_write:
        query = query.with_for_update(of=Upload)
    upload = work.session.execute(query).scalar_one_or_none()
    if upload is None or upload.expires_at <= work.now:
        raise NotFound("upload_not_found", id=upload_id[:100])
    return upload


def check_offset(upload: Upload, offset: int) -> None:
    """`Conflict("wrong_offset")`: what is sent must begin where what we have ends."""
    if upload.offset != offset:
        raise Conflict("wrong_offset", expected=upload.offset, got=offset)


def keep_part(work: Work, upload_id: str, offset: int, stored: StoredObject) -> Upload:
    """Notes a part that is in the store."""
    upload = find(work, upload_id, to_write=True)
    check_offset(upload, offset)
    if stored.size:
        work.session.add(
            UploadPart(upload_id=upload.id, start=offset, sha256=stored.sha256, size=stored.size)
        )
        upload.offset += stored.size
    work.session.flush()
    return upload


def parts(work: Work, upload: Upload) -> Sequence[UploadPart]:
    """In their order."""
    query = select(UploadPart).where(UploadPart.upload_id == upload.id).order_by(UploadPart.start)
    return work.session.execute(query).scalars().all()


def join(stores: Stores, parts: Sequence[str], limit: int) -> StoredObject:
    """One object of all parts, given by their hashes in order; a single part is that object already. Blocks while it
    copies; outside a transaction."""
    if len(parts) == 1:
        return stores.inbox.stat(parts[0])
    writer = stores.inbox.writer(limit=limit)
    try:
        for sha256 in parts:
            for chunk in stores.inbox.read(sha256):
                writer.write(chunk)
        return writer.commit()
    finally:
        writer.abort()


def complete(work: Work, upload: Upload, stored: StoredObject) -> None:
    """The whole file is in the store: it becomes the resource's. In the transaction that notes its last part."""
    if stored.size != upload.length:
        raise Conflict("wrong_offset", expected=upload.length, got=stored.size)
    dataset = work.session.get_one(Dataset, upload.dataset_id)
    agency = work.session.get_one(Agency, dataset.agency_id)
    if upload.resource_id is None:
        upload.resource_id, file = files.add(work, dataset, agency, stored, upload.name, {})
    else:
        file = files.replace(work, dataset, agency, upload.resource_id, stored, upload.name)
    upload.file_id = file.id


def end(work: Work, upload: Upload) -> None:
    """The caller gives it up. Parts that no other row names are swept from the store later."""
    work.session.execute(delete(UploadPart).where(UploadPart.upload_id == upload.id))
    work.session.delete(upload)
