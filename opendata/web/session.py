"""Signing in and out. The cookie holds a random number, the database its hash; a new one with every sign-in."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from opendata.accounts import sessions
from opendata.core.errors import Forbidden, Limited
from opendata.edge.http import client_address, get_settings, place_of, request_id
from opendata.web.forms import Form, Problem, posted, problems
from opendata.web.http import MemberWork, PageWork, check_origin, cookie_name, session_cookie
from opendata.web.render import page, see_other
from opendata.web.texts import text
from opendata.work.actor import PUBLIC

router = APIRouter()
DOOR = "sign-in"
"""The cookie that ties the sign-in form to the browser that was shown it, for there is no session yet."""
_OURS = re.compile(r"/(?:zh|en)/(?![/\\])[^\\\x00-\x20]*")


def safe_next(wanted: str, language: str) -> str:
    """Where to go after the sign-in: a page of ours, or the console."""
    return wanted if _OURS.fullmatch(wanted) and "//" not in wanted else f"/{language}/console"


@router.get("/sign-in")
def sign_in_page(request: Request, language: str, work: PageWork, next: str = "") -> Response:
    if work.actor.id is not None:
        return see_other(safe_next(next, language))
    return _form(request, language, next)


@router.post("/sign-in")
def sign_in(request: Request, language: str, form: Annotated[Form, Depends(posted)]) -> Response:
    check_origin(request)
    shown = request.cookies.get(DOOR, "")
    if not shown or not hmac.compare_digest(shown.encode(), form.text("csrf").encode()):
        raise Forbidden("form_not_ours")
    name, password = form.text("name"), form.values.get("password", [""])[0]
    wanted = form.text("next")
    try:
        with place_of(request).writing(PUBLIC, request_id=request_id(request)) as work:
            made = sessions.sign_in(work, name, password, client_address(request))
    except Limited as error:
        return _form(request, language, wanted, name, problems(error, language), status=429)
    if made is None:
        wrong = [Problem("name", text("sign_in.wrong", language))]
        return _form(request, language, wanted, name, wrong)
    answer = see_other(safe_next(wanted, language))
    _set_cookie(
        request, answer, cookie_name(get_settings(request)), made[1], int(sessions.LIFETIME.total_seconds())
    )
    answer.delete_cookie(DOOR, path="/")
    return answer


@router.post("/sign-out")
def sign_out(request: Request, language: str, work: MemberWork) -> Response:
    cookie = session_cookie(request)
    if cookie:
        sessions.sign_out(work, cookie)
    answer = see_other(f"/{language}/")
    secure = get_settings(request).site_url.startswith("https:")
    answer.delete_cookie(cookie_name(get_settings(request)), path="/", secure=secure, httponly=True)
    return answer


def _form(
    request: Request,
    language: str,
    wanted: str,
    name: str = "",
    wrong: Sequence[Problem] = (),
    *,
    status: int | None = None,
) -> Response:
    shown = request.cookies.get(DOOR) or secrets.token_urlsafe(24)
    answer = page(
        request,
        "sign_in.html",
        language,
        status=status,
        door=shown,
        next=wanted,
        name=name,
        wrong=wrong,
    )
    _set_cookie(request, answer, DOOR, shown, 3600)
    return answer


def _set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=get_settings(request).site_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
