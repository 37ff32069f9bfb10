"""New versions of the rules, and the taking of scores. What was taken of a quarter that is over stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from opendata.core.canonical import sha256_json
from opendata.core.clock import day_of
from opendata.core.errors import FieldError, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.supervision import policy
from opendata.supervision.scores import facts as counted
from opendata.supervision.scores.models import RuleVersion, Score
from opendata.supervision.scores.quarter import Quarter
from opendata.supervision.scores.rules import RuleSet, evaluate
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

FILE = "supervision_rules.json"


@cache
def delivered(folder: Path) -> RuleSet:
    """The rules that come with the platform: version 1."""
    return RuleSet.model_validate(json.loads((folder / FILE).read_text(encoding="utf-8")))


def current(work: Work) -> RuleVersion | None:
    """The newest version; None before the first score was taken."""
    query = select(RuleVersion).order_by(RuleVersion.version.desc()).limit(1)
    return work.session.execute(query).scalar_one_or_none()


def ensure(work: Work, folder: Path) -> RuleVersion:
    """The newest version; the delivered one, if nobody has written another."""
    return current(work) or _add(work, 1, delivered(folder), "")


def change(work: Work, folder: Path, rules: RuleSet, *, reason: str) -> RuleVersion:
    """A new version by a supervisor, for the scores from now on: old ones keep theirs. `Forbidden`, `Invalid`."""
    policy.check_orders(work.actor)
    told = clean_text(reason).strip()
    if not told:
        raise Invalid(fields=[FieldError("reason", "missing")])
    before = ensure(work, folder)
    return _add(work, before.version + 1, rules, told)


def take_all(place: Workplace, folder: Path) -> None:
    """Job: this quarter's scores as they stand, and those of the last one for good. Idempotent."""
    with place.reading(SYSTEM) as work:
        running = Quarter.of(day_of(work.now))
        wanted = [running, *([running.previous] if _waits(work, running.previous) else [])]
        found = {quarter: counted.gather(work, quarter.first, quarter.last) for quarter in wanted}
    with place.writing(SYSTEM) as work:
        for quarter, facts in found.items():
            _take(work, folder, quarter, facts, final=quarter != running)


def _waits(work: Work, over: Quarter) -> bool:
    """Whether scores were taken while the quarter ran, and are not final: a platform that came later has nothing true to say
    of it."""
    query = select(Score.id).where(Score.quarter == str(over), Score.final.is_(False))
    return work.session.execute(query.limit(1)).first() is not None


def _take(
    work: Work, folder: Path, quarter: Quarter, found: Mapping[str, Mapping[str, int]], *, final: bool
) -> None:
    """The score of every body in the quarter; final ones are of the bodies that were there, and are left alone."""
    query = select(Score).where(Score.quarter == str(quarter))
    held = {score.agency_id: score for score in work.session.execute(query).scalars()}
    version = ensure(work, folder)
    rules = RuleSet.model_validate(version.content)
    for agency_id, facts in sorted(found.items()):
        score = held.get(agency_id)
        if score is None and not final:
            score = Score(id=new_id(), agency_id=agency_id, quarter=str(quarter))
            work.session.add(score)
        if score is None or score.final:
            continue
        score.rules_version, score.facts, score.final = version.version, dict(facts), final
        score.hundredths = evaluate(rules, facts)[0]
        score.hash, score.taken_at = fingerprint(score), work.now
    work.session.flush()
    if final:
        work.record("scores.taken", "quarter", str(quarter), rules_version=version.version)


def recomputed(score: Score, version: RuleVersion) -> int:
    """The figure that the stored snapshot gives by the stored rules, in hundredths."""
    return evaluate(RuleSet.model_validate(version.content), score.facts)[0]


def fingerprint(score: Score) -> str:
    told = ("agency_id", "quarter", "rules_version", "facts", "hundredths")
    return sha256_json({name: getattr(score, name) for name in told})


def _add(work: Work, number: int, rules: RuleSet, reason: str) -> RuleVersion:
    content: dict[str, Any] = rules.model_dump(mode="json")
    made = RuleVersion(
        version=number, content=content, reason=reason, created_by=work.actor.id, created_at=work.now
    )
    work.session.add(made)
    work.session.flush()
    work.record("score_rules.added", "score_rules", str(number), reason=reason, content=content)
    return made
