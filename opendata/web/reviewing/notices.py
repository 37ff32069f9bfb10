"""What a person should know of, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.accounts.notices import queries, service
from opendata.accounts.notices.sentences import sentence
from opendata.web.http import MemberWork
from opendata.web.public import PageNumber
from opendata.web.render import Pager, page, see_other

router = APIRouter(prefix="/console/notices")
A_PAGE = 50
PageOf = Annotated[PageNumber, Query(alias="page")]


@router.get("")
def listed(request: Request, language: str, work: MemberWork, page_: PageOf = 1) -> Response:
    found = queries.mine(work, offset=(page_ - 1) * A_PAGE, limit=A_PAGE)
    told = [(n, sentence(n, language)) for n in found.items]
    return page(
        request, "reviewing/notices.html", language, told=told, pager=Pager(page_, A_PAGE, found.total)
    )


@router.post("")
def read(language: str, work: MemberWork) -> Response:
    """All of them have been read."""
    service.mark_read(work)
    return see_other(f"/{language}/console/notices", done="notices_read")
