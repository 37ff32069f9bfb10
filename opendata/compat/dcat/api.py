"""The feeds over HTTP. All of them are the public's: no token is read, everyone gets the same bytes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from opendata.access import service as access
from opendata.agencies import queries as agencies
from opendata.compat.dcat import answering, catalogue, datajson, discovery, reading
from opendata.compat.dcat.catalogue import PAGE_SIZE, Paging
from opendata.compat.dcat.reading import Record
from opendata.compat.dcat.terms import Site
from opendata.core.errors import BadQuery, FieldError, NotFound
from opendata.edge.conventions import Language, known_query
from opendata.edge.http import AppSettings, get_settings, place_of, request_id
from opendata.work.unit import Work

router = APIRouter(tags=["feeds"], dependencies=[Depends(known_query)])

Page = Annotated[int, Query(ge=1, le=1_000_000, description=f"Pages of {PAGE_SIZE} datasets, from 1")]
After = Annotated[
    UUID | None, Query(description="The id of the last dataset of the page before; `next` has it")
]
Since = Annotated[
    datetime | None,
    Query(description="Only what was published or changed since (ISO 8601; UTC unless it says)"),
]
Profile = Annotated[
    str | None, Query(description="As other portals name it; what is served is DCAT-AP 3.0.1")
]
_RDF: dict[str, Any] = {kind: {} for kind in ("text/turtle", "application/rdf+xml", "application/ld+json")}
RDF: dict[int | str, dict[str, Any]] = {
    200: {"content": _RDF, "description": "DCAT-AP 3.0.1"},
    304: {"description": "The caller has it (If-None-Match, If-Modified-Since)"},
}


@router.head("/catalog", include_in_schema=False)
@router.get("/catalog", responses=RDF, response_class=Response)
def negotiated_catalogue(
    request: Request,
    settings: AppSettings,
    page: Page = 1,
    after: After = None,
    modified_since: Since = None,
    profiles: Profile = None,
) -> Response:
    """The catalogue in the format that the Accept header asks for; Turtle where it asks for none."""
    wanted = answering.wanted_format(request.headers.get("accept", ""))
    extension = "ttl" if wanted == answering.HTML else wanted
    return _catalogue(request, Site.of(settings), extension, _Asked(page, after, modified_since))


@router.head("/catalog.{extension}", include_in_schema=False)
@router.get("/catalog.{extension}", responses=RDF, response_class=Response)
def catalogue_page(
    request: Request,
    settings: AppSettings,
    extension: str,
    page: Page = 1,
    after: After = None,
    modified_since: Since = None,
    profiles: Profile = None,
) -> Response:
    """A page of the catalogue as `ttl`, `rdf`, `xml`, `jsonld` or `n3`, in the order of their ids. The pages around it are
    named in Hydra (both dialects) and in the Link header."""
    asked = _Asked(page, after, modified_since)
    return _catalogue(request, Site.of(settings), answering.known_format(extension), asked)


@router.head("/dataset/{dataset}.{extension}", include_in_schema=False)
@router.get("/dataset/{dataset}.{extension}", responses=RDF, response_class=Response)
def dataset_in_format(request: Request, settings: AppSettings, dataset: str, extension: str) -> Response:
    """One dataset, by id or name, as `ttl`, `rdf`, `xml`, `jsonld` or `n3`."""
    answering.known_format(extension)
    return _dataset(request, Site.of(settings), dataset, extension)


@router.head("/dataset/{dataset}", include_in_schema=False)
@router.get("/dataset/{dataset}", responses=RDF, response_class=Response)
def dataset_itself(request: Request, settings: AppSettings, dataset: str, language: Language) -> Response:
    """What the dataset's own address answers: RDF to those who ask for it, the page to all others."""
    site = Site.of(settings)
    wanted = answering.wanted_format(request.headers.get("accept", ""), otherwise=answering.HTML)
    if wanted != answering.HTML:
        return _dataset(request, site, dataset, wanted)
    with _reading(request) as work:
        name = _published(work, dataset).view.dataset.name
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    return RedirectResponse(site.page(language, name), 303, headers)


@router.head("/data.json", include_in_schema=False)
@router.get("/data.json", response_class=Response)
def data_json(request: Request, settings: AppSettings) -> Response:
    """The whole catalogue as Project Open Data metadata 1.1."""
    with _reading(request) as work:
        state = reading.state(work, settings)
    pieces = datajson.pieces(reading.batches(place_of(request)), Site.of(settings))
    return answering.streamed(request, pieces, "application/json", state.etag, state.modified_at)


