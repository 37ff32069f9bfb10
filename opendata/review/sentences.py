"""What a finding says to people, in their language. Data in `messages/*.json`."""

from __future__ import annotations

from pathlib import Path

from opendata.edge import messages
from opendata.review.detect.rules import Found
from opendata.review.models import Finding

_FOLDER = Path(__file__).parent / "messages"


def catalogue(language: str) -> dict[str, str]:
    """`rule.*`: what was found; `reason.*`: the sentence, with {place}, {count} and {what}; `suggest.*`: what to do."""
    return messages.read(_FOLDER, language)


def rule_name(rule: str, language: str) -> str:
    return catalogue(language).get(f"rule.{rule}", rule)


def sentence(finding: Finding | Found, language: str) -> str:
    """Where, how often, what, why, and what to do about it."""
    texts = catalogue(language)
    what = rule_name(finding.rule, language)
    # Findings of before this release have no reason.
    told = texts[f"reason.{finding.reason or 'proven'}"]
    said = told.format(place=finding.place, count=f"{finding.count:,}", what=what)
    return (
        f"{said} {texts[f'suggest.{finding.suggestion}']}"
        if language == "en"
        else said + texts[f"suggest.{finding.suggestion}"]
    )
