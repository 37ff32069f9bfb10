"""Freezing the numbers, writing the words, publishing both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select

from opendata.agencies import policy as rights
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.names import clean_text
from opendata.supervision.reports.models import SECTIONS, YearlyReport
from opendata.supervision.scores import facts as counted
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace


def freeze(place: Workplace) -> None:
    """Job: in January, the numbers of every body for the year that is over, once. A platform that was not there in January
    has nothing true to say about that year."""
    with place.reading(SYSTEM) as work:
        today = day_of(work.now)
        year = today.year - 1
        if today.month != 1 or _is_frozen(work, year):
            return
        found = counted.gather(work, date(year, 1, 1), date(year, 12, 31))
    with place.writing(SYSTEM) as work:
        if _is_frozen(work, year):
            return
        for agency_id, facts in sorted(found.items()):
            work.session.add(YearlyReport(agency_id=agency_id, year=year, facts=facts, frozen_at=work.now))
        work.session.flush()
        work.record("reports.frozen", "year", str(year))


def _is_frozen(work: Work, year: int) -> bool:
    query = select(YearlyReport.agency_id).where(YearlyReport.year == year)
    return work.session.execute(query.limit(1)).first() is not None


def write(work: Work, report: YearlyReport, agency: Agency, texts: Mapping[str, str]) -> YearlyReport:
    """The body's words. Errors: `Forbidden("agency_editor_only")`, `Conflict("report_published")`."""
    _check(work, report, agency)
    for name in SECTIONS:
        if name in texts:
            setattr(report, name, clean_text(texts[name]).strip())
    work.session.flush()
    work.record("report.written", "yearly_report", f"{agency.name}/{report.year}", fields=sorted(texts))
    return report


def publish(work: Work, report: YearlyReport, agency: Agency) -> YearlyReport:
    """Signed and public from now on; it does not change any more. `Invalid` naming every section without words."""
    _check(work, report, agency)
    if not rights.may_publish(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    empty = [FieldError(name, "missing") for name in SECTIONS if not getattr(report, name)]
    if empty:
        raise Invalid(fields=empty)
    report.published_at, report.published_by = work.now, work.actor.name
    work.session.flush()
    work.record("report.published", "yearly_report", f"{agency.name}/{report.year}", late=report.late)
    return report


def _check(work: Work, report: YearlyReport, agency: Agency) -> None:
    if not rights.may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)
    if report.published_at is not None:
        raise Conflict("report_published", year=report.year)
