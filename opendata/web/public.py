"""The portal's public pages: home, a dataset, the bodies, how to use the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import func, literal, not_, select
from starlette.responses import Response

from opendata.access import policy, totals
from opendata.access import service as access
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.codes import codes
from opendata.catalog.models import Dataset, Release, Resource
from opendata.catalog.queries import LineRow
from opendata.catalog.roworders import queries as row_orders
from opendata.core.errors import Unavailable
from opendata.edge.http import part
from opendata.edge.usage.journal import Use, mark
from opendata.inventory import queries as inventory
from opendata.inventory.models import Domain
from opendata.inventory.profile import queries as profile
from opendata.inventory.queries import Wanted as WantedLines
from opendata.ports.search_index.port import SearchIndex
from opendata.review import service as review
from opendata.search import finding
from opendata.search.finding import Wanted
from opendata.tables.models import Table, TableState
from opendata.tables.queries import columns_of, states_of
from opendata.web import verdicts
from opendata.web.governance import city
from opendata.web.harvest import origin
from opendata.web.http import PageWork
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter()

Index = Annotated[SearchIndex, Depends(part("index"))]
Describe = Annotated[Callable[..., dict[str, Any]], Depends(part("describe"))]
"""A dataset in the words of schema.org."""
DescribeCatalogue = Annotated[Callable[..., dict[str, Any]], Depends(part("describe_catalogue"))]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
PRIORITY = (Domain.LIVELIHOOD, Domain.PUBLIC_SERVICE, Domain.MARKET_SUPERVISION)
FILES_A_PAGE = 50
LINES_A_PAGE = 20
DATASETS_A_PAGE = 20


@dataclass(frozen=True)
class Figures:
    datasets: int
    agencies: int
    rows: int


@router.get("/")
def home(
    request: Request, language: str, work: PageWork, index: Index, describe: DescribeCatalogue
) -> Response:
    counts = totals.by_agency(work)
    bodies = agencies.by_ids(work.session, counts)
    ranked = sorted(bodies.values(), key=lambda body: (-counts[body.id], body.name))
    facets = _facets(work, index, language)
    return page(
        request,
        "home.html",
        language,
        public=True,
        newest=queries.newest_published(work, visible=policy.PUBLIC_FILTER, limit=6),
        figures=Figures(sum(counts.values()), len(counts), _rows_in_all(work)),
        domains=[(domain.value, facets.get("domain", {}).get(domain.value)) for domain in PRIORITY],
        themes=[(c, n) for c, n in facets.get("theme", {}).items()][:12],
        formats=list(facets.get("format", {}).items())[:8],
        bodies=[(body, counts[body.id]) for body in ranked[:8]],
        described=describe(language),
    )


@router.get("/dataset/{name:short}")
def dataset(
    request: Request, language: str, name: str, work: PageWork, describe: Describe, files: PageNumber = 1
) -> Response:
    """The published release. Who works for the body is led to the draft of what is not public yet."""
    seen = access.see(work, name)
    if seen.published is None:
        return see_other(f"/{language}/console/dataset/{seen.dataset.id}")
    mark(request, Use.VIEW, seen.dataset.id)
    view = seen.published
    pager = Pager(files, FILES_A_PAGE, len(view.resources))
    shown = view.resources[pager.first - 1 if pager.total else 0 : pager.last]
    open_to_all = policy.is_data_public(view)
    beside = city.beside(work, view.meta, language)
    return page(
        request,
        "dataset.html",
        language,
        public=not seen.sees_drafts,
        view=view,
        meta=view.meta,
        origin=origin.of(work, view.id),
        **beside,
        seen=seen,
        open_to_all=open_to_all,
        resources=[(r, verdicts.of(work, r, language) if open_to_all else None) for r in shown],
        tables=states_of(work, [r.id for r in shown]) if open_to_all else {},
        pager=pager,
        described=describe(
            view,
            columns_of(work, [view.id]).get(view.id, {}),
            profile.city_fields(work),
            language,
            terms=list(chain.from_iterable(beside["terms"].values())),
        ),
        licence=codes().licences.get(view.meta.licence),
        releases=access.public_releases(work, seen.dataset),
        lines=lines_of(work, seen.dataset),
        related=queries.names_by_code(work, view.meta.related_codes, visible=policy.PUBLIC_FILTER),
        approvals=approvals_of(work, view.release),
        row_orders=row_orders.notices(work, [view.id]).get(view.id, ()),
    )


@router.get("/agency")
def agency_list(request: Request, language: str, work: PageWork) -> Response:
    """The tree of bodies, each under the one above it."""
    every = list(agencies.every(work))
    counts = totals.by_agency(work)
    return page(request, "agencies.html", language, public=True, tree=_tree(every), counts=counts)


@router.get("/agency/{name:short}")
def agency(
    request: Request,
    language: str,
    name: str,
    work: PageWork,
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    lines: PageNumber = 1,
) -> Response:
    """A body with its own datasets and those of all bodies below it: a city's data is mostly its bureaus'."""
    body = agencies.find(work, name)
    under = agencies.under(work, body)
    counts = totals.by_agency(work)
    views, total = totals.page(
        work,
        agency_ids=[body.id, *(one.id for one in under)],
        offset=(page_ - 1) * DATASETS_A_PAGE,
        limit=DATASETS_A_PAGE,
    )
    held = inventory.page(work, WantedLines(body.id), offset=(lines - 1) * LINES_A_PAGE, limit=LINES_A_PAGE)
    above = agencies.by_ids(work.session, body.lineage[1:])
    return page(
        request,
        "agency.html",
        language,
        public=True,
        body=body,
        above=[above[i] for i in reversed(body.lineage[1:]) if i in above],
        below=[(one, _count_under(one, under, counts)) for one in under if one.parent_id == body.id],
        owners=[one for one in (body, *under) if counts.get(one.id)],
        own=counts.get(body.id, 0),
        views=views,
        pager=Pager(page_, DATASETS_A_PAGE, total),
        lines=held.items,
        line_pager=Pager(lines, LINES_A_PAGE, held.total),
    )


@router.get("/about")
def about(request: Request, language: str, work: PageWork) -> Response:
    """How to use the API, with a dataset of this portal in the examples."""
    newest = queries.newest_published(work, visible=policy.PUBLIC_FILTER, limit=20)
    tables = states_of(work, [r.id for view in newest for r in view.resources[:5]])
    ready = [t.resource_id for t in tables.values() if t.state == TableState.READY.value]
    return page(
        request,
        "about.html",
        language,
        public=True,
        example=newest[0] if newest else None,
        table=ready[0] if ready else "RESOURCE_ID",
    )


def _count_under(body: Agency, bodies: Sequence[Agency], counts: Mapping[str, int]) -> int:
    """Public datasets of a body and of those of `bodies` that stand below it."""
    return sum(counts.get(one.id, 0) for one in bodies if body.id in one.lineage)


def approvals_of(work: Work, release: Release) -> list[tuple[str, datetime]]:
    """When each of the two reviews approved the release; nothing if it went out without them. The public learns no names."""
    return [(decision.kind, decision.decided_at) for decision in review.standing(work, release)]


def lines_of(work: Work, dataset: Dataset) -> Sequence[LineRow]:
    """The inventory lines that the dataset opens."""
    return queries.lines_of(work, [dataset.id]).get(dataset.id, [])


def _facets(work: Work, index: SearchIndex, language: str) -> Mapping[str, Mapping[str, int]]:
    """Counts over the whole catalogue. The home page stands without them while the index is down."""
    try:
        found = finding.search(work, index, Wanted(limit=0), language)
    except Unavailable:
        return {}
    return {facet: {c.value: c.count for c in counts} for facet, counts in found.facets.items()}


def _rows_in_all(work: Work) -> int:
    """Of all public tables: of all, less those of what was withdrawn, which go a moment later."""
    is_ready = Table.state == literal(TableState.READY.value, literal_execute=True)  # so its index serves
    ready = select(func.sum(Table.row_count)).where(is_ready)
    hidden = select(Dataset.id).where(Dataset.withdrawn_at.is_not(None), not_(policy.PUBLIC_FILTER))
    resources = select(Resource.id).where(Resource.dataset_id.in_(hidden))
    parts = (ready.scalar_subquery(), ready.where(Table.resource_id.in_(resources)).scalar_subquery())
    every, gone = work.while_unchanged("public rows", lambda: work.session.execute(select(*parts)).one())
    return int(every or 0) - int(gone or 0)


def _tree(bodies: Sequence[Agency]) -> list[dict[str, Any]]:
    nodes: dict[str, dict[str, Any]] = {body.id: {"body": body, "below": []} for body in bodies}
    roots: list[dict[str, Any]] = []
    for body in bodies:
        above = nodes.get(body.parent_id or "")
        (above["below"] if above else roots).append(nodes[body.id])
    return roots
