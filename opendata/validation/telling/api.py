"""A resource's file back with its wrong cells marked."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from opendata.catalog.files import Stores
from opendata.edge.conventions import known_query
from opendata.edge.http import AppSettings, authorize, part
from opendata.ports.sandbox.port import Sandbox
from opendata.validation.models import Prepared
from opendata.validation.telling import annotating
from opendata.validation.telling.waiting import LATER, answered, waiting

router = APIRouter(tags=["validation"], dependencies=[Depends(known_query)])
WORKBOOK: dict[str, Any] = {
    "description": "The workbook. `X-Validation-Valid`, `-Errors`, `-Complete` (all errors are marked) and `-Whole` (all rows "
    "are in it) say what its last sheet says to people.",
    "content": {annotating.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}


@router.get("/resources/{resource}/report.xlsx", responses={200: WORKBOOK, **LATER}, response_class=Response)
async def get_marked_file(
    request: Request,
    resource: str,
    sandbox: Annotated[Sandbox, Depends(part("sandbox"))],
    stores: Annotated[Stores, Depends(part("stores"))],
    settings: AppSettings,
    draft: Annotated[bool, Query(description="Of the open draft's file (for the body's people)")] = False,
) -> Response:
    """The resource's file as a workbook, its wrong cells coloured and commented in Chinese and English: an XLSX as it is,
    anything else as a copy of its rows. The first 10,000 errors, copies of 50,000 rows. Of a file over 20 MB a job makes it:
    202, and the same address has it later."""
    asked = await authorize(request, partial(annotating.wanted, resource=resource, draft=draft))
    made = await answered(
        request,
        annotating.question(asked),
        lambda: annotating.annotate_resource(sandbox, stores, settings.scratch, asked),
        lambda found: annotating.restored(stores, found),
    )
    if isinstance(made, Prepared):
        return waiting(request, made)
    return annotating.answer(made, asked.file.name, public=asked.public)
