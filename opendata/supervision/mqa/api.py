"""Metadata quality by REST, for everybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies import queries as agencies
from opendata.catalog import queries as catalogue
from opendata.core.errors import Unavailable
from opendata.edge.conventions import Language, Limit, Offset, documented, json_answer, known_query
from opendata.edge.http import ApiWork
from opendata.supervision.mqa import queries
from opendata.supervision.mqa.rubric import BEST, INDICATORS, Dimension, Indicator, Rating, rating, unpacked

router = APIRouter(prefix="/quality/mqa", tags=["quality"], dependencies=[Depends(known_query)])
Body = Annotated[str | None, Query(description="Name or id of a body: only its datasets")]


class IndicatorOut(BaseModel):
    code: str
    dimension: Dimension
    points: int
    title: str
    remedy: str = Field(description="What to do about it, in the caller's language")


class FailedOut(IndicatorOut):
    failing: int = Field(description="Datasets that do not meet it")


class BodyOut(BaseModel):
    agency: str
    datasets: int
    points: float
    rating: Rating


class SiteOut(BaseModel):
    best: int = Field(description="Points of a dataset that meets everything: 405")
    datasets: int
    points: float | None = Field(description="On average; null while nothing is public")
    rating: Rating | None
    indicators: list[FailedOut]
    agencies: list[BodyOut]


class DatasetPoints(BaseModel):
    dataset: str
    title: str
    agency: str
    points: int
    rating: Rating
    failing: list[str] = Field(description="Codes of indicators")


class DatasetsOut(BaseModel):
    total: int
    results: list[DatasetPoints] = Field(description="Those with the fewest points first")


class DatasetOut(BaseModel):
    dataset: str
    revision: int
    points: int
    best: int
    rating: Rating
    dimensions: dict[Dimension, int]
    failing: list[IndicatorOut]


def _words(one: Indicator, language: str) -> dict[str, str | int]:
    place = 0 if language == "zh" else 1
    return {
        "code": one.code, "dimension": one.dimension, "points": one.points, "title": one.title[place],
        "remedy": one.remedy[place],
    }  # fmt: skip


@router.get("", responses=documented(SiteOut))
def site_quality(work: ApiWork, language: Language, agency: Body = None) -> Response:
    """Points of the site, or of a body, by the rubric of data.europa.eu: on average over its public datasets, each counted by
    its best file; how many datasets fail each indicator, and what to do."""
    body = agencies.find(work, agency) if agency else None
    sums = queries.by_agency(work)
    shown = {i: one for i, one in sums.items() if body is None or i == body.id}
    names = agencies.by_ids(work.session, shown)
    total = queries.together(shown)
    failed = queries.failing(work, body.id if body else None)
    told = SiteOut(
        best=BEST,
        datasets=total.datasets if total else 0,
        points=round(total.points, 1) if total else None,
        rating=rating(total.points) if total else None,
        indicators=[FailedOut(**_words(one, language), failing=failed[one.code]) for one in INDICATORS],
        agencies=[
            BodyOut(agency=names[i].name, datasets=s.datasets, points=round(s.points, 1), rating=rating(s.points))
            for i, s in sorted(shown.items(), key=lambda entry: names[entry[0]].name)
        ],
    )  # fmt: skip
    return json_answer(told)


@router.get("/datasets", responses=documented(DatasetsOut))
def datasets_quality(work: ApiWork, agency: Body = None, offset: Offset = 0, limit: Limit = 100) -> Response:
    """The public datasets, those with the fewest points first."""
    body = agencies.find(work, agency) if agency else None
    rows, total = queries.datasets(work, body.id if body else None, offset=offset, limit=limit)
    names = agencies.by_ids(work.session, {row.agency_id for row in rows})
    told = [
        DatasetPoints(
            dataset=row.name, title=row.title or row.name, agency=names[row.agency_id].name, points=row.points,
            rating=rating(row.points), failing=[one.code for one in unpacked(row.failing)],
        )
        for row in rows
    ]  # fmt: skip
    return json_answer(DatasetsOut(total=total, results=told))


@router.get("/{dataset}", responses=documented(DatasetOut))
def dataset_quality(work: ApiWork, language: Language, dataset: str) -> Response:
    """One dataset: its points by dimension, each indicator that it fails, and what to do about it. 503 in the moment between
    its publication and its measuring."""
    found = catalogue.dataset(work, dataset, visible=PUBLIC_FILTER)
    score = queries.score(work, found.id)
    if score is None:
        raise Unavailable("not_measured_yet", retry_after=5)
    failed = unpacked(score.failing)
    told = DatasetOut(
        dataset=found.name,
        revision=score.revision,
        points=score.points,
        best=BEST,
        rating=rating(score.points),
        dimensions={
            dimension: sum(
                one.points for one in INDICATORS if one.dimension is dimension and one not in failed
            )
            for dimension in Dimension
        },
        failing=[IndicatorOut(**_words(one, language)) for one in failed],
    )
    return json_answer(told)
