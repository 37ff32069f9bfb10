"""Reads of what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, case, func, select
from sqlalchemy.sql import ColumnElement

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, Release
from opendata.supervision.mqa.models import MqaScore
from opendata.supervision.mqa.rubric import BITS
from opendata.work.unit import Work

DatasetRow = Row[str, str, str, int, int]
"""id, name, agency_id, points, failing; and `title`."""


@dataclass(frozen=True)
class Sum:
    datasets: int
    points: float
    """On average."""


def score(work: Work, dataset_id: str) -> MqaScore | None:
    return work.session.get(MqaScore, dataset_id)


def by_agency(work: Work) -> dict[str, Sum]:
    query = select(Dataset.agency_id, func.count(), func.avg(MqaScore.points)).join(
        MqaScore, MqaScore.dataset_id == Dataset.id
    )
    rows = work.session.execute(query.where(PUBLIC_FILTER).group_by(Dataset.agency_id))
    return {agency_id: Sum(count, float(points)) for agency_id, count, points in rows}


def together(sums: Mapping[str, Sum]) -> Sum | None:
    count = sum(one.datasets for one in sums.values())
    return Sum(count, sum(one.points * one.datasets for one in sums.values()) / count) if count else None


def failing(work: Work, agency_id: str | None) -> dict[str, int]:
    """How many datasets fail each indicator."""
    counts = [func.sum(case((MqaScore.failing.op("&")(bit) != 0, 1), else_=0)) for bit in BITS.values()]
    query = select(*counts).join(Dataset, Dataset.id == MqaScore.dataset_id).where(*_public(agency_id))
    row = work.session.execute(query).one()
    return dict(zip(BITS, (int(n or 0) for n in row), strict=True))


def datasets(
    work: Work, agency_id: str | None, *, offset: int, limit: int
) -> tuple[Sequence[DatasetRow], int]:
    """Those with the fewest points first, and how many there are."""
    wanted = _public(agency_id)
    joined = select(func.count()).select_from(MqaScore).join(Dataset, Dataset.id == MqaScore.dataset_id)
    total = work.session.execute(joined.where(*wanted)).scalar_one()
    query = (
        select(
            Dataset.id, Dataset.name, Dataset.agency_id, MqaScore.points, MqaScore.failing,
            Release.meta["title"].as_string().label("title"),
        )
        .join(MqaScore, MqaScore.dataset_id == Dataset.id)
        .join(Release, Release.id == Dataset.published_id)
        .where(*wanted)
        .order_by(MqaScore.points, Dataset.id)
    )  # fmt: skip
    return work.session.execute(query.offset(offset).limit(limit)).all(), total


def _public(agency_id: str | None) -> list[ColumnElement[bool]]:
    return [PUBLIC_FILTER] + ([Dataset.agency_id == agency_id] if agency_id else [])
