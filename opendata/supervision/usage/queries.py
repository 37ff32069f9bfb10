"""Reads of the counts: by body and by dataset, over days. A body's sums hold what its withdrawn datasets had, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, Release
from opendata.core.paging import Page
from opendata.supervision.usage.models import DailyUse
from opendata.work.unit import Work

BATCH = 1000


@dataclass(frozen=True)
class Span:
    """Days, both of them included; of one body, or of all."""

    since: date
    until: date
    agency_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = [DailyUse.day.between(self.since, self.until)]
        return found if self.agency_id is None else [*found, Dataset.agency_id == self.agency_id]


@dataclass(frozen=True)
class Uses:
    views: int = 0
    downloads: int = 0
    calls: int = 0

    def __add__(self, other: Uses) -> Uses:
        return Uses(self.views + other.views, self.downloads + other.downloads, self.calls + other.calls)


@dataclass(frozen=True)
class Used:
    """A public dataset and its uses."""

    name: str
    title: str
    agency_id: str
    uses: Uses = field(default_factory=Uses)


def by_agency(work: Work, span: Span) -> dict[str, Uses]:
    """Uses by agency id."""
    query = select(Dataset.agency_id, *_sums()).join(Dataset, Dataset.id == DailyUse.dataset_id)
    query = query.where(*span.conditions()).group_by(Dataset.agency_id)
    return {agency_id: Uses(*map(int, sums)) for agency_id, *sums in work.session.execute(query)}


def by_dataset(work: Work, span: Span, *, offset: int = 0, limit: int = 100) -> Page[Used]:
    """Public datasets that were used, the most used first."""
    query = _by_dataset(span)
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    most = func.sum(DailyUse.views + DailyUse.downloads + DailyUse.calls)
    query = query.order_by(most.desc(), Dataset.name).offset(offset).limit(limit)
    return Page(_read(work, query), total, offset, limit)


def every(work: Work, span: Span) -> Iterator[Used]:
    """All of them by name, a batch at a time."""
    after = ""
    while found := _read(
        work, _by_dataset(span).where(Dataset.name > after).order_by(Dataset.name).limit(BATCH)
    ):
        yield from found
        after = found[-1].name


def used_datasets(work: Work, span: Span) -> dict[str, int]:
    """How many public datasets of each body were used at all."""
    query = select(Dataset.agency_id, func.count(DailyUse.dataset_id.distinct()))
    query = query.join(Dataset, Dataset.id == DailyUse.dataset_id).where(*span.conditions(), PUBLIC_FILTER)
    return {row[0]: row[1] for row in work.session.execute(query.group_by(Dataset.agency_id))}


def _by_dataset(span: Span) -> Select[str, str, str, int, int, int]:
    title = Release.meta["title"].as_string()
    query = select(Dataset.name, title, Dataset.agency_id, *_sums()).join(
        Dataset, Dataset.id == DailyUse.dataset_id
    )
    query = query.join(Release, Release.id == Dataset.published_id).where(*span.conditions(), PUBLIC_FILTER)
    return query.group_by(Dataset.id, Release.id)


def _sums() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    views, downloads, calls = (
        cast(func.sum(column), BigInteger) for column in (DailyUse.views, DailyUse.downloads, DailyUse.calls)
    )
    return views, downloads, calls


def _read(work: Work, query: Select[str, str, str, int, int, int]) -> Sequence[Used]:
    return [
        Used(name, title or name, agency_id, Uses(*map(int, sums)))
        for name, title, agency_id, *sums in work.session.execute(query)
    ]
