"""The reviewers' queue, and one release with everything that the decision needs on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.access import policy
from opendata.accounts import service as accounts
from opendata.agencies.delegation import queries as delegations
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.catalog import queries, views
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, Release
from opendata.catalog.views import DatasetView
from opendata.core.calendar import workdays
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, Invalid, invalid
from opendata.edge import messages
from opendata.publishing import service
from opendata.publishing.api.changes import differences, moment, since_return
from opendata.publishing.findings import service as findings
from opendata.review import light, reasons
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.review.errors import WrongReviewer
from opendata.review.models import DecisionKind, Outcome
from opendata.review.rounds import queries as rounds
from opendata.review.rounds.models import Result, ReviewRound
from opendata.review.rounds.service import is_overdue
from opendata.web import verdicts
from opendata.web.console import compared
from opendata.web.console.findings import told
from opendata.web.forms import Form, Problem, problems
from opendata.web.governance import city
from opendata.web.http import MemberWork, PostedForm
from opendata.web.public import lines_of
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/reviews")


MOST_PLACES = 100
FIELD_ROWS = 5
"""Fields that one form can give reasons for; by the API they are more."""


@dataclass(frozen=True)
class Due:
    """Until when a release waits, as of today."""

    row: ReviewRound
    left: int
    """Working days after today; negative: overdue by so many."""
    overdue: bool

    @classmethod
    def of(cls, row: ReviewRound | None, today: date) -> Due | None:
        if row is None or row.result != Result.OPEN.value:
            return None
        return cls(row, workdays.between(today, row.due_on), is_overdue(row, today))


@dataclass(frozen=True)
class Part:
    """One of the two decisions, as the viewer stands to it."""

    kind: str
    decided: Any
    """The standing decision, or None."""
    may: bool
    why_not: str
    """Why the viewer may not decide; empty if they may, or do not have the role."""
    has_role: bool
    people: Sequence[str]
    """Who could decide it today, if it is open."""
    instead_of: str
    """Whose place the viewer takes; empty for the own role."""


@router.get("")
def queue(request: Request, language: str, work: MemberWork) -> Response:
    """Releases that wait, the longest waiting first; the viewer's own part in each."""
    waiting = reviews.queue(work, visible=policy.draft_filter(work))
    blocked = reviews.blocked(work, visible=policy.draft_filter(work))
    opened, today = rounds.open_rounds(work, [release.id for _d, release in waiting]), day_of(work.now)
    entries = [
        (view, parts(work, view, language), Due.of(opened.get(view.release.id), today))
        for view in views.many(work.session, list(waiting))
    ]
    return page(
        request,
        "console/reviews.html",
        language,
        mine=[entry for entry in entries if any(part.may for part in entry[1])],
        others=[entry for entry in entries if not any(part.may for part in entry[1])],
        blocked=views.many(work.session, list(blocked)),
        authors=accounts.called(work, [r.author_id for _, r in (*waiting, *blocked)]),
    )


@router.get("/{release:short}")
def one(request: Request, language: str, release: str, work: MemberWork) -> Response:
    return _show(request, language, work, release)


@router.post("/{release:short}/waivers")
def waive(request: Request, language: str, release: str, work: MemberWork, form: PostedForm) -> Response:
    """Why the findings that were ticked may go out, for exactly the content that the page showed."""
    dataset, found = _find(work, release)
    try:
        ticked = form.many("finding")
        if not ticked:
            raise invalid("finding", "missing")
        findings.waive(
            work,
            dataset,
            found,
            work.session.get_one(Agency, dataset.agency_id),
            finding_ids=ticked,
            content_hash=form.text("content_hash"),
            reason=form.text("reason"),
        )
    except (Invalid, Conflict, WrongReviewer) as error:
        work.take_back()
        return _show(request, language, work, release, form, problems(error, language))
    return see_other(f"/{language}/console/reviews/{release}", done="waived")


@router.post("/{release:short}")
def decide(request: Request, language: str, release: str, work: MemberWork, form: PostedForm) -> Response:
    """Approve or return, for exactly the content that the page showed."""
    dataset, found = _find(work, release)
    try:
        outcome = Outcome(_choice(form, "outcome", Outcome))
        service.decide(
            work,
            dataset,
            found,
            work.session.get_one(Agency, dataset.agency_id),
            kind=DecisionKind(_choice(form, "kind", DecisionKind)),
            outcome=outcome,
            content_hash=form.text("content_hash"),
            reason=form.text("reason"),
            field_reasons=_field_reasons(form),
        )
    except (Invalid, Conflict, WrongReviewer) as error:
        work.take_back()
        wrong = problems(error, language)
        return _show(request, language, work, release, form, wrong)
    done = "approved" if outcome is Outcome.APPROVE else "rejected"
    return see_other(f"/{language}/console/reviews", done=done)


