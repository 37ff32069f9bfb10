"""Reads of scores: final ones are public, those of the running quarter are for the body and for those who watch."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select

from opendata.core.errors import NotFound
from opendata.supervision import policy
from opendata.supervision.scores.models import RuleVersion, Score
from opendata.work.unit import Work


def of_quarter(work: Work, quarter: str, agency_id: str | None = None) -> Sequence[Score]:
    """The best first."""
    query = select(Score).where(Score.quarter == quarter, *_visible(work))
    if agency_id is not None:
        query = query.where(Score.agency_id == agency_id)
    return work.session.execute(query.order_by(Score.hundredths.desc(), Score.agency_id)).scalars().all()


def quarters(work: Work) -> list[str]:
    """Those with scores that the actor may see, the newest first."""
    query = select(Score.quarter).where(*_visible(work)).distinct()
    return sorted(work.session.execute(query).scalars(), reverse=True)


def find(work: Work, score_id: str) -> Score:
    """`NotFound("score_not_found")`."""
    query = select(Score).where(Score.id == score_id, *_visible(work))
    found = work.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("score_not_found", id=score_id[:100])
    return found


def version(work: Work, number: int) -> RuleVersion:
    """`NotFound("score_rules_not_found")`."""
    found = work.session.get(RuleVersion, number)
    if found is None:
        raise NotFound("score_rules_not_found", id=number)
    return found


def _visible(work: Work) -> list[ColumnElement[bool]]:
    seen = policy.seen_bodies(work)
    return [] if seen is None else [or_(Score.final, Score.agency_id.in_(seen))]
