"""Masking by the conventions of china.md 6.5. What is masked stays as it is when it is masked again, and is found no more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from opendata.core.checks import is_luhn, is_resident_id
from opendata.review.detect import rules
from opendata.review.detect.rules import Rule

GONE = "***"
RUNS = re.compile(
    rf"(?<![0-9])(?<![0-9]\.)(?:{rules.SPACED_ID}|{rules.SPACED_CARD}|[0-9]{{15,}}[Xx]?)(?![0-9])"
)
CARD = re.compile(rules.CARD_FORM)
_DIGIT = re.compile("[0-9]")
_WIDE = re.compile("[０-９]")
_TOWN = re.compile(r"^.{2,}?(?:街道|镇(?!江)|乡(?!路)|经济开发区)")
_COUNTY = re.compile(r"^(?:.{2,7}?省)?(?:.{2,7}?[市州盟])?(?:.{1,6}?(?<!小)[区县旗市](?!园))?")

PATTERNS: dict[Rule, re.Pattern[str]] = {
    Rule.MOBILE: re.compile(rf"(?<![0-9.])(?:\+?86[ -]?|0)?{rules.PHONE}(?![0-9])"),
    Rule.LANDLINE: re.compile(rf"(?<![0-9.]){rules.LINE}(?![0-9])"),
    Rule.PASSPORT: re.compile(rf"(?<![0-9A-Za-z]){rules.PASSPORTS}(?![0-9A-Za-z])"),
    Rule.PERMIT: re.compile(rf"(?<![0-9A-Za-z])(?:{rules.PERMITS}|[0-9]{{8}})(?![0-9A-Za-z])"),
    Rule.PLATE: re.compile(rules.PLATES),
    Rule.EMAIL: re.compile(rules.MAIL),
    Rule.CREDENTIAL: re.compile(rules.SECRETS_IN_TEXT),
    Rule.PASSWORD: re.compile(rules.PASSWORDS),
    Rule.SECRECY_MARK: re.compile(rules.MARKS),
}


def keep(text: str, front: int, back: int) -> str:
    """Stars between the places that stay; a text too short for it is stars alone."""
    if len(text) <= front + back:
        return GONE
    return text[:front] + "*" * (len(text) - front - back) + text[len(text) - back :]


def name(text: str) -> str:
    """张* · 张*三 · 欧**三"""
    text = text.strip()
    if "*" in text or not text:
        return text
    return text[0] + "*" if len(text) == 2 else keep(text, 1, 1)


def address(text: str) -> str:
    """As far as the town or the street office (街道、镇); else the district; else nothing of it."""
    found = _TOWN.match(text) or _COUNTY.match(text)
    return found[0] if found and found[0] else GONE


def mobile(text: str) -> str:
    """138****5678, with its blanks and its prefix."""
    places = [m.start() for m in _DIGIT.finditer(text)][-11:]
    hidden = set(places[3:7])
    return "".join("*" if place in hidden else char for place, char in enumerate(text))


def landline(text: str) -> str:
    """The area code and the last two digits stay."""
    places = [m.start() for m in _DIGIT.finditer(text)]
    area = re.match(r"\D*0(?:10|2[0-9]|[3-9][0-9]{2})", text)
    first = area.end() if area else 3
    hidden = {place for place in places[:-2] if place >= first}
    return "".join("*" if place in hidden else char for place, char in enumerate(text))


def mail(text: str) -> str:
    """z***@host"""
    front, _, host = text.partition("@")
    return f"{front[:1]}{GONE}@{host}"


def resident(text: str) -> str:
    return keep(re.sub("[ -]", "", text), 3, 4)


def card(text: str) -> str:
    return keep(re.sub("[ -]", "", text), 6, 4)


def is_resident_run(run: str, today: date) -> bool:
    """Also a person's tax number: the identity number and two more places."""
    number = re.sub("[ -]", "", run)
    return is_resident_id(number[:18] if len(number) == 20 and number.isdigit() else number, today)


def is_card_run(run: str) -> bool:
    number = re.sub("[ -]", "", run)
    return CARD.match(number) is not None and is_luhn(number)


def in_text(rule: Rule, text: str, today: date) -> str:
    """The text with what the rule finds in it masked, and nothing else."""
    if rule is Rule.RESIDENT_ID:
        return RUNS.sub(lambda m: resident(m[0]) if is_resident_run(m[0], today) else m[0], text)
    if rule is Rule.BANK_CARD:
        return RUNS.sub(lambda m: card(m[0]) if is_card_run(m[0]) else m[0], text)
    return PATTERNS[rule].sub(lambda m: _OF_MATCH[rule](m[0]), text) if rule in PATTERNS else text


def cell(rule: Rule, text: str) -> str:
    """A cell of a column in which the rule was found: numbers of the form are masked even where a checksum is wrong."""
    if _WIDE.search(text):
        text = unicodedata.normalize("NFKC", text)
    if rule in (Rule.RESIDENT_ID, Rule.OLD_RESIDENT_ID):
        return RUNS.sub(lambda m: resident(m[0]), text)
    if rule is Rule.BANK_CARD:
        return RUNS.sub(lambda m: card(m[0]), text)
    if rule in PATTERNS:
        return PATTERNS[rule].sub(lambda m: _OF_MATCH[rule](m[0]), text)
    return _OF_CELL[rule](text) if text.strip() else text


def _last_four(text: str) -> str:
    return keep(text, 0, 4)


def _unmasked(text: str) -> str:
    if "*" in text:
        return text
    return keep(text, 3, 4) if len(text) > 10 else GONE


def _year(text: str) -> str:
    found = re.match(r"\s*((?:18|19|20)[0-9]{2})", text)
    return found[1] if found else GONE


_OF_MATCH: dict[Rule, Callable[[str], str]] = {
    Rule.MOBILE: mobile,
    Rule.LANDLINE: landline,
    Rule.PASSPORT: _last_four,
    Rule.PERMIT: _last_four,
    Rule.PLATE: lambda text: keep(text, 2, 2),
    Rule.EMAIL: mail,
    Rule.CREDENTIAL: lambda _: GONE,
    Rule.PASSWORD: lambda _: GONE,
    Rule.SECRECY_MARK: lambda text: text,
}
_OF_CELL: dict[Rule, Callable[[str], str]] = {
    Rule.PERSON: name,
    Rule.ADDRESS: address,
    Rule.BIRTH_DATE: _year,
    Rule.HOME_PLACE: lambda text: re.sub(r"([0-9]\.[0-9]{2})[0-9]+", r"\1", text),
    Rule.UNMASKED: _unmasked,
}
MASKABLE = frozenset({Rule.RESIDENT_ID, Rule.OLD_RESIDENT_ID, Rule.BANK_CARD, *_OF_MATCH, *_OF_CELL}) - {
    Rule.SECRECY_MARK
}
"""Findings that a machine can mend."""


def shown(rule: Rule, text: str) -> str:
    """For a reviewer's eyes: a cell of a sample, masked by its rule and then by all that could stand in it besides."""
    text = text.strip()
    if rule is Rule.SECRECY_MARK:
        found = PATTERNS[rule].search(text)
        return found[0] if found else text[:20]
    masked = cell(rule, text)
    for other in (Rule.CREDENTIAL, Rule.RESIDENT_ID, Rule.MOBILE):
        masked = cell(other, masked)
    return masked[:80]
