"""Inventory lines (数据资源清单). What exists is public, also what is not open."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel

from opendata.agencies import queries as agencies
from opendata.edge.conventions import (
    Limit,
    Offset,
    check_if_match,
    documented,
    json_answer,
    known_query,
)
from opendata.edge.http import ApiWork, SignedInWork
from opendata.edge.reading import Body
from opendata.inventory import queries, service
from opendata.inventory.models import InventoryLine
from opendata.inventory.schemas import InventoryLineIn, InventoryLineOut, InventoryLinePatch
from opendata.work.unit import Work

router = APIRouter(tags=["inventory"], dependencies=[Depends(known_query)])


class InventoryPage(BaseModel):
    total: int
    results: list[InventoryLineOut]


@router.post("/inventory", status_code=201)
def create_line(work: SignedInWork, sent: Body[InventoryLineIn], response: Response) -> InventoryLineOut:
    """A new line; elements that are left out are filled in and listed in `defaulted`."""
    wrong = sent.gather()
    agency = agencies.find(work, sent.need("agency", wrong))
    with wrong:
        service.check(agency, {"title": "", **sent.right})
    body = sent.whole(wrong)
    line = service.create(work, agency, body.model_dump(exclude_unset=True, exclude={"agency"}))
    response.headers["Location"] = f"/api/v1/inventory/{line.id}"
    return _shape(work, [line])[0]


@router.get("/inventory", responses=documented(InventoryPage))
def list_lines(
    work: ApiWork,
    agency: Annotated[str | None, Query(description="Name or id of the providing body")] = None,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """Lines by resource code."""
    agency_id = agencies.find(work, agency).id if agency is not None else None
    page = queries.page(work, agency_id=agency_id, offset=offset, limit=limit)
    found = InventoryPage(total=page.total, results=_shape(work, list(page.items)))
    return json_answer(found, public=True)


@router.get("/inventory/{line:path}", responses=documented(InventoryLineOut))
def get_line(work: ApiWork, line: str) -> Response:
    """One line, by its id or its resource code (which holds a slash)."""
    found = queries.find(work, [line])[0]
    return json_answer(_shape(work, [found])[0], public=True, etag=str(found.edition))


@router.patch("/inventory/{line:path}")
def edit_line(
    work: SignedInWork,
    line: str,
    sent: Body[InventoryLinePatch],
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> InventoryLineOut:
    """Changes the named elements. What was filled in counts as written once it is named."""
    found = queries.find(work, [line])[0]
    check_if_match(if_match, str(found.edition))
    agency = agencies.by_ids(work.session, [found.agency_id])[found.agency_id]
    wrong = sent.gather()
    with wrong:
        service.check_update(found, dict(sent.right))
    body = sent.whole(wrong)
    service.update(work, agency, found, body.model_dump(exclude_unset=True))
    response.headers["ETag"] = f'"{found.edition}"'
    return _shape(work, [found])[0]


def _shape(work: Work, lines: list[InventoryLine]) -> list[InventoryLineOut]:
    bodies = agencies.by_ids(work.session, {line.agency_id for line in lines})
    own = InventoryLineOut.model_fields.keys() - {"agency", "provider_code"}
    return [
        InventoryLineOut(
            agency=bodies[line.agency_id].name,
            provider_code=bodies[line.agency_id].uscc,
            **{field: getattr(line, field) for field in own},
        )
        for line in lines
    ]
