"""What helps a clerk to mend a draft's file: the file itself with its wrong cells marked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.catalog.files import Stores
from opendata.edge.http import AppSettings, part
from opendata.ports.sandbox.port import Sandbox
from opendata.validation.telling import annotating
from opendata.validation.telling.annotating import Wanted
from opendata.web.console.drafts import find
from opendata.web.http import let_in
from opendata.work.unit import Work

router = APIRouter(prefix="/console")
FILE = "/dataset/{dataset:short}/files/{resource:short}"
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
FileStores = Annotated[Stores, Depends(part("stores"))]


@router.get(FILE + "/marked")
async def marked(
    request: Request, dataset: str, resource: str, sandbox: Parser, stores: FileStores, settings: AppSettings
) -> Response:
    """For those who work for the body, as the file itself."""

    def may(work: Work) -> Wanted:
        find(work, dataset)
        return annotating.wanted(work, resource, draft=True)

    asked = await let_in(request, may)
    made = await run_in_threadpool(annotating.annotate_resource, sandbox, stores, settings.scratch, asked)
    return annotating.answer(made, asked.file.name)
