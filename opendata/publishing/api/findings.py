"""Findings of the screening: what blocks, waivers of a secrecy reviewer, masking by one click."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response

from opendata.access import policy as access_policy
from opendata.access.schemas import agency_ref
from opendata.accounts.models import User
from opendata.agencies.models import Agency
from opendata.catalog import views
from opendata.catalog.models import Release
from opendata.edge import messages
from opendata.edge.conventions import Language, documented, json_answer, known_query
from opendata.edge.http import SignedInWork
from opendata.publishing import service as publishing
from opendata.publishing.api.schemas import BlockedEntry, FindingOut, MaskingIn, ScreeningOut, WaiverIn
from opendata.publishing.findings import service
from opendata.review import queries as reviews
from opendata.review import sentences
from opendata.review.models import Finding, Waiver
from opendata.work.unit import Work

router = APIRouter(tags=["releases"], dependencies=[Depends(known_query)])


@router.get("/reviews/findings", responses=documented(list[BlockedEntry]))
def list_blocked(work: SignedInWork, language: Language) -> Response:
    """Releases that findings sent back and nobody has edited since: an author masks them, or a secrecy reviewer waives."""
    entries = [
        {
            "release": release.id,
            "content_hash": release.content_hash,
            "dataset": {
                "id": view.id,
                "name": view.dataset.name,
                "title": view.meta.title,
                "agency": agency_ref(view.agency),
            },
            "submitted_at": release.submitted_at,
            "screening": [finding_out(f, language) for f in reviews.blocking(work, release)],
        }
        for dataset, release in reviews.blocked(work, visible=access_policy.draft_filter(work))
        for view in [views.one(work.session, dataset, release)]
    ]
    return json_answer(entries)


@router.post("/releases/{release}/waivers", status_code=201, responses=documented(ScreeningOut, 201))
def waive(work: SignedInWork, release: str, body: WaiverIn, language: Language) -> Response:
    """A secrecy reviewer who is no author records why blocking findings may go out, for the content of that hash. With the
    last one the release goes on. Recorded in the audit trail; an edit of the draft makes them void."""
    dataset, found = publishing.find_release(work, release, visible=access_policy.draft_filter(work))
    agency = work.session.get_one(Agency, dataset.agency_id)
    service.waive(
        work,
        dataset,
        found,
        agency,
        finding_ids=body.findings,
        content_hash=body.content_hash,
        reason=body.reason,
    )
    return json_answer(_screening(work, found, language), status=201)


@router.post("/releases/{release}/masking", status_code=202, responses=documented(ScreeningOut, 202))
def mask(work: SignedInWork, release: str, body: MaskingIn, language: Language) -> Response:
    """Masks findings in the draft: all that block, or those that are named. Makes new files; the old ones never become
    public. `GET /releases/{id}` tells when it is done; then look at the result and submit again."""
    dataset, found = publishing.find_release(work, release, visible=access_policy.draft_filter(work))
    agency = work.session.get_one(Agency, dataset.agency_id)
    service.ask_masking(work, dataset, found, agency, body.findings)
    return json_answer(_screening(work, found, language), status=202)


def findings_out(work: Work, release: Release, language: str) -> list[dict[str, Any]]:
    """What the screening found in the release's present content, with the waivers."""
    waivers = reviews.waivers(work, release)
    return [finding_out(f, language, waivers.get(reviews.key(f))) for f in reviews.findings(work, release)]


def finding_out(finding: Finding, language: str, waived: tuple[Waiver, User] | None = None) -> dict[str, Any]:
    body = FindingOut(
        id=finding.id,
        resource=finding.resource_id or None,
        place=finding.place,
        rule=finding.rule,
        blocks=finding.confident and waived is None,
        confident=finding.confident,
        count=finding.count,
        sample=finding.sample,
        reason=finding.reason,
        suggestion=finding.suggestion,
        detail=sentences.sentence(finding, language),
        can_mask=service.may_mask(finding),
        waived=waived[0].reason if waived else None,
        waived_by=waived[1].name if waived else None,
        waived_at=waived[0].waived_at if waived else None,
    )
    return body.model_dump()


def _screening(work: Work, release: Release, language: str) -> dict[str, Any]:
    return {
        "id": release.id,
        "state": release.state,
        "sentence": messages.state_text(release.sentence, language),
        "screening": findings_out(work, release, language),
    }
