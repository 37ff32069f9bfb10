"""Standing release authorities: proposed by an editor, decided by both reviewers, ended by any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from opendata.access import policy
from opendata.accounts.models import User
from opendata.accounts.service import find_user
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_publish
from opendata.catalog import queries, views
from opendata.catalog.models import Dataset
from opendata.catalog.views import DatasetView
from opendata.core.errors import Conflict, Forbidden, Gathered, Invalid, NotFound, invalid
from opendata.inventory.models import InventoryLine
from opendata.publishing.governance.bar import lines_of
from opendata.publishing.standing import service
from opendata.publishing.standing.models import StandingApproval, StandingAuthority
from opendata.publishing.standing.sentences import sentence
from opendata.review.models import DecisionKind, Outcome
from opendata.web.forms import Form, Problem, no_day, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/standing")
MOST = 200


@dataclass(frozen=True)
class Entry:
    """An authority as the page shows it."""

    row: StandingAuthority
    view: DatasetView
    line: InventoryLine | None
    source: str
    reasons: Sequence[str]
    """Why it is suspended."""
    approvals: Sequence[tuple[StandingApproval, str]]
    mine: Sequence[str]
    """Kinds of decisions that the viewer may make now."""
    may_end: bool


@router.get("")
def listed(
    request: Request, language: str, work: MemberWork, dataset: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    form = Form.of({"dataset": dataset, "rows_drift": "10", "filled_drift": "5", "source": work.actor.name})
    return _show(request, language, work, form)


@router.post("")
def propose(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    try:
        dataset = queries.dataset(work, form.text("dataset"), visible=policy.draft_filter(work))
        lines = lines_of(work, dataset)
        service.propose(
            work,
            dataset,
            work.session.get_one(Agency, dataset.agency_id),
            lines[0] if lines else None,
            **_terms(work, form),
            reason=form.text("reason"),
        )
    except (Invalid, Conflict, NotFound, Forbidden) as error:
        work.take_back()
        return _show(request, language, work, form, problems(error, language))
    return see_other(f"/{language}/console/standing", done="standing")


@router.post("/{authority:short}")
def decide(request: Request, language: str, authority: str, work: MemberWork, form: PostedForm) -> Response:
    """Approves, rejects, or ends it, as the pressed button says."""
    row = _find(work, authority)
    agency = work.session.get_one(Agency, row.agency_id)
    try:
        if form.text("outcome") == "end":
            service.end(work, row, agency)
        elif form.text("kind") in list(DecisionKind) and form.text("outcome") in list(Outcome):
            outcome = Outcome(form.text("outcome"))
            terms, reason = form.text("terms_hash"), form.text("reason")
            kind = DecisionKind(form.text("kind"))
            service.decide(work, row, agency, kind=kind, outcome=outcome, terms_hash=terms, reason=reason)
        else:
            raise invalid("outcome", "missing")
    except (Invalid, Conflict, Forbidden) as error:
        work.take_back()
        return _show(request, language, work, Form(), problems(error, language))
    return see_other(f"/{language}/console/standing", done="standing_decided")


def _terms(work: Work, form: Form) -> dict[str, Any]:
    """The bounds, the source and the last day. `Invalid` naming every wrong field."""
    wrong = Gathered()
    found: dict[str, Any] = {}
    for name in ("rows_drift", "filled_drift"):
        with wrong:
            if not form.text(name).isdecimal() or int(form.text(name)) > 100:
                raise invalid(name, "out_of_range", minimum=0, maximum=100)
            found[name] = int(form.text(name))
    with wrong:
        try:
            found["source"] = find_user(work, form.text("source"))
        except NotFound as error:
            raise invalid("source", error.code, **error.params) from None
    with wrong:
        try:
            found["expires_on"] = date.fromisoformat(form.text("expires_on"))
        except ValueError:
            raise no_day(form, "expires_on") from None
    with wrong:
        if not form.text("reason"):
            raise invalid("reason", "missing")
    wrong.raise_if_any()
    return found


def _find(work: Work, authority_id: str) -> StandingAuthority:
    query = select(StandingAuthority).join(Dataset, Dataset.id == StandingAuthority.dataset_id)
    query = query.where(StandingAuthority.id == authority_id, policy.draft_filter(work))
    row = work.session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound("standing_not_found", id=authority_id[:100])
    return row


def _show(request: Request, language: str, work: Work, form: Form, wrong: Sequence[Problem] = ()) -> Response:
    query = select(StandingAuthority, Dataset).join(Dataset, Dataset.id == StandingAuthority.dataset_id)
    query = query.where(policy.draft_filter(work)).order_by(StandingAuthority.proposed_at.desc()).limit(MOST)
    return page(
        request,
        "reviewing/standing.html",
        language,
        entries=[_entry(work, row, dataset, language) for row, dataset in work.session.execute(query)],
        choices=_choices(work),
        form=form,
        wrong=wrong,
    )


def _entry(work: Work, row: StandingAuthority, dataset: Dataset, language: str) -> Entry:
    release = queries.release(work.session, dataset.published_id) or queries.releases(work, dataset)[0]
    view = views.one(work.session, dataset, release)
    approvals = service.approvals(work, row)
    return Entry(
        row,
        view,
        work.session.get(InventoryLine, row.line_id),
        _name(work, row.source_id),
        [sentence(problem, language) for problem in row.stopped_by],
        [(approval, _name(work, approval.reviewer_id)) for approval in approvals],
        [kind.value for kind in DecisionKind if service.may_decide(work, row, view.agency, kind)],
        service.may_end(work, row, view.agency),
    )


def _choices(work: Work) -> list[DatasetView]:
    """Public datasets of the bodies for which the viewer publishes and that have no authority yet."""
    query = select(Dataset).where(policy.draft_filter(work), policy.PUBLIC_FILTER).limit(1000)
    datasets = work.session.execute(query.order_by(Dataset.name)).scalars().all()
    pairs = [(d, r) for d in datasets if (r := queries.release(work.session, d.published_id)) is not None]
    return [
        view
        for view in views.many(work.session, pairs)
        if may_publish(work.actor, view.agency) and service.live(work, view.id) is None
    ]


def _name(work: Work, user_id: str) -> str:
    user = work.session.get_one(User, user_id)
    return user.called
