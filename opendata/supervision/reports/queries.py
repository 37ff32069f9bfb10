"""Reads of reports: published ones are everybody's, the others their body's and of those who watch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.supervision import policy
from opendata.supervision.reports.models import YearlyReport, deadline_of
from opendata.work.unit import Work


def on_year(work: Work, year: int) -> Sequence[YearlyReport]:
    """The first one first."""
    query = select(YearlyReport).where(YearlyReport.year == year, YearlyReport.published_at.is_not(None))
    return work.session.execute(query.order_by(YearlyReport.published_at)).scalars().all()


def missing(work: Work, year: int) -> Sequence[Agency]:
    """Bodies that owe a report on the year, by name; nobody owes one before 1 April of the next."""
    if day_of(work.now) <= deadline_of(year):
        return []
    told = {report.agency_id for report in on_year(work, year)}
    return [body for body in agencies.every(work) if body.id not in told]


def find(work: Work, agency: Agency, year: int) -> YearlyReport:
    """`NotFound("report_not_found")` for one that is not there, or not for the actor's eyes yet."""
    found = work.session.get(YearlyReport, (agency.id, year))
    if found is None or (found.published_at is None and not policy.may_see(work.actor, agency)):
        raise NotFound("report_not_found", agency=agency.name, year=year)
    return found


def years(work: Work) -> list[int]:
    """Years of which there are reports, the newest first."""
    query = select(YearlyReport.year).distinct().order_by(YearlyReport.year.desc())
    return list(work.session.execute(query).scalars())
