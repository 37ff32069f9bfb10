"""Sources: listed for the people of their bodies, kept by administrators, run by editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.catalog.codes import codes
from opendata.core.errors import Conflict, DomainError, Forbidden, Gathered, Invalid, NotFound, invalid
from opendata.edge.http import part
from opendata.edge.reading import read
from opendata.harvest import policy, queries, service
from opendata.harvest.api import run_shape, settle
from opendata.harvest.models import HarvestSource
from opendata.harvest.remotes.kinds import KINDS
from opendata.harvest.running.jobs import Harvester
from opendata.harvest.schemas import LimitsIn, SourceIn, SourcePatch
from opendata.publishing.trust.models import Trust
from opendata.web.forms import Form, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import Pager, page, see_other
from opendata.web.texts import choose, label, text
from opendata.work.unit import Work

router = APIRouter(prefix="/console/harvest")
Running = Annotated[Harvester, Depends(part("harvester"))]
REFUSED = (Invalid, Conflict, NotFound, Forbidden)
RUNS = 20
_TEXTS = ("name", "kind", "url", "agency", "licence", "trust_reason")
_NUMBERS = ("gone_after_runs", "gone_after_days")
_CYCLES = ("hourly", "daily", "weekly", "monthly")
_LIMITS = tuple(LimitsIn.model_fields)
_LIMIT = "limits."
_TICKS = ("copy_files", "trusted")


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    """Those of the bodies for which the viewer works."""
    rows = []
    for source in queries.sources(work):
        last = queries.runs(work, source, limit=1).items
        rows.append((source, queries.agency_of(work, source), last[0] if last else None))
    return page(
        request, "harvest/list.html", language, rows=rows, may_keep=policy.may_keep_sources(work.actor)
    )


@router.get("/new")
def new(request: Request, language: str, work: MemberWork) -> Response:
    if not policy.may_keep_sources(work.actor):
        raise Forbidden("sysadmin_only")
    usual = {"kind": "ckan", "gone_after_runs": "3", "gone_after_days": "0", "options": "{}"}
    form = Form.of(usual | _limits_of({}))
    return _new(request, language, work, form)


@router.post("/new")
def add(request: Request, language: str, work: MemberWork, harvester: Running, form: PostedForm) -> Response:
    try:
        body = read(SourceIn, _fields(form)).whole(Gathered())
        source = service.add(work, agencies.find(work, body.agency), body.whole())
        settle(work, harvester, source, body)
    except REFUSED as error:
        work.take_back()
        return _new(request, language, work, form, error)
    return see_other(f"/{language}/console/harvest/{source.id}", done="created")


@router.get("/{source:short}")
def one(
    request: Request,
    language: str,
    work: MemberWork,
    source: str,
    page_: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    found = queries.source(work, source)
    return _one(request, language, work, found, _form_of(found), number=page_)


@router.post("/{source:short}")
def act(
    request: Request, language: str, work: MemberWork, harvester: Running, source: str, form: PostedForm
) -> Response:
    """Asks for a run or its preview, saves, or deletes the source, as the pressed button says."""
    found = queries.source(work, source)
    try:
        if form.text("act") in ("run", "preview"):
            run = service.ask_run(work, found, dry_run=form.text("act") == "preview")
            return see_other(f"/{language}/console/harvest/runs/{run.id}")
        if form.text("act") == "end":
            service.end(work, found)
            harvester.folder.forget(found.id)
            return see_other(f"/{language}/console/harvest", done="removed")
        if form.text("act") != "save":
            raise invalid("act", "missing")
        fields = {name: value for name, value in _fields(form).items() if name != "agency"}
        body = read(SourcePatch, fields).whole(Gathered())
        before = found.trust_id
        service.edit(work, found, body.given())
        settle(work, harvester, found, body, trusted_by=before)
    except REFUSED as error:
        work.take_back()
        return _one(request, language, work, queries.source(work, source), form, error)
    return see_other(f"/{language}/console/harvest/{found.id}", done="saved")


def _fields(form: Form) -> dict[str, Any]:
    """As the API takes them. A secret that was not typed stays as it is. `Invalid` naming what is no JSON or no number."""
    wrong = Gathered()
    found: dict[str, Any] = {name: form.text(name) for name in _TEXTS if name in form}
    for name in _NUMBERS:
        with wrong:
            if not form.text(name).isdecimal():
                raise invalid(name, "int_parsing", value=form.text(name)[:20])
            found[name] = int(form.text(name))
    if "schedule" in form:
        found["schedule"] = _schedule(form)
    found["limits"] = {name: form.text(_LIMIT + name) for name in _LIMITS if form.text(_LIMIT + name)}
    with wrong:
        found["options"] = _json(form.text("options") or "{}")
    wrong.raise_if_any()
    found |= {name: bool(form.text(name)) for name in _TICKS}
    return found | ({"secret": form.text("secret")} if form.text("secret") else {})


def _schedule(form: Form) -> str:
    cycle, time = form.text("schedule"), form.text("time")
    return f"{cycle} {time}" if time and cycle not in ("", "hourly") else cycle


def _limits_of(limits: Mapping[str, Any]) -> dict[str, str]:
    """Those that are set, and the usual ones."""
    return {_LIMIT + name: f"{value:.10g}" for name, value in LimitsIn(**limits).model_dump().items()}


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise invalid("options", "json_invalid", error="JSON") from None


def _form_of(source: HarvestSource) -> Form:
    told: Mapping[str, Any] = {name: getattr(source, name) for name in ("name", "kind", "url", "licence")}
    numbers = {name: str(getattr(source, name)) for name in _NUMBERS}
    ticks = {"copy_files": "on" if source.copy_files else "", "trusted": "on" if source.trust_id else ""}
    cycle, _, time = source.schedule.partition(" ")
    options = orjson.dumps(source.options, option=orjson.OPT_INDENT_2).decode()
    when = {"schedule": cycle, "time": time}
    return Form.of({**told, **numbers, **ticks, **when, **_limits_of(source.limits), "options": options})


def _new(
    request: Request, language: str, work: Work, form: Form, wrong: DomainError | None = None
) -> Response:
    bodies = [(body.name, choose(body.title, body.title_en, language)) for body in agencies.every(work)]
    return page(
        request,
        "harvest/new.html",
        language,
        form=form,
        bodies=bodies,
        **_lists(language),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _one(
    request: Request, language: str, work: Work, source: HarvestSource, form: Form, wrong: DomainError | None = None,
    number: int = 1,
) -> Response:  # fmt: skip
    agency = queries.agency_of(work, source)
    found = queries.runs(work, source, offset=(number - 1) * RUNS, limit=RUNS)
    return page(
        request,
        "harvest/source.html",
        language,
        source=source,
        agency=agency,
        trust=work.session.get(Trust, source.trust_id) if source.trust_id else None,
        runs=[run_shape(work, run, source, language) for run in found.items],
        pager=Pager(number, RUNS, found.total),
        live=queries.live_run(work, source.id),
        form=form,
        **_lists(language),
        may_run=policy.may_run(work.actor, agency),
        may_keep=policy.may_keep_sources(work.actor),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _lists(language: str) -> dict[str, Any]:
    """What the form chooses from."""
    licences = codes().licences.values()
    return {
        "kinds": [(kind, label("harvest_kind", kind, language)) for kind in KINDS],
        "licences": [(one.id, choose(one.title, one.title_en, language)) for one in licences],
        "cycles": [(cycle, label("harvest_cycle", cycle, language)) for cycle in _CYCLES],
        "limits": _LIMITS,
        "field_names": {"options": text("harvest.options", language)},
    }