@router.head("/sitemap.xml", include_in_schema=False)
@router.get("/sitemap.xml", response_class=Response)
def sitemap(request: Request, settings: AppSettings) -> Response:
    """The index of the site map's parts."""
    with _reading(request) as work:
        state = reading.state(work, settings)
    body = discovery.sitemap_index(Site.of(settings), state.datasets, state.modified_at)
    return answering.whole(request, body, "application/xml", state.modified_at)


@router.head("/sitemap-{part}.xml", include_in_schema=False)
@router.get("/sitemap-{part}.xml", response_class=Response)
def sitemap_part(request: Request, settings: AppSettings, part: int) -> Response:
    """Pages of at most 50,000 addresses."""
    with _reading(request) as work:
        state = reading.state(work, settings)
        if not 1 <= part <= discovery.parts(state.datasets):
            raise NotFound("no_such_address")
        rows = reading.names(work, offset=(part - 1) * discovery.PART, limit=discovery.PART)
    pieces = discovery.sitemap_part(Site.of(settings), rows, first=part == 1)
    return answering.streamed(request, pieces, "application/xml", state.etag, state.modified_at)


@router.head("/feed.atom", include_in_schema=False)
@router.get("/feed.atom", response_class=Response)
def newest(request: Request, settings: AppSettings) -> Response:
    """The datasets published or changed last."""
    return _atom(request, Site.of(settings), None)


@router.head("/agency/{name}.atom", include_in_schema=False)
@router.get("/agency/{name}.atom", response_class=Response)
def newest_of_agency(request: Request, settings: AppSettings, name: str) -> Response:
    """Those of one body."""
    return _atom(request, Site.of(settings), name)


@router.head("/robots.txt", include_in_schema=False)
@router.get("/robots.txt", include_in_schema=False)
def robots(request: Request, settings: AppSettings) -> Response:
    return answering.whole(request, discovery.robots(Site.of(settings)), "text/plain", None)


def _reading(request: Request) -> AbstractContextManager[Work]:
    return place_of(request).reading(request_id=request_id(request))


class _Asked(NamedTuple):
    page: int
    after: UUID | None
    modified_since: datetime | None


def _catalogue(request: Request, site: Site, extension: str, asked: _Asked) -> Response:
    since = _in_utc(asked.modified_since) if asked.modified_since is not None else None
    after = str(asked.after or "")
    skipped = 0 if after else (asked.page - 1) * PAGE_SIZE
    with _reading(request) as work:
        state = reading.state(work, get_settings(request))
        total = reading.count_since(work, since) if since else state.datasets
        found = reading.page(work, offset=skipped, after=after, limit=PAGE_SIZE, since=since)
    if skipped and not found.records:
        raise NotFound("no_such_page", pages=max(1, -(-total // PAGE_SIZE)))
    paging = Paging(f"{site.catalogue}.{extension}", asked.page, total, after, found.following, since)
    graph = catalogue.page(found.records, paging, site, state.modified_at)
    headers = {"Link": paging.header(), "Vary": "Accept"}
    return answering.rdf(request, graph, extension, state.modified_at, **headers)


def _in_utc(at: datetime) -> datetime:
    """Without a zone UTC is meant. The first and the last day of all have no time in UTC for every zone."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        limits = {"minimum": "0001-01-02", "maximum": "9999-12-30"}
        raise BadQuery(fields=[FieldError("modified_since", "out_of_range", limits)]) from None


def _dataset(request: Request, site: Site, id_or_name: str, extension: str) -> Response:
    with _reading(request) as work:
        record = _published(work, id_or_name)
    graph = catalogue.single(record, site)
    return answering.rdf(request, graph, extension, record.changed_at, Vary="Accept")


def _published(work: Work, id_or_name: str) -> Record:
    """`NotFound("dataset_not_found")`; `Gone` for what was withdrawn."""
    view = access.see(work, id_or_name).published
    if view is None:
        raise NotFound("dataset_not_found", id=id_or_name[:100])
    return reading.records(work, [view])[0]


def _atom(request: Request, site: Site, agency: str | None) -> Response:
    with _reading(request) as work:
        body = agencies.find(work, agency) if agency is not None else None
        found = reading.newest(work, limit=discovery.NEWEST, agency_id=body.id if body is not None else None)
        state = reading.state(
            work, get_settings(request)
        )  # a withdrawal changes the feed, but no entry of it
    path = f"/agency/{body.name}.atom" if body is not None else "/feed.atom"
    document = discovery.atom(site, path, found, body)
    return answering.whole(request, document, "application/atom+xml", state.modified_at)
