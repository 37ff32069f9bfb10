"""A push: what it would send, how far it is, what the platform above said of each record."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.core.errors import Conflict, DomainError, Forbidden, Invalid, invalid
from opendata.reporting import policy, queries, service
from opendata.reporting.api import line_shape, push_shape
from opendata.reporting.models import PushAction, ReportPush, ReportTarget
from opendata.web.forms import problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/reporting/pushes")
LINES = 100
SHOWN: tuple[str, ...] = (*PushAction, *queries.RESULTS)
"""What the lines can be narrowed to: what is done with a record, or what became of that."""


@router.get("/{push:short}")
def one(
    request: Request,
    language: str,
    work: MemberWork,
    push: str,
    show: Annotated[str, Query(max_length=20)] = "",
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    found, target = queries.push(work, push)
    return _one(request, language, work, found, target, show=show, number=page_)


@router.post("/{push:short}")
def cancel(request: Request, language: str, work: MemberWork, push: str, form: PostedForm) -> Response:
    found, target = queries.push(work, push)
    try:
        if form.text("act") != "cancel":
            raise invalid("act", "missing")
        service.cancel(work, found)
    except (Invalid, Conflict, Forbidden) as error:
        work.take_back()
        found, target = queries.push(work, push)
        return _one(request, language, work, found, target, wrong=error)
    return see_other(f"/{language}/console/reporting/pushes/{found.id}", done="saved")


def _one(
    request: Request,
    language: str,
    work: Work,
    push: ReportPush,
    target: ReportTarget,
    *,
    show: str = "",
    number: int = 1,
    wrong: DomainError | None = None,
) -> Response:
    show = show if show in SHOWN else ""
    narrowed = {"states": [show]} if show in queries.RESULTS else {"actions": [show]} if show else {}
    lines = queries.lines(work, push.id, offset=(number - 1) * LINES, limit=LINES, **narrowed)
    return page(
        request,
        "reporting/push.html",
        language,
        push=push_shape(work, push, target, language),
        target=target,
        lines=[line_shape(line, language) for line in lines.items],
        pager=Pager(number, LINES, lines.total),
        shown=SHOWN,
        show=show,
        is_over=push.ended_at is not None,
        may_keep=policy.may_keep(work.actor),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )
