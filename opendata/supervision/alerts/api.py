"""Alerts by REST, for the people of a body and for those who watch."""

from __future__ import annotations

from datetime import date, datetime

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from opendata.agencies import queries as agencies
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.supervision.alerts import service
from opendata.supervision.alerts.models import AlertKind

router = APIRouter(tags=["supervision"], dependencies=[Depends(known_query)])


class AlertOut(BaseModel):
    id: str
    agency: str
    kind: AlertKind
    subject: str = Field(description="Id of the order, or of the dataset")
    title: str
    due_on: date
    raised_at: datetime


@router.get("/alerts", responses=documented(list[AlertOut]))
def list_alerts(work: SignedInWork) -> Response:
    """What is overdue at the bodies that you work for or watch, the longest first; a hundred at most."""
    found = service.standing(work)
    bodies = agencies.by_ids(work.session, {alert.agency_id for alert in found})
    told = [
        AlertOut(
            id=alert.id, agency=bodies[alert.agency_id].name, kind=AlertKind(alert.kind), subject=alert.subject_id,
            title=alert.title, due_on=alert.due_on, raised_at=alert.raised_at,
        )
        for alert in found
    ]  # fmt: skip
    return json_answer(told)
