"""Validation reports, and files that are only tried."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from opendata.access import policy
from opendata.access import service as access
from opendata.catalog.profile import ReadOptions
from opendata.core.errors import FieldError, Invalid
from opendata.edge import messages, uploads
from opendata.edge.bodies import check_json
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import ApiWork, AppSettings, part, place_of
from opendata.ports.fetcher.port import Fetcher
from opendata.ports.sandbox.port import Sandbox
from opendata.validation import fetching, service, trial
from opendata.validation.library import api as library
from opendata.validation.library.api import MappedOut, MatchOut
from opendata.validation.library.keeping import api as keeping
from opendata.validation.telling import annotating
from opendata.validation.telling import api as telling
from opendata.validation.telling.schemas import FindingsOut, findings_out

router = APIRouter(tags=["validation"], dependencies=[Depends(known_query)])
router.include_router(keeping.router)  # first: its addresses are longer
router.include_router(library.router)
router.include_router(telling.router)


class ReportOut(BaseModel):
    resource: str
    file: str = Field(description="SHA-256 of the bytes that it is about")
    state: str = Field(
        description="`done`, `waiting` while nobody has looked yet, `no_table` for a file without rows"
    )
    valid: bool | None
    structural: bool | None = Field(description="Whether the table as a whole is unusable")
    error_count: int | None
    report: dict[str, Any] | None = Field(description="A frictionless report")
    problem: dict[str, Any] | None = Field(
        description="Why the file could not be read: code, params, detail (a sentence)"
    )
    findings: FindingsOut | None = Field(description="Its errors, said so that a clerk can act")
    table_schema: dict[str, Any] | None = Field(
        alias="schema", description="The Table Schema it was checked against"
    )
    layout: dict[str, Any] | None = Field(
        description="How it was read: format, encoding, sheet and sheets, header_row, notes of what was odd"
    )


class TrialOut(BaseModel):
    valid: bool
    structural: bool = Field(description="Whether the table as a whole is unusable")
    error_count: int
    schema_name: str | None = Field(description="The ready schema it was checked against")
    schema_version: str | None
    mapped: list[MappedOut] = Field(description="Which column is which field of the schema")
    matches: list[MatchOut] = Field(description="Ready schemas that it fits, if none was asked for")
    findings: FindingsOut = Field(description="Its errors, said so that a clerk can act")
    report: dict[str, Any] = Field(description="A frictionless report")
    rows: int | None = Field(description="How many rows were looked at")
    layout: dict[str, Any] = Field(
        description="How it was read: format, encoding, sheet and sheets, member, header_row, notes of what was odd"
    )


_TEXT = {"type": "string"}
OPTIONS = tuple(name for name in ReadOptions.model_fields if name != "columns")
"""A tried file's columns are found; nothing is kept for the next."""
TRIED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": uploads.described(
            False,
            url={
                "type": "string",
                "description": "In place of the file: where it is on the web (http, https)",
            },
            schema_name={"type": "string", "description": "A ready schema: name, or name/version"},
            schema={"type": "string", "description": "A Table Schema as JSON"},
            **dict.fromkeys(OPTIONS, _TEXT),
        ),
    }
}
TRIAL_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": TrialOut, "content": telling.WORKBOOK["content"]}
}
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
WebFetcher = Annotated[Fetcher, Depends(part("fetcher"))]


@router.get("/resources/{resource}/report", responses=documented(ReportOut))
def get_report(
    work: ApiWork,
    resource: str,
    language: Language,
    draft: Annotated[bool, Query(description="Of the open draft's file (for the body's people)")] = False,
) -> Response:
    """What was found in the resource's file: of the published one, or of the draft's."""
    found = access.resource(work, resource, draft=draft)
    file = access.data_file(work, found)
    verdict = service.known(work.session, file, found.resource.meta)
    profile, report = verdict.profile, verdict.report
    schema = service.schema_of(work.session, found.resource.meta, profile)
    body = {
        "resource": found.resource.id,
        "file": file.sha256,
        "state": service.state_of(verdict),
        "valid": report.valid if report else None,
        "structural": report.structural if report else None,
        "error_count": report.error_count if report else None,
        "report": report.report if report else None,
        "problem": messages.problem_text(profile.error if profile else None, language),
        "findings": findings_out(report.report, schema or {}) if report else None,
        "schema": schema,
        "layout": profile.profile.get("layout") if profile and profile.profile else None,
    }
    public = found.public and policy.is_data_public(found.view) and body["state"] != "waiting"
    return json_answer(body, public=public, headers={"Vary": "Accept-Language"})


