"""Releases: submit, follow, decide; and the reviewers' queue."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from opendata.access import policy as access_policy
from opendata.access.schemas import agency_ref
from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.catalog import views
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset, Release
from opendata.catalog.views import DatasetView
from opendata.edge import messages
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.inventory.negative.models import EntryStatus, NegativeEntry
from opendata.publishing import service
from opendata.publishing.api import editing
from opendata.publishing.api.editing import How
from opendata.publishing.api.findings import findings_out
from opendata.publishing.api.schemas import DecisionIn, DecisionOut, QueueEntry, ReleaseOut, SubmittedOut
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.review.models import Decision, DecisionKind, NegativeHit
from opendata.validation import service as validation
from opendata.work.unit import Work

router = APIRouter(tags=["releases"], dependencies=[Depends(known_query)])


@router.post("/datasets/{dataset}/releases", status_code=202, responses=documented(SubmittedOut, 202))
def create_release(work: SignedInWork, dataset: str, how: How) -> Response:
    """Hands the open draft in. Screening and validation begin; `GET /releases/{id}` tells how far it is."""
    began = editing.begin(work, dataset, how)
    release = service.submit(work, began.dataset, began.agency)
    if how.dry_run:
        return editing.finish(work, began, how)
    return json_answer(
        _submitted(release, how.language), status=202, headers={"Location": f"/api/v1/releases/{release.id}"}
    )


@router.get("/releases/{release}", responses=documented(ReleaseOut))
def get_release(work: SignedInWork, release: str, language: Language) -> Response:
    """Where it stands, what was found in it and what was decided; for those who work for the body."""
    dataset, found = _find(work, release)
    view = views.one(work.session, dataset, found)
    lacking = editing.missing(work, view, language) if State(found.state) in EDITABLE_STATES else []
    author = work.session.get(User, found.author_id) if found.author_id else None
    body = {
        **_submitted(found, language),
        "dataset": _dataset(view),
        "policy": found.policy,
        "author": author.name if author else None,
        "submitted_at": found.submitted_at,
        "published_at": found.published_at,
        "screening": findings_out(work, found, language),
        "negative_hits": [_hit(hit, entry) for hit, entry in reviews.negative_hits(work, found)],
        "validation": _validation(work, view, language),
        "decisions": [_decision(d, name) for d, name in reviews.decisions(work, found.id)],
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
    )
    return json_answer(_decision(decision, work.actor.name), status=201)


@router.get("/reviews", responses=documented(list[QueueEntry]))
def list_reviews(work: SignedInWork, language: Language) -> Response:
    """Releases that wait for a decision of a body for which the caller reviews, the longest waiting first."""
    entries = []
    for dataset, release in reviews.queue(work, visible=access_policy.draft_filter(work)):
        agency = work.session.get_one(Agency, dataset.agency_id)
        mine = [kind for kind in DecisionKind if may_review(work.actor, agency, review.ROLE_OF[kind])]
        if mine:
            entries.append(_entry(work, dataset, release, mine, language))
    return json_answer(entries)


def _find(work: Work, release_id: str) -> tuple[Dataset, Release]:
    return service.find_release(work, release_id, visible=access_policy.draft_filter(work))


def _submitted(release: Release, language: str) -> dict[str, Any]:
    return {
        "id": release.id,
        "number": release.number,
        "state": release.state,
        "sentence": messages.state_text(release.sentence, language),
        "content_hash": release.content_hash,
    }


def _dataset(view: DatasetView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.dataset.name,
        "title": view.meta.title,
        "agency": agency_ref(view.agency),
    }


def _entry(
    work: Work, dataset: Dataset, release: Release, mine: list[DecisionKind], language: str
) -> dict[str, Any]:
    standing = review.standing(work, release)
    decided = {decision.kind for decision in standing}
    barred = work.actor.id in review.authors(work, release) or any(
        decision.reviewer_id == work.actor.id for decision in standing
    )
    return {
        "release": _submitted(release, language),
        "dataset": _dataset(views.one(work.session, dataset, release)),
        "submitted_at": release.submitted_at,
        "decided": sorted(decided),
        "for_me": [] if barred else [kind.value for kind in mine if kind.value not in decided],
    }


def _hit(hit: NegativeHit, entry: NegativeEntry) -> dict[str, Any]:
    return {
        "entry": entry.number,
        "subject": entry.subject,
        "basis": entry.basis,
        "field": hit.place,
        "word": hit.word,
        "lifted": entry.status == EntryStatus.LIFTED.value,
    }


def _decision(decision: Decision, reviewer: str) -> dict[str, Any]:
    return {
        "id": decision.id,
        "kind": decision.kind,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "content_hash": decision.content_hash,
        "reviewer": reviewer,
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
