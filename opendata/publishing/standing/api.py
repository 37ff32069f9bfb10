"""Standing release authorities by REST."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from opendata.access import policy as access_policy
from opendata.accounts.models import User
from opendata.accounts.service import find_user
from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.models import Dataset
from opendata.core.errors import NotFound
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.inventory.models import InventoryLine
from opendata.publishing.governance.bar import lines_of
from opendata.publishing.standing import service
from opendata.publishing.standing.models import Standing, StandingAuthority
from opendata.publishing.standing.sentences import sentence
from opendata.review.models import DecisionKind, Outcome
from opendata.work.unit import Work

router = APIRouter(tags=["standing authorities"], dependencies=[Depends(known_query)])


class StandingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(description="Name or id; it is public")
    line: str | None = Field(
        None, description="Id or code of the inventory line, among those that the dataset opens; the first"
    )
    source: str = Field(description="Name or id of the account that delivers the updates, alone")
    rows_drift: int = Field(
        ge=0, le=100, description="Percent by which the number of rows may differ from now"
    )
    filled_drift: int = Field(
        ge=0, le=100, description="Percentage points by which the filled share of a column may differ"
    )
    expires_on: date = Field(description="The last day, at most 366 days away")
    reason: str = Field(min_length=1, max_length=1000)


class StandingDecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: DecisionKind
    outcome: Outcome
    terms_hash: str = Field(pattern="^[0-9a-f]{64}$", description="Of the terms that were looked at")
    reason: str = Field("", max_length=5000)


class StandingApprovalOut(BaseModel):
    kind: str
    reviewer: str
    on_behalf_of: str | None
    approved_at: datetime


class StandingOut(BaseModel):
    id: str
    dataset: str
    line: str | None
    source: str
    schema_hash: str
    baseline: dict[str, Any] = Field(description="By resource: rows, and by column the filled share")
    rows_drift: int
    filled_drift: int
    expires_on: date
    reason: str
    terms_hash: str
    state: Standing
    stopped_by: list[str] = Field(description="Why it is suspended")
    approvals: list[StandingApprovalOut]
    proposed_at: datetime
    changed_at: datetime


@router.post("/standing-authorities", status_code=201, responses=documented(StandingOut, 201))
def propose_standing(work: SignedInWork, body: StandingIn, language: Language) -> Response:
    """Proposes that updates of this dataset, within these bounds, go out by themselves. Both reviewers are asked."""
    dataset = queries.dataset(work, body.dataset, visible=access_policy.draft_filter(work))
    agency = work.session.get_one(Agency, dataset.agency_id)
    lines = [x for x in lines_of(work, dataset) if body.line in (None, x.id, x.resource_code)]
    row = service.propose(
        work,
        dataset,
        agency,
        lines[0] if lines else None,
        find_user(work, body.source),
        **body.model_dump(include={"rows_drift", "filled_drift", "expires_on", "reason"}),
    )
    headers = {"Location": f"/api/v1/standing-authorities/{row.id}"}
    return json_answer(_shapes(work, [row], language)[0], status=201, headers=headers)


@router.get("/standing-authorities", responses=documented(list[StandingOut]))
def list_standing(
    work: SignedInWork, language: Language, state: Annotated[Standing | None, Query()] = None
) -> Response:
    """Those of the bodies for which the caller works, the latest first."""
    query = select(StandingAuthority).join(Dataset, Dataset.id == StandingAuthority.dataset_id)
    query = query.where(access_policy.draft_filter(work))
    if state is not None:
        query = query.where(StandingAuthority.state == state.value)
    rows = work.session.execute(query.order_by(StandingAuthority.proposed_at.desc()).limit(1000)).scalars()
    return json_answer(_shapes(work, rows.all(), language))


@router.get("/standing-authorities/{authority}", responses=documented(StandingOut))
def get_standing(work: SignedInWork, authority: str, language: Language) -> Response:
    return json_answer(_shapes(work, [_find(work, authority)], language)[0])


@router.post("/standing-authorities/{authority}/decisions", responses=documented(StandingOut))
def decide_standing(
    work: SignedInWork, authority: str, body: StandingDecisionIn, language: Language
) -> Response:
    """One of the two decisions about exactly these terms. The second approval makes it active."""
    row = _find(work, authority)
    agency = work.session.get_one(Agency, row.agency_id)
    service.decide(work, row, agency, **dict(body))
    return json_answer(_shapes(work, [row], language)[0])


@router.delete("/standing-authorities/{authority}", status_code=204)
def end_standing(work: SignedInWork, authority: str) -> Response:
    """Ends it. What went out by it stays."""
    row = _find(work, authority)
    service.end(work, row, work.session.get_one(Agency, row.agency_id))
    return Response(status_code=204)


def _find(work: Work, authority_id: str) -> StandingAuthority:
    query = select(StandingAuthority).join(Dataset, Dataset.id == StandingAuthority.dataset_id)
    query = query.where(StandingAuthority.id == authority_id, access_policy.draft_filter(work))
    row = work.session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound("standing_not_found", id=authority_id[:100])
    return row


def _shapes(work: Work, rows: Sequence[StandingAuthority], language: str) -> list[StandingOut]:
    def name(user_id: str | None) -> str | None:
        return work.session.get_one(User, user_id).name if user_id else None

    told = StandingOut.model_fields.keys() - {"dataset", "line", "source", "stopped_by", "approvals"}
    found = []
    for row in rows:
        line = work.session.get(InventoryLine, row.line_id)
        approvals = [
            {
                "kind": a.kind,
                "reviewer": name(a.reviewer_id),
                "on_behalf_of": name(a.on_behalf_of),
                "approved_at": a.approved_at,
            }
            for a in service.approvals(work, row)
        ]
        shape = {field: getattr(row, field) for field in told} | {
            "dataset": work.session.get_one(Dataset, row.dataset_id).name,
            "line": line.resource_code if line else None,
            "source": name(row.source_id),
            "stopped_by": [sentence(problem, language) for problem in row.stopped_by],
            "approvals": approvals,
        }
        found.append(StandingOut.model_validate(shape))
    return found
