"""Checks against national code lists. The lists are data with dates: `catalog_schemas/codelists/`."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import attrs

from opendata.catalog.codes import codes
from opendata.validation.checks.cells import CellCheck, Profile, WrongCell
from opendata.validation.checks.identifiers import Found, damaged

_DIVISION = re.compile(r"[1-9][0-9]{5}(?:[0-9]{3}(?:[0-9]{3})?)?")
_LEVELS = {2: "0000", 4: "00", 6: ""}
_INDUSTRY = re.compile(r"[A-T]|[A-T]?[0-9]{2,4}")
_SHORT_INDUSTRY = re.compile(r"[1-9][0-9]{0,2}")


class DivisionError(WrongCell):
    type = "gbt2260"
    title = "Administrative Division"
    description = "A code of the administrative divisions (GB/T 2260)"


@attrs.define(kw_only=True, repr=False)
class Division(CellCheck):
    """行政区划代码, GB/T 2260: six places, or nine and twelve (street and village, of which the first six are looked up).
    `digits`: 2, 4 or 6, where a file writes provinces and prefectures short. `retired`: former codes are right too.
    Reasons: `scientific`, `full_width`, `form`, `unknown`, `replaced` (params name, until, successor: a former code),
    `retired` (one without a successor)."""

    Error = DivisionError
    metadata_profile_patch: ClassVar[Profile] = {
        "properties": {"retired": {"type": "boolean"}, "digits": {"type": "integer", "enum": [2, 4, 6]}}
    }

    retired: bool = False
    digits: int = 6

    def judge(self, cell: str) -> Found:
        if found := damaged(cell):
            return found
        code = cell + _LEVELS[self.digits] if self.digits < 6 else cell
        if not _DIVISION.fullmatch(code) or (self.digits < 6 and len(cell) != self.digits):
            return "form", "it is not written as a division's code", {"digits": self.digits}
        known = codes().lists["gbt2260"]
        if code[:6] in known.codes:
            return None
        former = known.retired.get(code[:6])
        if former is None:
            return (
                "unknown",
                f"no division has this code (edition {known.edition})",
                {"edition": known.edition},
            )
        reason = "replaced" if former.get("successor") else "retired"
        return None if self.retired else (reason, _retired(former), dict(former))


class IndustryError(WrongCell):
    type = "gbt4754"
    title = "Industry Code"
    description = "A code of the national economic activities (GB/T 4754-2017)"


@attrs.define(kw_only=True, repr=False)
class Industry(CellCheck):
    """国民经济行业分类代码, GB/T 4754-2017: a section's letter, or two to four digits, which may follow their section's letter.
    `levels` names the lengths that the column may have (1 section to 4 class).
    Reasons: `scientific`, `full_width`, `form`, `leading_zero_lost` (params value), `unknown`."""

    Error = IndustryError
    metadata_profile_patch: ClassVar[Profile] = {
        "properties": {"levels": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 4}}}
    }

    levels: list[int] = attrs.field(factory=lambda: [1, 2, 3, 4])

    def judge(self, cell: str) -> Found:
        if found := damaged(cell):
            return found
        known = codes().lists["gbt4754"]
        code = cell[1:] if len(cell) > 1 and cell[0].isalpha() else cell
        if _INDUSTRY.fullmatch(cell) and len(code) in self.levels and code in known.codes:
            return None
        padded = "0" + cell
        if _SHORT_INDUSTRY.fullmatch(cell) and len(padded) in self.levels and padded in known.codes:
            return "leading_zero_lost", f"its leading zero is lost: {padded}", {"value": padded}
        if not _INDUSTRY.fullmatch(cell):
            return "form", "it is not written as an industry's code", {}
        return "unknown", "no industry has this code", {"edition": known.edition}


def _retired(former: Any) -> str:
    since = f" since {former['until']}" if former.get("until") else ""
    instead = f"; today {former['successor']}" if former.get("successor") else ""
    return f"the code of {former['name']} is no longer used{since}{instead}"
