"""Scores and their rules by REST, and the evidence as an archive. All of it can be switched off (`OPENDATA_SUPERVISION`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opendata.agencies import queries as agencies
from opendata.core.clock import day_of
from opendata.core.errors import Forbidden, NotFound
from opendata.edge.conventions import documented, json_answer, known_query
from opendata.edge.http import ApiWork, AppSettings, SignedInWork
from opendata.supervision import policy
from opendata.supervision.scores import evidence, queries, service
from opendata.supervision.scores.models import RuleVersion, Score
from opendata.supervision.scores.quarter import Quarter
from opendata.supervision.scores.rules import Rule, RuleSet, evaluate
from opendata.work.unit import Work


async def switched_on(settings: AppSettings) -> None:
    """`NotFound("supervision_off")` where the module is switched off."""
    if not settings.supervision:
        raise NotFound("supervision_off")


router = APIRouter(
    prefix="/supervision", tags=["supervision"], dependencies=[Depends(known_query), Depends(switched_on)]
)
Asked = Annotated[str, Query(max_length=20, description="2026Q2; the last one that is over, if left out")]


class ResultOut(BaseModel):
    rule: str
    title: str
    title_en: str
    part: str
    share: float | None = Field(description="0 to 1; null where the rule was left out")
    points: float | None


class ScoreOut(BaseModel):
    id: str
    agency: str
    quarter: str
    points: float = Field(description="Of 100")
    final: bool = Field(description="The quarter is over")
    rules_version: int
    facts: dict[str, int] = Field(description="The snapshot that it was made of")
    results: list[ResultOut]
    hash: str
    taken_at: datetime
    recomputed: float = Field(description="What the stored snapshot gives by the stored rules, computed now")


class ScorePage(BaseModel):
    quarter: str
    results: list[ScoreOut]


class RulesIn(RuleSet):
    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str = Field(max_length=2000, description="Why the rules change")


class RulesOut(BaseModel):
    version: int
    openness_weight: float = Field(description="Percent that openness weighs in the yearly assessment")
    rules: list[Rule]
    reason: str
    created_at: datetime | None


@router.get("/scores", responses=documented(ScorePage))
def list_scores(work: ApiWork, quarter: Asked = "", agency: str | None = None) -> Response:
    """Scores of a quarter, the best first. Before its end they are for the bodies themselves and for those who watch."""
    asked = quarter_of(work, quarter)
    found = queries.of_quarter(work, asked, agencies.find(work, agency).id if agency is not None else None)
    return json_answer(ScorePage(quarter=asked, results=shapes(work, found)))


@router.get("/scores/{score}", responses=documented(ScoreOut))
def get_score(work: ApiWork, score: str) -> Response:
    """One score with its snapshot, computed again."""
    return json_answer(shapes(work, [queries.find(work, score)])[0])


@router.get("/rules", responses=documented(RulesOut))
def get_rules(work: ApiWork, settings: AppSettings) -> Response:
    """The rules by which scores are taken now."""
    version = service.current(work)
    if version is not None:
        return json_answer(_told(version))
    rules = service.delivered(settings.catalog_schemas)
    told = RulesOut(
        version=1, reason="", created_at=None, openness_weight=rules.openness_weight, rules=rules.rules
    )
    return json_answer(told)


@router.get("/rules/{version}", responses=documented(RulesOut))
def get_rules_version(work: ApiWork, version: int) -> Response:
    """An old version, by which old scores still stand."""
    return json_answer(_told(queries.version(work, version)))


@router.post("/rules", status_code=201, responses=documented(RulesOut, 201))
def change_rules(work: SignedInWork, body: RulesIn, settings: AppSettings) -> Response:
    """A new version, by a supervisor, for the scores from now on. The weights are 100 together."""
    rules = RuleSet(openness_weight=body.openness_weight, rules=body.rules)
    made = service.change(work, settings.catalog_schemas, rules, reason=body.reason)
    return json_answer(_told(made), status=201)


@router.get("/evidence", responses={200: {"content": {"application/zip": {}}}})
def export_evidence(work: SignedInWork, settings: AppSettings, quarter: Asked = "") -> Response:
    """What the scores of a quarter stand on, as a ZIP of CSV and JSON files with their hashes; for those who watch."""
    if not policy.may_watch(work.actor):
        raise Forbidden("watchers_only")
    asked = quarter_of(work, quarter)
    scores = [shape.model_dump(mode="json") for shape in shapes(work, queries.of_quarter(work, asked))]
    body = evidence.archive(work, Quarter.parse(asked), scores)
    headers = {
        "Content-Disposition": f'attachment; filename="evidence-{asked}.zip"',
        "Cache-Control": "private, no-store",
    }
    return Response(body, headers=headers, media_type="application/zip")


def quarter_of(work: Work, asked: str) -> str:
    """`BadQuery("bad_quarter")`. The last quarter that is over, if none was asked for."""
    if asked:
        return str(Quarter.parse(asked))
    return str(Quarter.of(day_of(work.now)).previous)


def shapes(work: Work, scores: Sequence[Score]) -> list[ScoreOut]:
    bodies = agencies.by_ids(work.session, {score.agency_id for score in scores})
    versions = {number: queries.version(work, number) for number in {s.rules_version for s in scores}}
    return [_shape(score, bodies[score.agency_id].name, versions[score.rules_version]) for score in scores]


def _shape(score: Score, agency: str, version: RuleVersion) -> ScoreOut:
    total, results = evaluate(RuleSet.model_validate(version.content), score.facts)
    own = ("id", "quarter", "final", "rules_version", "facts", "hash", "taken_at")
    return ScoreOut(
        agency=agency,
        points=score.hundredths / 100,
        recomputed=total / 100,
        results=[
            ResultOut(
                rule=result.rule.id, title=result.rule.title, title_en=result.rule.title_en, part=result.rule.part,
                share=None if result.share is None else round(float(result.share), 4),
                points=None if result.hundredths is None else result.hundredths / 100,
            )
            for result in results
        ],
        **{name: getattr(score, name) for name in own},
    )  # fmt: skip


def _told(version: RuleVersion) -> RulesOut:
    rules = RuleSet.model_validate(version.content)
    return RulesOut(
        version=version.version, openness_weight=rules.openness_weight, rules=rules.rules, reason=version.reason,
        created_at=version.created_at,
    )  # fmt: skip
