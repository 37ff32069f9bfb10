"""The values by which rows are named, and their salted hashes. For the server, which keeps the hashes, and for the sandbox,
which compares them with every row. Nothing here is kept in the clear.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from datetime import date

_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[t ].*)?")
_WHOLE = re.compile(r"(-?\d+)\.0+")
_BETWEEN = "\x1f"


def subkey(secret: bytes, dataset_id: str) -> bytes:
    """The key for the rows of one dataset: the sandbox gets no other."""
    return hmac.digest(secret, f"rows:{dataset_id}".encode(), hashlib.sha256)


def digest(key: bytes, columns: Sequence[str], values: Sequence[str]) -> str:
    """64 hex digits for the values of a row in these columns. Writings of one value give one hash: full width, blanks around
    it, capitals, `2026/1/5` for a day, `12.0` for 12."""
    told = _BETWEEN.join([*map(name, columns), *map(normal, values)])
    return hmac.digest(key, told.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()


def check(secret: bytes) -> str:
    """Tells two secrets apart, and nothing else of them."""
    return digest(secret, ["site"], ["check"])[:32]


def name(column: str) -> str:
    """A column's name as it is compared."""
    return unicodedata.normalize("NFKC", column).strip().casefold()


def normal(value: str) -> str:
    text = unicodedata.normalize("NFKC", value).strip().casefold()
    if (day := day_in(text)) is not None:
        return day.isoformat()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def day_in(value: str) -> date | None:
    """The day that a cell names, in one of the forms in which public bodies write days; None for anything else."""
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", value).strip().casefold())
    if found is None:
        return None
    year, month, day, short_month, short_day = found.groups()
    try:
        return date(int(year), int(month or short_month), int(day or short_day))
    except ValueError:
        return None