def parts(work: Work, view: DatasetView, language: str) -> list[Part]:
    """Both decisions of a release in review."""
    standing = {d.kind: d for d in review.standing(work, view.release)}
    people = rounds.reviewers(work, view.release, view.agency)
    found = []
    for kind in DecisionKind:
        has_role = may_review(work.actor, view.agency, review.ROLE_OF[kind])
        why_not = ""
        try:
            review.check_reviewer(work, view.release, view.agency, kind)
        except WrongReviewer as error:
            why_not = messages.error_text(error, language)
        open_now = view.release.state == State.IN_REVIEW.value and kind.value not in standing
        found.append(
            Part(
                kind.value,
                standing.get(kind.value),
                open_now and not why_not,
                why_not if has_role else "",
                has_role,
                [user.called for user in people.get(kind, ())] if open_now else (),
                _instead_of(work, view.agency, kind),
            )
        )
    return found


def _instead_of(work: Work, agency: Agency, kind: DecisionKind) -> str:
    absent = delegations.stands_in_for(work, work.actor.id or "", agency, review.ROLE_OF[kind])
    return accounts.called(work, [absent]).get(absent or "", "")


def _field_reasons(form: Form) -> list[dict[str, str]]:
    """The rows in which something was written."""
    rows = [(form.text(f"field_{n}"), form.text(f"why_{n}")) for n in range(FIELD_ROWS)]
    return [{"field": field, "reason": why} for field, why in rows if field or why]


def _show(
    request: Request,
    language: str,
    work: Work,
    release_id: str,
    form: Form | None = None,
    wrong: Sequence[Problem] = (),
) -> Response:
    dataset, release = _find(work, release_id)
    view = views.one(work.session, dataset, release)
    before = queries.release(work.session, dataset.published_id)
    old = views.one(work.session, dataset, before) if before is not None and before.id != release.id else None
    changes = differences(moment(old, ()), moment(view, ())) if old else []
    files = compared.files(work, old, view, language) if old else []
    return page(
        request,
        "console/review.html",
        language,
        view=view,
        meta=view.meta,
        **city.beside(work, view.meta, language),
        release=release,
        before=old,
        files=files,
        pieces=compared.pieces,
        is_light=light.is_light(release),
        changes=compared.other_fields(changes, files),
        **_of_round(work, view),
        resources=[(r, verdicts.of(work, r, language)) for r in view.resources],
        findings=told(work, release, language),
        forbidden=reviews.negative_hits(work, release),
        may_waive=_may_waive(work, view),
        names=_names_of_files(old, view),
        decisions=reviews.decisions(work, release.id),
        author=accounts.called(work, [release.author_id]).get(release.author_id or "", "–"),
        lines=lines_of(work, dataset),
        parts=parts(work, view, language),
        form=form or Form(),
        wrong=wrong,
    )


def _of_round(work: Work, view: DatasetView) -> dict[str, Any]:
    """The round of review that the page is about, and what its forms offer."""
    release = view.release
    row = rounds.latest(work, release.id)
    return {
        "row": row,
        "due": Due.of(row, day_of(work.now)),
        "returned": rounds.returned_before(work, release),
        "since_return": since_return(work, view),
        "places": reasons.places(r.id for r in view.resources[:MOST_PLACES]),
        "rows": range(FIELD_ROWS),
        "absent": accounts.called(
            work, [d.on_behalf_of for d, _person in reviews.decisions(work, release.id)]
        ),
    }


def _names_of_files(*releases: DatasetView | None) -> dict[str, str]:
    """What the resources are called, by id; as the last release calls them."""
    every = (resource for view in releases if view for resource in view.resources)
    return {r.id: r.meta.name or (r.file.name if r.file else r.meta.url) for r in every}


def _may_waive(work: Work, view: DatasetView) -> bool:
    """Whether the viewer may let this release's blocking findings go, now."""
    if view.release.state != State.RETURNED.value:
        return False
    return review.may_decide(work, view.release, view.agency, DecisionKind.SECRECY)


def _find(work: Work, release_id: str) -> tuple[Dataset, Release]:
    return service.find_release(work, release_id, visible=policy.draft_filter(work))


def _choice(form: Form, name: str, kind: type[DecisionKind] | type[Outcome]) -> str:
    known = [member.value for member in kind]
    if form.text(name) not in known:
        raise invalid(name, "unknown_value", value=form.text(name)[:20], known=", ".join(known))
    return form.text(name)
