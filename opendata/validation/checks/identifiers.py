"""Checks of numbers that the state gives out (china.md 6.1). The checksums are `core.checks`' own."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, ClassVar

import attrs

from opendata.core import checks
from opendata.validation.checks.cells import CellCheck, Profile, WrongCell
from opendata.validation.checks.forms import SCIENTIFIC, folded

_MASKED = re.compile(r"[0-9]{3,6}\*{4,14}[0-9Xx*]{0,4}")
"""At least the date of birth is hidden (china.md 6.5)."""
_USCC_PLACES = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_RESIDENT_PLACES = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
_ORG_PLACES = re.compile(r"[0-9A-Z]{8}-?[0-9X]")
_PHONE = re.compile(
    r"(?:\+?86-?)?(?:0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?|1[3-9][0-9]{9}|12345|[48]00-?[0-9]{3}-?[0-9]{4}|[0-9]{7,8})"
)
Found = tuple[str, str, dict[str, Any]] | None


def damaged(cell: str) -> Found:
    """What an office program did to a number, before anybody looks at its digits."""
    if SCIENTIFIC.fullmatch(cell.strip()):
        return "scientific", "a spreadsheet turned it into a rounded number: its digits are lost", {}
    if cell != folded(cell):
        return "full_width", "it has full-width signs", {"value": folded(cell)}
    return None


class UsccError(WrongCell):
    type = "uscc"
    title = "Unified Social Credit Code"
    description = "A unified social credit code has 18 places and a checksum (GB 32100-2015)"


@attrs.define(kw_only=True, repr=False)
class Uscc(CellCheck):
    """统一社会信用代码, GB 32100-2015. Reasons: `scientific`, `full_width`, `form`, `checksum`."""

    Error = UsccError

    def judge(self, cell: str) -> Found:
        if found := damaged(cell):
            return found
        if not _USCC_PLACES.fullmatch(cell):
            return "form", "it needs 18 digits and capital letters without I, O, S, V, Z", {}
        return None if checks.is_uscc(cell) else ("checksum", "its check sign does not fit", {})


class ResidentIdError(WrongCell):
    type = "resident_id"
    title = "Resident Identity Number"
    description = "A resident identity number has 18 places, a date of birth and a checksum (GB 11643-1999)"


@attrs.define(kw_only=True, repr=False)
class ResidentId(CellCheck):
    """公民身份号码, GB 11643-1999. A masked number is right (`masked: false` asks for whole ones).
    Reasons: `scientific`, `full_width`, `form`, `date`, `checksum`, `masked`."""

    Error = ResidentIdError
    metadata_profile_patch: ClassVar[Profile] = {"properties": {"masked": {"type": "boolean"}}}

    masked: bool = True

    def judge(self, cell: str) -> Found:
        if "*" in cell:
            if not _MASKED.fullmatch(cell):
                return "form", "it is masked in a way that is not usual: 320***********1231", {}
            return None if self.masked else ("masked", "it is masked", {})
        if found := damaged(cell):
            return found
        if not _RESIDENT_PLACES.fullmatch(cell):
            return "form", "it needs 17 digits and a digit or X", {}
        if not _is_day(cell[6:14]):
            return "date", "places 7 to 14 are no date of birth", {"value": cell[6:14]}
        # China keeps one time; a day of birth is not later than today anywhere in it.
        known = checks.is_resident_id(cell, date.today())
        return None if known else ("checksum", "its check sign does not fit", {})


class OrgCodeError(WrongCell):
    type = "gb11714"
    title = "Organization Code"
    description = "An organization code has 8 places and a check sign (GB 11714)"


@attrs.define(kw_only=True, repr=False)
class OrgCode(CellCheck):
    """组织机构代码, GB 11714. Reasons: `scientific`, `full_width`, `form`, `checksum`."""

    Error = OrgCodeError

    def judge(self, cell: str) -> Found:
        if found := damaged(cell):
            return found
        if not _ORG_PLACES.fullmatch(cell):
            return "form", "it needs 8 digits or capital letters, then a digit or X", {}
        return None if checks.is_org_code(cell) else ("checksum", "its check sign does not fit", {})


class PhoneError(WrongCell):
    type = "cn_phone"
    title = "Telephone Number"
    description = "A telephone number as it is dialled in China"


@attrs.define(kw_only=True, repr=False)
class Phone(CellCheck):
    """Land line, mobile, 400/800, 12345. Several numbers of one cell are parted by `、`, `;`, `/` or a comma.
    Reasons: `scientific`, `full_width`, `form`."""

    Error = PhoneError

    def judge(self, cell: str) -> Found:
        if found := damaged(re.sub("[、；，]", ";", cell)):
            return found
        numbers = [number.strip() for number in re.split("[、；;,，/]", cell)]
        if all(_PHONE.fullmatch(number) for number in numbers):
            return None
        return "form", "it is no telephone number of China", {}


class PlateError(WrongCell):
    type = "plate"
    title = "Number Plate"
    description = "A number plate of a vehicle (GA 36)"


@attrs.define(kw_only=True, repr=False)
class Plate(CellCheck):
    """机动车号牌. Reasons: `full_width`, `form`."""

    Error = PlateError

    def judge(self, cell: str) -> Found:
        if cell != folded(cell):
            return "full_width", "it has full-width signs", {"value": folded(cell)}
        return None if checks.is_plate(cell) else ("form", "it is no number plate", {})


def _is_day(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) <= date.today()
    except ValueError:
        return False
