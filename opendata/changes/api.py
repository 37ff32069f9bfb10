"""The log by REST, for whoever keeps a copy of the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.changes import queries
from opendata.changes.models import Change, ChangeKind
from opendata.edge.conventions import PUBLIC_TAG, documented, is_current, json_answer, known_query
from opendata.edge.http import ApiWork, AppSettings
from opendata.work.unit import Work

router = APIRouter(tags=["changes"], dependencies=[Depends(known_query)])
Since = Annotated[
    str,
    Query(
        max_length=100,
        description="`next` of the answer before; left out: from the beginning; `now`: only what is to come",
    ),
]


class ChangeOut(BaseModel):
    event: str = Field(description="Id of the change itself; a webhook's message has it too (`webhook-id`)")
    change: ChangeKind = Field(
        description="`created` also for what is public again; `purged`: withdrawn, and its name is free"
    )
    id: str = Field(description="Id of the dataset")
    name: str | None = Field(description="Its short name at that time; null once it is purged")
    agency: str = Field(description="Short name of its body")
    revision: int = Field(description="Counts the changes of its public face")
    content_hash: str | None = Field(
        description="Of metadata and files; the same as before where only what surrounds them changed. Null once it is gone"
    )
    time: datetime
    cursor: str = Field(description="For `since`: what came after this change")


class ChangesOut(BaseModel):
    results: list[ChangeOut] = Field(description="The oldest first, in the order of commits")
    next: str = Field(description="For `since` of the next call, now or in a year")
    more: bool = Field(description="Whether there is more already")


@router.get(
    "/changes", responses=documented(ChangesOut) | {304: {"description": "Nothing new since that ETag"}}
)
def list_changes(
    request: Request,
    work: ApiWork,
    settings: AppSettings,
    since: Since = queries.BEGINNING,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many to give")] = 100,
) -> Response:
    """What became of public datasets: created, updated, withdrawn, purged. Whoever goes on from `next` each time misses none,
    however many write meanwhile."""
    number = queries.position(work, since)
    found = queries.after(work, number, limit + 1)
    shown, more = found[:limit], len(found) > limit
    last = shown[-1] if shown else queries.at(work, number)
    told = ChangesOut(results=list(changes_out(work, shown)), next=queries.cursor(last), more=more)
    return _answer(
        request, told, f"{settings.site_url}/api/v1/changes?since={quote(told.next)}&limit={limit}"
    )


def changes_out(work: Work, changes: Iterable[Change]) -> Iterable[ChangeOut]:
    names = agencies.by_ids(work.session, {change.agency_id for change in changes})
    return (
        ChangeOut(
            event=change.id, change=ChangeKind(change.kind), id=change.dataset_id, name=change.name,
            agency=names[change.agency_id].name, revision=change.revision, content_hash=change.content_hash,
            time=change.at, cursor=queries.cursor(change),
        )
        for change in changes
    )  # fmt: skip


def _answer(request: Request, told: BaseModel, following: str) -> Response:
    data: dict[str, Any] = told.model_dump(mode="json")
    etag = hashlib.blake2b(orjson.dumps(data), digest_size=12).hexdigest()
    if is_current(f'"{etag}"', None, request.headers.get("if-none-match"), None):
        return Response(status_code=304, headers={**PUBLIC_TAG, "ETag": f'"{etag}"'})
    return json_answer(data, public=True, etag=etag, headers={"Link": f'<{following}>; rel="next"'})
