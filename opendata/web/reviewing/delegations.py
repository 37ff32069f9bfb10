"""Who reviews for whom: entered by a reviewer who will be away, or by the body's administrator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.accounts.models import User
from opendata.accounts.service import find_user
from opendata.agencies import policy
from opendata.agencies import queries as agencies
from opendata.agencies.delegation import queries, service
from opendata.agencies.models import Agency
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, Forbidden, Gathered, Invalid, NotFound, invalid
from opendata.web.forms import Form, Problem, no_day, problems
from opendata.web.http import MemberWork, PostedForm
from opendata.web.render import page, see_other
from opendata.work.actor import REVIEWING_ROLES
from opendata.work.unit import Work

router = APIRouter(prefix="/console/delegations")


@router.get("")
def listed(request: Request, language: str, work: MemberWork) -> Response:
    today = day_of(work.now).isoformat()
    return _show(request, language, work, Form.of({"first_day": today, "last_day": today}))


@router.post("")
def create(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    try:
        absent, to, days = _read(work, form)
        service.delegate(
            work,
            agencies.find(work, form.text("agency")),
            absent,
            to,
            first_day=days["first_day"],
            last_day=days["last_day"],
            reason=form.text("reason"),
        )
    except (Invalid, Conflict, NotFound, Forbidden) as error:
        work.take_back()
        return _show(request, language, work, form, problems(error, language))
    return see_other(f"/{language}/console/delegations", done="delegated")


@router.post("/{delegation:short}/end")
def end(language: str, delegation: str, work: MemberWork) -> Response:
    service.end(work, queries.find(work, delegation))
    return see_other(f"/{language}/console/delegations", done="delegation_ended")


def _read(work: Work, form: Form) -> tuple[User, User, dict[str, date]]:
    """Both people and the days. `Invalid` naming every wrong field."""
    wrong, days, people = Gathered(), {}, {}
    for name in ("absent", "delegate"):
        with wrong:
            try:
                people[name] = find_user(
                    work, form.text(name) or (work.actor.name if name == "absent" else "")
                )
            except NotFound as error:
                raise invalid(name, error.code, **error.params) from None
    for name in ("first_day", "last_day"):
        with wrong:
            try:
                days[name] = date.fromisoformat(form.text(name))
            except ValueError:
                raise no_day(form, name) from None
    wrong.raise_if_any()
    return people["absent"], people["delegate"], days


def _show(request: Request, language: str, work: Work, form: Form, wrong: Sequence[Problem] = ()) -> Response:
    rows = queries.seen(work)
    ids = {user_id for row in rows for user_id in (row.absent_id, row.delegate_id)}
    return page(
        request,
        "reviewing/delegations.html",
        language,
        rows=rows,
        bodies=agencies.by_ids(work.session, {row.agency_id for row in rows}),
        people={user_id: work.session.get_one(User, user_id) for user_id in ids},
        choices=_bodies(work),
        today=day_of(work.now),
        form=form,
        wrong=wrong,
    )


def _bodies(work: Work) -> list[Agency]:
    """Bodies in which the viewer reviews by their own role, or which they administer."""
    own = agencies.roles_of(work.session, work.actor.id or "")
    return [
        body
        for body in agencies.every(work)
        if policy.may_administer(work.actor, body) or any((body.id, role) in own for role in REVIEWING_ROLES)
    ]
