"""Free text: metadata, names of files, lines above a table, files that are no table. No header tells what it is about, so
only what proves itself (a checksum, a marking, a key) is confident."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from opendata.review.detect import masking, rules
from opendata.review.detect.rules import PRIVATE_MAIL, SAMPLE, SUGGESTIONS, Found, Rule, Suggestion

CONFIDENT = frozenset({Rule.RESIDENT_ID, Rule.BANK_CARD, Rule.SECRECY_MARK, Rule.CREDENTIAL})
CONTACT = frozenset({Rule.MOBILE, Rule.LANDLINE, Rule.EMAIL})
"""What an official contact is made of."""
_PRIVATE = re.compile(PRIVATE_MAIL)
_DIGITS = re.compile(rules.NUMBERS_IN_TEXT)
_ADDRESS = re.compile(rf"{PRIVATE_MAIL}|:[^\s/@]+@")
_PLATE = masking.PATTERNS[Rule.PLATE]
_SIGNS = (
    "★", "☆", "密级", "内部", "密码", "口令", "-----BEGIN", "AKIA", "ASIA", "LTAI", "AKID", "AIza", "ghp_", "gho_", "ghu_", "ghs_",
    "ghr_", "github_pat_", "xox", "eyJ", "ogd_",
)  # fmt: skip
_WORDS = ("passw", "pwd", "secret", "apikey", "api_key")
"""In any case of the letters."""
_PLAIN = tuple(rule for rule in masking.PATTERNS if rule is not Rule.PERMIT)


@dataclass
class Text:
    """What was found in the lines of one text, rule by rule."""

    today: date
    skip: frozenset[Rule] = frozenset()
    hits: dict[Rule, int] = field(default_factory=dict)
    candidates: dict[Rule, int] = field(default_factory=dict)
    sample: dict[Rule, list[dict[str, object]]] = field(default_factory=dict)

    def feed(self, lines: Iterable[str], first: int = 1) -> None:
        for row, line in enumerate(lines, start=first):
            for rule, match in _matches(_folded(line), self.today):
                if match is None:
                    self.candidates[rule] = self.candidates.get(rule, 0) + 1
                elif rule not in self.skip:
                    self.hits[rule] = self.hits.get(rule, 0) + 1
                    shown = self.sample.setdefault(rule, [])
                    if len(shown) < SAMPLE:
                        shown.append({"row": row, "masked": masking.shown(rule, match)})

    def found(self, place: str) -> list[Found]:
        return [
            Found(
                place[:300],
                rule.value,
                rule in CONFIDENT and self._proven(rule, hits),
                hits,
                self.sample[rule],
                "proven" if rule in CONFIDENT else "in_text",
                SUGGESTIONS.get(rule, Suggestion.MASK),
            )
            for rule, hits in sorted(self.hits.items())
        ]

    def _proven(self, rule: Rule, hits: int) -> bool:
        """A checksum that only a few of the numbers pass is chance: one in eleven, one in ten."""
        return hits >= 0.3 * (hits + self.candidates.get(rule, 0))


def may_hold(text: str) -> bool:
    """Whether anything could be found in the text: a first look at all texts of a release, nearly none of which hold anything.
    It may say yes for nothing, never no for something."""
    text = _folded(text)
    if _DIGITS.search(text) or any(sign in text for sign in _SIGNS):
        return True
    if ("@" in text and _ADDRESS.search(text)) or (not text.isascii() and _PLATE.search(text)):
        return True
    small = text.lower()
    return any(word in small for word in _WORDS)


def scan(place: str, text: str, today: date, skip: frozenset[Rule] = frozenset()) -> list[Found]:
    looked = Text(today, skip)
    looked.feed(text.splitlines() or [text])
    return looked.found(place)


def _matches(line: str, today: date) -> Iterator[tuple[Rule, str | None]]:
    """(rule, what was found); None for a number that has the form and a wrong checksum."""
    for run in masking.RUNS.finditer(line):
        number = re.sub("[ -]", "", run[0])
        if masking.is_resident_run(run[0], today):
            yield Rule.RESIDENT_ID, run[0]
        elif masking.is_card_run(run[0]):
            yield Rule.BANK_CARD, run[0]
        elif masking.CARD.match(number):
            yield Rule.BANK_CARD, None
        elif len(number) == 18 and number[6:8] in ("18", "19", "20"):
            yield Rule.RESIDENT_ID, None
    for rule in _PLAIN:
        for match in masking.PATTERNS[rule].finditer(line):
            if rule is Rule.EMAIL and not _PRIVATE.search(match[0]):
                continue
            yield rule, match[0]


def _folded(line: str) -> str:
    return line if line.isascii() else unicodedata.normalize("NFKC", line)
