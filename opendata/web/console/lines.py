"""Which inventory lines a dataset opens: chosen among those of its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.core.errors import Invalid, NotFound
from opendata.inventory import queries as inventory
from opendata.inventory.models import Openness
from opendata.inventory.queries import Wanted
from opendata.publishing import drafts as drafting
from opendata.web.console.drafts import Place, find, opened_lines
from opendata.web.forms import Problem, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/dataset/{dataset:short}/lines")
OFFERED = 50
"""Lines that a search offers; a narrower one offers others."""


@router.get("")
def choose(
    request: Request,
    language: str,
    dataset: str,
    work: MemberWork,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    return _show(request, language, work, _editable(work, dataset), q.replace("\0", "").strip())


@router.post("")
def save(request: Request, language: str, dataset: str, work: MemberWork, form: PostedForm) -> Response:
    """The dataset opens exactly the ticked lines afterwards."""
    place = _editable(work, dataset)
    try:
        drafting.set_lines(work, place.dataset, list(inventory.find(work, dict.fromkeys(form.many("lines")))))
    except (Invalid, NotFound) as error:
        work.take_back()
        wrong = [Problem("", p.sentence) for p in problems(error, language)]
        return _show(request, language, work, _editable(work, dataset), "", wrong)
    return see_other(f"/{language}/console/dataset/{place.dataset.id}", done="saved")


def _editable(work: Work, dataset: str) -> Place:
    place = find(work, dataset)
    drafting.check_editor(work, place.agency)
    return place


def _show(
    request: Request, language: str, work: Work, place: Place, words: str, wrong: Sequence[Problem] = ()
) -> Response:
    """The chosen lines stay ticked whatever is searched for; closed ones are told apart, as they cannot be opened."""
    chosen = list(opened_lines(work, place.dataset))
    found = inventory.page(work, Wanted(place.agency.id, text=words), limit=OFFERED)
    known = {line.id for line in chosen}
    return page(
        request,
        "console/lines.html",
        language,
        place=place,
        chosen=chosen,
        offered=[line for line in found.items if line.id not in known],
        total=found.total,
        limit=OFFERED,
        closed=Openness.CLOSED.value,
        words=words,
        wrong=wrong,
    )
