"""Answers that take longer than anybody waits: made at once for a small file, by a job for a large one. The one place where
requests wait for `preparing`, of the API and of the console."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from opendata.edge.conventions import documented, json_answer
from opendata.edge.http import place_of
from opendata.validation import preparing
from opendata.validation.models import Prepared
from opendata.validation.preparing import Question

T = TypeVar("T")


class WaitingOut(BaseModel):
    state: str = Field(description="`waiting`: a job is at it")
    asked_at: datetime
    again: str = Field(description="The same call, after `Retry-After` seconds, has the answer")


LATER = documented(WaitingOut, 202)


async def answered(
    request: Request, question: Question, at_once: Callable[[], T], prepared: Callable[[Prepared], T]
) -> T | Prepared:
    """`at_once()` for a small file; for a large one `prepared(row)`, or the row alone while its job is at it. Both may block.
    Errors: theirs, and those of `preparing.look`."""
    if not question.is_large:
        return await run_in_threadpool(at_once)
    found = await run_in_threadpool(preparing.look, place_of(request), question)
    if found.state == preparing.State.WAITING.value:
        return found
    return await run_in_threadpool(prepared, found)


def waiting(request: Request, found: Prepared) -> Response:
    """202: where to look, and when."""
    body = WaitingOut(
        state=found.state, asked_at=found.asked_at, again=f"{request.method} {request.url.path}"
    )
    headers = {"Retry-After": str(preparing.RETRY_SECONDS), "Location": request.url.path}
    return json_answer(body, status=202, headers=headers)
