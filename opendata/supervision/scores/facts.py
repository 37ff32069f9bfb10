"""What the database says of each body in a quarter, as counts: the raw material of scores and yearly reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import and_, case, func, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies import queries as agencies
from opendata.catalog.models import Dataset, File, Release, ResourceVersion
from opendata.core.clock import day_of
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.plan.models import LineOpening, PlanItem, PlanStatus
from opendata.inventory.policy import PUBLIC_LINES
from opendata.review.models import Decision
from opendata.supervision import freshness
from opendata.supervision.periodic import calendar
from opendata.supervision.rectification.models import Act, Order, OrderState, Step
from opendata.supervision.usage import queries as usage
from opendata.validation.models import FileReport
from opendata.work.unit import Work

DECIDED_WITHIN = timedelta(days=10)


class Fact(StrEnum):
    """Counts of one body. Those of a span belong to its days, the others to the moment they are taken."""

    BODIES = "bodies"
    """1: the body itself."""
    CONTACT_KNOWN = "contact_known"
    """1 if its leader, office and a contact are published (D53)."""
    LINES = "lines"
    OPENABLE_LINES = "openable_lines"
    OPENED_LINES = "opened_lines"
    PLANNED_DUE = "planned_due"
    """Plan items of the span's year that were due by its end."""
    PLANNED_IN_TIME = "planned_in_time"
    DATASETS = "datasets"
    """Public ones."""
    REVIEWED_DATASETS = "reviewed_datasets"
    """Of these, those whose periodic review is not overdue (D16)."""
    PROMISING_DATASETS = "promising_datasets"
    """Those with an update cycle."""
    FRESH_DATASETS = "fresh_datasets"
    JUDGED_FILES = "judged_files"
    """Public files that were read against their schema."""
    VALID_FILES = "valid_files"
    DECIDED = "decided"
    """Decisions of reviewers in the span."""
    DECIDED_IN_TIME = "decided_in_time"
    """Within ten days of the submission."""
    ORDERS_DUE = "orders_due"
    """Rectification orders whose deadline lies in the span."""
    ORDERS_IN_TIME = "orders_in_time"
    USED_DATASETS = "used_datasets"
    VIEWS = "views"
    DOWNLOADS = "downloads"
    CALLS = "calls"


Counted = tuple[str, Fact, int]
"""agency id, fact, how many more."""


def gather(work: Work, first: date, last: date) -> dict[str, dict[str, int]]:
    """All facts of every active body, by its id, for the days from `first` to `last`."""
    on = min(last, day_of(work.now))
    found: dict[str, dict[str, int]] = {body.id: dict.fromkeys(Fact, 0) for body in agencies.every(work)}
    sources = (_bodies(work), _lines(work), _plan(work, last), _datasets(work, on), _files(work),
               _decisions(work, first, last), _orders(work, first, last), _uses(work, first, last))  # fmt: skip
    for source in sources:
        for agency_id, fact, more in source:
            if agency_id in found:
                found[agency_id][fact] += more
    return found


def _bodies(work: Work) -> Iterator[Counted]:
    for body in agencies.every(work):
        yield body.id, Fact.BODIES, 1
        known = body.responsible_leader and body.office and (body.contact_email or body.contact_phone)
        yield body.id, Fact.CONTACT_KNOWN, int(bool(known))


def _lines(work: Work) -> Iterator[Counted]:
    openable = InventoryLine.openness != Openness.CLOSED.value
    query = (
        select(
            InventoryLine.agency_id,
            func.count(),
            func.sum(case((openable, 1), else_=0)),
            func.sum(case((and_(openable, LineOpening.line_id.is_not(None)), 1), else_=0)),
        )
        .outerjoin(LineOpening, LineOpening.line_id == InventoryLine.id)
        .where(PUBLIC_LINES)
        .group_by(InventoryLine.agency_id)
    )
    for agency_id, lines, openable_lines, opened in work.session.execute(query):
        yield agency_id, Fact.LINES, int(lines)
        yield agency_id, Fact.OPENABLE_LINES, int(openable_lines)
        yield agency_id, Fact.OPENED_LINES, int(opened)


