"""One file over HTTP: ranges, conditions, names, and the ways to send it (by us, by nginx, by the object store).

RFC 9110 (ranges, conditions), RFC 6266 and 8187 (names). A range of several parts is answered with the whole file, as
the standard allows: it is how servers were brought down (CVE-2025-62727).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from opendata.catalog.views import FileView
from opendata.core.errors import Unavailable
from opendata.ports.storage.port import ObjectMissing
from opendata.settings import Settings

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Source(Protocol):
    """Where bytes are read from: a store, or several of its objects as one file."""

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]: ...

    def local_path(self, sha256: str) -> Path | None: ...

    def presigned_url(self, sha256: str, *, filename: str, media_type: str, seconds: int) -> str | None: ...


@dataclass(frozen=True)
class Sending:
    """What is sent: the file, where its bytes are, whether everybody may have them."""

    file: FileView
    store: Source
    public: bool


class Unsatisfiable(Exception):
    """A range that begins after the end."""


def respond(request: Request, sending: Sending, settings: Settings) -> Response:
    """The answer to a GET or HEAD. `Unavailable("file_unavailable")` if the store has lost the object."""
    file = sending.file
    headers = file_headers(file, public=sending.public)
    if _known(request.headers.get("if-none-match"), file.sha256):
        return Response(status_code=304, headers={k: headers[k] for k in ("ETag", "Cache-Control", "Vary")})
    if elsewhere := _elsewhere(request, sending, settings, headers):
        return elsewhere
    try:
        span = _span(request, file)
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
    start, end = span or (0, file.size)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    status = 206 if span else 200
    if request.method == "HEAD" or start == end:
        return Response(status_code=status, headers=headers)
    try:
        chunks = sending.store.read(file.sha256, start, end)
    except ObjectMissing:
        raise Unavailable("file_unavailable", retry_after=60) from None
    return StreamingResponse(chunks, status, headers)


def begins(answer: Response) -> bool:
    """Whether the answer holds the file from its first byte, or leads to it: the parts of one download count as one."""
    span = answer.headers.get("content-range", "bytes 0-")
    return answer.status_code in (200, 206, 302) and span.startswith("bytes 0-")


def file_headers(file: FileView, *, public: bool) -> dict[str, str]:
    """Always an attachment, never guessed at, never run: a stranger's HTML or SVG stays a file."""
    return {
        "Content-Type": file.media_type,
        "Content-Disposition": disposition(file.name),
        "ETag": f'"{file.sha256}"',
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "public, no-cache" if public else "private, no-store",
        "Vary": "Authorization",
    }


def disposition(name: str) -> str:
    """`attachment` with the name in UTF-8 (`filename*`) and an ASCII one for old clients."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "replace").decode()
    plain = re.sub(r"[^\w. ()+-]", "_", plain, flags=re.ASCII)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _known(if_none_match: str | None, sha256: str) -> bool:
    if not if_none_match:
        return False
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")}
    return "*" in tags or sha256 in tags


def _span(request: Request, file: FileView) -> tuple[int, int] | None:
    """The bytes asked for as (start, end excl.); None for all of them. `Unsatisfiable`."""
    header = request.headers.get("range")
    condition = request.headers.get("if-range")
    if not header or (condition is not None and condition.strip() != f'"{file.sha256}"'):
        return None
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, file.size - int(last)), file.size
    else:
        start, end = int(first), min(int(last) + 1, file.size) if last else file.size
        if last and int(last) < start:
            return None
    if start >= file.size:
        raise Unsatisfiable
    return start, end


def _elsewhere(
    request: Request, sending: Sending, settings: Settings, headers: dict[str, str]
) -> Response | None:
    """Public files may be sent by nginx from our folder, or by the object store, if the site is set up so."""
    file = sending.file
    if not sending.public or request.method == "HEAD":
        return None
    if settings.x_accel_prefix:
        path = sending.store.local_path(file.sha256)
        if path is not None:
            inside = path.relative_to(Path(settings.storage).absolute() / "public").as_posix()
            target = f"{settings.x_accel_prefix.rstrip('/')}/{inside}"
            return Response(headers={**headers, "X-Accel-Redirect": target})
    if settings.presigned_seconds:
        url = sending.store.presigned_url(
            file.sha256,
            filename=file.name,
            media_type=file.media_type,
            seconds=settings.presigned_seconds,
        )
        if url is not None:
            return Response(status_code=302, headers={"Location": url, "Cache-Control": "no-store"})
    return None
