"""The city's table schemas over REST."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from opendata.accounts.models import User
from opendata.catalog.library.models import SchemaState, SchemaVersion
from opendata.core.canonical import sha256_json
from opendata.core.errors import Unauthenticated
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork, authorize, part, perform
from opendata.edge.reading import Body
from opendata.ports.sandbox.port import Sandbox
from opendata.validation.library.api import find as find_schema
from opendata.validation.library.keeping import policy, queries, service
from opendata.validation.library.keeping.schemas import (
    DifferenceOut,
    DifferencesOut,
    SchemaDecisionIn,
    SchemaVersionDetail,
    SchemaVersionIn,
    SchemaVersionOut,
    SchemaWithdrawalIn,
)
from opendata.work.unit import Work

router = APIRouter(tags=["schemas"], dependencies=[Depends(known_query)])
Parser = Annotated[Sandbox, Depends(part("sandbox"))]
DETAIL = documented(SchemaVersionDetail)


@router.post("/schemas", status_code=201, responses=documented(SchemaVersionDetail, 201))
async def create_schema(request: Request, sent: Body[SchemaVersionIn], sandbox: Parser) -> Response:
    """A draft of a table schema, or of a new version of one that there is; by an administrator of the city. It goes out
    when somebody else has approved it (`/schema-versions/{id}/submit`, `/decisions`)."""
    await authorize(request, _may_write)
    body = sent.whole(sent.gather())
    descriptor = await run_in_threadpool(service.check, sandbox, body)

    def create(work: Work) -> Response:
        made = service.create(work, descriptor, body.note)
        return json_answer(
            _detail(work, made), status=201, headers={"Location": f"/api/v1/schema-versions/{made.id}"}
        )

    return await perform(request, create, digest=sha256_json(descriptor | {"note": body.note}))


@router.get("/schemas/{name}/{version}/differences", responses=documented(DifferencesOut))
def get_differences(
    work: ApiWork,
    name: str,
    version: str,
    since: Annotated[
        str | None, Query(max_length=14, description="Another version; the one before if left out")
    ] = None,
) -> Response:
    """What differs between two published versions, and whether a file that was valid may not be so any more."""
    return json_answer(_differences(work, find_schema(work, name, version), since), public=True)


@router.get("/schema-versions", responses=documented(list[SchemaVersionOut]))
def list_schema_versions(work: SignedInWork, state: SchemaState | None = None) -> Response:
    """The city's table schemas in every state, the newest first: for administrators of the city and content reviewers."""
    return json_answer([_shape(work, found) for found in queries.listed(work, state)])


@router.get("/schema-versions/{version}", responses=DETAIL)
def get_schema_version(work: SignedInWork, version: str) -> Response:
    """One, with the schema and what differs from the version before."""
    return json_answer(_detail(work, queries.find(work, version)))


@router.put("/schema-versions/{version}", responses=DETAIL)
async def put_schema_version(
    request: Request, version: str, sent: Body[SchemaVersionIn], sandbox: Parser
) -> Response:
    """Other contents for a draft, by its author."""
    await authorize(request, _may_write)
    body = sent.whole(sent.gather())
    descriptor = await run_in_threadpool(service.check, sandbox, body)

    def change(work: Work) -> Response:
        found = queries.find(work, version)
        return json_answer(_detail(work, service.change(work, found, descriptor, body.note)))

    return await perform(request, change, digest=sha256_json(descriptor | {"note": body.note}))


@router.delete("/schema-versions/{version}", status_code=204, response_class=Response)
def discard_schema_version(work: SignedInWork, version: str) -> Response:
    """Gives a draft up."""
    service.discard(work, queries.find(work, version))
    return Response(status_code=204)


@router.post("/schema-versions/{version}/submit", responses=DETAIL)
def submit_schema_version(work: SignedInWork, version: str) -> Response:
    """Asks for the review; by its author."""
    return json_answer(_detail(work, service.submit(work, queries.find(work, version))))


@router.post("/schema-versions/{version}/decisions", responses=DETAIL)
def decide_on_schema_version(work: SignedInWork, version: str, body: SchemaDecisionIn) -> Response:
    """Publishes it, or returns it with a reason: by another administrator of the city or a content reviewer."""
    found = queries.find(work, version)
    return json_answer(_detail(work, service.decide(work, found, body.outcome, body.hash, body.reason)))


@router.post("/schema-versions/{version}/withdraw", responses=DETAIL)
def withdraw_schema_version(work: SignedInWork, version: str, body: SchemaWithdrawalIn) -> Response:
    """A published version is offered no longer. It stays readable: datasets were validated against it."""
    return json_answer(_detail(work, service.withdraw(work, queries.find(work, version), body.reason)))


def _may_write(work: Work) -> None:
    if work.actor.id is None:
        raise Unauthenticated("token_needed")
    policy.check_writer(work.actor)


def _differences(work: Work, schema: Any, since: str | None = None) -> DifferencesOut:
    before, found = queries.changes(work, schema, since)
    return DifferencesOut(
        name=str(schema["name"]),
        since=before,
        version=str(schema["x-version"]),
        breaking=any(one.breaking for one in found),
        differences=[DifferenceOut(**asdict(one)) for one in found],
    )


def _shape(work: Work, found: SchemaVersion) -> SchemaVersionOut:
    return SchemaVersionOut(**_facts(work, found))


def _detail(work: Work, found: SchemaVersion) -> dict[str, Any]:
    changes = _differences(work, found.descriptor)
    return SchemaVersionDetail(**_facts(work, found), schema=found.descriptor, changes=changes).model_dump(
        mode="json", by_alias=True
    )


def _facts(work: Work, found: SchemaVersion) -> dict[str, Any]:
    own = (
        "id",
        "name",
        "version",
        "state",
        "hash",
        "note",
        "created_at",
        "submitted_at",
        "decided_at",
        "reason",
    )
    return {name: getattr(found, name) for name in own} | {
        "author": work.session.get_one(User, found.author_id).name
    }
