"""Disclosure catalogues by REST: public to read; a city administrator names who leads."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.edge.conventions import Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork
from opendata.inventory.catalogues import service
from opendata.inventory.catalogues.service import Catalogue, Entry

router = APIRouter(tags=["inventory"], dependencies=[Depends(known_query)])


class LeadIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agency: str = Field(description="Name or id of the body that leads (牵头单位)")


class LeadOut(BaseModel):
    name: str
    title: str
    title_en: str


class CatalogueOut(BaseModel):
    domain: str
    lead: LeadOut | None = Field(description="Null: nobody has been named yet")
    lines: int
    opened: int = Field(description="Lines that a public dataset opens now")


class EntryOut(BaseModel):
    id: str
    resource_code: str
    title: str
    agency: str
    openness: str
    lead_unit: str = Field(description="牵头单位: the line's own, else the domain's; exactly one")
    responsible_unit: str = Field(description="责任单位: the line's own, else the body that holds it")
    opened_at: datetime | None


class EntriesOut(CatalogueOut):
    total: int
    results: list[EntryOut]


@router.get("/disclosure-catalogues", responses=documented(list[CatalogueOut]))
def list_catalogues(work: ApiWork) -> Response:
    """One for each priority domain (重点领域), with the one body that leads it."""
    return json_answer([_shape(one) for one in service.every(work)])


@router.get("/disclosure-catalogues/{domain}", responses=documented(EntriesOut))
def get_catalogue(work: ApiWork, domain: str, offset: Offset = 0, limit: Limit = 100) -> Response:
    """The public lines of a domain, each with its lead and its responsible unit."""
    wanted = service.domain_of(domain)
    one = next(one for one in service.every(work) if one.domain is wanted)
    page = service.entries(work, wanted, offset=offset, limit=limit)
    told = EntriesOut(
        **_shape(one).model_dump(), total=page.total, results=[_entry(entry) for entry in page.items]
    )
    return json_answer(told)


@router.put("/disclosure-catalogues/{domain}/lead", responses=documented(CatalogueOut))
def put_lead(work: SignedInWork, domain: str, body: LeadIn) -> Response:
    """Who leads a domain, by a city administrator. A domain has one lead: another takes the place of the one before."""
    wanted = service.domain_of(domain)
    service.set_lead(work, wanted, agencies.find(work, body.agency))
    return json_answer(_shape(next(one for one in service.every(work) if one.domain is wanted)))


def _shape(one: Catalogue) -> CatalogueOut:
    lead = _lead(one.lead) if one.lead else None
    return CatalogueOut(domain=one.domain.value, lead=lead, lines=one.lines, opened=one.opened)


def _lead(agency: Agency) -> LeadOut:
    return LeadOut(name=agency.name, title=agency.title, title_en=agency.title_en)


def _entry(entry: Entry) -> EntryOut:
    line = entry.line
    return EntryOut(
        id=line.id,
        resource_code=line.resource_code,
        title=line.title,
        agency=entry.agency.name,
        openness=line.openness,
        lead_unit=entry.lead_unit,
        responsible_unit=entry.responsible_unit,
        opened_at=entry.opened_at,
    )
