"""The caller's own notices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from opendata.accounts.notices import queries, service
from opendata.accounts.notices.models import Notice, Occasion
from opendata.accounts.notices.schemas import NoticeOut, NoticePage, ReadIn
from opendata.accounts.notices.sentences import sentence
from opendata.edge.conventions import Language, Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import SignedInWork

router = APIRouter(tags=["notices"], dependencies=[Depends(known_query)])


@router.get("/notices", responses=documented(NoticePage))
def list_notices(
    work: SignedInWork,
    language: Language,
    unread: Annotated[bool, Query(description="Only what was not read yet")] = False,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """What the caller should know of (reviews that wait or are late, releases returned or published), newest first."""
    found = queries.mine(work, unread=unread, offset=offset, limit=limit)
    return json_answer(NoticePage(total=found.total, results=[shape(n, language) for n in found.items]))


@router.post("/notices/read", status_code=204)
def read_notices(work: SignedInWork, body: ReadIn) -> Response:
    """The caller has read them."""
    service.mark_read(work, body.notices)
    return Response(status_code=204)


def shape(notice: Notice, language: str) -> NoticeOut:
    return NoticeOut(
        id=notice.id,
        occasion=Occasion(notice.occasion),
        detail=sentence(notice, language),
        path=notice.path,
        at=notice.at,
        read_at=notice.read_at,
    )
