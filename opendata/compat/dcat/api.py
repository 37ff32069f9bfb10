"""The feeds over HTTP. All of them are the public's: no token is read, everyone gets the same bytes."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from opendata.compat.dcat import asking, catalogue, croissant, discovery, quality, syndication
from opendata.compat.dcat.asking import Asked, CataloguePage, PageNumber, Profiles
from opendata.compat.dcat.catalogue import PAGE_SIZE, Paging
from opendata.compat.dcat.dumps import FileStores
from opendata.compat.dcat.profiles import edition, in_edition
from opendata.core.errors import NotFound
from opendata.edge.conventions import Language, known_query
from opendata.edge.http import AppSettings, part, place_of
from opendata.feeds import answering, datajson, described, reading
from opendata.feeds.answering import reading_work
from opendata.feeds.dumps import kept
from opendata.feeds.terms import Site
from opendata.ports.search_index.port import SearchIndex
from opendata.search import service as search
from opendata.settings import Settings
from opendata.supervision.mqa import queries as mqa
from opendata.tables.queries import columns_of

router = APIRouter(tags=["feeds"], dependencies=[Depends(known_query)])
Index = Annotated[SearchIndex, Depends(part("index"))]
_RDF: dict[str, Any] = {kind: {} for kind in ("text/turtle", "application/rdf+xml", "application/ld+json")}
RDF: dict[int | str, dict[str, Any]] = {
    200: {"content": _RDF, "description": "DCAT-AP 3.0.1"},
    304: {"description": "The caller has it (If-None-Match, If-Modified-Since)"},
}


@router.head("/catalog", include_in_schema=False)
@router.get("/catalog", responses=RDF, response_class=Response)
def negotiated_catalogue(
    request: Request, settings: AppSettings, index: Index, wanted: CataloguePage
) -> Response:
    """The catalogue in the format that the Accept header asks for; Turtle where it asks for none."""
    extension = answering.wanted_format(request.headers.get("accept", ""))
    extension = "ttl" if extension == answering.HTML else extension
    return _catalogue(request, settings, index, extension, wanted)


@router.head("/catalog.mqa.{extension}", include_in_schema=False)
@router.get("/catalog.mqa.{extension}", responses=RDF, response_class=Response)
def catalogue_quality(
    request: Request, settings: AppSettings, extension: str, page: PageNumber = 1
) -> Response:
    """What metadata are worth by the 405 points of data.europa.eu, in W3C's Data Quality Vocabulary: the datasets with the
    fewest points first, a page of them with what each fails, and the averages of the bodies and of the catalogue, as `ttl`, `rdf`, `xml`, `jsonld` or `n3`."""
    answering.known_format(extension)
    with reading_work(request) as work:
        sums = mqa.by_agency(work)
        rows, total = mqa.datasets(work, None, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    site, headers = Site.of(settings), {}
    if page * PAGE_SIZE < total:
        headers["Link"] = f'<{site.catalogue}.mqa.{extension}?page={page + 1}>; rel="next"'
    answer = answering.rdf(request, quality.told(rows, sums, site), extension, None, **headers)
    # Measuring writes no line into the audit trail, by which kept answers go.
    del answer.headers["X-Cache-Tag"]
    return answer


@router.head("/catalog.{extension}", include_in_schema=False)
@router.get("/catalog.{extension}", responses=RDF, response_class=Response)
def catalogue_page(
    request: Request, settings: AppSettings, index: Index, extension: str, wanted: CataloguePage
) -> Response:
    """A page of the catalogue as `ttl`, `rdf`, `xml`, `jsonld` or `n3`, in the order of their ids. The pages around it are
    named in Hydra (both dialects) and in the Link header."""
    return _catalogue(request, settings, index, answering.known_format(extension), wanted)


@router.head("/dataset/{dataset}.{extension}", include_in_schema=False)
@router.get("/dataset/{dataset}.{extension}", responses=RDF, response_class=Response)
def dataset_in_format(
    request: Request, settings: AppSettings, dataset: str, extension: str, profiles: Profiles = ""
) -> Response:
    """One dataset, by id or name, as `ttl`, `rdf`, `xml`, `jsonld` or `n3`; its releases as `atom`."""
    if extension == "atom":
        return syndication.of_dataset(request, Site.of(settings), dataset)
    answering.known_format(extension)
    return _dataset(request, Site.of(settings), dataset, extension, profiles)


@router.head("/dataset/{dataset}", include_in_schema=False)
@router.get("/dataset/{dataset}", responses=RDF, response_class=Response)
def dataset_itself(
    request: Request, settings: AppSettings, dataset: str, language: Language, profiles: Profiles = ""
) -> Response:
    """What the dataset's own address answers: RDF to those who ask for it, the page to all others."""
    site = Site.of(settings)
    wanted = answering.wanted_format(request.headers.get("accept", ""), otherwise=answering.HTML)
    if wanted != answering.HTML:
        return _dataset(request, site, dataset, wanted, profiles)
    with reading_work(request) as work:
        name = reading.published(work, dataset).view.dataset.name
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    return RedirectResponse(site.page(language, name), 303, headers)


