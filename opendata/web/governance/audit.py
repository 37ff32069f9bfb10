"""The audit trail for supervisors: searched, read page by page, taken along."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.accounts.service import called
from opendata.core.clock import BEIJING
from opendata.edge.http import place_of
from opendata.edge.trail.api import Format, check_reader
from opendata.edge.trail.api import export as exported
from opendata.edge.trail.sentences import sentence
from opendata.web.forms import Problem
from opendata.web.http import MemberWork
from opendata.web.render import page
from opendata.web.texts import text
from opendata.work import trail
from opendata.work.trail import Filter

router = APIRouter(prefix="/console/audit")
LINES_A_PAGE = 100
FIELDS = ("actor", "action", "subject_type", "subject", "since", "until")


@router.get("")
def search(
    request: Request, language: str, work: MemberWork, before: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """Lines of the trail, the newest first."""
    check_reader(work)
    wanted, wrong = _wanted(request, language)
    rows = [] if wrong else trail.newest(work, wanted, before=before, limit=LINES_A_PAGE)
    return page(
        request,
        "console/audit.html",
        language,
        rows=[
            (row, sentence(row.action, language), json.dumps(row.details, ensure_ascii=False)) for row in rows
        ],
        people=called(work, [row.actor_id for row in rows]),
        older=rows[-1].seq if len(rows) == LINES_A_PAGE else None,
        head=trail.head(work),
        heads=trail.published_heads(work, 7),
        asked={name: request.query_params.get(name, "")[:200] for name in FIELDS},
        wrong=wrong,
    )


@router.get("/export")
def export(request: Request, language: str, work: MemberWork, format: Format = Format.CSV) -> Response:
    """The same lines, all of them, the oldest first."""
    check_reader(work)
    wanted, _wrong = _wanted(request, language)
    return exported(place_of(request), wanted, format, 0, trail.head(work).seq)


def _wanted(request: Request, language: str) -> tuple[Filter, list[Problem]]:
    """The form's filter, by days in Beijing, both of them included; and what is wrong with it."""
    given = {name: request.query_params.get(name, "").strip()[:200] for name in FIELDS}
    days: dict[str, datetime | None] = {}
    wrong = []
    for name in ("since", "until"):
        try:
            day = date.fromisoformat(given[name]) if given[name] else None
        except ValueError:
            day = None
            wrong.append(Problem(name, text("audit.no_date", language)))
        days[name] = (
            datetime.combine(day, time.max if name == "until" else time.min, BEIJING) if day else None
        )
    words = (given["subject"], given["subject_type"], given["actor"], given["action"])
    return Filter(*words, days["since"], days["until"]), wrong
