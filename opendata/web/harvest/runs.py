"""A run: its plan before anything is changed, the decision it may wait for, its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.core.errors import Conflict, DomainError, Forbidden, Invalid, invalid
from opendata.harvest import policy, queries, service
from opendata.harvest.api import outcome_shape, run_shape
from opendata.harvest.models import Action, HarvestOutcome, HarvestRun, HarvestSource, OutcomeState
from opendata.harvest.running.sentences import sentences
from opendata.web import texts
from opendata.web.forms import problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/harvest/runs")
LINES = 100
SHOWN: tuple[str, ...] = (*Action, "failed", "left")
"""What the lines can be narrowed to: what is done with a record, or what became of that."""
_STATES = {state.value for state in OutcomeState}


@router.get("/{run:short}")
def one(
    request: Request,
    language: str,
    work: MemberWork,
    run: str,
    show: Annotated[str, Query(max_length=20)] = "",
    page_: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    found, source = queries.run(work, run)
    return _one(request, language, work, found, source, show=show, number=page_)


@router.post("/{run:short}")
def decide(request: Request, language: str, work: MemberWork, run: str, form: PostedForm) -> Response:
    """Confirms or refuses what is missing, or cancels, as the pressed button says."""
    found, source = queries.run(work, run)
    try:
        if form.text("act") in ("confirm", "refuse"):
            service.decide(work, found, source, form.text("act"))
        elif form.text("act") == "cancel":
            service.cancel(work, found, source)
        else:
            raise invalid("act", "missing")
    except (Invalid, Conflict, Forbidden) as error:
        work.take_back()
        found, source = queries.run(work, run)
        return _one(request, language, work, found, source, wrong=error)
    return see_other(f"/{language}/console/harvest/runs/{found.id}", done="saved")


def _one(
    request: Request,
    language: str,
    work: Work,
    run: HarvestRun,
    source: HarvestSource,
    *,
    show: str = "",
    number: int = 1,
    wrong: DomainError | None = None,
) -> Response:
    show = show if show in SHOWN else ""
    narrowed = {"states": [show]} if show in _STATES else {"actions": [show]} if show else {}
    lines = queries.outcomes(work, run.id, offset=(number - 1) * LINES, limit=LINES, **narrowed)
    agency = queries.agency_of(work, source)
    return page(
        request,
        "harvest/run.html",
        language,
        run=run_shape(work, run, source, language),
        source=source,
        agency=agency,
        lines=[(outcome_shape(line, language), _told(line, language)) for line in lines.items],
        pager=Pager(number, LINES, lines.total),
        shown=SHOWN,
        show=show,
        is_over=run.ended_at is not None,
        may_run=policy.may_run(work.actor, agency),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _told(line: HarvestOutcome, language: str) -> list[str]:
    """The report's sentences, with fields as the forms call them."""
    return sentences([_in_words(one, language) for one in line.told], language)


def _in_words(told: Mapping[str, Any], language: str) -> dict[str, Any]:
    params = dict(told["params"])
    if "kept" in params:
        params["kept"] = [texts.harvested_place(place, language) for place in params["kept"]]
    place = told.get("path", "")
    return {**told, "params": params, "path": texts.harvested_place(place, language) if place else ""}
