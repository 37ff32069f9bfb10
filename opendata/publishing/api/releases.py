"""Releases: submit, follow, decide, schedule."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from opendata.access import policy as access_policy
from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.catalog import views
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset, Release
from opendata.catalog.views import DatasetView
from opendata.edge import messages
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.inventory.negative.models import EntryStatus, NegativeEntry
from opendata.publishing import service
from opendata.publishing.api import changes, editing, queue
from opendata.publishing.api.editing import How
from opendata.publishing.api.findings import findings_out
from opendata.publishing.api.queue import dataset_ref, submitted
from opendata.publishing.api.schemas import (
    DecisionIn,
    DecisionOut,
    ReleaseOut,
    ScheduleIn,
    SubmitIn,
    SubmittedOut,
)
from opendata.publishing.timing import scheduling
from opendata.review import queries as reviews
from opendata.review.models import Decision, NegativeHit
from opendata.review.rounds import queries as rounds
from opendata.validation import service as validation
from opendata.work.unit import Work

router = APIRouter(tags=["releases"], dependencies=[Depends(known_query)])


@router.post("/datasets/{dataset}/releases", status_code=202, responses=documented(SubmittedOut, 202))
def create_release(work: SignedInWork, dataset: str, how: How, body: SubmitIn | None = None) -> Response:
    """Hands the open draft in. Screening and validation begin; `GET /releases/{id}` tells how far it is. A `correction`
    needs one review if nothing but wording and contact differ from what is public (`policy` is `light` then); with any
    other difference it goes the ordinary road."""
    began = editing.begin(work, dataset, how)
    correction = body is not None and body.correction
    release = service.submit(work, began.dataset, began.agency, correction=correction)
    if how.dry_run:
        return editing.finish(work, began, how)
    return json_answer(
        submitted(release, how.language), status=202, headers={"Location": f"/api/v1/releases/{release.id}"}
    )


@router.get("/releases/{release}", responses=documented(ReleaseOut))
def get_release(work: SignedInWork, release: str, language: Language) -> Response:
    """Where it stands, what was found in it and what was decided; for those who work for the body."""
    dataset, found = _find(work, release)
    view = views.one(work.session, dataset, found)
    lacking = editing.missing(work, view, language) if State(found.state) in EDITABLE_STATES else []
    author = work.session.get(User, found.author_id) if found.author_id else None
    body = {
        **submitted(found, language),
        "dataset": dataset_ref(view),
        "policy": found.policy,
        "author": author.name if author else None,
        "submitted_at": found.submitted_at,
        "publish_at": found.publish_at,
        "published_at": found.published_at,
        "rounds": [queue.round_out(work, row) for row in rounds.of_release(work, found.id)],
        "changed_since_published": changes.since_published(work, view),
        "changed_since_return": changes.since_return(work, view),
        "screening": findings_out(work, found, language),
        "negative_hits": [_hit(hit, entry) for hit, entry in reviews.negative_hits(work, found)],
        "validation": _validation(work, view, language),
        "decisions": [_decision(work, d, user.name) for d, user in reviews.decisions(work, found.id)],
        "missing": lacking,
    }
    return json_answer(body)


@router.post("/releases/{release}/decisions", status_code=201, responses=documented(DecisionOut, 201))
def decide(work: SignedInWork, release: str, body: DecisionIn) -> Response:
    """One of the two decisions, for exactly the content of that hash. The second approval publishes."""
    dataset, found = _find(work, release)
    agency = work.session.get_one(Agency, dataset.agency_id)
    decision = service.decide(
        work,
        dataset,
        found,
        agency,
        kind=body.kind,
        outcome=body.outcome,
        content_hash=body.content_hash,
        reason=body.reason,
        field_reasons=[entry.model_dump() for entry in body.fields],
    )
    return json_answer(_decision(work, decision, work.actor.name), status=201)


@router.put("/releases/{release}/schedule", responses=documented(SubmittedOut))
def schedule(work: SignedInWork, release: str, body: ScheduleIn, language: Language) -> Response:
    """When an approved release becomes public: not before that time. The negative list is asked again then. Once a reviewer
    has decided, the time can only be put off."""
    dataset, found = _find(work, release)
    agency = work.session.get_one(Agency, dataset.agency_id)
    scheduling.schedule(work, found, agency, body.publish_at)
    return json_answer(submitted(found, language))


def _find(work: Work, release_id: str) -> tuple[Dataset, Release]:
    return service.find_release(work, release_id, visible=access_policy.draft_filter(work))


def _hit(hit: NegativeHit, entry: NegativeEntry) -> dict[str, Any]:
    return {
        "entry": entry.number,
        "subject": entry.subject,
        "basis": entry.basis,
        "field": hit.place,
        "word": hit.word,
        "lifted": entry.status == EntryStatus.LIFTED.value,
    }


def _decision(work: Work, decision: Decision, reviewer: str) -> dict[str, Any]:
    absent = work.session.get(User, decision.on_behalf_of) if decision.on_behalf_of else None
    return {
        "id": decision.id,
        "kind": decision.kind,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "content_hash": decision.content_hash,
        "fields": decision.field_reasons,
        "reviewer": reviewer,
        "on_behalf_of": absent.name if absent else None,
        "decided_at": decision.decided_at,
        "void": decision.void_at is not None,
    }


def _validation(work: Work, view: DatasetView, language: str) -> list[dict[str, Any]]:
    found = []
    for resource in view.resources:
        if resource.file is None:
            continue
        verdict = validation.known(work.session, resource.file, resource.meta)
        report = verdict.report
        found.append(
            {
                "resource": resource.id,
                "name": resource.meta.name or resource.file.name,
                "state": validation.state_of(verdict),
                "valid": report.valid if report else None,
                "structural": report.structural if report else None,
                "error_count": report.error_count if report else None,
                "problem": messages.problem_text(
                    verdict.profile.error if verdict.profile else None, language
                ),
            }
        )
    return found
