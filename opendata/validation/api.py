"""Validation reports, and the ready Table Schemas."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from opendata.access import policy
from opendata.access import service as access
from opendata.catalog.codes import codes
from opendata.core.errors import NotFound
from opendata.edge import messages
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import ApiWork
from opendata.validation import service

router = APIRouter(tags=["validation"], dependencies=[Depends(known_query)])


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
    table_schema: dict[str, Any] | None = Field(
        alias="schema", description="The Table Schema it was checked against"
    )


class SchemaRef(BaseModel):
    name: str
    title: str
    fields: int


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
    body = {
        "resource": found.resource.id,
        "file": file.sha256,
        "state": service.state_of(verdict),
        "valid": report.valid if report else None,
        "structural": report.structural if report else None,
        "error_count": report.error_count if report else None,
        "report": report.report if report else None,
        "problem": messages.problem_text(profile.error if profile else None, language),
        "schema": service.schema_of(found.resource.meta, profile),
    }
    public = found.public and policy.is_data_public(found.view) and body["state"] != "waiting"
    return json_answer(body, public=public, headers={"Vary": "Accept-Language"})


@router.get("/schemas", responses=documented(list[SchemaRef]))
def list_schemas(work: ApiWork) -> Response:
    """The ready Table Schemas that a resource may name in `schema_name`."""
    found = [
        SchemaRef(name=name, title=str(schema.get("title", name)), fields=len(schema.get("fields", [])))
        for name, schema in codes().table_schemas.items()
    ]
    return json_answer(found, public=True)


@router.get("/schemas/{name}", responses=documented(dict[str, Any]))
def get_schema(work: ApiWork, name: str) -> Response:
    schema = codes().table_schemas.get(name)
    if schema is None:
        raise NotFound("schema_not_found", id=name[:100])
    return json_answer(dict(schema), public=True)