def _plan(work: Work, last: date) -> Iterator[Counted]:
    due = func.coalesce(PlanItem.delayed_to, PlanItem.planned_on)
    query = (
        select(InventoryLine.agency_id, PlanItem.planned_on, PlanItem.delayed_to, LineOpening.opened_at)
        .join(InventoryLine, and_(InventoryLine.id == PlanItem.line_id, PUBLIC_LINES))
        .outerjoin(LineOpening, LineOpening.line_id == PlanItem.line_id)
        .where(PlanItem.year == last.year, PlanItem.status != PlanStatus.CANCELLED.value, due <= last)
    )
    for agency_id, planned_on, delayed_to, opened_at in work.session.execute(query):
        yield agency_id, Fact.PLANNED_DUE, 1
        in_time = opened_at is not None and day_of(opened_at) <= (delayed_to or planned_on)
        yield agency_id, Fact.PLANNED_IN_TIME, int(in_time)


def _datasets(work: Work, on: date) -> Iterator[Counted]:
    for due in calendar.every(work):
        yield due.agency_id, Fact.DATASETS, 1
        yield due.agency_id, Fact.REVIEWED_DATASETS, int(not due.overdue(on))
    for one in freshness.every(work):
        if one.due_on is not None:
            yield one.agency_id, Fact.PROMISING_DATASETS, 1
            yield one.agency_id, Fact.FRESH_DATASETS, int(not one.missed(on))


def _files(work: Work) -> Iterator[Counted]:
    """Of each public file the newest report."""
    version = ResourceVersion
    shown = and_(
        version.dataset_id == Dataset.id,
        version.shown_by(Release.number),
    )
    query = (
        select(Dataset.agency_id, version.resource_id, FileReport.valid)
        .join(Release, Release.id == Dataset.published_id)
        .join(version, shown)
        .join(File, File.id == version.file_id)
        .join(FileReport, FileReport.sha256 == File.sha256)
        .where(PUBLIC_FILTER)
        .order_by(FileReport.made_at)
    )
    newest = {(agency_id, resource): valid for agency_id, resource, valid in work.session.execute(query)}
    for (agency_id, _resource), valid in newest.items():
        yield agency_id, Fact.JUDGED_FILES, 1
        yield agency_id, Fact.VALID_FILES, int(valid)


def _decisions(work: Work, first: date, last: date) -> Iterator[Counted]:
    query = (
        select(Dataset.agency_id, Release.submitted_at, Decision.decided_at)
        .join(Release, Release.id == Decision.release_id)
        .join(Dataset, Dataset.id == Release.dataset_id)
    )
    for agency_id, submitted_at, decided_at in work.session.execute(query):
        if submitted_at is not None and first <= day_of(decided_at) <= last:
            yield agency_id, Fact.DECIDED, 1
            yield agency_id, Fact.DECIDED_IN_TIME, int(decided_at - submitted_at <= DECIDED_WITHIN)


def _orders(work: Work, first: date, last: date) -> Iterator[Counted]:
    query = select(Order.id, Order.agency_id, Order.deadline, Order.state)
    query = query.where(Order.deadline.between(first, last), Order.state != OrderState.WITHDRAWN.value)
    orders = work.session.execute(query).all()
    evidence = select(Step.order_id, func.min(Step.at)).where(Step.act == Act.EVIDENCE.value)
    answered = {row[0]: row[1] for row in work.session.execute(evidence.group_by(Step.order_id))}
    for order_id, agency_id, deadline, state in orders:
        yield agency_id, Fact.ORDERS_DUE, 1
        at = answered.get(order_id)
        in_time = at is not None and day_of(at) <= deadline and state != OrderState.OPEN.value
        yield agency_id, Fact.ORDERS_IN_TIME, int(in_time)


def _uses(work: Work, first: date, last: date) -> Iterator[Counted]:
    span = usage.Span(first, last)
    for agency_id, uses in usage.by_agency(work, span).items():
        yield agency_id, Fact.VIEWS, uses.views
        yield agency_id, Fact.DOWNLOADS, uses.downloads
        yield agency_id, Fact.CALLS, uses.calls
    for agency_id, used in usage.used_datasets(work, span).items():
        yield agency_id, Fact.USED_DATASETS, used
