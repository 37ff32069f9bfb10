"""One's own account: roles, the password, and API tokens that are shown once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from opendata.accounts import sessions, tokens
from opendata.accounts.service import find_user
from opendata.agencies import queries as agencies
from opendata.core.errors import FieldError, Invalid, Limited, invalid
from opendata.web.forms import Form, Problem, problems
from opendata.web.http import MemberWork, PostedForm, session_cookie
from opendata.web.render import page, see_other
from opendata.web.texts import text
from opendata.work.actor import Scope
from opendata.work.unit import Work

router = APIRouter(prefix="/console/account")
DAYS = (30, 90, 180, 366)


class Shown(NamedTuple):
    """A token that was just made."""

    name: str
    secret: str
    expires_at: datetime | None


@router.get("")
def account(request: Request, language: str, work: MemberWork) -> Response:
    return _show(request, language, work)


@router.post("/tokens")
def create_token(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    """The answer alone shows the secret; it is not kept, and not to be had again."""
    try:
        days, scopes = _wanted(form)
        row, secret = tokens.create(
            work, find_user(work, work.actor.name), name=form.text("name"), days=days, scopes=scopes
        )
        work.session.flush()
    except Invalid as error:
        work.take_back()
        return _show(request, language, work, form, problems(error, language))
    return _show(request, language, work, shown=Shown(row.name, secret, row.expires_at))


@router.post("/tokens/{token:short}/revoke")
def revoke_token(language: str, token: str, work: MemberWork) -> Response:
    tokens.revoke(work, token_id=token)
    return see_other(f"/{language}/console/account", done="revoked")


@router.post("/password")
def change_password(request: Request, language: str, work: MemberWork, form: PostedForm) -> Response:
    """A new password for who knows the old one. The account's sessions in other browsers end."""
    old, new, again = (form.values.get(name, [""])[0] for name in ("old", "password", "again"))
    user = find_user(work, work.actor.name)
    try:
        if new != again:
            raise invalid("again", "not_the_same")
        known = sessions.change_password(work, user, old, new, session_cookie(request) or "")
    except (Invalid, Limited) as error:
        work.take_back()
        return _show(request, language, work, wrong=problems(error, language))
    if not known:
        return _show(request, language, work, wrong=[Problem("old", text("account.old_wrong", language))])
    return see_other(f"/{language}/console/account", done="password")


def _wanted(form: Form) -> tuple[int, list[Scope]]:
    known = {scope.value: scope for scope in Scope}
    picked = [known[name] for name in form.many("scopes") if name in known]
    days = form.text("days")
    errors = [] if picked else [FieldError("scopes", "missing")]
    if not form.text("name"):
        errors.append(FieldError("name", "missing"))
    if not (days.isascii() and days.isdigit() and len(days) < 5):
        errors.append(FieldError("days", "not_a_number", {"field": "days", "value": days[:40]}))
    if errors:
        raise Invalid(fields=errors)
    return int(days), picked


def _show(
    request: Request,
    language: str,
    work: Work,
    form: Form | None = None,
    wrong: Sequence[Problem] = (),
    shown: Shown | None = None,
) -> Response:
    user = find_user(work, work.actor.name)
    bodies = agencies.by_ids(work.session, {agency for agency, _role in work.actor.roles})
    return page(
        request,
        "console/account.html",
        language,
        user=user,
        roles=[(bodies[a], r.value) for a, r in sorted(work.actor.roles) if a in bodies],
        tokens=tokens.listed(work, user),
        shown=shown,
        form=form or Form({"days": ["90"], "scopes": ["read", "write", "publish"]}),
        scopes=[scope.value for scope in Scope],
        days=DAYS,
        wrong=wrong,
    )
