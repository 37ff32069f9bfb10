"""Reads of the log. What it holds is public, whoever asks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select

from opendata.changes.models import Change
from opendata.core.errors import BadQuery, FieldError
from opendata.work.unit import Work

BEGINNING, NOW = "", "now"
_START = "0-00000000"
_CURSOR = re.compile(r"([0-9a-f]{1,15})-([0-9a-f]{8})")
_TAIL = 8
"""Of a change's id: the random end of it, not the time that it begins with."""


def cursor(change: Change | None) -> str:
    """Behind this change. None: the beginning."""
    return f"{change.position:x}-{change.id[-_TAIL:]}" if change is not None else _START


def position(work: Work, since: str) -> int:
    """The position that a cursor stands at. `BadQuery("cursor_wrong")` for what is none; `BadQuery("cursor_unknown")` for one
    of another log, as after a backup was restored: what it has seen is not what this one holds."""
    if since in (BEGINNING, _START):
        return 0
    if since == NOW:
        return getattr(_newest(work), "position", 0)
    told = _CURSOR.fullmatch(since)
    if told is None:
        raise BadQuery(fields=[FieldError("since", "cursor_wrong", {"value": since[:100]})])
    number, tail = int(told[1], 16), told[2]
    change = work.session.get(Change, number)
    if change is None or change.id[-_TAIL:] != tail:
        raise BadQuery(fields=[FieldError("since", "cursor_unknown", {"value": since[:100]})])
    return number


def after(work: Work, number: int, limit: int) -> Sequence[Change]:
    query = select(Change).where(Change.position > number).order_by(Change.position).limit(limit)
    return work.session.execute(query).scalars().all()


def at(work: Work, number: int) -> Change | None:
    return work.session.get(Change, number)


def _newest(work: Work) -> Change | None:
    return work.session.execute(select(Change).order_by(Change.position.desc()).limit(1)).scalar()
