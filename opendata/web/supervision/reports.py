"""Yearly reports: read by everybody, written and published by the body."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.agencies import policy as rights
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import Forbidden, Invalid
from opendata.edge.conventions import check_if_match
from opendata.supervision.reports import queries, service
from opendata.supervision.reports.models import SECTIONS, YearlyReport, deadline_of
from opendata.supervision.scores.facts import Fact
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import MemberWork, PageWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter()
SHOWN = tuple(fact for fact in Fact if fact not in (Fact.BODIES, Fact.CONTACT_KNOWN))


@router.get("/reports")
def listed(
    request: Request,
    language: str,
    work: PageWork,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
) -> Response:
    """Published reports, and from 1 April on who owes one."""
    of = year or day_of(work.now).year - 1
    found = queries.on_year(work, of)
    return page(
        request,
        "supervision/reports.html",
        language,
        year=of,
        years=sorted({of, *queries.years(work)}, reverse=True),
        reports=found,
        bodies=agencies.by_ids(work.session, {report.agency_id for report in found}),
        missing=queries.missing(work, of),
        due_on=deadline_of(of),
    )


@router.get("/reports/{name:short}/{year:int}")
def one(request: Request, language: str, name: str, year: int, work: PageWork) -> Response:
    body = agencies.find(work, name)
    return page(
        request,
        "supervision/report.html",
        language,
        body=body,
        report=queries.find(work, body, year),
        sections=SECTIONS,
        shown=SHOWN,
        may_edit=rights.may_edit(work.actor, body),
    )


@router.get("/console/reports/{name:short}/{year:int}")
def edit(request: Request, language: str, name: str, year: int, work: MemberWork) -> Response:
    body, report = _find(work, name, year)
    values = {section: getattr(report, section) for section in SECTIONS}
    return _form(request, language, body, report, Form.of(values))


@router.post("/console/reports/{name:short}/{year:int}")
def write(
    request: Request, language: str, name: str, year: int, work: MemberWork, form: PostedForm
) -> Response:
    """Saves the words; with the second button it publishes them. What somebody else wrote meanwhile is not overwritten."""
    body, report = _find(work, name, year)
    check_if_match(f'"{form.text("edition")}"', str(report.edition))
    try:
        service.write(work, report, body, {section: form.text(section)[:20_000] for section in SECTIONS})
        if form.text("act") == "publish":
            service.publish(work, report, body)
            return see_other(f"/{language}/reports/{body.name}/{year}", done="saved")
    except Invalid as error:
        work.take_back()
        body, report = _find(work, name, year)
        return _form(request, language, body, report, form, problems(error, language))
    return see_other(f"/{language}/console/reports/{body.name}/{year}", done="saved")


def _find(work: Work, name: str, year: int) -> tuple[Agency, YearlyReport]:
    body = agencies.find(work, name)
    if not rights.may_edit(work.actor, body):
        raise Forbidden("agency_editor_only", agency=body.title)
    return body, queries.find(work, body, year)


def _form(
    request: Request,
    language: str,
    body: Agency,
    report: YearlyReport,
    form: Form,
    wrong: list[Problem] | None = None,
) -> Response:
    return page(
        request,
        "supervision/edit_report.html",
        language,
        body=body,
        report=report,
        due_on=deadline_of(report.year),
        sections=SECTIONS,
        form=form,
        wrong=wrong or (),
    )
