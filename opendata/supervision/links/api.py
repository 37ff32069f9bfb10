"""What came of asking a link, by REST."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from opendata.access import policy
from opendata.access import service as access
from opendata.edge.conventions import Language, Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import ApiWork
from opendata.supervision.links import queries
from opendata.supervision.links.models import REACHED, LinkCheck
from opendata.supervision.links.wording import sentence_of

router = APIRouter(tags=["quality"], dependencies=[Depends(known_query)])


class LookOut(BaseModel):
    day: date = Field(description="In Beijing")
    at: datetime
    reached: bool
    outcome: str = Field(description="`reached`, or the code of what went wrong")
    status: int | None = Field(description="Of the server's answer, where it was no good one")
    changed: bool = Field(description="The file was another one than at the look before")
    detail: str = Field(description="The outcome in words")


class LinkChecksOut(BaseModel):
    resource: str
    url: str
    reached: bool | None = Field(description="At the last look; null before the first")
    broken: bool = Field(description="Could not be reached on three days in a row")
    changed_on: date | None = Field(
        description="Since when the remote file has been as it is, by its server's word, else by the look that noticed it; "
        "null if the server tells nothing of it"
    )
    size: int | None = Field(description="Bytes of the remote file, if its server told")
    retry_at: datetime | None = Field(description="Until then its host wants to be left alone")
    total: int
    results: list[LookOut] = Field(
        description="Looks at this address, the newest first, of the last 400 days"
    )


@router.get("/resources/{resource}/link-checks", responses=documented(LinkChecksOut))
def link_checks(
    work: ApiWork, language: Language, resource: str, offset: Offset = 0, limit: Limit = 100
) -> Response:
    """The daily looks at the address of a resource that leads elsewhere: whether it could be reached, and when the file behind it
    changed."""
    found = access.resource(work, resource)
    policy.check_data(work.actor, found.view)
    url = queries.link_of(found)
    page = queries.history(work, found.resource.id, url, offset=offset, limit=limit)
    last = queries.looks(work, found.resource.id, url, limit=queries.BROKEN_AFTER)
    newest = last[0] if last else None
    told = LinkChecksOut(
        resource=found.resource.id,
        url=url,
        reached=newest.outcome == REACHED if newest else None,
        broken=queries.is_broken(last),
        changed_on=newest.changed_on if newest else None,
        size=newest.length if newest else None,
        retry_at=newest.retry_at if newest else None,
        total=page.total,
        results=[_look(look, language) for look in page.items],
    )
    return json_answer(told, headers={"Vary": "Accept-Language"})


def _look(look: LinkCheck, language: str) -> LookOut:
    return LookOut(
        day=look.day,
        at=look.at,
        reached=look.outcome == REACHED,
        outcome=look.outcome,
        status=look.status,
        changed=look.changed,
        detail=sentence_of(look, language),
    )
