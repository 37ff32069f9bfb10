"""The disclosure catalogues of the priority domains, for everybody; city administrators name there who leads."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.core.errors import invalid
from opendata.inventory.catalogues import service
from opendata.inventory.negative.policy import may_keep
from opendata.web.http import MemberWork, PageWork, PostedForm
from opendata.web.render import Pager, page, see_other

router = APIRouter()
LINES_A_PAGE = 50


@router.get("/catalogues")
def every(request: Request, language: str, work: PageWork) -> Response:
    """Each domain with its lead, and how much of it is open."""
    return page(request, "catalogues.html", language, public=True, catalogues=service.every(work))


@router.get("/catalogues/{domain:short}")
def one(
    request: Request,
    language: str,
    domain: str,
    work: PageWork,
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """A domain's lines, each with its one lead and its responsible unit."""
    wanted = service.domain_of(domain)
    found = service.entries(work, wanted, offset=(page_ - 1) * LINES_A_PAGE, limit=LINES_A_PAGE)
    may_lead = may_keep(work.actor)
    return page(
        request,
        "catalogue.html",
        language,
        public=not may_lead,
        catalogue=next(one for one in service.every(work) if one.domain is wanted),
        entries=found.items,
        pager=Pager(page_, LINES_A_PAGE, found.total),
        bodies=agencies.every(work) if may_lead else [],
    )


@router.post("/console/catalogues/{domain:short}/lead")
def set_lead(language: str, domain: str, work: MemberWork, form: PostedForm) -> Response:
    """`Forbidden` for all but the city's administrators."""
    wanted = service.domain_of(domain)
    if not form.text("agency"):
        raise invalid("agency", "missing")
    service.set_lead(work, wanted, agencies.find(work, form.text("agency")))
    return see_other(f"/{language}/catalogues/{wanted.value}", done="saved")
