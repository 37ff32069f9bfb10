"""Delegations by REST."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Response

from opendata.accounts.models import User
from opendata.accounts.service import find_user
from opendata.agencies import queries as agencies
from opendata.agencies.delegation import queries, service
from opendata.agencies.delegation.models import Delegation
from opendata.agencies.delegation.schemas import DelegationIn, DelegationOut
from opendata.core.clock import day_of
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.work.unit import Work

router = APIRouter(tags=["delegations"], dependencies=[Depends(known_query)])


@router.post("/delegations", status_code=201, responses=documented(DelegationOut, 201))
def create_delegation(work: SignedInWork, body: DelegationIn) -> Response:
    """Somebody reviews for the caller, or for a member of a body that the caller administers, on those days."""
    agency = agencies.find(work, body.agency)
    absent = find_user(work, body.absent or work.actor.id or "")
    row = service.delegate(
        work,
        agency,
        absent,
        find_user(work, body.delegate),
        first_day=body.first_day,
        last_day=body.last_day,
        reason=body.reason,
    )
    return json_answer(shapes(work, [row])[0], status=201)


@router.get("/delegations", responses=documented(list[DelegationOut]))
def list_delegations(work: SignedInWork) -> Response:
    """Those that name the caller, and those of the bodies that the caller administers, the latest first."""
    return json_answer(shapes(work, queries.seen(work)))


@router.delete("/delegations/{delegation}", status_code=204)
def end_delegation(work: SignedInWork, delegation: str) -> Response:
    """Ends it now. Decisions that were made under it stand."""
    service.end(work, queries.find(work, delegation))
    return Response(status_code=204)


def shapes(work: Work, rows: Sequence[Delegation]) -> list[DelegationOut]:
    bodies = agencies.by_ids(work.session, {row.agency_id for row in rows})
    today = day_of(work.now)
    return [
        DelegationOut(
            agency=bodies[row.agency_id].name,
            absent=work.session.get_one(User, row.absent_id).name,
            delegate=work.session.get_one(User, row.delegate_id).name,
            in_force=row.ended_at is None and row.first_day <= today <= row.last_day,
            **{
                name: getattr(row, name)
                for name in ("id", "first_day", "last_day", "reason", "made_at", "ended_at")
            },
        )
        for row in rows
    ]
