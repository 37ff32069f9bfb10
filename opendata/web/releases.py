"""The versions of a dataset: a list, and a page for each that is still public. Its address never shows another version."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.access import policy
from opendata.access import service as access
from opendata.access.schemas import release_download
from opendata.catalog.codes import codes
from opendata.web.governance import city
from opendata.web.http import PageWork
from opendata.web.public import PageNumber, approvals_of
from opendata.web.render import Pager, page, see_other

router = APIRouter(prefix="/dataset/{name:short}")
RELEASES_A_PAGE = 50


@router.get("/releases")
def listed(
    request: Request, language: str, name: str, work: PageWork, page_number: PageNumber = 1
) -> Response:
    """All versions that are public, newest first."""
    seen = access.see(work, name)
    if seen.published is None:
        return see_other(f"/{language}/console/dataset/{seen.dataset.id}")
    found = access.public_releases(work, seen.dataset)
    pager = Pager(page_number, RELEASES_A_PAGE, len(found))
    return page(
        request,
        "releases.html",
        language,
        public=not seen.sees_drafts,
        view=seen.published,
        meta=seen.published.meta,
        releases=found[pager.first - 1 if found else 0 : pager.last],
        pager=pager,
    )


@router.get("/release/{number:int}")
def one(request: Request, language: str, name: str, number: int, work: PageWork) -> Response:
    """One version: what it said, and its files. 410 for one that was withdrawn."""
    seen = access.see(work, name)
    view = access.public_release(work, seen, number)
    return page(
        request,
        "release.html",
        language,
        public=not seen.sees_drafts,
        view=view,
        meta=view.meta,
        **city.beside(work, view.meta, language),
        present=seen.published,
        open_to_all=policy.is_data_public(view),
        licence=codes().licences.get(view.meta.licence),
        approvals=approvals_of(work, view.release),
        download=lambda resource: release_download(resource.id, view.release),
    )
