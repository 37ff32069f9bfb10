"""What the counts of a table mean, column by column in the light of the others.

The same eleven digits are a person's number beside a name, and a service's in a list of clinics. A rule with a checksum
proves itself, if more values pass than chance lets pass. Every branch answers (confident, reason); None is no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opendata.review.detect import masking
from opendata.review.detect.cells import Column
from opendata.review.detect.meaning import Meaning
from opendata.review.detect.rules import SUGGESTIONS, Found, Rule, Suggestion, Tally

Verdict = tuple[bool, str] | None

IDENTIFIES = frozenset(
    {Rule.RESIDENT_ID, Rule.OLD_RESIDENT_ID, Rule.BANK_CARD, Rule.MOBILE, Rule.PASSPORT, Rule.PERMIT, Rule.ADDRESS,
     Rule.BIRTH_DATE, Rule.HOME_PLACE, Rule.PLATE, Rule.EMAIL}
)  # fmt: skip
"""Beside one of these a name is a person."""
BY_CHANCE = 0.3
"""Of dated numbers of 18 places one in eleven passes the checksum, of card numbers one in ten: a column in which more
pass than this holds them."""


@dataclass
class Table:
    columns: Sequence[Column]

    def __post_init__(self) -> None:
        self.people = any(_holds_names(c) for c in self.columns) or any(
            c.tallies[Rule.RESIDENT_ID].hits and _proven(c, c.tallies[Rule.RESIDENT_ID])
            for c in self.columns
            if Rule.RESIDENT_ID in c.tallies
        )
        """Whether its rows are about people."""
        self.bodies = any(Meaning.BODY in c.meanings and c.filled for c in self.columns)
        self.officials = any(Meaning.OFFICIAL in c.meanings and c.filled for c in self.columns)
        self.households = any(Meaning.HOUSEHOLD in c.meanings for c in self.columns)


def judge(columns: Sequence[Column]) -> list[Found]:
    table = Table(columns)
    found = [
        _found(number, column, rule, tally, verdict)
        for number, column in enumerate(columns)
        for rule, tally in sorted(column.tallies.items())
        if rule is not Rule.PERSON and tally.hits and (verdict := _VERDICTS[rule](table, column, tally))
    ]
    # Names come last: they are personal by what stands beside them.
    identified = any(f.confident and f.rule in IDENTIFIES for f in found)
    for number, column in enumerate(columns):
        tally = column.tallies.get(Rule.PERSON)
        if tally and tally.hits and (verdict := _person(column, tally, identified=identified)):
            found.append(_found(number, column, Rule.PERSON, tally, verdict))
    return found


def _found(number: int, column: Column, rule: Rule, tally: Tally, verdict: tuple[bool, str]) -> Found:
    suggestion = SUGGESTIONS.get(rule, Suggestion.MASK)
    if column.hint.mask == "drop":
        suggestion = Suggestion.DROP
    return Found(
        column.header[:300],
        rule.value,
        verdict[0],
        tally.hits,
        shown(rule, tally),
        verdict[1],
        suggestion.value,
        number,
    )


def shown(rule: Rule, tally: Tally) -> list[dict[str, Any]]:
    """The sample of a finding: rows, and what was found in them, masked."""
    return [{"row": row, "masked": masking.shown(rule, text)} for row, text in tally.sample]


def _share(column: Column, count: int) -> float:
    return count / column.filled if column.filled else 0.0


def _holds_names(column: Column) -> bool:
    tally = column.tallies.get(Rule.PERSON)
    return Meaning.NAME in column.meanings and tally is not None and _share(column, tally.hits) >= 0.3


def _proven(column: Column, tally: Tally) -> bool:
    least = 0.5 if Meaning.CODE in column.meanings and Meaning.ID not in column.meanings else BY_CHANCE
    return tally.hits >= least * tally.candidates


def _resident(table: Table, column: Column, tally: Tally) -> Verdict:
    if Meaning.ID in column.meanings:
        return True, "header"
    return (True, "proven") if _proven(column, tally) else (False, "chance")


def _old_resident(table: Table, column: Column, tally: Tally) -> Verdict:
    if Meaning.ID in column.meanings:
        return True, "header"
    if Meaning.CODE in column.meanings or _share(column, tally.hits) < 0.8:
        return None
    return False, "form"


def _card(table: Table, column: Column, tally: Tally) -> Verdict:
    if Meaning.CARD in column.meanings:
        return True, "header"
    enough = 3 if Meaning.CODE in column.meanings else 1
    if tally.hits >= 0.6 * tally.candidates and tally.hits >= enough:
        return True, "proven"
    return False, "chance"


def _mobile(table: Table, column: Column, tally: Tally) -> Verdict:
    mostly = tally.whole >= 0.5 * tally.hits and _share(column, tally.whole) >= 0.1
    if column.hint.statutory or Meaning.OFFICE in column.meanings:
        return False, "office"
    if Meaning.MOBILE in column.meanings:
        alone = table.bodies and not table.people and not table.officials
        return (False, "office") if alone or tally.repeated else (True, "header")
    if Meaning.PHONE in column.meanings:
        personal = table.people and mostly and not tally.repeated
        return (True, "beside_names") if personal else (False, "office")
    if not mostly:
        return False, "in_text"
    if _share(column, tally.whole) < 0.8:
        return False, "in_text"
    if Meaning.CODE in column.meanings or tally.repeated or (table.bodies and not table.people):
        return False, "form"
    return True, "form"


def _landline(table: Table, column: Column, tally: Tally) -> Verdict:
    """Most landlines are offices'."""
    return (False, "beside_names") if table.people and Meaning.OFFICE not in column.meanings else None


