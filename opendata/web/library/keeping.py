"""The city's own table schemas at the desk: the list, a new one by upload, what differs, the second person's decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from opendata.accounts import service as accounts
from opendata.catalog.library.models import SchemaState, SchemaVersion
from opendata.core.errors import Conflict, DomainError, Invalid, Stale, TooLarge, invalid
from opendata.edge import messages, uploads
from opendata.edge.bodies import check_json
from opendata.edge.http import part
from opendata.edge.reading import read
from opendata.inventory.negative.policy import may_keep
from opendata.ports.sandbox.port import Sandbox
from opendata.validation.library import dictionary
from opendata.validation.library.keeping import policy, queries, service
from opendata.validation.library.keeping.schemas import Outcome, SchemaVersionIn
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import MemberWork, PostedForm, change, let_in
from opendata.web.render import page, see_other
from opendata.work.unit import Work

HERE = "/console/schemas"
router = APIRouter(prefix=HERE)
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
REFUSED = (Invalid, Conflict, Stale, TooLarge)


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    """All versions of the city, in every state."""
    found = queries.listed(work)
    return page(
        request,
        "library/kept.html",
        language,
        versions=found,
        authors=accounts.called(work, _people(found)),
        writes=may_keep(work.actor),
    )


@router.get("/new")
def new(request: Request, language: str, work: MemberWork) -> Response:
    policy.check_writer(work.actor)
    return _form(request, language)


@router.post("/new")
async def create(request: Request, language: str, sandbox: Parser) -> Response:
    """A draft from a file of JSON."""
    await let_in(request, lambda work: policy.check_writer(work.actor))
    form = Form()
    try:
        form, data = await _receive(request)
        sent = _read(form, data)
        descriptor = await run_in_threadpool(service.check, sandbox, sent)
        made = await change(request, form, lambda work: service.create(work, descriptor, sent.note).id)
    except REFUSED as error:
        wrong = problems_of(error, language)
        return await let_in(request, lambda work: _form(request, language, form, wrong))
    return see_other(f"/{language}{HERE}/{made}", done="saved")


@router.get("/{version:short}")
def one(request: Request, language: str, version: str, work: MemberWork) -> Response:
    return _show(request, language, work, queries.find(work, version))


@router.post("/{version:short}/contents")
async def replace(request: Request, language: str, version: str, sandbox: Parser) -> Response:
    """Other contents for a draft, from a file of JSON."""
    await let_in(request, lambda work: policy.check_writer(work.actor))
    try:
        form, data = await _receive(request)
        sent = _read(form, data)
        descriptor = await run_in_threadpool(service.check, sandbox, sent)
        act = partial(_replace, version, descriptor, sent.note)
        await change(request, form, act)
    except REFUSED as error:
        wrong = problems_of(error, language)
        return await let_in(
            request, lambda work: _show(request, language, work, queries.find(work, version), wrong)
        )
    return see_other(f"/{language}{HERE}/{version}", done="saved")


@router.post("/{version:short}/{act}")
def act(
    request: Request, language: str, version: str, act: str, work: MemberWork, form: PostedForm
) -> Response:
    """Submits, publishes, returns, withdraws or discards it."""
    found = queries.find(work, version)
    try:
        done = _act(work, found, act, form)
    except REFUSED as error:
        work.take_back()
        return _show(request, language, work, queries.find(work, version), problems_of(error, language))
    where = f"/{language}{HERE}" if act == "discard" else f"/{language}{HERE}/{version}"
    return see_other(where, done=done)


def _act(work: Work, found: SchemaVersion, act: str, form: Form) -> str:
    """The word for `?done=`."""
    reason, seen = form.text("reason"), form.text("hash")
    if act == "submit":
        service.submit(work, found)
        return "saved"
    if act in ("approve", "return"):
        service.decide(work, found, Outcome(act), seen, reason)
        return "approved" if act == "approve" else "rejected"
    if act == "withdraw":
        if not reason:
            raise invalid("reason", "missing")
        service.withdraw(work, found, reason)
        return "saved"
    if act != "discard":
        raise invalid(
            "act", "unknown_value", value=act[:40], known="submit, approve, return, withdraw, discard"
        )
    service.discard(work, found)
    return "discarded"


def _replace(version: str, descriptor: dict[str, Any], note: str, work: Work) -> None:
    service.change(work, queries.find(work, version), descriptor, note)


async def _receive(request: Request) -> tuple[Form, bytes]:
    """The form and its file."""
    gathered = uploads.Gathered(service.LARGEST)
    received = await uploads.receive(request, gathered.open, file_field="file", limit=service.LARGEST)
    return Form.of(received.fields), gathered.data


def _read(form: Form, data: bytes) -> SchemaVersionIn:
    """The schema that was sent. `Invalid` naming every wrong place of the file by its path."""
    if not data:
        raise invalid("file", "missing")
    data = data.removeprefix(b"\xef\xbb\xbf")
    check_json(data)
    sent = read(SchemaVersionIn, {"schema": orjson.loads(data), "note": form.text("note")})
    return sent.whole(sent.gather())


def problems_of(error: DomainError, language: str) -> list[Problem]:
    """Places of the file stand before their sentences: the form has one input for all of them."""
    if not error.fields:
        return problems(error, language)
    told = []
    for field in error.fields:
        sentence = messages.field_text(field, language)
        inside = field.path.startswith(("schema", "body"))
        place = field.path.removeprefix("schema.")
        told.append(Problem("file", f"{place}: {sentence}") if inside else Problem(field.path, sentence))
    return told


def _form(
    request: Request, language: str, form: Form | None = None, wrong: Sequence[Problem] = ()
) -> Response:
    return page(
        request, "library/new.html", language, form=form or Form(), limit=service.LARGEST, wrong=wrong
    )


def _show(
    request: Request, language: str, work: Work, found: SchemaVersion, wrong: Sequence[Problem] = ()
) -> Response:
    since, differences = queries.changes(work, found.descriptor)
    mine = work.actor.id == found.author_id and may_keep(work.actor)
    return page(
        request,
        "library/version.html",
        language,
        found=found,
        author=accounts.called(work, _people([found]))[found.author_id],
        decider=accounts.called(work, _people([found])).get(found.decided_by or "", ""),
        since=since,
        differences=[(one, _shown(one.before), _shown(one.after)) for one in differences],
        breaking=any(one.breaking for one in differences),
        entries=dictionary.entries(found.descriptor, language),
        contents=json.dumps(found.descriptor, ensure_ascii=False, indent=1),
        edits=mine and found.state in (SchemaState.DRAFT.value, SchemaState.IN_REVIEW.value),
        submits=mine and found.state == SchemaState.DRAFT.value,
        decides=found.state == SchemaState.IN_REVIEW.value and policy.decides(work.actor) and not mine,
        discards=may_keep(work.actor)
        and found.state in (SchemaState.DRAFT.value, SchemaState.IN_REVIEW.value),
        withdraws=may_keep(work.actor) and found.state == SchemaState.PUBLISHED.value,
        limit=service.LARGEST,
        wrong=wrong,
    )


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and "title" in value:  # a field
        return f"{value['title']} ({value.get('type', 'any')})"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:2000]


def _people(found: Sequence[SchemaVersion]) -> Iterator[str | None]:
    for one in found:
        yield from (one.author_id, one.decided_by)
