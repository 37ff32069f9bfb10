"""The records of a list, from datestamp to datestamp: what is public, and what was and is not any more."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, not_, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies.models import Agency
from opendata.catalog.models import Dataset
from opendata.compat.oai.asking import Wanted
from opendata.work.unit import Work

WAS_PUBLIC = (Dataset.withdrawn_at.is_not(None), Dataset.first_published_at.is_not(None), not_(PUBLIC_FILTER))
"""Persistent: a record that was once given out never disappears without a word."""


@dataclass(frozen=True)
class Header:
    id: str
    at: datetime
    """When it was published, changed or withdrawn last."""
    agency: str
    deleted: bool


@dataclass(frozen=True)
class Listed:
    headers: Sequence[Header]
    more: bool


def page(work: Work, wanted: Wanted, limit: int) -> Listed:
    """The next records of the list, oldest change first: what changes meanwhile moves to its end and is given again."""
    sources = [
        [_header(row, deleted) for row in work.session.execute(_next(wanted, deleted, limit + 1))]
        for deleted in (False, True)
    ]
    found = list(heapq.merge(*sources, key=lambda header: (header.at, header.id)))
    return Listed(found[:limit], len(found) > limit)


def count(work: Work, wanted: Wanted) -> int:
    """Of the complete list."""
    return sum(
        work.session.execute(
            select(func.count()).select_from(_within(wanted, deleted).subquery())
        ).scalar_one()
        for deleted in (False, True)
    )


def one(work: Work, dataset_id: str) -> Header | None:
    for deleted in (False, True):
        query = _rows(deleted).where(Dataset.id == dataset_id)
        if (row := work.session.execute(query).one_or_none()) is not None:
            return _header(row, deleted)
    return None


def earliest(work: Work) -> datetime:
    """No record has an earlier datestamp. Without any record: now."""
    rows = (_rows(deleted).subquery() for deleted in (False, True))
    first = [work.session.execute(select(func.min(found.c.at))).scalar_one() for found in rows]
    return min((at for at in first if at is not None), default=work.now)


def _next(wanted: Wanted, deleted: bool, limit: int) -> Select[Any]:
    query, at = _within(wanted, deleted), _at(deleted)
    if wanted.at is not None:
        # As one range of the index, then exactly: SQLite reads a comparison of pairs by its first part alone.
        query = query.where(at >= wanted.at, (at > wanted.at) | (Dataset.id > wanted.id))
    return query.order_by(at, Dataset.id).limit(limit)


def _within(wanted: Wanted, deleted: bool) -> Select[Any]:
    query, at = _rows(deleted), _at(deleted)
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    if wanted.before is not None:
        query = query.where(at < wanted.before)
    return query.where(Agency.name == wanted.agency) if wanted.agency else query


def _rows(deleted: bool) -> Select[Any]:
    query = select(Dataset.id, _at(deleted).label("at"), Agency.name)
    query = query.join(Agency, Agency.id == Dataset.agency_id)
    return query.where(*WAS_PUBLIC) if deleted else query.where(PUBLIC_FILTER)


def _at(deleted: bool) -> Any:
    return Dataset.withdrawn_at if deleted else Dataset.published_at


def _header(row: Row[Any], deleted: bool) -> Header:
    return Header(row.id, row.at, row.name, deleted)
