"""Checksummed identifiers of the national standards. Own code: the libraries refuse valid ones (docs/decisions)."""

from __future__ import annotations

import re
from datetime import date

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC = re.compile(f"[{_USCC_ALPHABET}]{{18}}")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORG = re.compile(r"([0-9A-Z]{8})-?([0-9X])")
_PLATE = re.compile(
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]"
    "(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])"
)


def is_uscc(code: str) -> bool:
    """Unified social credit code (GB 32100-2015): 18 places, the last a checksum modulo 31."""
    if not _USCC.fullmatch(code):
        return False
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(code, _USCC_WEIGHTS, strict=False))
    return _USCC_ALPHABET[(31 - total % 31) % 31] == code[17]


def is_resident_id(number: str, today: date) -> bool:
    """Resident identity number (GB 11643-1999): 18 places, a real date of birth, a checksum modulo 11."""
    number = number.upper()
    if not _RESIDENT.fullmatch(number):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(d) * w for d, w in zip(number, _RESIDENT_WEIGHTS, strict=False))
    return date(1850, 1, 1) <= born <= today and "10X98765432"[total % 11] == number[17]


def is_luhn(digits: str) -> bool:
    """The checksum of bank card numbers (ISO/IEC 7812-1)."""
    if not digits.isdigit() or not digits.isascii():
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_org_code(code: str) -> bool:
    """Organization code (GB 11714): 8 places and a check sign, with or without a hyphen before it."""
    match = _ORG.fullmatch(code)
    if match is None:
        return False
    total = sum(int(c, 36) * w for c, w in zip(match[1], _ORG_WEIGHTS, strict=True))
    return "0X987654321"[total % 11] == match[2]


def is_plate(text: str) -> bool:
    """Number plate of a motor vehicle, new-energy ones included."""
    return _PLATE.fullmatch(text) is not None
