"""What may stand in rows that clients write and that are public at once: a secrecy reviewer says why, or ends it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.access import policy
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_review
from opendata.catalog import queries
from opendata.core.errors import DomainError, Forbidden, Invalid, NotFound, invalid
from opendata.publishing.rows import waiving
from opendata.review import sentences
from opendata.review.detect.rules import Rule
from opendata.web.forms import Form, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.actor import Role
from opendata.work.unit import Work

router = APIRouter(prefix="/console/row-waivers")


@router.get("/{resource:short}")
def listed(request: Request, language: str, resource: str, work: MemberWork) -> Response:
    return _page(request, language, resource, work)


@router.post("/{resource:short}")
def decide(request: Request, language: str, resource: str, work: MemberWork, form: PostedForm) -> Response:
    """Records a waiver, or ends the one that is named."""
    agency = _agency_of(work, resource)
    try:
        if form.text("ended"):
            waiving.end(work, agency, resource, form.text("ended"))
        else:
            _waive(work, agency, resource, form)
    except (Invalid, Forbidden, NotFound) as error:
        work.take_back()
        return _page(request, language, resource, work, form, error)
    return see_other(f"/{language}/console/row-waivers/{resource}", done="saved")


def _waive(work: Work, agency: Agency, resource: str, form: Form) -> None:
    if not form.text("column"):
        raise invalid("column", "missing")
    if form.text("rule") not in list(Rule):
        raise invalid("rule", "missing")
    rule, reason = Rule(form.text("rule")), form.text("reason")
    waiving.waive(work, agency, resource, column=form.text("column")[:300], rule=rule, reason=reason)


def _page(
    request: Request,
    language: str,
    resource: str,
    work: Work,
    form: Form | None = None,
    wrong: DomainError | None = None,
) -> Response:
    dataset = queries.dataset_of_resource(work, resource, visible=policy.draft_filter(work))
    agency = work.session.get_one(Agency, dataset.agency_id)
    rules = [(rule.value, sentences.rule_name(rule.value, language)) for rule in Rule]
    return page(
        request,
        "console/row_waivers.html",
        language,
        resource=resource,
        dataset=dataset,
        title=str(queries.last_release(work, dataset).meta.get("title") or dataset.name),
        waivers=waiving.listed(work, resource),
        rules=[rule for rule in rules if rule[0] != Rule.NOT_SCREENED.value],
        names=dict(rules),
        may_waive=may_review(work.actor, agency, Role.SECRECY_REVIEWER),
        form=form or Form(),
        wrong=problems(wrong, language) if wrong else (),
        status=403 if isinstance(wrong, Forbidden) else None,
    )


def _agency_of(work: Work, resource: str) -> Agency:
    dataset = queries.dataset_of_resource(work, resource, visible=policy.draft_filter(work))
    return work.session.get_one(Agency, dataset.agency_id)
