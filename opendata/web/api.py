"""All addresses of the pages, for `main`: the two languages, CKAN's addresses led to ours, the static files."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from opendata.core.errors import NotFound
from opendata.edge.messages import preferred
from opendata.web import failures, public, releases, resources, search, session
from opendata.web.console import (
    account,
    agencies,
    drafts,
    editing,
    files,
    inventory,
    lines,
    links,
    reviews,
)
from opendata.web.delivery import mending, reading
from opendata.web.governance import audit, catalogues, negative, plan, profile, roworders, waivers, webhooks
from opendata.web.governance import public as governance
from opendata.web.harvest import runs as harvest_runs
from opendata.web.harvest import sources as harvest_sources
from opendata.web.inventory import lists as inventory_lists
from opendata.web.inventory import public as holdings
from opendata.web.library import keeping, schemas, trying
from opendata.web.render import assets
from opendata.web.reporting import pushes as report_pushes
from opendata.web.reporting import targets as report_targets
from opendata.web.reviewing import delegations, notices, standing
from opendata.web.reviewing import form as approval_form
from opendata.web.supervision import board, orders, quality, reports, scores
from opendata.web.supervision import public as supervision

FACES = (("/", failures.elsewhere), ("/zh", failures.face), ("/en", failures.face))
"""Who words the errors, by path: for `main`'s list, beside the faces of the APIs."""

router = APIRouter(include_in_schema=False)
_pages = (
    public,
    governance,
    catalogues,
    search,
    resources,
    session,
    drafts,
    editing,
    files,
    links,
    lines,
    reading,
    mending,
    reviews,
    approval_form,
    delegations,
    notices,
    standing,
    account,
    agencies,
    inventory,
    releases,
    schemas,
    keeping,
    trying,
    holdings,
    inventory_lists,
    plan,
    negative,
    profile,
    audit,
    webhooks,
    orders,
    roworders,
    waivers,
    harvest_runs,
    harvest_sources,
    report_pushes,
    report_targets,
    board,
    supervision,
    scores,
    reports,
    quality,
)
for _room in _pages:
    router.include_router(_room.router, prefix="/{language:language}")
router.include_router(schemas.shared)

YEAR = "public, max-age=31536000, immutable"


@router.get("/")
def front(request: Request) -> Response:
    """To the reader's language. Nothing else looks at Accept-Language: an address means one page."""
    return _to(request, "/")


@router.get("/{language:language}")
def without_slash(language: str) -> Response:
    return RedirectResponse(f"/{language}/", 308)


@router.get("/dataset")
@router.get("/dataset/")
def ckan_datasets(request: Request) -> Response:
    return _to(request, "/search")


@router.get("/dataset/{name:short}")
def ckan_dataset(request: Request, name: str) -> Response:
    return _to(request, f"/dataset/{quote(name)}")


@router.get("/dataset/{name:short}/resource/{resource:short}")
def ckan_resource(request: Request, name: str, resource: str) -> Response:
    return _to(request, f"/dataset/{quote(name)}/resource/{quote(resource)}")


@router.get("/organization")
@router.get("/organization/")
def ckan_organizations(request: Request) -> Response:
    return _to(request, "/agency")


@router.get("/organization/{name:short}")
def ckan_organization(request: Request, name: str) -> Response:
    return _to(request, f"/agency/{quote(name)}")


@router.get("/favicon.ico")
def favicon() -> Response:
    return static("favicon.svg", "")


@router.get("/static/{name}")
def static(name: str, v: str = "") -> Response:
    """A file of `static/`. Under the address that holds its hash it never changes."""
    asset = assets().get(name)
    if asset is None:
        raise NotFound("no_such_address")
    known = v == asset.version
    headers = {"Cache-Control": YEAR if known else "public, max-age=300", "ETag": f'"{asset.version}"'}
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def _to(request: Request, path: str) -> Response:
    language = preferred(request.headers.get("accept-language", ""))
    headers = {"Vary": "Accept-Language", "Cache-Control": "no-cache"}
    return RedirectResponse(f"/{language}{path}", 302, headers)
