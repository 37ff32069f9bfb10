"""Findings as the console's pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from opendata.accounts.models import User
from opendata.catalog.models import Release
from opendata.publishing.findings import service as findings
from opendata.review import queries as reviews
from opendata.review import sentences
from opendata.review.models import Finding, Waiver
from opendata.work.unit import Work


@dataclass(frozen=True)
class Told:
    """A finding as people read it."""

    finding: Finding
    rule: str
    sentence: str
    waiver: Waiver | None
    waived_by: User | None
    can_mask: bool

    @property
    def blocks(self) -> bool:
        return self.finding.confident and self.waiver is None


def told(work: Work, release: Release, language: str) -> list[Told]:
    waivers = reviews.waivers(work, release)
    found = []
    for finding in reviews.findings(work, release):
        waiver, by = waivers.get(reviews.key(finding), (None, None))
        rule, sentence = sentences.rule_name(finding.rule, language), sentences.sentence(finding, language)
        found.append(Told(finding, rule, sentence, waiver, by, findings.may_mask(finding)))
    return found
