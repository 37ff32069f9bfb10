"""Conventions of the REST calls: parameters that nobody knows are refused, answers are bytes, edits may be conditional."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from pydantic import BaseModel
from starlette.responses import Response

from opendata.core.errors import BadQuery, FieldError, Stale
from opendata.edge import messages
from opendata.edge.reading import field_errors

Offset = Annotated[int, Query(ge=0, le=10_000_000, description="How many to leave out")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to give")]
DryRun = Annotated[
    bool, Query(description="Check everything and show the difference, but store nothing and start nothing")
]


async def known_query(request: Request) -> None:
    """Refuses query parameters that the call does not have: `BadQuery` naming each, and each of the others that is wrong.
    For `APIRouter(dependencies=…)`."""
    given = set(request.query_params)
    if not given:
        return
    fields = list(_fields(request.scope["route"].dependant))
    known = {field.alias for field in fields}
    if unknown := sorted(given - known):
        listed = ", ".join(sorted(known)) or "—"
        wrong = [FieldError(name[:100], "unknown_parameter", {"known": listed}) for name in unknown]
        _values, others = request_params_to_args(fields, request.query_params)
        raise BadQuery(fields=wrong + field_errors({**e, "loc": e["loc"][1:]} for e in others))


def bearer_token(request: Request) -> str | None:
    """The token of an `Authorization` header: `Bearer TOKEN`, or the bare token as CKAN's clients send it."""
    value = request.headers.get("authorization", "").strip()
    if value.lower().startswith("bearer "):
        value = value[7:].strip()
    return value or None


def caller_language(request: Request) -> str:
    """`zh` or `en`, by Accept-Language; English for a caller who says nothing, as in the answers to errors."""
    return messages.preferred(request.headers.get("accept-language") or "en")


async def get_language(request: Request) -> str:
    return caller_language(request)


Language = Annotated[str, Depends(get_language)]

PUBLIC_TAG = {"X-Cache-Tag": "public"}
"""Tells the byte cache that everybody without a token gets this answer. It is not sent on."""
EVERYONES_TAG = {"X-Cache-Tag": "everyone"}
"""The same, and callers with a token get it too, even with one that is not good (as CKAN has it)."""


def json_answer(
    data: Any,
    *,
    status: int = 200,
    public: bool = False,
    etag: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The data (models, dicts, lists) as JSON. `public`: everyone gets the same bytes. `etag`: without quotes."""
    all_headers = dict(headers or {})
    if etag is not None:
        all_headers["ETag"] = f'"{etag}"'
    all_headers |= PUBLIC_TAG if public else {"Cache-Control": "private, no-store"}
    return Response(orjson.dumps(data, default=_plain), status, all_headers, media_type="application/json")


def documented(model: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """`responses=` of an endpoint that answers with bytes: the model for the OpenAPI document."""
    return {status: {"model": model}}


def check_if_match(header: str | None, etag: str) -> None:
    """`Stale("edited_meanwhile")` if the caller's copy (an `If-Match` header) is not the present one. `etag` is without
    quotes; a caller who sends no header takes what comes."""
    if header is None or header.strip() == "*":
        return
    named = {tag.strip().strip('"') for tag in header.split(",") if not tag.strip().startswith("W/")}
    if etag not in named:
        raise Stale("edited_meanwhile", current=etag)


def is_current(
    etag: str, modified_at: datetime | None, if_none_match: str | None, if_modified_since: str | None
) -> bool:
    """Whether the caller of a GET or HEAD has the answer already (RFC 9110, 13.2.2): If-None-Match, compared weakly,
    makes If-Modified-Since void. `etag`: as it is sent; `modified_at`: of Last-Modified, None where none is sent."""
    if if_none_match is not None:
        named = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return etag.removeprefix("W/") in named or named == ["*"]
    since = http_date(if_modified_since)
    return since is not None and modified_at is not None and modified_at.replace(microsecond=0) <= since


def http_date(value: str | None) -> datetime | None:
    """A date of HTTP; None for what is none, which a server leaves out of account."""
    try:
        at = parsedate_to_datetime(value or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _fields(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.query_params
    for below in dependant.dependencies:
        yield from _fields(below)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
