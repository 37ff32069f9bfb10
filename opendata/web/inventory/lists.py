"""A body's list in and out, at the clerk's desk: upload, preview, accept; and lines that are withheld from the public."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.errors import Conflict, DomainError, Invalid, NotFound, TooLarge
from opendata.edge import messages
from opendata.edge.http import AppSettings, part
from opendata.inventory import service as lines
from opendata.inventory.models import ListImport
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField
from opendata.inventory.queries import Wanted, counts_by_openness
from opendata.inventory.transfer import api, export, plan, reading, service
from opendata.inventory.transfer.reading import Parser
from opendata.inventory.transfer.schemas import XLSX, marked_name
from opendata.ports.sandbox.port import Sandbox
from opendata.web.forms import Form, problems
from opendata.web.http import MemberWork, PostedForm, change, let_in
from opendata.web.inventory.public import find as find_line
from opendata.web.inventory.wording import words
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console")
LIST = "/agency/{name:short}/list"
SHOWN = 200
"""Lines of a preview that are shown with their changes; the counts are of all."""


@router.get(LIST)
def lists(request: Request, language: str, name: str, work: MemberWork) -> Response:
    """Where a list comes in and goes out."""
    return _door(request, language, work, _editable(work, name))


@router.post(LIST)
async def upload(
    request: Request,
    language: str,
    name: str,
    settings: AppSettings,
    sandbox: Annotated[Sandbox, Depends(part("sandbox"))],
) -> Response:
    """The list is read and looked at; nothing of the inventory changes yet."""
    city = await let_in(request, partial(_city_of, name))
    parser = Parser(sandbox, settings.scratch)
    try:
        form, data = await api.receive(request)
        read = await run_in_threadpool(reading.read, parser, form.files["file"].filename, data, city)
    except (Invalid, TooLarge) as error:
        return await let_in(request, partial(_again, request, language, name, error))
    found = await let_in(request, lambda work: plan.make(work, _editable(work, name), read.rows))
    marked = await run_in_threadpool(
        reading.mark, parser, read, data, found.wrong, found.secret_rows, [language]
    )

    def keep(work: Work) -> str:
        return service.keep(work, _editable(work, name), read, found, marked).id

    kept = await change(request, Form.of(form.fields), keep)
    return see_other(f"/{language}/console/agency/{name}/list/{kept}")


@router.get(LIST + ".{form}")
def export_own(language: str, name: str, form: Literal["csv", "xlsx"], work: MemberWork) -> Response:
    """The list for the body's own people, with the lines that are withheld from the public; the API knows no cookies."""
    body = _editable(work, name)
    held = api.with_bodies(work, Wanted(body.id))
    city = api.exported(work)
    made, kind = (export.to_csv(held, city), api.CSV) if form == "csv" else (export.to_xlsx(held, city), XLSX)
    return api.attachment(made, kind, f"{body.name}.{form}", f"{body.title}数据资源清单.{form}", public=False)


@router.get(LIST + "/{import_id:short}")
def preview(request: Request, language: str, name: str, import_id: str, work: MemberWork) -> Response:
    """What would change if it were accepted now."""
    body = _editable(work, name)
    return _preview(request, language, work, body, service.find(work, body, import_id))


@router.post(LIST + "/{import_id:short}/accept")
def accept(request: Request, language: str, name: str, import_id: str, work: MemberWork) -> Response:
    body = _editable(work, name)
    try:
        service.accept(work, body, import_id)
    except Conflict as error:
        work.take_back()
        body = _editable(work, name)
        kept = service.find(work, body, import_id)
        return _preview(request, language, work, body, kept, error)
    return see_other(f"/{language}/console/agency/{name}/list/{import_id}", done="imported")


@router.get(LIST + "/{import_id:short}/marked")
def marked(language: str, name: str, import_id: str, work: MemberWork) -> Response:
    """The clerk's own workbook with the wrong cells coloured and commented."""
    kept = service.find(work, _editable(work, name), import_id)
    if kept.marked is None:
        raise NotFound("list_import_not_found", id=import_id[:40])
    return api.attachment(kept.marked, XLSX, "marked.xlsx", marked_name(kept.name), public=False)


@router.post("/line/{line:short}/withhold")
def withhold(language: str, line: str, work: MemberWork, form: PostedForm) -> Response:
    found, body = find_line(work, line)
    lines.withhold(work, found, body, form.text("ground"))
    return see_other(f"/{language}/inventory/{found.id}", done="withheld")


@router.post("/line/{line:short}/reveal")
def reveal(language: str, line: str, work: MemberWork, form: PostedForm) -> Response:
    found, body = find_line(work, line)
    lines.reveal(work, found, body, form.text("reason"))
    return see_other(f"/{language}/inventory/{found.id}", done="revealed")


def _editable(work: Work, name: str) -> Agency:
    body = agencies.find(work, name)
    service.check_editor(work, body)
    return body


def _city_of(name: str, work: Work) -> list[CityField]:
    """Also the city's own fields, whose columns the list may have."""
    _editable(work, name)
    return profile.line_fields(work)


def _again(request: Request, language: str, name: str, error: DomainError, work: Work) -> Response:
    return _door(request, language, work, _editable(work, name), error)


def _door(
    request: Request, language: str, work: Work, body: Agency, error: DomainError | None = None
) -> Response:
    wrong = problems(error, language, ("file",)) if error else []
    query = select(ListImport).where(ListImport.agency_id == body.id, ListImport.accepted_at.is_(None))
    query = query.where(ListImport.created_at >= work.now - service.KEPT)
    waiting = work.session.execute(query.order_by(ListImport.created_at.desc()).limit(20)).scalars().all()
    return page(
        request,
        "inventory/lists.html",
        language,
        body=body,
        waiting=waiting,
        total=sum(counts_by_openness(work, Wanted(body.id)).values()),
        limit=reading.LARGEST,
        wrong=wrong,
    )


def _preview(
    request: Request,
    language: str,
    work: Work,
    body: Agency,
    kept: ListImport,
    error: DomainError | None = None,
) -> Response:
    found = plan.make(work, body, service.rows_of(kept))
    secrets = service.secrets_of(kept)
    counts = found.counts
    groups = [
        (
            found.title(group.column, language),
            messages.field_text(group.error, language),
            group,
        )
        for group in plan.grouped([*found.wrong, *secrets])
    ]
    entries = [e for e in found.entries if e.action in (plan.ADDED, plan.CHANGED)]
    return page(
        request,
        "inventory/preview.html",
        language,
        status=409 if error else 200,
        body=body,
        kept=kept,
        counts=counts | {"wrong": counts["wrong"] + len(secrets)},
        groups=groups,
        entries=entries[:SHOWN],
        more=max(0, len(entries) - SHOWN),
        wrong=problems(error, language) if error else [],
        **words(language, found.city),
    )
