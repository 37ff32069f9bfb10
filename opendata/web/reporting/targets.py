"""Platforms above: read by supervisors, kept by administrators."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.core.errors import Conflict, DomainError, Forbidden, Gathered, Invalid, NotFound, invalid
from opendata.edge.http import part
from opendata.edge.reading import read
from opendata.reporting import mapping, policy, queries, service
from opendata.reporting.api import columns, keep_secret, push_shape
from opendata.reporting.jobs import Reporter
from opendata.reporting.models import ReportTarget
from opendata.reporting.schemas import TargetIn, TargetPatch
from opendata.web.forms import Form, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.web.texts import choose, label, text
from opendata.work.unit import Work

router = APIRouter(prefix="/console/reporting")
Reporting = Annotated[Reporter, Depends(part("reporter"))]
REFUSED = (Invalid, Conflict, NotFound, Forbidden)
PUSHES = 20
_CYCLES = ("hourly", "daily", "weekly", "monthly")
_OBJECTS = ("options", "own_map")


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    rows = []
    for target in queries.targets(work):
        last = queries.pushes(work, target, limit=1).items
        agency = queries.agency_of(work, target)
        rows.append((target, agency, queries.held(work, target.id), last[0] if last else None))
    return page(request, "reporting/list.html", language, rows=rows, may_keep=policy.may_keep(work.actor))


@router.get("/new")
def new(request: Request, language: str, work: MemberWork) -> Response:
    service.check_keeper(work)
    usual = {"pause": "0.2", "options": "{}", "own_map": "{}", "map": "opendata"}
    return _new(request, language, work, Form.of(usual))


@router.post("/new")
def add(request: Request, language: str, work: MemberWork, reporter: Reporting, form: PostedForm) -> Response:
    try:
        service.check_keeper(work)
        body = read(TargetIn, _fields(form)).whole(Gathered())
        target = service.add(work, columns(work, body))
        keep_secret(work, reporter, target, body)
    except REFUSED as error:
        work.take_back()
        return _new(request, language, work, form, error)
    return see_other(f"/{language}/console/reporting/{target.id}", done="created")


@router.get("/{target:short}")
def one(
    request: Request,
    language: str,
    work: MemberWork,
    target: str,
    page_: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    found = queries.target(work, target)
    return _one(request, language, work, found, _form_of(work, found), number=page_)


@router.post("/{target:short}")
def act(
    request: Request, language: str, work: MemberWork, reporter: Reporting, target: str, form: PostedForm
) -> Response:
    """Asks for a push or its preview, saves, or deletes the target, as the pressed button says."""
    found, act = queries.target(work, target), form.text("act")
    try:
        if act in ("push", "preview"):
            how = {name: bool(form.text(name)) for name in ("again", "withdrawals")}
            push = service.ask_push(work, found, dry_run=act == "preview", **how)
            return see_other(f"/{language}/console/reporting/pushes/{push.id}")
        if act == "end":
            service.end(work, found)
            return see_other(f"/{language}/console/reporting", done="removed")
        if act != "save":
            raise invalid("act", "missing")
        service.check_keeper(work)
        body = read(TargetPatch, _fields(form)).whole(Gathered())
        service.edit(work, found, columns(work, body))
        keep_secret(work, reporter, found, body)
    except REFUSED as error:
        work.take_back()
        return _one(request, language, work, queries.target(work, target), form, error)
    return see_other(f"/{language}/console/reporting/{found.id}", done="saved")


def _fields(form: Form) -> dict[str, Any]:
    """As the API takes them. A secret that was not typed stays as it is. `Invalid` naming what is no JSON."""
    wrong = Gathered()
    found: dict[str, Any] = {name: form.text(name) for name in ("name", "url", "map", "pause")}
    found["agency"] = form.text("agency") or None
    cycle, time = form.text("schedule"), form.text("time")
    found["schedule"] = f"{cycle} {time}" if time and cycle not in ("", "hourly") else cycle
    for name in _OBJECTS:
        with wrong:
            found[name] = _json(name, form.text(name) or "{}")
    wrong.raise_if_any()
    return found | ({"secret": form.text("secret")} if form.text("secret") else {})


def _json(name: str, said: str) -> Any:
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:
        raise invalid(name, "json_invalid", error="JSON") from None


def _form_of(work: Work, target: ReportTarget) -> Form:
    agency = queries.agency_of(work, target)
    objects = {
        name: orjson.dumps(getattr(target, name), option=orjson.OPT_INDENT_2).decode() for name in _OBJECTS
    }
    cycle, _, time = target.schedule.partition(" ")
    plain = {"name": target.name, "url": target.url, "map": target.map, "pause": f"{target.pause:.10g}"}
    when = {"schedule": cycle, "time": time, "agency": agency.name if agency else ""}
    return Form.of({**plain, **when, **objects})


def _new(
    request: Request, language: str, work: Work, form: Form, wrong: DomainError | None = None
) -> Response:
    return page(
        request,
        "reporting/new.html",
        language,
        form=form,
        **_lists(work, language),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _one(
    request: Request, language: str, work: Work, target: ReportTarget, form: Form, wrong: DomainError | None = None,
    number: int = 1,
) -> Response:  # fmt: skip
    found = queries.pushes(work, target, offset=(number - 1) * PUSHES, limit=PUSHES)
    used = service.map_of(target)
    return page(
        request,
        "reporting/target.html",
        language,
        target=target,
        agency=queries.agency_of(work, target),
        map_title=used.title if used is not None else target.map,
        held=queries.held(work, target.id),
        pushes=[push_shape(work, push, target, language) for push in found.items],
        pager=Pager(number, PUSHES, found.total),
        live=queries.live_push(work, target.id),
        form=form,
        **_lists(work, language),
        may_keep=policy.may_keep(work.actor),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _lists(work: Work, language: str) -> dict[str, Any]:
    """What the form chooses from."""
    maps = [(name, used.title) for name in mapping.names() if (used := mapping.named(name)) is not None]
    return {
        "maps": maps,
        "bodies": [(body.name, choose(body.title, body.title_en, language)) for body in agencies.every(work)],
        "cycles": [(cycle, label("harvest_cycle", cycle, language)) for cycle in _CYCLES],
        "field_names": {name: text(f"reporting.{name}", language) for name in (*_OBJECTS, "map")},
    }
