"""The bodies that the viewer works for: their data, their people and roles, for their admins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.accounts.service import find_user
from opendata.agencies import policy, queries, service
from opendata.agencies.models import Agency, AgencyKind
from opendata.agencies.schemas import AgencyPatch
from opendata.catalog.codes import codes
from opendata.core.errors import Forbidden, Invalid, NotFound, invalid
from opendata.edge.conventions import check_if_match
from opendata.edge.reading import read
from opendata.supervision.policy import may_see
from opendata.web.forms import Form, Problem, given, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.actor import Role
from opendata.work.unit import Work

router = APIRouter(prefix="/console/agency")
TEXTS = (
    "title", "title_en", "kind", "uscc", "region_code", "description", "responsible_leader", "office", "contact_name",
    "contact_phone", "contact_email",
)  # fmt: skip


@router.get("")
def bodies(request: Request, language: str, work: MemberWork) -> Response:
    """Each body with what the viewer may do for it."""
    found = [
        (body, policy.may_edit(work.actor, body), policy.may_administer(work.actor, body))
        for body in queries.every(work)
    ]
    mine = [entry for entry in found if policy.may_see_drafts(work.actor, entry[0])]
    return page(request, "console/bodies.html", language, bodies=mine)


@router.get("/{name:short}/edit")
def edit_page(request: Request, language: str, name: str, work: MemberWork) -> Response:
    body = _find(work, name)
    values = {field: [str(getattr(body, field) or "")] for field in (*TEXTS, "edition")}
    return _form(request, language, work, body, Form(values))


@router.post("/{name:short}/edit")
def edit(request: Request, language: str, name: str, work: MemberWork, form: PostedForm) -> Response:
    """Saves the body's data, public at once. An edit that somebody else made meanwhile is not overwritten: `Stale`."""
    body = _find(work, name)
    try:
        check_if_match(f'"{form.text("edition")}"', str(body.edition))
        service.edit(work, body, _changes(work, body, form))
    except Invalid as error:
        work.take_back()
        return _form(request, language, work, _find(work, name), form, problems(error, language, TEXTS))
    return see_other(f"/{language}/console/agency/{body.name}/edit", done="saved")


@router.get("/{name:short}/members")
def members(request: Request, language: str, name: str, work: MemberWork) -> Response:
    return _show(request, language, work, _find(work, name))


@router.post("/{name:short}/members")
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


def tabs(work: Work, body: Agency) -> list[str]:
    """The pages of a body that the viewer may open."""
    own = ["board"] if may_see(work.actor, body) else []
    own += ["inventory"] if policy.may_edit(work.actor, body) else []
    return [*own, "edit", "members"] if policy.may_administer(work.actor, body) else own


def _changes(work: Work, body: Agency, form: Form) -> dict[str, Any]:
    """The fields as the API would take them; the credit code in capitals, none if it is empty."""
    fields = given(form, TEXTS)
    if "uscc" in fields:
        fields["uscc"] = fields["uscc"].upper() or None
    sent = read(AgencyPatch, fields)
    wrong = sent.gather()
    wrong.add(service.check(work, sent.right, body))
    return sent.whole(wrong).model_dump(exclude_unset=True)


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
    wrong: Sequence[Problem] = (),
) -> Response:
    return page(
        request,
        "console/members.html",
        language,
        body=body,
        tabs=tabs(work, body),
        members=queries.members(work, body),
        roles=[role.value for role in Role],
        form=form or Form(),
        wrong=wrong,
    )


def _form(
    request: Request,
    language: str,
    work: Work,
    body: Agency,
    form: Form,
    wrong: Sequence[Problem] = (),
) -> Response:
    return page(
        request,
        "console/body.html",
        language,
        body=body,
        tabs=tabs(work, body),
        form=form,
        kinds=[kind.value for kind in AgencyKind],
        regions=sorted(codes().regions),
        wrong=wrong,
    )