@router.head("/dataset/{dataset}/croissant.jsonld", include_in_schema=False)
@router.get("/dataset/{dataset}/croissant.jsonld", response_class=Response)
def croissant_of(request: Request, settings: AppSettings, dataset: str) -> Response:
    """A dataset with tables as Croissant 1.0; `no_such_address` for one without, or whose rows have to be applied for."""
    with reading_work(request) as work:
        record = reading.published(work, dataset)
        columns = columns_of(work, [record.view.id]).get(record.view.id, {})
    told = croissant.croissant(record, columns, Site.of(settings))
    if told is None:
        raise NotFound("no_such_address")
    return answering.whole(request, orjson.dumps(told), "application/ld+json", record.changed_at)


@router.head("/data.json", include_in_schema=False)
@router.get("/data.json", response_class=Response)
def data_json(request: Request, settings: AppSettings, stores: FileStores) -> Response:
    """The whole catalogue as Project Open Data metadata 1.1."""
    with reading_work(request) as work:
        state = reading.state(work, settings)
    site = Site.of(settings)
    pieces = datajson.document(kept.entries(place_of(request), stores.public, site), site)
    return answering.streamed(request, pieces, "application/json", state.etag, state.modified_at)


@router.head("/sitemap.xml", include_in_schema=False)
@router.get("/sitemap.xml", response_class=Response)
def sitemap(request: Request, settings: AppSettings) -> Response:
    """The index of the site map's parts."""
    with reading_work(request) as work:
        state = reading.state(work, settings)
    body = discovery.sitemap_index(Site.of(settings), state.datasets, state.modified_at)
    return answering.whole(request, body, "application/xml", state.modified_at)


@router.head("/sitemap-{part}.xml", include_in_schema=False)
@router.get("/sitemap-{part}.xml", response_class=Response)
def sitemap_part(request: Request, settings: AppSettings, part: int) -> Response:
    """Pages of at most 50,000 addresses."""
    with reading_work(request) as work:
        state = reading.state(work, settings)
        if not 1 <= part <= discovery.parts(state.datasets):
            raise NotFound("no_such_address")
        rows = reading.names(work, offset=(part - 1) * discovery.PART, limit=discovery.PART)
    pieces = discovery.sitemap_part(Site.of(settings), rows, first=part == 1)
    return answering.streamed(request, pieces, "application/xml", state.etag, state.modified_at)


@router.head("/robots.txt", include_in_schema=False)
@router.get("/robots.txt", include_in_schema=False)
def robots(request: Request, settings: AppSettings) -> Response:
    return answering.whole(request, discovery.robots(Site.of(settings)), "text/plain", None)


def _catalogue(
    request: Request, settings: Settings, index: SearchIndex, extension: str, wanted: Asked
) -> Response:
    site, edition = Site.of(settings), wanted.edition
    with reading_work(request) as work:
        state = reading.state(work, settings)
        given = asking.answer(work, index, wanted, state.datasets)
        behind = wanted.is_search and search.owed(work) > 0
    address = f"{site.catalogue}.{extension}"
    paging = Paging(
        address, wanted.page, given.total, wanted.after, given.found.following, repeated=wanted.repeated
    )
    graph = catalogue.page(given.found.records, paging, site, state.modified_at)
    headers = {"Link": paging.header(), "Vary": "Accept"}
    if wanted.depends_on_time:
        headers["Cache_Control"] = "no-store"
    # By its date nobody may keep what an index that is behind has answered.
    at = None if behind or wanted.depends_on_time else state.modified_at
    return answering.rdf(request, in_edition(graph, edition), extension, at, **headers)


def _dataset(request: Request, site: Site, id_or_name: str, extension: str, profiles: str) -> Response:
    wanted = edition(profiles)
    with reading_work(request) as work:
        record = reading.published(work, id_or_name)
    graph = in_edition(described.single(record, site), wanted)
    return answering.rdf(request, graph, extension, record.changed_at, Vary="Accept")
