"""Errors as pages: what happened, what to do about it, and a number to name when asking for help."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response

from opendata.core.errors import DomainError, Unauthenticated
from opendata.edge import messages, problem
from opendata.edge.http import request_id
from opendata.web import texts
from opendata.web.render import page, see_other


def face(error: DomainError, request: Request, status: int | None = None) -> Response:
    """The error of a page, as a page. Who is not signed in and opens a page of the console is led to the sign-in."""
    language = "en" if request.url.path.startswith("/en/") else "zh"
    if isinstance(error, Unauthenticated) and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return see_other(f"/{language}/sign-in", next=quote(wanted, safe="/?=&%"))
    return _page(error, request, language, status)


def elsewhere(error: DomainError, request: Request, status: int | None = None) -> Response:
    """For addresses outside /zh and /en: a page for a person's browser, problem+json for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        return problem.response(error, request, status)
    return _page(error, request, messages.preferred(request.headers.get("accept-language", "")), status)


def _page(error: DomainError, request: Request, language: str, status: int | None) -> Response:
    kind = type(error).__name__
    kinds = (kind, *(base.__name__ for base in type(error).__mro__[1:]))
    remedy = next(
        (f"remedy.{name}" for name in kinds if texts.has(f"remedy.{name}", language)), "remedy.DomainError"
    )
    return page(
        request,
        "error.html",
        language,
        status=status or problem.status_of(error),
        headers=problem.retry_headers(error),
        kind=next(name for name in kinds if texts.has(f"failure.{name}", language)),
        code=error.code,
        detail=messages.error_text(error, language),
        details=[
            (texts.form_field(f.path, language) or f.path, messages.field_text(f, language))
            for f in error.fields
        ],
        remedy=texts.text(remedy, language),
        request_id=request_id(request) or "",
    )
