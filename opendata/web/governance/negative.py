"""The negative list, for the city's administrators."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.catalog.codes import codes
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, Forbidden, Invalid, NotFound, invalid
from opendata.edge.conventions import check_if_match
from opendata.inventory.negative import policy, queries, service
from opendata.inventory.negative.models import EntryStatus, Ground, NegativeEntry
from opendata.publishing.governance import already
from opendata.web.forms import Form, Problem, no_day, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/negative-list")
TEXTS = ("subject", "ground", "basis", "approved_by")
MOST = 1000


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    _check(work)
    entries = queries.page(work, limit=MOST).items
    today = day_of(work.now)
    return page(
        request,
        "console/negative_list.html",
        language,
        entries=[(entry, queries.is_due(entry, today)) for entry in entries],
        bodies=agencies.by_ids(work.session, {e.agency_id for e in entries if e.agency_id}),
    )


@router.get("/new")
def new(request: Request, language: str, work: MemberWork) -> Response:
    _check(work)
    return _form(request, language, work, None, Form.of({"valid_from": day_of(work.now).isoformat()}))


@router.post("/new")
def create(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    """An entry that binds from its first day, also what is in review."""
    _check(work)
    try:
        made = service.create(work, _fields(work, form), known_themes=codes().themes)
        found = already.tell(work, made)
    except (Invalid, Conflict, NotFound) as error:
        work.take_back()
        return _form(request, language, work, None, form, _problems(error, language))
    return see_other(f"/{language}/console/negative-list{f'/{made.id}' if found else ''}", done="saved")


@router.get("/{entry:short}")
def one(request: Request, language: str, entry: str, work: MemberWork) -> Response:
    _check(work)
    found = queries.find(work, entry)
    values: dict[str, Any] = {name: getattr(found, name) for name in (*TEXTS, "status", "lift_reason")}
    values |= {"keywords": ", ".join(found.keywords), "items": ", ".join(found.items), "themes": found.themes}
    values |= {"valid_from": found.valid_from.isoformat(), "review_on": found.review_on.isoformat()}
    values["agency"] = (
        agencies.by_ids(work.session, [found.agency_id])[found.agency_id].name if found.agency_id else ""
    )
    return _form(request, language, work, found, Form.of(values | {"edition": str(found.edition)}))


@router.post("/{entry:short}")
def change(request: Request, language: str, entry: str, work: MemberWork, form: PostedForm) -> Response:
    """Saves an entry, or lifts it. What somebody else changed meanwhile is not overwritten: `Stale`."""
    _check(work)
    found = queries.find(work, entry)
    check_if_match(f'"{form.text("edition")}"', str(found.edition))
    try:
        if form.text("status") not in list(EntryStatus):
            raise invalid("status", "missing")
        fields = _fields(work, form) | {
            "status": form.text("status"),
            "lift_reason": form.text("lift_reason"),
        }
        service.change(work, found, fields, known_themes=codes().themes)
        matched = already.tell(work, found)
    except (Invalid, Conflict, NotFound) as error:
        work.take_back()
        return _form(request, language, work, queries.find(work, entry), form, _problems(error, language))
    return see_other(f"/{language}/console/negative-list{f'/{found.id}' if matched else ''}", done="saved")


def _check(work: Work) -> None:
    if not policy.may_keep(work.actor):
        raise Forbidden("city_admin_only")


def _problems(error: Invalid | Conflict | NotFound, language: str) -> list[Problem]:
    field = "agency" if isinstance(error, NotFound) else ""
    return [Problem(problem.field or field, problem.sentence) for problem in problems(error, language)]


def _fields(work: Work, form: Form) -> dict[str, Any]:
    """The form's fields. `Invalid` for a date or a ground that is none, `NotFound` for an unknown body."""
    if form.text("ground") not in list(Ground):
        raise invalid("ground", "missing")
    fields: dict[str, Any] = {name: form.text(name) for name in TEXTS}
    fields |= {
        "keywords": form.words("keywords"),
        "items": form.words("items"),
        "themes": form.many("themes"),
    }
    for name in ("valid_from", "review_on"):
        try:
            fields[name] = date.fromisoformat(form.text(name))
        except ValueError:
            raise no_day(form, name) from None
    fields["agency_id"] = agencies.find(work, form.text("agency")).id if form.text("agency") else None
    return fields


def _form(
    request: Request,
    language: str,
    work: Work,
    entry: NegativeEntry | None,
    form: Form,
    wrong: Sequence[Problem] = (),
) -> Response:
    return page(
        request,
        "console/negative_entry.html",
        language,
        entry=entry,
        matches=list(already.matches(work, [entry])) if entry and entry in queries.in_force(work) else [],
        grounds=[ground.value for ground in Ground],
        statuses=[status.value for status in EntryStatus],
        themes=list(codes().themes),
        bodies=agencies.every(work),
        form=form,
        wrong=wrong,
    )
