"""The public reads: datasets, their releases, resources, and the download door."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from opendata.access import download, policy, service, totals
from opendata.access.download import Sending
from opendata.access.schemas import (
    DatasetOut,
    DatasetPage,
    ReleaseRef,
    ResourceOut,
    dataset_out,
    release_out,
    release_ref,
    seen_out,
    seen_resource_out,
)
from opendata.access.service import SeenResource
from opendata.agencies import queries as agencies
from opendata.catalog import queries
from opendata.catalog.files import Stores
from opendata.catalog.roworders import queries as row_orders
from opendata.core.errors import NotFound, Unavailable
from opendata.edge.conventions import Language, Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import ApiWork, AppSettings, part
from opendata.edge.usage.journal import Use, mark
from opendata.ports.storage.port import ObjectMissing
from opendata.settings import Settings

router = APIRouter(tags=["public"], dependencies=[Depends(known_query)])

FileStores = Annotated[Stores, Depends(part("stores"))]
Draft = Annotated[bool, Query(description="As the open draft has it (for those who work for the body)")]
BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "The bytes as they were uploaded",
    },
    206: {"description": "The part that a Range header asks for"},
    302: {"description": "Elsewhere: the resource is a link, or the object store sends it"},
    304: {"description": "The caller has it (If-None-Match)"},
    416: {"description": "The range begins after the end"},
}


class ReleasePage(BaseModel):
    results: list[ReleaseRef]


@router.get("/datasets", responses=documented(DatasetPage))
def list_datasets(
    work: ApiWork,
    language: Language,
    agency: Annotated[str | None, Query(description="Name or id of the body")] = None,
    drafts: Annotated[
        bool, Query(description="Instead the open drafts of the bodies you work for, newest edit first")
    ] = False,
    offset: Offset = 0,
    limit: Limit = 20,
) -> Response:
    """Published datasets, newest publication first; with `drafts` one's own, whose `draft` says where it stands."""
    agency_id = agencies.find(work, agency).id if agency is not None else None
    if drafts:
        mine, total = service.drafts(work, offset=offset, limit=limit, agency_id=agency_id)
        lines = queries.lines_of(work, [seen.dataset.id for seen in mine])
        orders = row_orders.notices(work, [seen.dataset.id for seen in mine])
        told = [
            seen_out(seen, lines.get(seen.dataset.id, ()), language, orders.get(seen.dataset.id, ()))
            for seen in mine
        ]
        return json_answer({"total": total, "results": told})
    views, total = totals.page(
        work, offset=offset, limit=limit, agency_ids=[agency_id] if agency_id else None
    )
    lines = queries.lines_of(work, [view.id for view in views])
    orders = row_orders.notices(work, [view.id for view in views])
    results = [dataset_out(view, lines.get(view.id, ()), orders.get(view.id, ())) for view in views]
    return json_answer({"total": total, "results": results}, public=True)


@router.get("/datasets/{dataset}", responses=documented(DatasetOut))
def get_dataset(request: Request, work: ApiWork, dataset: str, language: Language) -> Response:
    """By id or name: the last published release. Who works for the body also gets the open `draft`, and an ETag for
    `If-Match`."""
    seen = service.see(work, dataset)
    if seen.published is not None:
        mark(request, Use.CALL, seen.dataset.id)
    lines = queries.lines_of(work, [seen.dataset.id]).get(seen.dataset.id, ())
    orders = row_orders.notices(work, [seen.dataset.id]).get(seen.dataset.id, ())
    if not seen.sees_drafts:
        etag = f"{seen.dataset.id[-12:]}-r{seen.dataset.revision}"
        return json_answer(dataset_out(seen.shown, lines, orders), public=True, etag=etag)
    etag = service.edit_etag((seen.draft or seen.shown).release)
    return json_answer(seen_out(seen, lines, language, orders), etag=etag)


@router.get("/datasets/{dataset}/releases", responses=documented(ReleasePage))
def list_releases(work: ApiWork, dataset: str) -> Response:
    """The releases that are public, newest first; for those who work for the body all of them."""
    seen = service.see(work, dataset)
    found = [release_ref(release) for release in service.releases(work, seen)]
    return json_answer({"results": found}, public=not seen.sees_drafts)


@router.get("/datasets/{dataset}/releases/{number}", responses=documented(DatasetOut))
def get_release(work: ApiWork, dataset: str, number: int) -> Response:
    """One public release, also an old one. Its `download` addresses always give that release's bytes."""
    seen = service.see(work, dataset)
    view = service.public_release(work, seen, number)
    lines = queries.lines_of(work, [view.id]).get(view.id, ())
    orders = row_orders.notices(work, [view.id]).get(view.id, ())
    return json_answer(release_out(view, lines, orders), public=not seen.sees_drafts)


@router.get("/resources/{resource}", responses=documented(ResourceOut))
def get_resource(work: ApiWork, resource: str, draft: Draft = False) -> Response:
    found = service.resource(work, resource, draft=draft)
    return json_answer(seen_resource_out(found), public=found.public and not found.seen.sees_drafts)


@router.head("/resources/{resource}/download", include_in_schema=False)
@router.get("/resources/{resource}/download", responses=BYTES, response_class=Response)
def download_resource(
    request: Request,
    work: ApiWork,
    resource: str,
    stores: FileStores,
    settings: AppSettings,
    draft: Draft = False,
) -> Response:
    """The bytes as they were uploaded. The address stays the same over releases; a link leads on to its target."""
    return _send(request, service.resource(work, resource, draft=draft), work, stores, settings)


@router.head("/resources/{resource}/releases/{number}/download", include_in_schema=False)
@router.get("/resources/{resource}/releases/{number}/download", responses=BYTES, response_class=Response)
def download_release(
    request: Request, work: ApiWork, resource: str, number: int, stores: FileStores, settings: AppSettings
) -> Response:
    """The bytes that one release had. The address of a version never gives other bytes."""
    return _send(request, service.resource_in_release(work, resource, number), work, stores, settings)


def _send(
    request: Request, found: SeenResource, work: ApiWork, stores: Stores, settings: Settings
) -> Response:
    policy.check_data(work.actor, found.view)
    answer = _answer(request, found, work, stores, settings)
    if found.public and download.begins(answer):
        mark(request, Use.DOWNLOAD, found.resource.id)
    return answer


def _answer(
    request: Request, found: SeenResource, work: ApiWork, stores: Stores, settings: Settings
) -> Response:
    if found.resource.file is None and found.resource.meta.url:
        return _lead_on(found.resource.meta.url)
    file = service.data_file(work, found)
    try:
        store = stores.public if found.public else stores.holder(file.sha256)
    except ObjectMissing:
        raise Unavailable("file_unavailable", retry_after=60) from None
    public = found.public and policy.is_data_public(found.view)
    return download.respond(request, Sending(file, store, public), settings)


def _lead_on(url: str) -> Response:
    if not url.lower().startswith(("http://", "https://")):
        raise NotFound("link_not_http")
    return RedirectResponse(url, 302, {"Cache-Control": "no-store"})
