"""The people of a body and their roles, for its admins."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.accounts.service import find_user
from opendata.agencies import policy, queries, service
from opendata.agencies.models import Agency
from opendata.core.errors import Forbidden, Invalid, NotFound, invalid
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.actor import Role
from opendata.work.unit import Work

router = APIRouter(prefix="/console/agency/{name:short}")


@router.get("/members")
def members(request: Request, language: str, name: str, work: MemberWork) -> Response:
    return _show(request, language, work, _find(work, name))


@router.post("/members")
def set_member(request: Request, language: str, name: str, work: MemberWork, form: PostedForm) -> Response:
    """The person has exactly the ticked roles afterwards; none ends the membership."""
    body = _find(work, name)
    known = {role.value: role for role in Role}
    try:
        if not form.text("user"):
            raise invalid("user", "missing")
        person = find_user(work, form.text("user"))
        service.set_roles(work, body, person, [known[r] for r in form.many("roles") if r in known])
    except (Invalid, NotFound) as error:
        work.take_back()
        wrong = [Problem("user", p.sentence) for p in problems(error, language)]
        return _show(request, language, work, _find(work, name), form, wrong)
    return see_other(f"/{language}/console/agency/{body.name}/members", done="members")


def _find(work: Work, name: str) -> Agency:
    body = queries.find(work, name)
    if not policy.may_administer(work.actor, body):
        raise Forbidden("agency_admin_only")
    return body


def _show(
    request: Request,
    language: str,
    work: Work,
    body: Agency,
    form: Form | None = None,
    wrong: list[Problem] | None = None,
) -> Response:
    return page(
        request,
        "console/members.html",
        language,
        status=422 if wrong else 200,
        body=body,
        members=queries.members(work, body),
        roles=[role.value for role in Role],
        form=form or Form(),
        problems=wrong or [],
        errors={p.field: p.sentence for p in wrong or []},
    )
