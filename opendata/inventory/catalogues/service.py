"""Catalogues by domain: who leads, and the public lines, each with exactly one lead unit (D36)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from opendata.agencies.models import Agency
from opendata.core.errors import Forbidden, NotFound
from opendata.core.paging import Page
from opendata.inventory.catalogues.models import DomainLead
from opendata.inventory.models import Domain, InventoryLine
from opendata.inventory.negative.policy import may_keep
from opendata.inventory.plan.models import LineOpening
from opendata.inventory.policy import PUBLIC_LINES
from opendata.work.unit import Work

PRIORITY = (Domain.LIVELIHOOD, Domain.PUBLIC_SERVICE, Domain.MARKET_SUPERVISION)
"""重点领域. What belongs to none of them has no catalogue."""


@dataclass(frozen=True)
class Catalogue:
    domain: Domain
    lead: Agency | None
    """None: the city has not said it yet, and the page says so."""
    lines: int
    opened: int


@dataclass(frozen=True)
class Entry:
    """A line of a catalogue."""

    line: InventoryLine
    agency: Agency
    lead_unit: str
    """What the line itself names, else the domain's lead; empty while there is neither."""
    responsible_unit: str
    """What the line itself names, else the body that holds it."""
    opened_at: datetime | None


def domain_of(name: str) -> Domain:
    """`NotFound("catalogue_not_found")` for what is no priority domain."""
    found = next((domain for domain in PRIORITY if domain.value == name), None)
    if found is None:
        raise NotFound("catalogue_not_found", domain=name[:30], known=", ".join(PRIORITY))
    return found


def every(work: Work) -> list[Catalogue]:
    """All of them, in the order of the document that asks for them."""
    leads = _leads(work)
    counts = (
        select(InventoryLine.domain, func.count(), func.count(LineOpening.line_id))
        .outerjoin(LineOpening, LineOpening.line_id == InventoryLine.id)
        .where(PUBLIC_LINES, InventoryLine.domain.in_(PRIORITY))
        .group_by(InventoryLine.domain)
    )
    found = {str(name): (int(lines), int(opened)) for name, lines, opened in work.session.execute(counts)}
    return [Catalogue(domain, leads.get(domain), *found.get(domain.value, (0, 0))) for domain in PRIORITY]


def entries(work: Work, domain: Domain, *, offset: int = 0, limit: int = 100) -> Page[Entry]:
    """The public lines of a domain by resource code, those that are to be opened first."""
    lead = _leads(work).get(domain)
    where = (PUBLIC_LINES, InventoryLine.domain == domain.value)
    query = (
        select(InventoryLine, Agency, LineOpening.opened_at)
        .join(Agency, Agency.id == InventoryLine.agency_id)
        .outerjoin(LineOpening, LineOpening.line_id == InventoryLine.id)
        .where(*where)
        .order_by(case((InventoryLine.openness == "closed", 1), else_=0), InventoryLine.resource_code)
    )
    rows: Sequence[tuple[InventoryLine, Agency, datetime | None]] = [
        (line, agency, at) for line, agency, at in work.session.execute(query.offset(offset).limit(limit))
    ]
    total = work.session.execute(select(func.count()).select_from(InventoryLine).where(*where)).scalar_one()
    found = [
        Entry(
            line,
            agency,
            line.lead_unit or (lead.title if lead else ""),
            line.responsible_unit or agency.title,
            at,
        )
        for line, agency, at in rows
    ]
    return Page(found, total, offset, limit)


def set_lead(work: Work, domain: Domain, agency: Agency) -> None:
    """From now on this body leads the domain, and no other. `Forbidden("city_admin_only")`."""
    if not may_keep(work.actor):
        raise Forbidden("city_admin_only")
    row = work.session.get(DomainLead, domain.value)
    before = row.agency_id if row else None
    if before == agency.id:
        return
    if row is None:
        row = DomainLead(domain=domain.value)
        work.session.add(row)
    row.agency_id, row.set_by, row.set_at = agency.id, work.actor.id, work.now
    work.session.flush()
    work.record("catalogue.lead_set", "domain", domain.value, before=before, after=agency.id)


def _leads(work: Work) -> Mapping[str, Agency]:
    query = select(DomainLead.domain, Agency).join(Agency, Agency.id == DomainLead.agency_id)
    return {Domain(name): agency for name, agency in work.session.execute(query)}
