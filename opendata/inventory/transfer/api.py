"""The list as a whole: in from a workbook, with a preview, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.errors import Unauthenticated, invalid
from opendata.edge import uploads
from opendata.edge.conventions import PUBLIC_TAG, DryRun, documented, json_answer, known_query
from opendata.edge.http import ApiWork, AppSettings, authorize, part, perform
from opendata.edge.messages import LANGUAGES
from opendata.edge.uploads import Gathered, ReceivedForm
from opendata.inventory import queries
from opendata.inventory.api import Asked
from opendata.inventory.models import InventoryLine
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.inventory.queries import Wanted
from opendata.inventory.transfer import export, plan, reading, service
from opendata.inventory.transfer.plan import Plan
from opendata.inventory.transfer.reading import LARGEST, Parser, ReadList
from opendata.inventory.transfer.schemas import XLSX, ListImportOut, list_import_out
from opendata.ports.sandbox.port import Sandbox
from opendata.work.unit import Work

router = APIRouter(tags=["inventory"], dependencies=[Depends(known_query)])
_FORM: dict[str, Any] = {"requestBody": {"required": True, "content": uploads.described()}}
CSV = "text/csv; charset=utf-8"


async def get_parser(settings: AppSettings, sandbox: Annotated[Sandbox, Depends(part("sandbox"))]) -> Parser:
    return Parser(sandbox, settings.scratch)


Reader = Annotated[Parser, Depends(get_parser)]


@router.post("/inventory/import", responses=documented(ListImportOut), openapi_extra=_FORM)
async def import_list(
    request: Request,
    parser: Reader,
    agency: Annotated[str, Query(description="Name or id of the body whose list it is")],
    dry_run: DryRun = False,
) -> Response:
    """A body's list by the template `resource_inventory` (XLSX, CSV, XLS, ODS; Chinese headers). Each line goes in whole or
    not at all; what is wrong is told by column, rule and value, and marked in a copy of the workbook."""
    city = await authorize(request, partial(_may_import, agency))
    form, data = await receive(request)
    read = await run_in_threadpool(reading.read, parser, form.files["file"].filename, data, city)
    looked = await authorize(request, lambda work: _plan(work, agency, read))
    marked = await run_in_threadpool(
        reading.mark, parser, read, data, looked.wrong, looked.secret_rows, LANGUAGES
    )
    if dry_run:
        return json_answer(list_import_out(agency, read, looked, marked, dry_run=True))

    def change(work: Work) -> Response:
        body = agencies.find(work, agency)
        done = service.apply(work, body, read.name, read.rows)
        return json_answer(list_import_out(body.name, read, done, marked, dry_run=False))

    return await perform(request, change, digest=form.digest)


@router.get("/inventory.csv", responses={200: {"content": {"text/csv": {}}}})
def export_csv(
    work: ApiWork,
    asked: Asked,
    form: Annotated[
        Literal["clerk", "schema"],
        Query(description="`clerk`: Chinese headers, for office programs; `schema`: as `resource_inventory`"),
    ] = "clerk",
    bom: Annotated[bool, Query(description="The mark by which office programs know UTF-8")] = True,
) -> Response:
    """The lines as CSV, a row for each information item; can be imported again. Formulas are defused by an apostrophe."""
    lines = with_bodies(work, asked)
    made = export.to_schema_csv(lines) if form == "schema" else export.to_csv(lines, exported(work), bom=bom)
    return attachment(made, CSV, "inventory.csv", "数据资源清单.csv", public=work.actor.is_public)


@router.get("/inventory.xlsx", responses={200: {"content": {XLSX: {}}}})
def export_xlsx(work: ApiWork, asked: Asked) -> Response:
    """The same as a workbook, with lists of values to choose from: also the empty template, for a body without lines."""
    made = export.to_xlsx(with_bodies(work, asked), exported(work))
    return attachment(made, XLSX, "inventory.xlsx", "数据资源清单.xlsx", public=work.actor.is_public)


async def receive(request: Request) -> tuple[ReceivedForm, bytes]:
    """A form whose `file` is held in memory: it is looked at, and kept nowhere."""
    gathered = Gathered(LARGEST)
    form = await uploads.receive(request, gathered.open, file_field="file", limit=LARGEST)
    if "file" not in form.files:
        raise invalid("file", "missing")
    if not gathered.size:
        raise invalid("file", "file_empty")
    return form, gathered.data


def with_bodies(work: Work, asked: Wanted) -> Iterator[tuple[InventoryLine, Agency]]:
    """The lines that the caller may see, each with its body."""
    lines = queries.every(work, asked)
    bodies = agencies.by_ids(work.session, {line.agency_id for line in lines})
    return ((line, bodies[line.agency_id]) for line in lines)


def exported(work: Work) -> list[CityField]:
    """The city's own fields that an export has columns for."""
    return [field for field in profile.line_fields(work) if not field.retired]


def attachment(body: bytes, media_type: str, name: str, name_zh: str, *, public: bool) -> Response:
    """A file to be saved. `public`: everyone without a token gets the same."""
    disposition = f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name_zh)}"
    headers = {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
    kept = PUBLIC_TAG if public else {"Cache-Control": "private, no-store"}
    return Response(body, headers=headers | kept, media_type=media_type)


def _may_import(agency: str, work: Work) -> list[CityField]:
    """Also the city's own fields, whose columns the list may have."""
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    service.check_editor(work, agencies.find(work, agency))
    return profile.line_fields(work)


def _plan(work: Work, agency: str, read: ReadList) -> Plan:
    return plan.make(work, agencies.find(work, agency), read.rows)
