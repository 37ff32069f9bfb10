"""Checksummed identifiers of the national standards. Own code: the libraries refuse valid ones (docs/decisions)."""

from __future__ import annotations

import re
from datetime import date

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC = re.compile(f"[{_USCC_ALPHABET}]{{18}}")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]")


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
