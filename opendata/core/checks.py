"""Identifiers, codes and addresses: whether a text is one. Own code for the national standards: the libraries refuse valid
ones (docs/decisions)."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlsplit

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
_PROVINCES = re.compile("00|1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12]")
"""The first two digits of GB/T 2260; 00 is the country."""
_LANGUAGES = (
    " aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo"
    " es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg"
    " ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn"
    " no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta"
    " te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu "
)
"""ISO 639-1, each between blanks."""
_EMAIL = re.compile(r"[^@\s<>\"',;:]+@[^@\s<>\"',;:]+")
_REGION = re.compile(r"[0-9]{2,12}")


def is_region(code: str) -> bool:
    """An administrative division (GB/T 2260 and its statistical extension): 2 to 12 digits in a province that there is."""
    return bool(_REGION.fullmatch(code)) and bool(_PROVINCES.match(code))


def is_language(code: str) -> bool:
    return len(code) == 2 and f" {code} " in _LANGUAGES


def is_email(text: str) -> bool:
    return bool(_EMAIL.fullmatch(text)) and len(text) <= 254


def is_web_address(text: str) -> bool:
    """An http or https address with a host: the only kind that we show as a link."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", text)
    except ValueError:
        return False


def is_script_address(text: str) -> bool:
    """An address that runs in the reader's browser when it is followed (as browsers read it: blanks do not count)."""
    scheme = re.sub(r"[\x00-\x20]", "", text).partition(":")[0].lower()
    return scheme in ("javascript", "data", "vbscript")


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


# GB2312 and GBK are the same bytes with fewer characters: read them with the largest of the family.
_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "utf-8-sig": "utf-8-sig", "ascii": "utf-8", "us-ascii": "utf-8",
    "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16le": "utf-16-le", "utf-16-be": "utf-16-be",
    "utf-16be": "utf-16-be", "utf-32": "utf-32", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030",
    "cp936": "gb18030", "big5": "big5", "big5-hkscs": "big5hkscs", "shift-jis": "cp932", "cp932": "cp932",
    "euc-jp": "euc_jp", "euc-kr": "euc_kr", "iso-8859-1": "iso-8859-1", "latin-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15", "windows-1252": "cp1252", "windows-1251": "cp1251",
}  # fmt: skip


def is_encoding(name: str) -> bool:
    """An encoding that a publisher may name."""
    return python_encoding(name) is not None


def python_encoding(named: str) -> str | None:
    """What Python calls an encoding that a publisher may name."""
    return _ENCODINGS.get(named.strip().lower().replace("_", "-"))
