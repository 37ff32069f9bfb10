"""The counts by REST and as CSV: open data like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from opendata.agencies import queries as agencies
from opendata.core import csvtext
from opendata.core.clock import day_of
from opendata.core.errors import BadQuery, FieldError
from opendata.edge.conventions import Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import ApiWork
from opendata.supervision.usage import queries
from opendata.supervision.usage.queries import Span, Uses
from opendata.work.unit import Work

router = APIRouter(tags=["usage"], dependencies=[Depends(known_query)])
COLUMNS = ("dataset", "title", "agency", "views", "downloads", "calls", "since", "until")


class UsesOut(BaseModel):
    views: int = Field(description="Pages about it")
    downloads: int = Field(description="Files from their beginning")
    calls: int = Field(description="Its metadata or rows by an API")

    @classmethod
    def of(cls, uses: Uses) -> UsesOut:
        return cls(views=uses.views, downloads=uses.downloads, calls=uses.calls)


class DatasetUses(UsesOut):
    dataset: str
    title: str
    agency: str


class UsageOut(BaseModel):
    since: date
    until: date
    total: UsesOut = Field(description="The sum of `agencies`")
    agencies: dict[str, UsesOut] = Field(
        description="By the body's short name; with the uses of what it has withdrawn since"
    )
    total_datasets: int = Field(description="Public datasets that were used")
    results: list[DatasetUses] = Field(description="The most used first")


def span(
    work: ApiWork,
    since: Annotated[
        date | None, Query(description="The first day; the first of the year if left out")
    ] = None,
    until: Annotated[date | None, Query(description="The last day; today if left out")] = None,
    agency: Annotated[str | None, Query(description="Name or id of the body")] = None,
) -> Span:
    """Days are Beijing's."""
    return span_of(work, since, until, agency)


def span_of(work: Work, since: date | None, until: date | None, agency: str | None) -> Span:
    """`BadQuery("span_backwards")` if it ends before it begins."""
    today = day_of(work.now)
    last = until or max(today, since or today)
    first = since or last.replace(month=1, day=1)
    if first > last:
        raise BadQuery(fields=[FieldError("since", "span_backwards", {"until": last.isoformat()})])
    return Span(first, last, agencies.find(work, agency).id if agency else None)


Which = Annotated[Span, Depends(span, scope="function")]


@router.get("/usage", responses=documented(UsageOut))
def get_usage(work: ApiWork, which: Which, offset: Offset = 0, limit: Limit = 100) -> Response:
    """Views, downloads and calls of the public datasets, and their sums by body. Nothing is kept about who they were."""
    sums = queries.by_agency(work, which)
    found = queries.by_dataset(work, which, offset=offset, limit=limit)
    names = {body.id: body.name for body in agencies.by_ids(work.session, sums).values()}
    told = UsageOut(
        since=which.since,
        until=which.until,
        total=UsesOut.of(sum(sums.values(), Uses())),
        agencies={names[i]: UsesOut.of(uses) for i, uses in sorted(sums.items(), key=lambda x: names[x[0]])},
        total_datasets=found.total,
        results=[
            DatasetUses(dataset=u.name, title=u.title, agency=names[u.agency_id], **vars(u.uses))
            for u in found.items
        ],
    )
    return json_answer(told)


@router.get("/usage.csv", responses={200: {"content": {"text/csv": {}}}})
def export_usage(work: ApiWork, which: Which) -> Response:
    """The same of every dataset, as CSV."""
    text = csvtext.MARK + csvtext.lines(_rows(work, which))
    headers = {"Content-Disposition": f'attachment; filename="usage-{which.since}-{which.until}.csv"'}
    return Response(text, headers=headers, media_type="text/csv; charset=utf-8")


def _rows(work: Work, which: Span) -> Iterator[tuple[object, ...]]:
    names = {
        body.id: body.name for body in agencies.by_ids(work.session, queries.by_agency(work, which)).values()
    }
    yield COLUMNS
    for used in queries.every(work, which):
        uses = used.uses
        yield (
            used.name, used.title, names[used.agency_id], uses.views, uses.downloads, uses.calls, which.since, which.until,
        )  # fmt: skip
