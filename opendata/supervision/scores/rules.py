"""Rules as data: each is a share of two facts with a weight. What they make of a snapshot is a pure function of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from opendata.supervision.scores.facts import Fact

FULL = 100
LEAST_OPENNESS = 4
"""Percent of the yearly assessment that openness weighs at least (《实施意见》六三)."""


class Part(StrEnum):
    """The five parts of the assessment of openness: 信息公开、政策解读、回应关切、媒体参与、网站建设."""

    DISCLOSURE = "disclosure"
    INTERPRETATION = "interpretation"
    RESPONSE = "response"
    MEDIA = "media"
    WEBSITE = "website"


class Empty(StrEnum):
    """What a rule gives where there is nothing to count."""

    SKIP = "skip"
    """The rule is left out, the others weigh more."""
    ZERO = "zero"
    FULL = "full"


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=40)
    title: str = Field(min_length=1, max_length=100)
    title_en: str = Field("", max_length=100)
    part: Part
    weight: float = Field(gt=0, le=FULL, description="Points of 100")
    share: Fact = Field(description="The fact that is counted")
    of: Fact = Field(description="The fact it is divided by")
    empty: Empty = Field(Empty.SKIP, description="What holds where `of` is 0")


class RuleSet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    openness_weight: float = Field(
        ge=LEAST_OPENNESS,
        le=FULL,
        description="Percent that openness weighs in the yearly assessment: 4 at least",
    )
    rules: list[Rule] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _hundred(self) -> Self:
        total = sum((_exact(rule) for rule in self.rules), Decimal(0))
        if total != FULL:
            raise PydanticCustomError("weights_not_hundred", "The weights of the rules are 100 together")
        if len({rule.id for rule in self.rules}) < len(self.rules):
            raise PydanticCustomError("rule_id_twice", "Each rule has an id of its own")
        return self


@dataclass(frozen=True)
class Result:
    """What one rule gave: the share from 0 to 1 and its points, or None where it was left out."""

    rule: Rule
    share: Decimal | None
    hundredths: int | None


def evaluate(rules: RuleSet, facts: Mapping[str, int]) -> tuple[int, Sequence[Result]]:
    """Hundredths of points of 100, and what each rule gave. Rules that are left out give their weight to the others."""
    shares = [(rule, _share(rule, facts)) for rule in rules.rules]
    weight = sum((_exact(rule) for rule, share in shares if share is not None), Decimal(0))
    results = []
    total = Decimal(0)
    for rule, share in shares:
        points = None if share is None else share * _exact(rule) * FULL / weight
        total += points or 0
        results.append(Result(rule, share, None if points is None else _rounded(points * 100)))
    return _rounded(total * 100), results


def _share(rule: Rule, facts: Mapping[str, int]) -> Decimal | None:
    whole = facts.get(rule.of, 0)
    if whole == 0:
        return {Empty.SKIP: None, Empty.ZERO: Decimal(0), Empty.FULL: Decimal(1)}[rule.empty]
    return min(Decimal(1), Decimal(facts.get(rule.share, 0)) / Decimal(whole))


def _exact(rule: Rule) -> Decimal:
    """The weight as it was written: 33.4 is not what a float makes of it."""
    return Decimal(str(rule.weight))


def _rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))
