"""The rows of a public table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from opendata.access import policy
from opendata.access import service as access
from opendata.core.errors import NotFound
from opendata.edge.conventions import documented, json_answer
from opendata.edge.http import ApiWork, AppSettings, part
from opendata.edge.usage.journal import Use, mark
from opendata.ports.table_store.port import Column, ColumnType, Rows, Select, TableStore
from opendata.settings import Settings
from opendata.tables import service
from opendata.tables.models import Table
from opendata.tables.query import parse

router = APIRouter(tags=["public"])

Tables = Annotated[TableStore, Depends(part("tables"))]


class ColumnOut(BaseModel):
    name: str
    type: str
    title: str | None = None
    description: str | None = None


class LinksOut(BaseModel):
    next: str | None = Field(description="The address of the next page, if there is one")


class RowsOut(BaseModel):
    total_count: int | None
    results: list[dict[str, Any]] = Field(
        description="Rows in the order of the file unless another is asked for"
    )
    columns: list[ColumnOut]
    version: int = Field(description="Counts the table's loads: equal versions hold equal rows")
    links: LinksOut


PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": kind}, "description": text}
    for name, kind, text in (
        ("limit", "integer", "Rows a page, at most 10,000"),
        ("offset", "integer", "Rows to leave out"),
        ("order", "string", "Columns with commas between them: `name`, `name desc` or `-name`"),
        ("select", "string", "Columns to give, with commas between them"),
        ("q", "string", "Words that a row holds in any text column"),
    )
]


@router.get(
    "/resources/{resource}/rows",
    responses=documented(RowsOut),
    openapi_extra={"parameters": PARAMETERS},
)
def get_rows(
    request: Request, work: ApiWork, resource: str, tables: Tables, settings: AppSettings
) -> Response:
    """A page of rows. Any other parameter is a filter: `column=value` or `column__op=value` with eq, ne, lt, lte, gt,
    gte, in, contains, isnull."""
    found = access.resource(work, resource)
    if not found.public:
        raise NotFound("no_rows", reason="not_public")
    policy.check_data(work.actor, found.view)
    mark(request, Use.CALL, found.resource.id)
    table = service.ready(work.session, found.resource.id)
    select = parse(request.query_params.multi_items(), columns_of(table))
    rows = service.read(tables, table, select)
    body = {
        "total_count": rows.total,
        "results": rows.rows,
        "columns": _described(rows, service.described(table, found.resource.meta)),
        "version": rows.version,
        "links": {"next": _next(request, settings, found.resource.id, select, rows)},
    }
    return json_answer(body, public=policy.is_data_public(found.view))


def columns_of(table: Table) -> list[Column]:
    """The columns of a ready table, typed."""
    return [Column(column["name"], ColumnType(column["type"])) for column in table.columns]


def _described(rows: Rows, columns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    told = {column["name"]: column for column in columns}
    return [{"name": c.name, "type": c.type.value, **told.get(c.name, {})} for c in rows.columns]


def _next(request: Request, settings: Settings, resource_id: str, select: Select, rows: Rows) -> str | None:
    after = select.offset + len(rows.rows)
    if not rows.rows or (rows.total is not None and after >= rows.total):
        return None
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "offset"]
    query = urlencode([*kept, ("offset", str(after))])
    return f"{settings.site_url}/api/v1/resources/{resource_id}/rows?{query}"
