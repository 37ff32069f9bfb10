"""How a feed is answered: which format, what the caller has already, HEAD, and what the byte cache may keep."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from opendata.core.errors import NotFound
from opendata.edge.conventions import PUBLIC_TAG, is_current
from opendata.edge.http import place_of, request_id
from opendata.feeds.graph import Graph
from opendata.feeds.writers import FORMATS
from opendata.work.unit import Work

log = logging.getLogger(__name__)

HTML = "html"
_ACCEPTED: Mapping[str, str] = {
    "text/turtle": "ttl",
    "application/x-turtle": "ttl",
    "application/ld+json": "jsonld",
    "application/json": "jsonld",
    "application/rdf+xml": "rdf",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/n3": "n3",
    "text/rdf+n3": "n3",
    "text/html": HTML,
    "application/xhtml+xml": HTML,
}


def wanted_format(accept: str, *, otherwise: str = "ttl") -> str:
    """The ending that an Accept header asks for (`html` for a browser); `otherwise` where it asks for none of ours."""
    best, quality = otherwise, 0.0
    for entry in accept.lower().split(","):
        kind, *params = (part.strip() for part in entry.split(";"))
        weight = next((_weight(p[2:]) for p in params if p.startswith("q=")), 1.0)
        if kind in _ACCEPTED and weight > quality:
            best, quality = _ACCEPTED[kind], weight
    return best


def known_format(extension: str) -> str:
    """`NotFound("no_such_address")` for an ending that no feed has."""
    if extension not in FORMATS:
        raise NotFound("no_such_address")
    return extension


def reading_work(request: Request) -> AbstractContextManager[Work]:
    """Everybody's: no token is read."""
    return place_of(request).reading(request_id=request_id(request))


def rdf(
    request: Request, graph: Graph, extension: str, modified_at: datetime | None, **headers: str
) -> Response:
    """The graph in a format, with the number of values that were left out, if any."""
    kind, write = FORMATS[extension]
    if graph.left_out:
        log.info("left out of a feed: %s", ", ".join(graph.left_out[:20]))
        headers["X_Left_Out"] = str(len(graph.left_out))
        request.app.state.metrics.left_out.inc(len(graph.left_out))
    return whole(request, write(graph), f"{kind}; charset=utf-8", modified_at, **headers)


def whole(
    request: Request,
    body: bytes,
    media_type: str,
    modified_at: datetime | None,
    *,
    etag: str = "",
    **headers: str,
) -> Response:
    """A body that is there. `etag` without quotes; else the hash of its bytes is the ETag."""
    etag = f'"{etag or hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    made = _headers(etag, modified_at, headers)
    if _is_current(request, etag, modified_at):
        return Response(status_code=304, headers=made)
    if request.method == "HEAD":
        made["Content-Length"] = str(len(body))
        return Response(headers=made, media_type=media_type)
    return Response(body, headers=made, media_type=media_type)


def streamed(
    request: Request, pieces: Iterable[bytes], media_type: str, etag: str, modified_at: datetime | None
) -> Response:
    """A body that is made while it is sent. `etag` without quotes; nothing of `pieces` is read if it is not sent."""
    etag = f'"{etag}"'
    made = _headers(etag, modified_at, {})
    if _is_current(request, etag, modified_at):
        return Response(status_code=304, headers=made)
    sent = () if request.method == "HEAD" else pieces
    return StreamingResponse(iter(sent), headers=made, media_type=media_type)


def _is_current(request: Request, etag: str, modified_at: datetime | None) -> bool:
    told = request.headers
    return is_current(etag, modified_at, told.get("if-none-match"), told.get("if-modified-since"))


def _headers(etag: str, modified_at: datetime | None, more: Mapping[str, str]) -> dict[str, str]:
    made = {
        **PUBLIC_TAG,
        "ETag": etag,
        "Cache-Control": "public, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if modified_at is not None:
        made["Last-Modified"] = format_datetime(modified_at.astimezone(UTC), usegmt=True)
    return made | {name.replace("_", "-"): value for name, value in more.items()}


def _weight(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0