@router.post("/validate", responses=TRIAL_ANSWERS, openapi_extra=TRIED)
async def validate(
    request: Request,
    sandbox: Parser,
    settings: AppSettings,
    fetcher: WebFetcher,
    annotate: Annotated[
        bool, Query(description="Answer with the file as a workbook, its wrong cells marked")
    ] = False,
) -> Response:
    """Tries a file, sent or named by its address: against a ready schema (`schema_name`: `name`, or `name/version`), an inline one (`schema`), or neither,
    and then the ready schemas that it fits are proposed. A header in Chinese, or in national codes, is no error. Nothing is
    stored, and nobody needs an account. With `annotate`, or for who accepts XLSX, the answer is the file itself, marked."""
    annotate = annotate or annotating.MEDIA_TYPE in request.headers.get("accept", "")
    with trial.scratch(settings.scratch) as path:
        writer = partial(trial.Scratch, path, trial.MOST_BYTES)
        form = await uploads.receive(request, writer, file_field="file", limit=trial.MOST_BYTES)
        asked = trial_fields(form.fields)
        await run_in_threadpool(_check, sandbox, asked)
        schema_name = asked.pop("schema_name")
        against = await run_in_threadpool(trial.against, place_of(request), asked.pop("schema"), schema_name)
        name = await run_in_threadpool(fetching.take, fetcher, form, path)
        if annotate:
            made = await run_in_threadpool(
                annotating.annotate_trial,
                sandbox,
                path,
                name,
                settings.scratch,
                schema=against.schema,
                **asked,
            )
            return annotating.answer(made, name)
        found = await run_in_threadpool(
            trial.run, sandbox, path, name, schema=against.schema, offered=against.offered, **asked
        )
    return json_answer(trial_body(found))


def trial_body(found: trial.Trial) -> dict[str, Any]:
    schema = found.schema or {}
    return {
        "valid": found.valid,
        "structural": found.structural,
        "error_count": found.error_count,
        "schema_name": schema.get("name") if "x-version" in schema else None,
        "schema_version": schema.get("x-version"),
        "mapped": found.mapped,
        "matches": found.matches,
        "findings": findings_out(found.report, schema, found.own_names),
        "report": found.report,
        "rows": found.rows,
        "layout": found.layout,
    }


def trial_fields(form: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """The fields beside a tried file, `schema`, `schema_name`, `options`. `Invalid` naming each wrong one."""
    known = ("url", "schema_name", "schema", *OPTIONS)
    wrong = [
        FieldError(f[:100], "unknown_field", {"known": ", ".join(known)}) for f in form if f not in known
    ]
    wrong += [FieldError(name[:100], "repeated") for name, value in form.items() if isinstance(value, list)]
    if wrong:
        raise Invalid(fields=wrong)
    given = {name: value for name, value in form.items() if value and name != "url"}
    schema = given.pop("schema", None)
    asked: dict[str, Any] = {"schema": None if schema is None else sent_schema(str(schema).encode())}
    asked["schema_name"] = given.pop("schema_name", "")
    try:
        asked["options"] = ReadOptions.model_validate(given).stored()
    except ValidationError as error:
        names = [str(item["loc"][0]) for item in error.errors()]
        raise Invalid(fields=[FieldError(n, "option_wrong", {"option": n}) for n in names]) from None
    return asked


def sent_schema(data: bytes) -> Any:
    """The JSON of a schema as somebody has it, perhaps with an editor's byte order mark. `Invalid` naming `schema`;
    `TooLarge("json_too_deep")`."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        check_json(data)
    except Invalid as error:
        raise Invalid(fields=[replace(one, path="schema") for one in error.fields]) from None
    return orjson.loads(data)


def _check(sandbox: Sandbox, asked: dict[str, Any]) -> None:
    if asked["schema"] is not None:
        service.check_schema(sandbox, asked["schema"])
