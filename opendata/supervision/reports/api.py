"""Yearly reports by REST."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.edge.conventions import check_if_match, documented, json_answer, known_query
from opendata.edge.http import ApiWork, AppSettings, SignedInWork, part
from opendata.ports.sandbox.port import Sandbox
from opendata.supervision.reports import document, queries, service
from opendata.supervision.reports.models import YearlyReport, deadline_of

router = APIRouter(tags=["reports"], dependencies=[Depends(known_query)])
IfMatch = Annotated[str | None, Header()]


class TextsIn(BaseModel):
    """Only the named sections change."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field("", max_length=20_000, description="总体情况")
    problems: str = Field("", max_length=20_000, description="存在问题")
    plans: str = Field("", max_length=20_000, description="改进计划")


class ReportOut(BaseModel):
    agency: str
    year: int
    facts: dict[str, int] = Field(description="Counts at the end of 31 December")
    frozen_at: datetime
    summary: str
    problems: str
    plans: str
    published_at: datetime | None
    published_by: str
    late: bool = Field(description="Published after 31 March")
    edition: int


class ReportRef(BaseModel):
    agency: str
    published_at: datetime
    late: bool


class ReportList(BaseModel):
    year: int
    due_on: date = Field(description="The last day on which reports on the year are in time")
    results: list[ReportRef]
    missing: list[str] = Field(description="Bodies that have published none, from 1 April on")


@router.get("/reports", responses=documented(ReportList))
def list_reports(
    work: ApiWork,
    year: Annotated[int | None, Query(ge=2000, le=2100, description="Last year, if left out")] = None,
) -> Response:
    """Published reports on a year, and who owes one."""
    of = year or day_of(work.now).year - 1
    found = queries.on_year(work, of)
    bodies = agencies.by_ids(work.session, {report.agency_id for report in found})
    told = [
        ReportRef(agency=bodies[r.agency_id].name, published_at=r.published_at, late=r.late)
        for r in found
        if r.published_at is not None
    ]
    missing = [body.name for body in queries.missing(work, of)]
    return json_answer(ReportList(year=of, due_on=deadline_of(of), results=told, missing=missing))


@router.get("/reports/{agency}/{year}", responses=documented(ReportOut))
def get_report(work: ApiWork, agency: str, year: int) -> Response:
    """One report. Before its publication it is for the body's people and for those who watch."""
    body = agencies.find(work, agency)
    return _told(body, queries.find(work, body, year))


@router.get("/reports/{agency}/{year}/document", responses={200: {"content": {document.MEDIA_TYPE: {}}}})
def get_report_document(
    work: ApiWork,
    agency: str,
    year: int,
    settings: AppSettings,
    sandbox: Annotated[Sandbox, Depends(part("sandbox"))],
) -> Response:
    """The report as a DOCX file, in Chinese."""
    body = agencies.find(work, agency)
    made = document.make(sandbox, settings.scratch, queries.find(work, body, year), body)
    headers = {
        "Content-Disposition": f'attachment; filename="report-{body.name}-{year}.docx"',
        "Cache-Control": "private, no-store",
    }
    return Response(made, headers=headers, media_type=document.MEDIA_TYPE)


@router.patch("/reports/{agency}/{year}", responses=documented(ReportOut))
def write_report(
    work: SignedInWork, agency: str, year: int, body: TextsIn, if_match: IfMatch = None
) -> Response:
    """The body's words, until the report is published."""
    of = agencies.find(work, agency)
    report = queries.find(work, of, year)
    check_if_match(if_match, str(report.edition))
    return _told(of, service.write(work, report, of, body.model_dump(exclude_unset=True)))


@router.post("/reports/{agency}/{year}/publication", responses=documented(ReportOut))
def publish_report(work: SignedInWork, agency: str, year: int, if_match: IfMatch = None) -> Response:
    """Publishes the report, signed with the caller's name. It does not change any more."""
    of = agencies.find(work, agency)
    report = queries.find(work, of, year)
    check_if_match(if_match, str(report.edition))
    return _told(of, service.publish(work, report, of))


def _told(body: Agency, report: YearlyReport) -> Response:
    own = ReportOut.model_fields.keys() - {"agency"}
    told = ReportOut(agency=body.name, **{name: getattr(report, name) for name in own})
    return json_answer(told, etag=str(report.edition))
