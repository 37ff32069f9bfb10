"""The audit trail by REST: searched, exported and verified by supervisors; its daily heads are everybody's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from opendata.core import csvtext
from opendata.core.errors import Forbidden
from opendata.edge.conventions import Limit, documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork, place_of
from opendata.work import audit, trail
from opendata.work.actor import SYSTEM
from opendata.work.trail import Filter
from opendata.work.unit import Work, Workplace

router = APIRouter(tags=["audit"], dependencies=[Depends(known_query)])
MOST_BREAKS = 100


class Format(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"


class LineOut(BaseModel):
    seq: int
    at: str = Field(description="UTC, to the microsecond, as it went into the hash")
    actor_id: str | None
    actor_name: str
    action: str
    subject_type: str
    subject_id: str
    details: dict[str, Any]
    request_id: str | None
    previous_hash: str
    hash: str


class HeadOut(BaseModel):
    seq: int
    hash: str


class TrailPage(BaseModel):
    results: list[LineOut]
    next: int | None = Field(description="`before` of the next page; null on the last one")
    head: HeadOut


class DailyHead(HeadOut):
    day: date
    at: datetime


class BreakOut(BaseModel):
    seq: int
    reason: str


class Verdict(BaseModel):
    holds: bool
    head: HeadOut
    breaks: list[BreakOut] = Field(description="The first hundred")


async def wanted(
    subject: Annotated[str, Query(max_length=100, description="Id of what was changed")] = "",
    subject_type: Annotated[str, Query(max_length=30)] = "",
    actor: Annotated[str, Query(max_length=200, description="Sign-in name or id")] = "",
    action: Annotated[
        str, Query(max_length=60, description="`release.published`; `release.` for all of them")
    ] = "",
    since: datetime | None = None,
    until: Annotated[datetime | None, Query(description="Before this moment")] = None,
) -> Filter:
    """Times without a zone are UTC."""
    return Filter(subject, subject_type, actor, action, _aware(since), _aware(until))


Which = Annotated[Filter, Depends(wanted)]


@router.get("/audit", responses=documented(TrailPage))
def search_audit(
    work: SignedInWork, which: Which, before: Annotated[int | None, Query(ge=1)] = None, limit: Limit = 100
) -> Response:
    """Lines of the trail, the newest first; for supervisors and sysadmins."""
    check_reader(work)
    rows = trail.newest(work, which, before=before, limit=limit)
    following = rows[-1].seq if len(rows) == limit and rows[-1].seq > 1 else None
    found = {"results": [trail.told(row) for row in rows], "next": following, "head": _head(work)}
    return json_answer(found)


@router.get("/audit/export", responses={200: {"content": {"application/x-ndjson": {}, "text/csv": {}}}})
def export_audit(
    request: Request,
    work: SignedInWork,
    which: Which,
    format: Format = Format.NDJSON,
    after: Annotated[int, Query(ge=0, description="Only lines after this number")] = 0,
) -> Response:
    """All lines that fit, the oldest first, with everything that their hashes are made of."""
    check_reader(work)
    return export(place_of(request), which, format, after, trail.head(work).seq)


@router.get("/audit/verify", responses=documented(Verdict))
def verify_audit(work: SignedInWork) -> Response:
    """Computes the whole chain again, and compares it with its head and with those that were published."""
    check_reader(work)
    breaks = [{"seq": b.seq, "reason": b.reason} for b in islice(audit.verify(work.session), MOST_BREAKS)]
    return json_answer({"holds": not breaks, "head": _head(work), "breaks": breaks})


@router.get("/audit/heads", responses=documented(list[DailyHead]))
def published_heads(work: ApiWork, limit: Limit = 366) -> Response:
    """Where the trail stood on each day, the newest first: whoever keeps these can later prove that nobody rewrote it."""
    heads = trail.published_heads(work, limit)
    found = [DailyHead(day=h.day, at=h.at, seq=h.seq, hash=h.hash) for h in heads]
    return json_answer(found, public=True)


def check_reader(work: Work) -> None:
    if not trail.may_read(work.actor):
        raise Forbidden("supervisor_only")


def export(place: Workplace, which: Filter, format: Format, after: int, upto: int) -> Response:
    """Streams the lines up to that number, a batch at a time, each read on its own: no transaction is held while a slow
    reader takes it."""
    lines = _csv if format is Format.CSV else _ndjson
    media = "text/csv; charset=utf-8" if format is Format.CSV else "application/x-ndjson"
    headers = {
        "Content-Disposition": f'attachment; filename="audit-{upto}.{format.value}"',
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(lines(_batches(place, which, after, upto)), headers=headers, media_type=media)


def _batches(place: Workplace, which: Filter, after: int, upto: int) -> Iterator[list[dict[str, Any]]]:
    while True:
        with place.reading(SYSTEM) as work:
            rows = [trail.told(row) for row in trail.after(work, which, after, upto)]
        if not rows:
            return
        yield rows
        after = rows[-1]["seq"]


def _ndjson(batches: Iterator[list[dict[str, Any]]]) -> Iterator[bytes]:
    for rows in batches:
        yield b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _csv(batches: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    yield csvtext.MARK + csvtext.lines([trail.COLUMNS])
    for rows in batches:
        yield csvtext.lines([[_cell(row[name]) for name in trail.COLUMNS] for row in rows])


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def _head(work: Work) -> dict[str, Any]:
    head = trail.head(work)
    return {"seq": head.seq, "hash": head.hash}


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
