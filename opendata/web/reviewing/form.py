"""The approval form (审查审批表) of a release: numbered, with both decisions, made to be printed and filed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from opendata.access import policy
from opendata.accounts.models import User
from opendata.catalog import views
from opendata.core.errors import NotFound
from opendata.publishing import service
from opendata.review import queries as reviews
from opendata.review import sentences
from opendata.review.models import Decision, DecisionKind
from opendata.review.rounds import queries as rounds
from opendata.review.rounds.models import ReviewRound
from opendata.web.http import MemberWork
from opendata.web.public import lines_of
from opendata.web.render import page
from opendata.work.unit import Work

router = APIRouter(prefix="/console/reviews")


@router.get("/{release:short}/form")
def form(
    request: Request,
    language: str,
    release: str,
    work: MemberWork,
    number: Annotated[str, Query(max_length=140)] = "",
) -> Response:
    """The form of the last round, or of the one with that number."""
    dataset, found = service.find_release(work, release, visible=policy.draft_filter(work))
    every = rounds.of_release(work, found.id)
    row = next((r for r in reversed(every) if not number or r.number == number), None)
    if row is None:
        raise NotFound("round_not_found", id=(number or release)[:100])
    findings = reviews.findings_in(work, found.id, row.content_hash)
    waivers = reviews.waivers_in(work, found.id, row.content_hash)
    return page(
        request,
        "reviewing/form.html",
        language,
        row=row,
        every=every,
        view=views.one(work.session, dataset, found),
        release=found,
        content=row.content,
        author=work.session.get(User, found.author_id or ""),
        lines=lines_of(work, dataset),
        findings=[(f, sentences.rule_name(f.rule, language), waivers.get(reviews.key(f))) for f in findings],
        forbidden=reviews.hits_in(work, found.id, row.content_hash),
        decisions=_decisions(work, row),
        kinds=[kind.value for kind in DecisionKind],
    )


def _decisions(work: Work, row: ReviewRound) -> dict[str, tuple[Decision, User, User | None]]:
    """By kind: the decision of this round, who made it, and in whose place."""
    found = {}
    for decision, reviewer in reviews.decisions(work, row.release_id):
        in_time = row.opened_at <= decision.decided_at <= (row.closed_at or work.now)
        if decision.content_hash == row.content_hash and in_time:
            absent = work.session.get(User, decision.on_behalf_of) if decision.on_behalf_of else None
            found[decision.kind] = (decision, reviewer, absent)
    return found
