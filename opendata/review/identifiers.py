"""Finding personal identifiers in text: resident identity numbers and bank card numbers, by their checksums.

A checksum alone finds one in eleven (one in ten) of random numbers, so a place is judged by the share of its number-like
values that pass: a column of resident numbers passes nearly always, a column of other codes nearly never.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from opendata.core.checks import is_luhn, is_resident_id

RUN = re.compile(r"[0-9]{15,}[Xx]?")
"""A maximal run of digits that could be, or hold, an identifier."""
SAMPLE = 5
_CARD = re.compile(r"(?:62|60|4|5[1-5]|2[2-7]|35|36|37)[0-9]+")
"""Issuer prefixes (ISO/IEC 7812): UnionPay, Visa, Mastercard, JCB, Diners, American Express."""
_MASKED = "*"


class Rule(StrEnum):
    RESIDENT_ID = "resident_id"
    BANK_CARD = "bank_card"


CONFIDENT_SHARE = {Rule.RESIDENT_ID: 0.05, Rule.BANK_CARD: 0.6}
"""From which share of the candidates on a finding blocks; below, it is shown to the reviewers."""


@dataclass
class Tally:
    """Counts of one rule in one place."""

    candidates: int = 0
    hits: int = 0
    sample: list[dict[str, object]] = field(default_factory=list)

    def add(self, rule: Rule, row: int, value: str, *, hit: bool) -> None:
        self.candidates += 1
        if hit:
            self.hits += 1
            if len(self.sample) < SAMPLE:
                self.sample.append({"row": row, "masked": mask(rule, value)})

    def confident(self, rule: Rule) -> bool:
        return self.hits >= CONFIDENT_SHARE[rule] * self.candidates


def mask(rule: Rule, value: str) -> str:
    """By the conventions of china.md 6.5: resident number 3 + 4 places stay, bank card 6 + 4."""
    head = 3 if rule is Rule.RESIDENT_ID else 6
    return value[:head] + _MASKED * (len(value) - head - 4) + value[-4:]


def runs(text: str) -> list[str]:
    """Number-like values of a text, full-width digits folded."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return RUN.findall(text)


def scan(values: Iterable[tuple[int, str]], today: date, tallies: dict[Rule, Tally]) -> None:
    """Counts hits among (row, number-like value) pairs."""
    for row, value in values:
        for rule, hit in _judge(value, today):
            tallies.setdefault(rule, Tally()).add(rule, row, value, hit=hit)


def _judge(value: str, today: date) -> Iterator[tuple[Rule, bool]]:
    if len(value) == 18:
        resident = is_resident_id(value, today)
        yield Rule.RESIDENT_ID, resident
        if resident:
            return
    if 15 <= len(value) <= 19 and value.isdigit() and _CARD.fullmatch(value):
        yield Rule.BANK_CARD, is_luhn(value)


@dataclass(frozen=True)
class Found:
    """One rule's hits in one place (a column, or a metadata field)."""

    place: str
    rule: str
    confident: bool
    count: int
    sample: Sequence[dict[str, Any]]


def summary(place: str, tallies: dict[Rule, Tally]) -> list[Found]:
    return [
        Found(place[:300], rule.value, tally.confident(rule), tally.hits, tally.sample)
        for rule, tally in tallies.items()
        if tally.hits
    ]
