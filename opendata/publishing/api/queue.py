"""The reviewers' queue: what waits for whom, until when."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from opendata.access import policy as access_policy
from opendata.access.schemas import agency_ref
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.catalog import views
from opendata.catalog.models import Dataset, Release
from opendata.catalog.views import DatasetView
from opendata.core.calendar import workdays
from opendata.core.clock import day_of
from opendata.edge import messages
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.publishing.api.schemas import QueueEntry
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.review.models import DecisionKind
from opendata.review.rounds import queries as rounds
from opendata.review.rounds.models import ReviewRound
from opendata.review.rounds.service import is_overdue
from opendata.work.unit import Work

router = APIRouter(tags=["releases"], dependencies=[Depends(known_query)])


@router.get("/reviews", responses=documented(list[QueueEntry]))
def list_reviews(
    work: SignedInWork,
    language: Language,
    mine: Annotated[bool, Query(description="Only what the caller may decide now")] = False,
    overdue: Annotated[bool, Query(description="Only what is overdue")] = False,
) -> Response:
    """Releases that wait for a decision of a body for which the caller reviews, the longest waiting first."""
    waiting = reviews.queue(work, visible=access_policy.draft_filter(work))
    opened = rounds.open_rounds(work, [release.id for _dataset, release in waiting])
    entries = []
    for dataset, release in waiting:
        agency = work.session.get_one(Agency, dataset.agency_id)
        roles = [kind for kind in DecisionKind if may_review(work.actor, agency, review.ROLE_OF[kind])]
        if roles:
            entry = _entry(work, dataset, release, opened.get(release.id), language)
            if (entry["for_me"] or not mine) and (entry["overdue"] or not overdue):
                entries.append(entry)
    return json_answer(entries)


def submitted(release: Release, language: str) -> dict[str, Any]:
    return {
        "id": release.id,
        "number": release.number,
        "state": release.state,
        "sentence": messages.state_text(release.sentence, language),
        "content_hash": release.content_hash,
    }


def dataset_ref(view: DatasetView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.dataset.name,
        "title": view.meta.title,
        "agency": agency_ref(view.agency),
    }


def round_out(work: Work, row: ReviewRound) -> dict[str, Any]:
    return {
        "number": row.number,
        "content_hash": row.content_hash,
        "opened_at": row.opened_at,
        "due_on": row.due_on,
        "official_calendar": row.official,
        "overdue": is_overdue(row, day_of(work.now)),
        "result": row.result,
        "closed_at": row.closed_at,
    }


def _entry(
    work: Work, dataset: Dataset, release: Release, row: ReviewRound | None, language: str
) -> dict[str, Any]:
    view = views.one(work.session, dataset, release)
    people = rounds.reviewers(work, release, view.agency)
    today = day_of(work.now)
    return {
        "release": submitted(release, language),
        "dataset": dataset_ref(view),
        "submitted_at": release.submitted_at,
        "decided": sorted(kind.value for kind in DecisionKind if kind not in people),
        "for_me": [kind.value for kind in people if review.may_decide(work, release, view.agency, kind)],
        "reviewers": {kind.value: [user.name for user in found] for kind, found in people.items()},
        "number": row.number if row else None,
        "due_on": row.due_on if row else None,
        "working_days_left": workdays.between(today, row.due_on) if row else None,
        "official_calendar": row.official if row else None,
        "overdue": row is not None and is_overdue(row, today),
    }
