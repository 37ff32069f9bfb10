"""Waivers for written rows by REST."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.access import policy as access_policy
from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.publishing.rows import waiving
from opendata.review.detect.rules import Rule
from opendata.review.models import RowWaiver
from opendata.work.unit import Work

router = APIRouter(tags=["rows"], dependencies=[Depends(known_query)])


class RowWaiverIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    column: str = Field(min_length=1, max_length=300, description="As the refusal named it")
    rule: Rule = Field(description="As the refusal named it")
    reason: str = Field(max_length=5000, description="Why it may be public; kept in the audit trail")


class RowWaiverOut(BaseModel):
    id: str
    column: str
    rule: str
    reason: str
    waived_by: str
    waived_at: datetime
    ended_at: datetime | None


@router.get("/resources/{resource}/row-waivers", responses=documented(list[RowWaiverOut]))
def list_row_waivers(work: SignedInWork, resource: str) -> Response:
    """What secrecy reviewers let pass in rows that CKAN's clients write under the `direct` policy, ended ones too: for the
    people of the body."""
    _agency_of(work, resource)
    return json_answer([_out(waiver, user.name) for waiver, user in waiving.listed(work, resource)])


@router.post("/resources/{resource}/row-waivers", status_code=201, responses=documented(RowWaiverOut, 201))
def waive_in_rows(work: SignedInWork, resource: str, body: RowWaiverIn) -> Response:
    """A secrecy reviewer records why what a rule finds in a column of written rows may be public. It holds for the resource
    until it is ended, and never for rows that the reviewer writes."""
    agency = _agency_of(work, resource)
    made = waiving.waive(work, agency, resource, column=body.column, rule=body.rule, reason=body.reason)
    return json_answer(_out(made, work.actor.name), status=201)


@router.delete("/resources/{resource}/row-waivers/{waiver}", status_code=204, response_class=Response)
def end_row_waiver(work: SignedInWork, resource: str, waiver: str) -> Response:
    """A secrecy reviewer ends a waiver: the next rows are refused again. Those that were written stay."""
    waiving.end(work, _agency_of(work, resource), resource, waiver)
    return Response(status_code=204)


def _agency_of(work: Work, resource_id: str) -> Agency:
    visible = access_policy.draft_filter(work)
    dataset = queries.dataset_of_resource(work, resource_id, visible=visible)
    return work.session.get_one(Agency, dataset.agency_id)


def _out(waiver: RowWaiver, name: str) -> dict[str, Any]:
    body = RowWaiverOut(
        id=waiver.id,
        column=waiver.place,
        rule=waiver.rule,
        reason=waiver.reason,
        waived_by=name,
        waived_at=waiver.waived_at,
        ended_at=waiver.ended_at,
    )
    return body.model_dump()
