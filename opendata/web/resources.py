"""A resource's page: its first rows as a table that pages, sorts and filters by plain links and a GET form; its report, or what
came of asking the link that it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from opendata.access import policy
from opendata.access import service as access
from opendata.access.service import SeenResource
from opendata.catalog.profile import ResourceMeta
from opendata.core.errors import BadQuery, FieldError, NotFound
from opendata.edge import messages
from opendata.edge.http import part
from opendata.edge.usage.journal import Use, mark
from opendata.ports.table_store.port import Column, ColumnType, Condition, Op, Order, Rows, Select, TableStore
from opendata.publishing.reading import profiles
from opendata.supervision.links import queries as links
from opendata.supervision.links.wording import sentence_of
from opendata.tables import service as tables
from opendata.tables.models import Table, TableState
from opendata.tables.query import listed
from opendata.web import verdicts
from opendata.web.http import PageWork
from opendata.web.public import PageNumber
from opendata.web.render import Pager, link, page, see_other
from opendata.work.unit import Work

router = APIRouter()
Tables = Annotated[TableStore, Depends(part("tables"))]
ROWS_A_PAGE = 25
LOOKS_A_PAGE = 60
CELL = 300
"""Characters of a cell that are shown."""


@router.get("/dataset/{name:short}/resource/{resource_id:short}")
def resource(
    request: Request,
    language: str,
    name: str,
    resource_id: str,
    work: PageWork,
    store: Tables,
    page_: Annotated[PageNumber, Query(alias="page")] = 1,
    order: Annotated[str, Query(max_length=600)] = "",
    column: Annotated[str, Query(max_length=600)] = "",
    value: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    found = _find(work, name, resource_id)
    if not found.public:
        return see_other(f"/{language}/console/dataset/{found.seen.dataset.id}")
    policy.check_held(found.view)
    mark(request, Use.VIEW, found.resource.id)
    open_to_all = policy.is_data_public(found.view)
    table = tables.find(work.session, found.resource.id) if open_to_all else None
    view = View(request.url.path, order, column, value)
    rows = _rows(store, table, view, page_) if table is not None else None
    columns = _columns(table, found.resource.meta)
    return page(
        request,
        "resource.html",
        language,
        public=not found.seen.sees_drafts,
        **_about(found),
        open_to_all=open_to_all,
        verdict=verdicts.of(work, found.resource, language) if open_to_all else None,
        table=table,
        rows=rows,
        columns=columns,
        profile=profiles.of(work, found) if open_to_all else None,
        titles={c["name"]: c["title"] for c in columns},
        shown=view,
        pager=Pager(page_, ROWS_A_PAGE, (rows.total or 0) if rows else 0),
        no_rows=_no_rows(table, language),
        cell_limit=CELL,
    )


@router.get("/dataset/{name:short}/resource/{resource_id:short}/report")
def report(request: Request, language: str, name: str, resource_id: str, work: PageWork) -> Response:
    """What was found in the published file."""
    found = _find(work, name, resource_id)
    if not found.public:
        return see_other(f"/{language}/console/dataset/{found.seen.dataset.id}")
    policy.check_data(work.actor, found.view)
    verdict = verdicts.of(work, found.resource, language)
    if verdict is None:
        raise NotFound("no_file", id=found.resource.id)
    return page(
        request,
        "report.html",
        language,
        public=not found.seen.sees_drafts
        and policy.is_data_public(found.view)
        and verdict.state != "waiting",
        **_about(found),
        verdict=verdict,
        table=tables.find(work.session, found.resource.id),
    )


@router.get("/dataset/{name:short}/resource/{resource_id:short}/link-checks")
def link_checks(
    request: Request,
    language: str,
    name: str,
    resource_id: str,
    work: PageWork,
    page_: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    """The daily looks at a link. Not kept for everybody: a look writes no line into the audit trail."""
    found = _find(work, name, resource_id)
    if not found.public:
        return see_other(f"/{language}/console/dataset/{found.seen.dataset.id}")
    policy.check_data(work.actor, found.view)
    url = links.link_of(found)
    offset = (page_ - 1) * LOOKS_A_PAGE
    looks = links.history(work, found.resource.id, url, offset=offset, limit=LOOKS_A_PAGE)
    last = links.looks(work, found.resource.id, url, limit=links.BROKEN_AFTER)
    return page(
        request,
        "supervision/link_checks.html",
        language,
        **_about(found),
        url=url,
        last=last,
        broken=links.is_broken(last),
        broken_after=links.BROKEN_AFTER,
        looks=[(look, sentence_of(look, language)) for look in looks.items],
        pager=Pager(page_, LOOKS_A_PAGE, looks.total),
    )


class View:
    """What of the table is shown, and the addresses of its neighbours."""

    def __init__(self, path: str, order: str, column: str, value: str) -> None:
        self.path, self.order, self.column, self.value = path, order, column, value

    @property
    def sorted_by(self) -> str:
        return self.order.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.order.startswith("-")

    def page(self, number: int) -> str:
        return self._made(order=self.order, page=number if number > 1 else "")

    def sort(self, name: str) -> str:
        """Ascending first, then descending, then the order of the file again."""
        if self.sorted_by != name:
            return self._made(order=name)
        return self._made(order="" if self.descending else f"-{name}")

    def unfiltered(self) -> str:
        return link(self.path, order=self.order) + "#rows"

    def _made(self, **more: object) -> str:
        kept = {"column": self.column, "value": self.value} if self.column else {}
        return link(self.path, **kept, **more) + "#rows"


def _about(found: SeenResource) -> dict[str, Any]:
    return {"view": found.view, "meta": found.view.meta, "resource": found.resource}


def _find(work: Work, name: str, resource_id: str) -> SeenResource:
    """The resource, under its own dataset only. `NotFound("resource_not_found")`, `Gone`."""
    found = access.resource(work, resource_id)
    if name not in (found.seen.dataset.name, found.seen.dataset.id):
        raise NotFound("resource_not_found", id=resource_id[:100])
    return found


def _columns(table: Table | None, meta: ResourceMeta) -> list[dict[str, str]]:
    """The columns of a table that has rows, each with a title and a description, if empty ones."""
    found = tables.described(table, meta) if table is not None else []
    return [{"title": "", "description": "", **column} for column in found]


def _rows(store: TableStore, table: Table, view: View, number: int) -> Rows | None:
    """A page of rows; None if the table has none now."""
    if table.state != TableState.READY.value:
        return None
    columns = [Column(c["name"], ColumnType(c["type"])) for c in table.columns]
    _check(view, columns)
    select = Select(
        where=(Condition(view.column, Op.EQ, view.value),) if view.column else (),
        order=(Order(view.sorted_by, view.descending),) if view.order else (),
        offset=(number - 1) * ROWS_A_PAGE,
        limit=ROWS_A_PAGE,
    )
    return tables.read(store, table, select)


def _check(view: View, columns: Sequence[Column]) -> None:
    """`BadQuery` for columns that the table does not have. A column may itself begin with a minus sign."""
    names = [column.name for column in columns]
    if view.order in names:
        view.order = view.order if not view.order.startswith("-") else ""
    fields = [
        FieldError(path, "unknown_column", {"column": name[:200], "known": listed(name, names)})
        for path, name in (("order", view.sorted_by), ("column", view.column))
        if name and name not in names
    ]
    if fields:
        raise BadQuery(fields=fields)


def _no_rows(table: Table | None, language: str) -> str:
    """Why there are no rows, if a reason is known."""
    if table is None or not table.reason:
        return ""
    return messages.text(str(table.reason.get("code", "")), language, table.reason.get("params", {}))