def _document(table: Table, column: Column, tally: Tally) -> Verdict:
    """Passports and permits have no checksum: many codes look like them."""
    if Meaning.TRAVEL in column.meanings or Meaning.ID in column.meanings:
        return True, "header"
    if not tally.whole:  # behind the word 护照
        return False, "in_text"
    if Meaning.CODE in column.meanings or _share(column, tally.whole) < 0.5:
        return None
    return (True, "beside_names") if table.people else (False, "form")


def _plate(table: Table, column: Column, tally: Tally) -> Verdict:
    if not tally.whole or _share(column, tally.whole) < 0.1:
        return False, "in_text"
    if table.people:
        return True, "beside_names"
    return (False, "fleet") if table.bodies or tally.repeated else (True, "form")


def _email(table: Table, column: Column, tally: Tally) -> Verdict:
    if Meaning.PRIVATE_MAIL in column.meanings:
        return True, "header"
    if not tally.whole:
        return False, "in_text"
    personal = table.people and not column.hint.statutory and not tally.repeated
    return (True, "beside_names") if personal else (False, "office")


def _address(table: Table, column: Column, tally: Tally) -> Verdict:
    if column.hint.statutory:
        return None
    if Meaning.HOME in column.meanings:
        return True, "header"
    if not table.people or table.bodies:
        return None
    return (True, "beside_names") if column.flats >= 0.2 * column.filled else (False, "beside_names")


def _birth(table: Table, column: Column, tally: Tally) -> Verdict:
    return (True, "beside_names") if table.people else None


def _home_place(table: Table, column: Column, tally: Tally) -> Verdict:
    if column.hint.statutory or (table.bodies and not table.people):
        return None
    if table.households or (table.people and any(Meaning.HOME in c.meanings for c in table.columns)):
        return True, "household"
    return (False, "beside_names") if table.people else None


def _unmasked(table: Table, column: Column, tally: Tally) -> Verdict:
    """Not again where a number has a finding of its own."""
    return None if {Rule.RESIDENT_ID, Rule.OLD_RESIDENT_ID} & column.tallies.keys() else (True, "schema")


def _proves_itself(table: Table, column: Column, tally: Tally) -> Verdict:
    return True, "proven"


def _password(table: Table, column: Column, tally: Tally) -> Verdict:
    return False, "in_text"


def _person(column: Column, tally: Tally, *, identified: bool) -> Verdict:
    if column.hint.mask == "name_if_natural_person":
        return True, "schema"
    if column.hint.statutory or not _holds_names(column):
        return None
    return (True, "identified") if identified else (False, "names")


_VERDICTS: dict[Rule, Callable[[Table, Column, Tally], Verdict]] = {
    Rule.RESIDENT_ID: _resident,
    Rule.OLD_RESIDENT_ID: _old_resident,
    Rule.BANK_CARD: _card,
    Rule.MOBILE: _mobile,
    Rule.LANDLINE: _landline,
    Rule.PASSPORT: _document,
    Rule.PERMIT: _document,
    Rule.PLATE: _plate,
    Rule.EMAIL: _email,
    Rule.ADDRESS: _address,
    Rule.BIRTH_DATE: _birth,
    Rule.HOME_PLACE: _home_place,
    Rule.UNMASKED: _unmasked,
    Rule.SECRECY_MARK: _proves_itself,
    Rule.CREDENTIAL: _proves_itself,
    Rule.PASSWORD: _password,
}
