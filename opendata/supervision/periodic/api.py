"""Periodic review by REST."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.agencies import queries as agencies
from opendata.core.clock import day_of
from opendata.edge.conventions import Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.supervision.periodic import calendar, service
from opendata.supervision.periodic.models import ReviewOutcome

router = APIRouter(tags=["supervision"], dependencies=[Depends(known_query)])


class DueOut(BaseModel):
    dataset: str = Field(description="The dataset's name")
    title: str
    agency: str
    update_cycle: str
    reviewed_on: date | None = Field(description="The last time")
    due_on: date = Field(description="The last day on which the next review is in time")
    overdue: bool


class DuePage(BaseModel):
    total: int
    results: list[DueOut]


class ReviewIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    outcome: ReviewOutcome = Field(description="What should become of the dataset")
    note: str = Field("", max_length=2000, description="Needed for every outcome but `keep`")
    next_on: date | None = Field(None, description="The next review, if it should come sooner than usual")


class ReviewOut(BaseModel):
    id: str
    dataset: str
    outcome: ReviewOutcome
    note: str
    due_on: date
    next_on: date


@router.get("/periodic-reviews", responses=documented(DuePage))
def list_periodic_reviews(
    work: SignedInWork,
    agency: Annotated[str | None, Query(description="Name or id of the body")] = None,
    overdue: Annotated[bool, Query(description="Only what is late")] = False,
    offset: Offset = 0,
    limit: Limit = 100,
) -> Response:
    """The public datasets of the bodies that you work for or watch, by the day on which they have to be reviewed again."""
    today = day_of(work.now)
    found = calendar.of_bodies(work, [agencies.find(work, agency).id] if agency is not None else None)
    wanted = [due for due in found if due.overdue(today)] if overdue else found
    shown = wanted[offset : offset + limit]
    bodies = agencies.by_ids(work.session, {due.agency_id for due in shown})
    told = [
        DueOut(
            dataset=due.name, title=due.title, agency=bodies[due.agency_id].name, update_cycle=due.cycle,
            reviewed_on=due.reviewed_on, due_on=due.due_on, overdue=due.overdue(today),
        )
        for due in shown
    ]  # fmt: skip
    return json_answer(DuePage(total=len(wanted), results=told))


@router.post("/datasets/{dataset}/periodic-reviews", status_code=201, responses=documented(ReviewOut, 201))
def close_periodic_review(work: SignedInWork, dataset: str, body: ReviewIn) -> Response:
    """Records that a public dataset was looked at again, by a reviewer or an administrator of its body."""
    due = calendar.of_dataset(work, dataset)
    agency = agencies.by_ids(work.session, [due.agency_id])[due.agency_id]
    made = service.close(work, due, agency, **body.model_dump())
    told = ReviewOut(
        id=made.id,
        dataset=due.name,
        outcome=body.outcome,
        note=made.note,
        due_on=made.due_on,
        next_on=made.next_on,
    )
    return json_answer(told, status=201)
