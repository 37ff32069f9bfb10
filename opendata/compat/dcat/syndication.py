"""The Atom feeds over HTTP: of the catalogue, of a body, of a theme, of a search, of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from opendata.access import service as access
from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies import queries as agencies
from opendata.catalog import queries, views
from opendata.catalog.codes import codes
from opendata.catalog.views import DatasetView
from opendata.compat.dcat import atom
from opendata.core.errors import NotFound
from opendata.edge.conventions import known_query
from opendata.edge.http import AppSettings, get_settings, part
from opendata.feeds import answering, reading
from opendata.feeds.answering import reading_work
from opendata.feeds.terms import Site
from opendata.ports.search_index.port import SearchIndex
from opendata.search import finding, service
from opendata.search.asking import Chosen
from opendata.search.finding import Wanted
from opendata.work.unit import Work

router = APIRouter(tags=["feeds"], dependencies=[Depends(known_query)])
Index = Annotated[SearchIndex, Depends(part("index"))]
KIND = "application/atom+xml"


@router.head("/feed.atom", include_in_schema=False)
@router.get("/feed.atom", response_class=Response)
def newest(request: Request, settings: AppSettings) -> Response:
    """The datasets published or changed last."""
    site = Site.of(settings)
    return _answer(request, lambda work: atom.of_datasets(site, "/feed.atom", site.title_zh, _newest(work)))


@router.head("/agency/{name}.atom", include_in_schema=False)
@router.get("/agency/{name}.atom", response_class=Response)
def newest_of_agency(request: Request, settings: AppSettings, name: str) -> Response:
    """Those of one body."""
    site = Site.of(settings)

    def made(work: Work) -> bytes:
        body = agencies.find(work, name)
        title = f"{site.title_zh} · {body.title or body.name}"
        path = f"/agency/{body.name}.atom"
        return atom.of_datasets(site, path, title, _newest(work, [body.id]), page=f"/zh/agency/{body.name}")

    return _answer(request, made)


@router.head("/theme/{code}.atom", include_in_schema=False)
@router.get("/theme/{code}.atom", response_class=Response)
def newest_of_theme(request: Request, settings: AppSettings, index: Index, code: str) -> Response:
    """Those of one theme, by its code. `no_such_address` for a code that the list of themes has not."""
    site, theme = Site.of(settings), codes().themes.get(code.upper())
    if theme is None:
        raise NotFound("no_such_address")
    wanted = Wanted(chosen={"theme": [code.upper()]}, sort="newest", limit=atom.NEWEST)
    path, page = f"/theme/{quote(code.upper())}.atom", f"/zh/search?theme={quote(code.upper())}"
    return _found(request, site, index, wanted, (path, f"{site.title_zh} · {theme.title}", page))


@router.head("/search.atom", include_in_schema=False)
@router.get("/search.atom", response_class=Response)
def newest_of_search(
    request: Request,
    settings: AppSettings,
    index: Index,
    chosen: Chosen,
    q: Annotated[str, Query(max_length=2000, description="As `q` of /api/v1/search")] = "",
) -> Response:
    """What a search finds, newest first; facets as in /api/v1/search."""
    site = Site.of(settings)
    wanted = Wanted(text=q.strip(), chosen=chosen, sort="newest", limit=atom.NEWEST)
    pairs = [("q", wanted.text)] if wanted.text else []
    pairs += [(facet, value) for facet, values in chosen.items() for value in values]
    query = f"?{urlencode(pairs)}" if pairs else ""
    title = " ".join([site.title_zh, "·", *(value for _, value in pairs)]) if pairs else site.title_zh
    return _found(request, site, index, wanted, (f"/search.atom{query}", title, f"/zh/search{query}"))


def of_dataset(request: Request, site: Site, id_or_name: str) -> Response:
    """The public releases of a dataset. `NotFound("dataset_not_found")`, `Gone`."""

    def made(work: Work) -> bytes:
        present = reading.published(work, id_or_name).view
        releases = access.public_releases(work, present.dataset)[: atom.NEWEST]
        shown = views.many(work.session, [(present.dataset, release) for release in releases])
        return atom.of_releases(site, f"/dataset/{present.id}.atom", present, shown)

    return _answer(request, made)


def _newest(work: Work, agency_ids: Sequence[str] | None = None) -> list[DatasetView]:
    return queries.newest_published(work, visible=PUBLIC_FILTER, limit=atom.NEWEST, agency_ids=agency_ids)


def _found(
    request: Request, site: Site, index: SearchIndex, wanted: Wanted, told: tuple[str, str, str]
) -> Response:
    """`told`: the feed's path, its title, the page of the portal that shows the same."""
    path, title, page = told

    def made(work: Work) -> bytes:
        found = finding.search(work, index, wanted, "zh")
        return atom.of_datasets(site, path, title, [result.view for result in found.results], page=page)

    return _answer(request, made, by_index=True)


def _answer(request: Request, made: Callable[[Work], bytes], *, by_index: bool = False) -> Response:
    """A withdrawal changes the feed, but no entry of it: its date is the catalogue's. None while an index is behind."""
    with reading_work(request) as work:
        state = reading.state(work, get_settings(request))
        behind = by_index and service.owed(work) > 0
        body = made(work)
    return answering.whole(request, body, KIND, None if behind else state.modified_at)
