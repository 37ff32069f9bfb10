"""Errors as RFC 9457 problem+json, in the caller's language, naming every wrong field in one answer.

Other faces speak otherwise (CKAN's envelope, a page): `main` lists them in `app.state.faces` as (path prefix, renderer),
the longest prefix wins, and `answer` is how every layer answers an error, whichever face it meets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from opendata.core import errors
from opendata.core.errors import BadQuery, Conflict, DomainError, Invalid, Stale
from opendata.edge import messages
from opendata.edge.idempotency import Replay
from opendata.edge.reading import field_errors

log = logging.getLogger(__name__)
MOST_FIELDS = 200
"""Wrong fields that one answer names: a body may have a hundred thousand."""

Face = Callable[[DomainError, Request, int | None], Response]
"""Words an error; the status is the framework's where that has decided it."""
_HTTP_CODES = {404: "no_such_address", 405: "method_not_allowed"}

STATUS: dict[type[DomainError], int] = {
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.BadQuery: 400,
    errors.Invalid: 422,
    errors.TooLarge: 413,
    errors.Limited: 429,
    errors.NoSpace: 507,
    errors.Unavailable: 503,
}


def kind_of(error: DomainError) -> str:
    """The name of its kind, of which packages have errors of their own."""
    return next((kind.__name__ for kind in type(error).__mro__ if kind in STATUS), "DomainError")


def status_of(error: DomainError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def domain_error(error: Exception) -> DomainError:
    """Errors of libraries as ours: a wrong request, a lost race, a constraint."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, RequestValidationError):
        return _from_validation(error)
    if isinstance(error, StaleDataError):
        return Stale("edited_meanwhile")
    if isinstance(error, IntegrityError):
        return Conflict("constraint")
    return DomainError("internal_error")


def problem(
    error: DomainError, language: str, instance: str = "", status: int | None = None
) -> dict[str, Any]:
    """The problem+json document."""
    return {
        "type": f"urn:opendata:error:{error.code}",
        "title": messages.text(f"kind.{kind_of(error)}", language),
        "status": status or status_of(error),
        "code": error.code,
        "detail": messages.error_text(error, language),
        "instance": instance,
        "errors": [
            {"field": f.path, "code": f.code, "detail": messages.field_text(f, language)}
            for f in error.fields[:MOST_FIELDS]
        ],
    }


def response(error: DomainError, request: Request, status: int | None = None) -> Response:
    """The error as problem+json; `status` where the framework has decided it."""
    language = messages.preferred(request.headers.get("accept-language", "en"))
    headers = {"Content-Language": language, "Cache-Control": "no-store"} | retry_headers(error)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="opendata"'
    status = status or status_of(error)
    body = orjson.dumps(problem(error, language, request.url.path, status), default=str)
    return Response(body, status, headers, media_type="application/problem+json")


def retry_headers(error: DomainError) -> dict[str, str]:
    """`Retry-After` for an error that passes."""
    after = getattr(error, "retry_after", error.params.get("retry_after"))
    return {} if after is None else {"Retry-After": str(after)}


def answer(error: DomainError, request: Request, status: int | None = None) -> Response:
    """The error as the face that owns the path says it."""
    faces: tuple[tuple[str, Face], ...] = getattr(request.app.state, "faces", ())
    matching = [entry for entry in faces if request.url.path.startswith(entry[0])]
    if not matching:
        return response(error, request, status)
    face = max(matching, key=lambda entry: len(entry[0]))[1]
    return face(error, request, status)


def install(app: FastAPI) -> None:
    """Every error of every API leaves as its face says it; without one, as problem+json."""

    def known(request: Request, error: Exception) -> Response:
        return answer(domain_error(error), request)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it with nothing else
        kind = {404: errors.NotFound, 413: errors.TooLarge}.get(error.status_code, DomainError)
        code = _HTTP_CODES.get(error.status_code, "http_error")
        made = answer(kind(code, reason=error.detail), request, error.status_code)
        made.status_code = error.status_code
        made.headers.update(error.headers or {})
        return made

    def replay(request: Request, kept: Exception) -> Response:
        assert isinstance(kept, Replay)  # noqa: S101 - Starlette calls it with nothing else
        return kept.response

    def unknown(request: Request, error: Exception) -> Response:
        log.exception("request failed", exc_info=error)
        return answer(DomainError("internal_error"), request)

    for kind in (DomainError, RequestValidationError, StaleDataError, IntegrityError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Replay, replay)
    app.add_exception_handler(Exception, unknown)


def _from_validation(error: RequestValidationError) -> Invalid:
    found = error.errors()[:MOST_FIELDS]
    fields = [
        field
        for entry in found
        for field in field_errors([{**entry, "loc": tuple(entry["loc"][1:]) or entry["loc"][:1]}])
    ]
    query = any(entry["loc"][0] in ("query", "path") for entry in found)
    return BadQuery(fields=fields) if query else Invalid(fields=fields)
